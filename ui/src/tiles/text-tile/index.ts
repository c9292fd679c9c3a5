import type { ViewKind } from "../kinds";
import TextTile from "./TextTile.vue";

const kind: ViewKind = { types: ["text"], view: TextTile };
export default kind;
