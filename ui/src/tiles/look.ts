// How charts look: from the page's tokens, so that light and dark are one. The same name has the same colour on
// every tile of a board.
import type { Look } from "../rooms/sql/chart";

export const colorCount = 6;

export function lookNow(): Look {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string) => style.getPropertyValue(name).trim();
  const colors = Array.from({ length: colorCount }, (_, i) => of(`--series-${i + 1}`));
  return { colors, text: of("--text"), muted: of("--muted"), line: of("--line"), surface: of("--raised") };
}

// Colours are given in the order in which names come first; the seventh begins anew.
export class SeriesColors {
  private readonly indexes = new Map<string, number>();
  indexOf(name: string): number {
    let index = this.indexes.get(name);
    if (index === undefined) this.indexes.set(name, (index = this.indexes.size % colorCount));
    return index;
  }
}

export const axisOf = (look: Look) => ({
  axisLine: { lineStyle: { color: look.line } },
  axisLabel: { color: look.muted, hideOverlap: true },
  nameTextStyle: { color: look.muted },
  splitLine: { show: false },
});
export const tooltipOf = (look: Look) => ({
  confine: true,
  backgroundColor: look.surface,
  borderColor: look.line,
  textStyle: { color: look.text, fontSize: 12 },
});
