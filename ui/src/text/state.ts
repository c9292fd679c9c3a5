// The states of tasks and runs, as four kinds that eyes can tell apart, and the sentence that sums them up.
import type { OverviewTask } from "../api/client";
import { plural } from "./format";

export type Mood = "ok" | "running" | "late" | "failed" | "idle";

const moods: Record<string, Mood> = {
  fresh: "ok",
  done: "ok",
  running: "running",
  waiting: "idle",
  due: "idle",
  late: "late",
  interrupted: "late",
  skipped: "late",
  cancelled: "idle",
  sent: "ok",
  sending: "running",
  "no rows": "idle",
  unknown: "late",
  refused: "failed",
  "not sent": "failed",
  over: "idle",
  passed: "ok",
  warned: "late",
  stale: "failed",
  failed: "failed",
};

export const moodOf = (state: string): Mood => moods[state] ?? "idle";

export interface Summary {
  mood: Mood;
  text: string;
}

export function summaryOf(tasks: OverviewTask[], running: boolean): Summary {
  if (tasks.length === 0) return { mood: "idle", text: "Nothing to run yet" };
  const of = (...states: string[]) => tasks.filter((task) => states.includes(task.state)).length;
  const failed = of("failed", "stale");
  const late = of("late", "interrupted", "skipped", "cancelled");
  const never = of("never run");
  const parts: string[] = [];
  if (failed) parts.push(`${failed} failed`);
  if (late) parts.push(`${late} late`);
  if (never) parts.push(`${never} never ran`);
  const total = plural(tasks.length, "task");
  if (running)
    return { mood: "running", text: parts.length ? `Running; ${parts.join(", ")} of ${total}` : "Running" };
  if (!parts.length) return { mood: "ok", text: `All ${total} are fresh` };
  return {
    mood: failed ? "failed" : late ? "late" : "idle",
    text: `${capital(parts.join(", "))} of ${total}`,
  };
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
export const firstLine = (text: string): string => text.split("\n", 1)[0] ?? "";
