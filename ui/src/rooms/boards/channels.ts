// What each type of tile shows of a query's columns, as src/board/channels.cc says it.
import type { TileType } from "../../api/boards";

export interface Channel {
  name: string;
  required: boolean;
  several: boolean;
}
const need = (name: string, several = false): Channel => ({ name, required: true, several });
const may = (name: string, several = false): Channel => ({ name, required: false, several });
const series = [need("x"), need("y", true), may("series")];

const channels: Record<TileType, Channel[]> = {
  line: series,
  area: series,
  bar: series,
  stacked: series,
  scatter: [need("x"), need("y"), may("series")],
  heatmap: [need("x"), need("y"), need("value")],
  candlestick: [need("x"), need("open"), need("high"), need("low"), need("close")],
  table: [may("columns", true)],
  pivot: [need("rows", true), need("columns"), need("value")],
  number: [need("value"), may("compare"), may("label")],
  text: [],
};

export const tileTypes = Object.keys(channels) as TileType[];
export const channelsOf = (type: TileType): Channel[] => channels[type];
