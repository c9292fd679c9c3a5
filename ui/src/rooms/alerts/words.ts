// What alerts are about, in words, and where they lead. Pure.
import type { RouteLocationRaw } from "vue-router";

import type { Alert, Episode } from "../../api/alerts";
import type { OverviewTask } from "../../api/client";

export type Fact = Pick<
  Episode,
  "event" | "recovered_from" | "subject" | "headline" | "text" | "task" | "kind" | "path" | "run"
>;

export const eventNames: Record<string, string> = {
  failure: "Failures",
  test: "Data tests",
  lateness: "Lateness",
  quarantine: "Quarantine",
  recovery: "Recoveries",
};
export const stateNames: Record<string, string> = {
  sent: "sent",
  unknown: "unknown",
  waiting: "waiting",
  sending: "sending",
  refused: "refused",
  "not sent": "given up",
  over: "over before it was told",
};

// As StateMark shows it: colour and shape.
export function markOf(fact: Fact): string {
  if (fact.event === "recovery") return "done";
  if (fact.event === "failure") return "failed";
  if (fact.event === "test") return fact.text.startsWith("warning: ") ? "warned" : "failed";
  return "late";
}

export interface Way {
  name: string;
  to: RouteLocationRaw;
}

// The run, the task, the table, the test and the rows behind it, as far as they are there.
export function waysOf(fact: Fact, tasks: OverviewTask[], run = fact.run): Way[] {
  const ways: Way[] = [];
  if (run)
    ways.push({
      name: "Run",
      to: { name: "run", params: { id: run }, query: fact.task ? { task: fact.task } : {} },
    });
  const about = fact.event === "recovery" ? fact.recovered_from : fact.event;
  if (about === "quarantine" && fact.run)
    ways.push({ name: "Refused rows", to: { name: "quarantine", query: { run: fact.run } } });
  if (about === "test" || fact.kind === "test")
    ways.push({
      name: "Tests",
      to: { name: "quality", query: fact.kind === "test" ? { find: fact.task } : {} },
    });
  const task = tasks.find((one) => one.name === fact.task);
  if (task) ways.push({ name: "Task", to: { name: "graph", query: { task: task.name } } });
  const [schema, ...name] = ((task?.last_done_at && task.writes[0]) || "").split("."); // never built: none
  if (schema && name.length)
    ways.push({ name: "Table", to: { name: "table", params: { schema, name: name.join(".") } } });
  const report = /^reports\/(.+)\.ya?ml$/.exec(fact.path);
  if (report) ways.push({ name: "Report", to: { name: "report", params: { name: report[1]! } } });
  return ways;
}

// Nobody is told anew of what is over; a recovery is about the end itself.
export const mayAgain = (alert: Alert): boolean =>
  ["unknown", "refused", "not sent"].includes(alert.state) && (!alert.over_at || alert.event === "recovery");

export interface Lost {
  message: string;
  channel: string;
  alerts: Alert[];
  first: Alert; // stands for all of the message
  again: boolean;
}

// Alerts of which nobody knows whether they arrived, as the messages that they went in.
export function lostOf(alerts: Alert[]): Lost[] {
  const all = new Map<string, Lost>();
  for (const alert of alerts.filter((one) => one.state === "unknown")) {
    const one = all.get(alert.message) ?? {
      message: alert.message,
      channel: alert.channel,
      alerts: [],
      first: alert,
      again: false,
    };
    one.alerts.push(alert);
    // The one that is asked for must not be over.
    if (mayAgain(alert) && !one.again) Object.assign(one, { first: alert, again: true });
    all.set(alert.message, one);
  }
  return [...all.values()];
}
