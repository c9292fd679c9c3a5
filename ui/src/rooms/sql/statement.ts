// One tab's statement: runs, can be stopped, keeps its answer while the browser shows other tabs.
import { shallowReactive } from "vue";

import { ApiError, sql, type SqlRows } from "../../api/client";
import { remember } from "./tabs";

export const rowsMax = 100_000; // in the page; an export has all

export interface Statement {
  state: "idle" | "running" | "done" | "failed";
  text: string;
  asOf: string;
  startedAt: number;
  ms: number;
  soFar: number;
  result?: SqlRows;
  error?: ApiError;
  stop: () => void;
}

const statements = new Map<string, Statement>();

export function statementOf(tab: string): Statement {
  let found = statements.get(tab);
  if (!found) {
    found = shallowReactive<Statement>({
      state: "idle",
      text: "",
      asOf: "",
      startedAt: 0,
      ms: 0,
      soFar: 0,
      stop: () => {},
    });
    statements.set(tab, found);
  }
  return found;
}

export function dropStatement(tab: string): void {
  statements.get(tab)?.stop();
  statements.delete(tab);
}

export async function run(tab: string, text: string, asOf: string): Promise<void> {
  const statement = statementOf(tab);
  statement.stop();
  const abort = new AbortController();
  const isMine = () => statement.stop === stop;
  const stop = () => abort.abort();
  const startedAt = performance.now();
  Object.assign(statement, {
    state: "running",
    text,
    asOf,
    startedAt: Date.now(),
    soFar: 0,
    error: undefined,
    stop,
  });
  try {
    const result = await sql(
      { text },
      {
        asOf: asOf || undefined,
        limit: rowsMax,
        signal: abort.signal,
        onRows: (count) => isMine() && (statement.soFar = count),
      },
    );
    if (!isMine()) return;
    Object.assign(statement, { state: "done", result, ms: performance.now() - startedAt });
    remember({
      sql: text,
      at: Date.now(),
      ms: statement.ms,
      rows: result.changed ?? result.rows.length,
      error: "",
    });
  } catch (caught) {
    if (!isMine()) return;
    const error = abort.signal.aborted
      ? new ApiError("cancelled", "Stopped.", 0)
      : caught instanceof ApiError
        ? caught
        : new ApiError("internal", String(caught), 0);
    Object.assign(statement, {
      state: "failed",
      error,
      result: undefined,
      ms: performance.now() - startedAt,
    });
    remember({ sql: text, at: Date.now(), ms: statement.ms, rows: null, error: error.message });
  }
}
