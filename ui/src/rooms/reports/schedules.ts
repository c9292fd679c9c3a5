// Which schedules mail a report. Pure.
import type { Schedule } from "../../api/client";

export const mailsOf = (name: string, schedules: Schedule[]): Schedule[] =>
  schedules.filter((one) =>
    one.run.some((words) => words.split(/\s+/).some((word) => word === `mail:${name}`)),
  );

// The first time that one of them is due.
export const nextOf = (schedules: Schedule[]): string | null =>
  schedules.reduce<string | null>(
    (first, one) => (one.next_at && !one.paused && (!first || one.next_at < first) ? one.next_at : first),
    null,
  );
