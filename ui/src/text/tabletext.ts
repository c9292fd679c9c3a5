// Rows as a spreadsheet takes them from the clipboard: tabs and lines; values that have such in them stand in quotes.
import type { SqlRows } from "../api/client";

// A cell that a spreadsheet would take for a formula is told to be text.
function cellText(cell: string | null): string {
  if (cell === null) return "";
  const text = /^[=+@]|^-(?![\d.])/.test(cell) ? `'${cell}` : cell;
  return /[\t\n\r"]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function tableText(result: Pick<SqlRows, "columns" | "rows">): string {
  const lines = [result.columns.map((column) => column.name), ...result.rows];
  return lines.map((line) => line.map(cellText).join("\t")).join("\n");
}
