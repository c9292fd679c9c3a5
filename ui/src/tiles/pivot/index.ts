import type { ViewKind } from "../kinds";
import PivotTile from "./PivotTile.vue";

const kind: ViewKind = { types: ["pivot"], view: PivotTile };
export default kind;
