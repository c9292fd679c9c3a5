// A chart of a result: what fits it, and the picture as ECharts wants it told.
import type { EChartsCoreOption } from "echarts/core";

import type { Cell, Column, SqlRows } from "../../api/client";
import { isNumberType, isTimeType } from "../../text/format";

export const chartKinds = ["line", "area", "bar", "stacked", "scatter"] as const;
export type ChartKind = (typeof chartKinds)[number];
export interface ChartChoice {
  kind: ChartKind;
  x: string; // names of columns
  y: string[];
  by: string; // a series for each value of it; empty: none
}

export const seriesMax = 6;
const pointsMax = 20_000;

const distinct = (rows: Cell[][], column: number, limit: number): Set<Cell> => {
  const values = new Set<Cell>();
  for (const row of rows) {
    values.add(row[column] ?? null);
    if (values.size > limit) break;
  }
  return values;
};

// A time or a name goes to the right, numbers go up; a name with few values that repeats splits into series.
export function suggest(result: SqlRows): ChartChoice | undefined {
  const { columns, rows } = result;
  const numbers = columns.filter((column) => isNumberType(column.type));
  if (!numbers.length || !rows.length) return undefined;
  const time = columns.find((column) => isTimeType(column.type));
  const names = columns.filter((column) => !isNumberType(column.type) && column !== time);
  const x = time ?? names[0] ?? columns[0]!;
  const up = numbers.filter((column) => column !== x);
  if (!up.length) return undefined;
  const split = names.find((column) => {
    const values = distinct(rows, columns.indexOf(column), seriesMax).size;
    return column !== x && values > 1 && values <= seriesMax;
  });
  return {
    kind: time ? "line" : "bar",
    x: x.name,
    y: (split ? up.slice(0, 1) : up.slice(0, 3)).map((column) => column.name),
    by: split?.name ?? "",
  };
}

// A choice of an earlier result may name columns that are gone.
export function fits(choice: ChartChoice | undefined, columns: Column[]): choice is ChartChoice {
  const has = (name: string) => columns.some((column) => column.name === name);
  return (
    !!choice && has(choice.x) && choice.y.length > 0 && choice.y.every(has) && (!choice.by || has(choice.by))
  );
}

export interface Series {
  name: string;
  points: [string | number, number | null][];
}

const numberOf = (cell: Cell | undefined): number | null =>
  cell === null || cell === undefined ? null : Number(cell);

export function seriesOf(result: SqlRows, choice: ChartChoice): { series: Series[]; left: number } {
  const at = (name: string) => result.columns.findIndex((column) => column.name === name);
  const x = at(choice.x);
  const by = choice.by ? at(choice.by) : -1;
  const isNumber = isNumberType(result.columns[x]!.type);
  const found = new Map<string, Series>();
  let left = 0;
  for (const row of result.rows.slice(0, pointsMax)) {
    const cell = row[x];
    if (cell === null || cell === undefined) continue;
    for (const name of choice.y) {
      const split = by < 0 ? "" : (row[by] ?? "null");
      const label = by < 0 ? name : choice.y.length > 1 ? `${split}, ${name}` : split;
      let series = found.get(label);
      if (!series) {
        if (found.size >= seriesMax) {
          left += 1;
          continue;
        }
        found.set(label, (series = { name: label, points: [] }));
      }
      series.points.push([isNumber ? Number(cell) : cell, numberOf(row[at(name)])]);
    }
  }
  return { series: [...found.values()], left };
}

export interface Look {
  colors: string[];
  text: string;
  muted: string;
  line: string;
  surface: string;
}

export function optionOf(result: SqlRows, choice: ChartChoice, look: Look): EChartsCoreOption {
  const type = result.columns.find((column) => column.name === choice.x)!.type;
  const isTime = isTimeType(type);
  const isName =
    !isTime &&
    !(isNumberType(type) && (choice.kind === "scatter" || choice.kind === "line" || choice.kind === "area"));
  const { series } = seriesOf(result, choice);
  const isBar = choice.kind === "bar" || choice.kind === "stacked";
  const axis = {
    axisLine: { lineStyle: { color: look.line } },
    axisLabel: { color: look.muted },
    nameTextStyle: { color: look.muted },
  };
  return {
    animation: false,
    color: look.colors,
    textStyle: { fontFamily: "inherit", color: look.text },
    grid: { left: 12, right: 24, top: series.length > 1 ? 44 : 28, bottom: 28, containLabel: true },
    tooltip: {
      trigger: choice.kind === "scatter" ? "item" : "axis",
      confine: true,
      backgroundColor: look.surface,
      borderColor: look.line,
      textStyle: { color: look.text },
    },
    legend: series.length > 1 ? { top: 4, textStyle: { color: look.text }, type: "scroll" } : undefined,
    xAxis: {
      ...axis,
      type: isTime && !isBar ? "time" : isName || isBar ? "category" : "value",
      name: choice.x,
      nameLocation: "middle",
      nameGap: 28,
      scale: true,
      splitLine: { show: false },
    },
    yAxis: {
      ...axis,
      type: "value",
      name: choice.y.join(", "),
      nameLocation: "end",
      nameTextStyle: { color: look.muted, align: "left" },
      scale: !isBar && choice.kind !== "area",
      splitLine: { lineStyle: { color: look.line } },
    },
    dataZoom: [{ type: "inside", filterMode: "none" }],
    series: series.map((one) => ({
      name: one.name,
      type: isBar ? "bar" : choice.kind === "scatter" ? "scatter" : "line",
      stack: choice.kind === "stacked" ? "all" : undefined,
      areaStyle: choice.kind === "area" ? { opacity: 0.18 } : undefined,
      data: one.points,
      showSymbol: one.points.length < 60,
      symbolSize: choice.kind === "scatter" ? 6 : 5,
      lineStyle: { width: 1.75 },
      barMaxWidth: 36,
      connectNulls: false,
      sampling: choice.kind === "line" || choice.kind === "area" ? "lttb" : undefined,
      large: choice.kind === "scatter",
    })),
  };
}
