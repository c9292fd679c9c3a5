// The days of a calendar and what stands on them. Pure; days are texts "2026-11-23" of the project's zone.
import type { CalendarCell } from "../../api/client";

const dayMs = 86_400_000;
const at = (day: string) => Date.parse(`${day}T00:00:00Z`);
export const addDays = (day: string, count: number): string =>
  new Date(at(day) + count * dayMs).toISOString().slice(0, 10);
export const daysFrom = (day: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => addDays(day, i));
// Weeks begin on Monday.
export const weekOf = (day: string): string => addDays(day, -((new Date(at(day)).getUTCDay() + 6) % 7));

const names = new Intl.DateTimeFormat("en-GB", {
  weekday: "short",
  day: "numeric",
  month: "short",
  timeZone: "UTC",
});
export const dayName = (day: string): string => names.format(at(day)).replace(",", "");

export interface Line {
  schedule: string;
  at: string; // the first time, on the wall
  key: string;
  cells: CalendarCell[]; // by state
  count: number;
}

export function timeIn(zone: string, utc: string): string {
  return new Date(utc).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: zone });
}

// The lines of one place (a day or an hour): a schedule each, by their first time.
export function linesOf(cells: CalendarCell[], place: string, zone: string): Line[] {
  const lines = new Map<string, CalendarCell[]>();
  for (const cell of cells)
    if (cell.at === place) lines.set(cell.schedule, [...(lines.get(cell.schedule) ?? []), cell]);
  return [...lines]
    .map(([schedule, own]) => {
      const first = own.reduce(
        (least, cell) => (cell.first_at < least ? cell.first_at : least),
        own[0]!.first_at,
      );
      const count = own.reduce((sum, cell) => sum + cell.count, 0);
      return { schedule, at: timeIn(zone, first), key: first, cells: own.sort(byWeight), count };
    })
    .sort((a, b) => a.key.localeCompare(b.key) || a.schedule.localeCompare(b.schedule));
}

// What needs a look comes first.
const weight = ["failed", "running", "waiting", "cancelled", "skipped", "done", "due"];
const byWeight = (a: CalendarCell, b: CalendarCell) => weight.indexOf(a.state) - weight.indexOf(b.state);

// "2 failed, 94 done"; one of a kind is the state alone.
export const wordsOf = (line: Line): string =>
  line.count === 1
    ? line.cells[0]!.state
    : line.cells.map((cell) => `${cell.count} ${cell.state}`).join(", ");
