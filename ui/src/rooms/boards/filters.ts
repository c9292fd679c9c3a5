// Filters as they stand in the URL (f.symbols=AAPL&f.symbols=MSFT), and pairs of dates that are one range. Pure.
import type { FilterConfig, Given } from "../../api/boards";

type Query = Record<string, string | null | (string | null)[] | undefined>;

export function givenOf(query: Query, filters: FilterConfig[]): Given {
  const given: Given = {};
  for (const { name } of filters) {
    const value = query[`f.${name}`];
    if (value === undefined || value === null) continue;
    given[name] = (Array.isArray(value) ? value : [value]).filter(
      (one): one is string => one !== null && one !== "",
    );
  }
  return given;
}

// An empty list is told from one that is not there: "f.symbols=".
export function queryOf(query: Query, name: string, values: string[] | undefined): Query {
  const next = { ...query };
  if (values === undefined) delete next[`f.${name}`];
  else next[`f.${name}`] = values.length ? values : "";
  return next;
}

export interface Control {
  kind: "one" | "range";
  filter: FilterConfig; // of a range: where it begins
  to?: FilterConfig;
}

// "from" and "to", "day_from" and "day_to": one control.
export function controlsOf(filters: FilterConfig[]): Control[] {
  const byName = new Map(filters.map((filter) => [filter.name, filter]));
  const controls: Control[] = [];
  const taken = new Set<string>();
  for (const filter of filters) {
    if (taken.has(filter.name)) continue;
    const to = /(^|_)from$/.test(filter.name) ? byName.get(filter.name.replace(/from$/, "to")) : undefined;
    if (filter.type === "date" && to?.type === "date") {
      taken.add(to.name);
      controls.push({ kind: "range", filter, to });
    } else controls.push({ kind: "one", filter });
  }
  return controls;
}

export const ranges: { label: string; from: string; to: string }[] = [
  { label: "Last 7 days", from: "today - 7 days", to: "today" },
  { label: "Last 30 days", from: "today - 30 days", to: "today" },
  { label: "Last 12 months", from: "today - 12 months", to: "today" },
  { label: "This month", from: "start of month", to: "today" },
  { label: "This year", from: "start of year", to: "today" },
];
