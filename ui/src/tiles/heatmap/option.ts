import type { EChartsCoreOption } from "echarts/core";

import { columnIndex, type ChartInput, type Clicked } from "../kinds";
import { axisOf, tooltipOf } from "../look";
import { formatNumber, parseFormat } from "../number";

export interface Cells {
  across: string[];
  down: string[];
  cells: [number, number, number][];
  least: number;
  most: number;
}

// Numbers and dates in their order, other names in that in which they come.
export function inOrder(names: Set<string>): string[] {
  const all = [...names];
  const ordered =
    all.every((name) => /^-?\d+(\.\d+)?$/.test(name)) || all.every((name) => /^\d{4}-\d\d/.test(name));
  return ordered ? all.sort((a, b) => (/^\d{4}-/.test(a) ? (a < b ? -1 : 1) : Number(a) - Number(b))) : all;
}

// A pair that comes twice shows the last value.
export function cellsOf({ tile, data }: Pick<ChartInput, "tile" | "data">): Cells {
  const [x, y, value] = ["x", "y", "value"].map((name) => columnIndex(data, tile.channels[name]?.[0])) as [
    number,
    number,
    number,
  ];
  const across = inOrder(new Set(data.rows.map((row) => row[x] ?? "null")));
  const down = inOrder(new Set(data.rows.map((row) => row[y] ?? "null")));
  const place = (names: string[]) => new Map(names.map((name, i) => [name, i]));
  const [left, top] = [place(across), place(down)];
  const found = new Map<string, [number, number, number]>();
  for (const row of data.rows) {
    const cell = row[value];
    const at = [left.get(row[x] ?? "null")!, top.get(row[y] ?? "null")!] as const;
    if (cell !== null && cell !== undefined) found.set(at.join(), [at[0], at[1], Number(cell)]);
  }
  const values = [...found.values()].map((one) => one[2]);
  return {
    across,
    down,
    cells: [...found.values()],
    least: values.length ? Math.min(...values) : 0,
    most: values.length ? Math.max(...values) : 0,
  };
}

export function option(input: ChartInput): EChartsCoreOption {
  const { across, down, cells, least, most } = cellsOf(input);
  const { look, tile } = input;
  const format = parseFormat(tile.format);
  const unit = tile.unit ? ` ${tile.unit}` : "";
  return {
    animation: false,
    textStyle: { fontFamily: "inherit", color: look.text },
    grid: { left: 8, right: 8, top: 8, bottom: 40, containLabel: true },
    tooltip: {
      ...tooltipOf(look),
      formatter: ({ value }: { value: [number, number, number] }) =>
        `${escapeHtml(across[value[0]]!)}, ${escapeHtml(down[value[1]]!)}<br><b>${formatNumber(String(value[2]), format)}${escapeHtml(unit)}</b>`,
    },
    xAxis: { ...axisOf(look), type: "category", data: across },
    yAxis: { ...axisOf(look), type: "category", data: down, inverse: true },
    visualMap: {
      type: "continuous",
      min: least,
      max: most > least ? most : least + 1,
      orient: "horizontal",
      left: "center",
      bottom: 0,
      itemHeight: 90,
      itemWidth: 10,
      textStyle: { color: look.muted, fontSize: 11 },
      calculable: false,
      text: [most, least].map((value) => formatNumber(String(Number(value.toPrecision(4))), format)),
      inRange: {
        color:
          least < 0 && most > 0
            ? [look.colors[1], look.surface, look.colors[0]]
            : [look.surface, look.colors[0]],
      },
      formatter: (value: number) => formatNumber(String(Number(value.toPrecision(4))), format),
    },
    series: [{ type: "heatmap", data: cells, itemStyle: { borderColor: look.surface, borderWidth: 1 } }],
  };
}

export function clicked(input: ChartInput, point: { value?: unknown }): Clicked {
  const { across, down } = cellsOf(input);
  const value = point.value as [number, number, number];
  return {
    [input.tile.channels.x![0]!]: across[value[0]] ?? null,
    [input.tile.channels.y![0]!]: down[value[1]] ?? null,
  };
}

const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
