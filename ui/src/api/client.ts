// The one way to the server. Everything that pages show goes through here: typed by the API's description, with the
// page's header, and back to the login when the session has ended.
import type { components } from "./schema";

type Schemas = components["schemas"];
export type Overview = Schemas["Overview"];
export type OverviewTask = Schemas["OverviewTask"];
export type Run = Schemas["Run"];
export type RunDetail = Schemas["RunDetail"];
export type TaskDetail = Schemas["TaskDetail"];
export type Table = Schemas["Table"];
export type Attachment = Schemas["Attachment"];
export type TableDetail = Schemas["TableDetail"];
export type LogPage = Schemas["LogPage"];
export type LogLine = Schemas["LogLine"];
export type Schedule = Schemas["Schedule"];
export type Flow = Schemas["Flow"];
export type Mistake = Schemas["Mistake"];
export type Due = Schemas["Due"];
export type Calendar = Schemas["Calendar"];
export type CalendarCell = Calendar["cells"][number];
export type Backfill = Schemas["Backfill"];
export type BackfillProgress = Schemas["BackfillProgress"];

export class ApiError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

let whenLoggedOut: () => void = () => {};
export function onLoggedOut(callback: () => void): void {
  whenLoggedOut = callback;
}

// Of a link to one board: then this page may ask for that alone.
let guestSecret = "";
export const isGuest = (): boolean => guestSecret !== "";
export function beGuest(secret: string): void {
  guestSecret = secret;
}

async function send(path: string, init: RequestInit): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path, {
      ...init,
      headers: {
        ...init.headers,
        "X-Tarn-Page": "1",
        ...(guestSecret ? { "X-Tarn-Share": guestSecret } : {}),
        ...(init.body ? { "Content-Type": "application/json" } : {}),
      },
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError("unavailable", "Tarn does not answer. Is `tarn serve` still running?", 0);
  }
  if (answer.ok) return answer;
  if (answer.status === 401 && path !== "/api/v1/login") whenLoggedOut();
  throw await errorOf(answer);
}

async function errorOf(answer: Response): Promise<ApiError> {
  try {
    const body = (await answer.json()) as { error: { code: string; message: string } };
    return new ApiError(body.error.code, body.error.message, answer.status);
  } catch {
    return new ApiError("internal", `Tarn answered ${answer.status} ${answer.statusText}`, answer.status);
  }
}

export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await (await send(path, { signal })).json()) as T;
}

export const sendJson = (
  path: string,
  method: string,
  body: unknown,
  signal?: AbortSignal,
): Promise<Response> => send(path, { method, body: JSON.stringify(body), signal });

async function postJson<T>(path: string, body: unknown): Promise<T> {
  return (await (await send(path, { method: "POST", body: JSON.stringify(body) })).json()) as T;
}

export const login = (token: string) => postJson("/api/v1/login", { token });
export const logout = () => postJson("/api/v1/logout", {});
export const startRun = (selection: string[], fullRefresh = false) =>
  postJson<{ id: string }>("/api/v1/runs", { selection, full_refresh: fullRefresh });
export const startFlow = (name: string, parameters: Record<string, string[]>) =>
  postJson<{ id: string }>(`/api/v1/flows/${encodeURIComponent(name)}/run`, { parameters });
export const resumeRun = (id: string) => postJson(`/api/v1/runs/${encodeURIComponent(id)}/resume`, {});
export const settleTask = (run: string, task: string, done: boolean) =>
  postJson(`/api/v1/runs/${encodeURIComponent(run)}/settle`, { task, done });
export const cancelRun = (id: string) => postJson(`/api/v1/runs/${encodeURIComponent(id)}/cancel`, {});
export const runSchedule = (name: string) =>
  postJson<{ id: string }>(`/api/v1/schedules/${encodeURIComponent(name)}/run`, {});
export const pauseSchedule = (name: string, paused: boolean) =>
  postJson(`/api/v1/schedules/${encodeURIComponent(name)}/${paused ? "pause" : "resume"}`, {});
export interface BackfillRequest {
  selection: string[];
  from: string;
  to: string;
  step: string;
  full_refresh?: boolean;
}
export const planBackfill = (request: BackfillRequest) =>
  postJson<Backfill>("/api/v1/backfill", { ...request, dry_run: true });
export const startBackfill = (request: BackfillRequest) => postJson<Backfill>("/api/v1/backfill", request);
export const cancelBackfill = (id: string) =>
  postJson(`/api/v1/backfill/${encodeURIComponent(id)}/cancel`, {});
export const rawPath = (source: string, fetchId: string) =>
  `/api/v1/raw/${encodeURIComponent(source)}/${fetchId.split("/").map(encodeURIComponent).join("/")}`;

export interface Column {
  name: string;
  type: string;
}
export type Cell = string | null;
export interface SqlRows {
  columns: Column[];
  rows: Cell[][];
  changed: number | null;
  cut: boolean; // there are more rows than were asked for
}
// A text with values for its $names, or a table that is named: no name or value is pasted into a text.
export type SqlAsked =
  { text: string; parameters?: Record<string, string> } | { table: { schema: string; name: string } };
export interface SqlOptions {
  asOf?: string;
  limit: number;
  signal?: AbortSignal;
  onRows?: (count: number) => void;
}

// Rows as they stream in; stops the statement when there are enough.
export async function sql(asked: SqlAsked, options: SqlOptions): Promise<SqlRows> {
  const stop = new AbortController();
  const giveUp = () => stop.abort();
  options.signal?.addEventListener("abort", giveUp);
  if (options.signal?.aborted) giveUp();
  const result: SqlRows = { columns: [], rows: [], changed: null, cut: false };
  try {
    const body = JSON.stringify({
      ...("table" in asked
        ? { table: asked.table, limit: options.limit }
        : { sql: asked.text, parameters: asked.parameters }),
      format: "rows",
      ...(options.asOf ? { as_of: options.asOf } : {}),
    });
    const answer = await send("/api/v1/sql", { method: "POST", body, signal: stop.signal });
    for await (const line of linesOf(answer)) {
      if (!takeLine(JSON.parse(line), result, options.limit)) {
        stop.abort();
        break;
      }
      if (result.rows.length % 5000 === 0) options.onRows?.(result.rows.length);
    }
    return result;
  } finally {
    options.signal?.removeEventListener("abort", giveUp);
  }
}

type SqlLine =
  Cell[] | { columns: Column[]; rows_changed: number | null } | { rows: number } | { error: ErrorBody };
interface ErrorBody {
  code: string;
  message: string;
}

function takeLine(line: SqlLine, result: SqlRows, limit: number): boolean {
  if (Array.isArray(line)) {
    if (result.rows.length >= limit) {
      result.cut = true;
      return false;
    }
    result.rows.push(line);
  } else if ("error" in line) {
    throw new ApiError(line.error.code, line.error.message, 422);
  } else if ("columns" in line) {
    result.columns = line.columns;
    result.changed = line.rows_changed;
  }
  return true;
}

export async function* linesOf(answer: Response): AsyncGenerator<string> {
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  while (true) {
    const { value, done } = await reader.read();
    if (done) break;
    const lines = (rest + value).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest) yield rest;
}

export type ExportFormat = "csv" | "parquet" | "xlsx";
export async function exportSql(text: string, format: ExportFormat, asOf?: string): Promise<Blob> {
  const body = JSON.stringify({ sql: text, format, ...(asOf ? { as_of: asOf } : {}) });
  return (await send("/api/v1/sql", { method: "POST", body })).blob();
}

export const quoteName = (name: string) => `"${name.replaceAll('"', '""')}"`;
