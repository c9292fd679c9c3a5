import type { EChartsCoreOption } from "echarts/core";

import type { SqlRows } from "../../api/client";
import { optionOf, seriesOf, type ChartChoice } from "../../rooms/sql/chart";
import { columnIndex, type ChartInput, type Clicked } from "../kinds";
import { compact, formatNumber, parseFormat } from "../number";

// The names as the query writes them: a board's file may write them in another case.
const named = (input: ChartInput, channel: string): string[] =>
  (input.tile.channels[channel] ?? []).map(
    (name) => input.data.columns[columnIndex(input.data, name)]?.name ?? name,
  );

export function choiceOf(input: ChartInput): ChartChoice {
  return {
    kind: input.tile.type as ChartChoice["kind"],
    x: named(input, "x")[0] ?? "",
    y: named(input, "y"),
    by: named(input, "series")[0] ?? "",
  };
}

const rowsOf = (input: ChartInput): SqlRows => ({
  columns: input.data.columns,
  rows: input.data.rows,
  changed: null,
  cut: input.data.cut,
});

export function option(input: ChartInput): EChartsCoreOption {
  const choice = choiceOf(input);
  const base = optionOf(rowsOf(input), choice, input.look) as Record<string, unknown>;
  const { series } = seriesOf(rowsOf(input), choice);
  const format = parseFormat(input.tile.format);
  const asText = (value: unknown) =>
    value === null || value === undefined ? "–" : formatNumber(String(value), format);
  // Direct labels before legends: few lines carry their names at their ends.
  const direct =
    (choice.kind === "line" || choice.kind === "area") && series.length > 1 && series.length <= 4;
  const drawn = base.series as Record<string, unknown>[];
  return {
    ...base,
    grid: {
      left: 8,
      right: direct ? 64 : 16,
      top: input.tile.unit || (series.length > 1 && !direct) ? 34 : 14,
      bottom: 8,
      containLabel: true,
    },
    legend: series.length > 1 && !direct ? base.legend : undefined,
    tooltip: {
      ...(base.tooltip as object),
      valueFormatter: (value: unknown) => `${asText(value)}${input.tile.unit ? ` ${input.tile.unit}` : ""}`,
    },
    xAxis: { ...(base.xAxis as object), name: "" },
    yAxis: {
      ...(base.yAxis as object),
      name: input.tile.unit,
      axisLabel: {
        color: input.look.muted,
        formatter: (value: number) => (format.kind === "percent" ? asText(value) : compact(value)),
      },
    },
    series: drawn.map((one, i) => ({
      ...one,
      // A series that is alone is no name that another tile could have.
      color: input.look.colors[series.length === 1 && !choice.by ? 0 : input.colors.indexOf(series[i]!.name)],
      endLabel: direct ? { show: true, formatter: "{a}", color: input.look.muted, fontSize: 11 } : undefined,
      labelLayout: direct ? { moveOverlap: "shiftY" } : undefined,
    })),
  };
}

export function clicked(input: ChartInput, point: { seriesName?: string; value?: unknown }): Clicked {
  const choice = choiceOf(input);
  const value = Array.isArray(point.value) ? (point.value as unknown[])[0] : point.value;
  const out: Clicked = { [choice.x]: value === null || value === undefined ? null : String(value) };
  if (choice.by && choice.y.length === 1) out[choice.by] = point.seriesName ?? null;
  return out;
}
