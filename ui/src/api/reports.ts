// Reports: their forms, and making, mailing and looking back at them.
import { ApiError, getJson, sendJson, type Cell, type SqlRows } from "./client";
import type { components } from "./schema";

export type Report = components["schemas"]["Report"];
export type ReportField = Report["parameters"][number];
export type Sent = components["schemas"]["Sent"];
export type Given = Record<string, string[]>;
export interface FieldMeaning {
  name: string;
  shown: string;
  problem: string;
  choices: ReportField["choices"] | null; // where they depend on other parameters: what can be chosen now
}

export const reportPath = (name: string) => `/api/v1/reports/${encodeURIComponent(name)}`;
export const getForm = (name: string, signal?: AbortSignal) => getJson<Report>(reportPath(name), signal);

// The API takes one text, a list only for a list.
export const bodyOf = (given: Given, fields: ReportField[]) => ({
  parameters: Object.fromEntries(
    Object.entries(given).map(([name, values]) => [
      name,
      fields.find((field) => field.name === name)?.type === "list" ? values : (values[0] ?? ""),
    ]),
  ),
});

export async function askMeanings(
  path: string,
  body: object,
  signal?: AbortSignal,
): Promise<{ values: FieldMeaning[] }> {
  return (await sendJson(path, "POST", body, signal)).json() as Promise<{ values: FieldMeaning[] }>;
}

export interface Book {
  blob: Blob;
  run: string;
  rows: number;
}
export async function makeBook(name: string, body: object, signal: AbortSignal): Promise<Book> {
  const answer = await sendJson(reportPath(name), "POST", body, signal);
  return {
    blob: await answer.blob(),
    run: answer.headers.get("X-Tarn-Run") ?? "",
    rows: Number(answer.headers.get("X-Tarn-Rows") ?? 0),
  };
}

export async function sendMail(name: string, body: object, signal: AbortSignal): Promise<Sent> {
  return (await sendJson(`${reportPath(name)}/send`, "POST", body, signal)).json() as Promise<Sent>;
}

// Rows of a question as objects, named by the columns.
export function named(rows: SqlRows | undefined): Record<string, Cell>[] {
  if (!rows) return [];
  return rows.rows.map((row) =>
    Object.fromEntries(rows.columns.map((column, i) => [column.name, row[i] ?? null])),
  );
}

export const isCancel = (caught: unknown): boolean =>
  (caught instanceof DOMException && caught.name === "AbortError") ||
  (caught instanceof ApiError && caught.code === "cancelled");
