// The tabs of the SQL room and what was asked: kept by this browser.
import { ref, watch } from "vue";

import type { ChartChoice } from "./chart";

export interface Tab {
  id: string;
  name: string; // empty: named after its text
  sql: string;
  asOf: string; // empty: now
  view: "rows" | "chart";
  chart?: ChartChoice;
}

export interface Asked {
  sql: string;
  at: number;
  ms: number;
  rows: number | null;
  error: string;
}

const tabsKey = "tarn.sql.tabs";
const askedKey = "tarn.sql.asked";
const askedMax = 300;

export const newTab = (sql = "", asOf = ""): Tab => ({
  id: Math.random().toString(36).slice(2, 10),
  name: "",
  sql,
  asOf,
  view: "rows",
});

// What a browser kept may be of an older version, or somebody else's.
export function readTabs(text: string | null): Tab[] {
  const read = parsed(text);
  const found = read.filter((one) => typeof one.id === "string" && typeof one.sql === "string");
  return found.map((one) => ({ ...newTab(), ...one }) as Tab);
}
export function readAsked(text: string | null): Asked[] {
  return parsed(text).filter(
    (one) => typeof one.sql === "string" && typeof one.at === "number",
  ) as unknown as Asked[];
}
function parsed(text: string | null): Record<string, unknown>[] {
  try {
    const read: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(read) ? read.filter((one) => typeof one === "object" && one !== null) : [];
  } catch {
    return [];
  }
}

// The newest of equal texts counts.
export function withAsked(all: Asked[], one: Asked): Asked[] {
  return [one, ...all.filter((other) => other.sql !== one.sql)].slice(0, askedMax);
}

const keywords = /^\s*(?:--[^\n]*\n|\s)*/;
export function titleOf(tab: Pick<Tab, "name" | "sql">): string {
  if (tab.name) return tab.name;
  const comment = /^\s*--\s*(\S[^\n]*)/.exec(tab.sql);
  if (comment) return comment[1]!.slice(0, 28);
  const from = /\bfrom\s+([\w."]+)/i.exec(tab.sql);
  if (from) return from[1]!.replaceAll('"', "").slice(-28);
  return tab.sql.replace(keywords, "").split("\n", 1)[0]!.slice(0, 28) || "New query";
}

export const tabs = ref<Tab[]>(readTabs(localStorage.getItem(tabsKey)));
export const asked = ref<Asked[]>(readAsked(localStorage.getItem(askedKey)));

let timer: number | undefined;
function keep(): void {
  window.clearTimeout(timer);
  timer = undefined;
  localStorage.setItem(tabsKey, JSON.stringify(tabs.value));
}
watch(tabs, () => (timer ??= window.setTimeout(keep, 300)), { deep: true });
window.addEventListener("pagehide", () => timer !== undefined && keep());

export function remember(one: Asked): void {
  asked.value = withAsked(asked.value, one);
  localStorage.setItem(askedKey, JSON.stringify(asked.value));
}
export function forgetAsked(): void {
  asked.value = [];
  localStorage.removeItem(askedKey);
}
