import type { ViewKind } from "../kinds";
import NumberTile from "./NumberTile.vue";

const kind: ViewKind = { types: ["number"], view: NumberTile };
export default kind;
