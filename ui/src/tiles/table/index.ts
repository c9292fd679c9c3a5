import type { ViewKind } from "../kinds";
import TableTile from "./TableTile.vue";

const kind: ViewKind = { types: ["table"], view: TableTile };
export default kind;
