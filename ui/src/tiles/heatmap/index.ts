import type { ChartKind } from "../kinds";
import { clicked, option } from "./option";

const kind: ChartKind = { types: ["heatmap"], option, clicked };
export default kind;
