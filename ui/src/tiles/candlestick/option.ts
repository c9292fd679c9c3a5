import type { EChartsCoreOption } from "echarts/core";

import { columnIndex, type ChartInput, type Clicked } from "../kinds";
import { axisOf, tooltipOf } from "../look";
import { compact } from "../number";

const parts = ["open", "close", "low", "high"] as const; // as ECharts wants them

export function candlesOf({ tile, data }: Pick<ChartInput, "tile" | "data">): {
  times: string[];
  candles: (number | string)[][];
} {
  const x = columnIndex(data, tile.channels.x?.[0]);
  const at = parts.map((part) => columnIndex(data, tile.channels[part]?.[0]));
  const times: string[] = [];
  const candles: (number | string)[][] = [];
  for (const row of data.rows) {
    const values = at.map((column) => row[column]);
    times.push(row[x] ?? "null");
    candles.push(values.map((value) => (value === null || value === undefined ? "-" : Number(value))));
  }
  return { times, candles };
}

export function option(input: ChartInput): EChartsCoreOption {
  const { look, tile } = input;
  const { times, candles } = candlesOf(input);
  const up = look.colors[0];
  const down = look.colors[1];
  return {
    animation: false,
    textStyle: { fontFamily: "inherit", color: look.text },
    grid: { left: 8, right: 16, top: tile.unit ? 34 : 14, bottom: 8, containLabel: true },
    tooltip: { ...tooltipOf(look), trigger: "axis", axisPointer: { type: "cross" } },
    xAxis: { ...axisOf(look), type: "category", data: times },
    yAxis: {
      ...axisOf(look),
      type: "value",
      scale: true,
      name: tile.unit,
      splitLine: { show: true, lineStyle: { color: look.line } },
      axisLabel: { color: look.muted, formatter: compact },
    },
    dataZoom: [{ type: "inside", filterMode: "filter" }],
    series: [
      {
        type: "candlestick",
        name: tile.title,
        data: candles,
        itemStyle: { color: up, borderColor: up, color0: down, borderColor0: down },
      },
    ],
  };
}

export function clicked(input: ChartInput, point: { name?: string }): Clicked {
  return { [input.tile.channels.x![0]!]: point.name ?? null };
}
