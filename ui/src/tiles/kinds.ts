// Every tile kind is a folder with an index.ts that exports one TileKind.
import type { EChartsCoreOption } from "echarts/core";
import type { Component } from "vue";

import type { TileConfig, TileData, TileType } from "../api/boards";
import type { Look } from "../rooms/sql/chart";
import type { SeriesColors } from "./look";

// A place in a tile that was clicked: values of the query's columns that lead to it.
export type Clicked = Record<string, string | null>;

export interface ChartInput {
  tile: TileConfig;
  data: TileData;
  look: Look;
  colors: SeriesColors;
}
export interface ChartKind {
  types: TileType[];
  option: (input: ChartInput) => EChartsCoreOption;
  // What a click on a point means; `point` is ECharts' event.
  clicked: (
    input: ChartInput,
    point: { seriesName?: string; name?: string; value?: unknown; dataIndex?: number },
  ) => Clicked;
}
export interface ViewKind {
  types: TileType[];
  view: Component; // props: tile, data; emits: clicked
}
export type TileKind = ChartKind | ViewKind;

const modules = import.meta.glob<{ default: TileKind }>("./*/index.ts", { eager: true });
const kinds = new Map<TileType, TileKind>();
for (const { default: kind } of Object.values(modules)) for (const type of kind.types) kinds.set(type, kind);

export const kindOf = (type: TileType): TileKind | undefined => kinds.get(type);
export const columnIndex = (data: TileData, name: string | undefined): number =>
  name === undefined
    ? -1
    : data.columns.findIndex((column) => column.name.toLowerCase() === name.toLowerCase());
