// Goal: one line says truly whether everything is fine. Method: tasks of every state.
import { expect, it } from "vitest";

import type { OverviewTask } from "../api/client";
import { moodOf, summaryOf } from "./state";

const task = (state: string) => ({ name: state, state }) as OverviewTask;

it("sums up the tasks", () => {
  expect(summaryOf([], false).mood).toBe("idle");
  expect(summaryOf([task("fresh"), task("fresh")], false)).toEqual({
    mood: "ok",
    text: "All 2 tasks are fresh",
  });
  expect(summaryOf([task("fresh"), task("late"), task("stale")], false)).toEqual({
    mood: "failed",
    text: "1 failed, 1 late of 3 tasks",
  });
  expect(summaryOf([task("failed")], true).mood).toBe("running");
});

it("a state that is not known is no good news", () => expect(moodOf("molten")).toBe("idle"));
