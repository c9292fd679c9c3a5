// Numbers as a tile's `format` says: "integer", "number(2)", "percent(1)"; without one all digits stay.
import { groupDigits } from "../text/format";

export interface NumberFormat {
  kind: "plain" | "number" | "percent";
  places?: number;
}

export function parseFormat(text: string): NumberFormat {
  const match = /^(integer|number|percent)(?:\((\d{1,2})\))?$/.exec(text);
  if (!match) return { kind: "plain" };
  if (match[1] === "integer") return { kind: "number", places: 0 };
  const places = match[2] === undefined ? (match[1] === "percent" ? 1 : 2) : Number(match[2]);
  return { kind: match[1] as "number" | "percent", places };
}

export function formatNumber(cell: string | null, format: NumberFormat): string {
  if (cell === null) return "–";
  if (format.kind === "plain") return groupDigits(shorten(cell));
  const value = Number(cell) * (format.kind === "percent" ? 100 : 1);
  const text = value.toLocaleString("en-GB", {
    minimumFractionDigits: format.places,
    maximumFractionDigits: format.places,
  });
  return format.kind === "percent" ? `${text} %` : text;
}

// A double's last digits are noise: 0.30000000000000004.
function shorten(cell: string): string {
  return /^-?\d+\.\d{7,}$/.test(cell) ? String(Number(Number(cell).toPrecision(7))) : cell;
}

// "1.2 M": for axes and large figures.
export const compact = (value: number): string =>
  Math.abs(value) >= 10_000
    ? value.toLocaleString("en-US", { notation: "compact", maximumFractionDigits: 1 })
    : value.toLocaleString("en-GB", { maximumFractionDigits: 4 });
