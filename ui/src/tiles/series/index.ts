// line, area, bar, stacked, scatter: numbers against a time, a name or a number.
import type { ChartInput, ChartKind } from "../kinds";
import { clicked, option } from "./option";

const kind: ChartKind = {
  types: ["line", "area", "bar", "stacked", "scatter"],
  option: (input: ChartInput) => option(input),
  clicked,
};
export default kind;
