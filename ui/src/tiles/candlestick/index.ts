import type { ChartKind } from "../kinds";
import { clicked, option } from "./option";

const kind: ChartKind = { types: ["candlestick"], option, clicked };
export default kind;
