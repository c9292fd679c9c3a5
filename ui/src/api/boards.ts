// Boards: their definition, and their data as lines that come when each tile is ready.
import { ApiError, isGuest, sendJson, linesOf, type Cell, type Column } from "./client";

export type TileType =
  | "line"
  | "area"
  | "bar"
  | "stacked"
  | "scatter"
  | "heatmap"
  | "candlestick"
  | "table"
  | "pivot"
  | "number"
  | "text";

export interface TileConfig {
  id: string;
  type: TileType;
  title: string;
  description: string;
  query: string;
  channels: Record<string, string[]>;
  unit: string;
  format: string;
  text: string;
  at: [number, number, number, number];
  line: number;
}
export interface Choice {
  value: string;
  label: string;
}
export interface FilterConfig {
  name: string;
  type: "date" | "text" | "number" | "choice" | "list";
  label: string;
  description: string;
  required: boolean;
  default: string[];
  choices: Choice[];
  asks: boolean; // its choices come with the data
}
export interface Board {
  name: string;
  title: string;
  description: string;
  path: string;
  stamp: string;
  filters: FilterConfig[];
  tiles: TileConfig[];
}
export interface BoardSummary {
  name: string;
  title: string;
  description: string;
  path: string;
  tiles: number;
  mistake: string;
}

export interface TableRead {
  table: string;
  changed_at: string | null;
  outside: boolean; // in a database of others: shop.public.orders
}
export interface TileData {
  etag: string;
  reads: TableRead[];
  columns: Column[];
  rows: Cell[][];
  cut: boolean;
  took_ms: number;
  again_in_ms?: number; // it is of a moment ago: ask again then
  good_for_ms?: number; // there may be another one then, though no table changed
}
export type Given = Record<string, string[]>;

type Part = { tile?: string; filter?: string };
type DataLine =
  | { board: string; stamp: string; filters: Given }
  | (Part & { etag: string; unchanged: true; again_in_ms?: number; good_for_ms?: number })
  | (Part & TileData)
  | (Part & { error: { code: string; message: string }; good_for_ms?: number });

export interface DataHandlers {
  onHead: (stamp: string, filters: Given) => void;
  onData: (kind: "tile" | "filter", id: string, data: TileData) => void;
  onSame: (kind: "tile" | "filter", id: string) => void;
  onError: (kind: "tile" | "filter", id: string, error: ApiError) => void;
  onLater: (ms: number) => void; // something newer can be had then
}

// Ends when every tile is answered.
export async function askBoard(
  path: string,
  filters: Given,
  known: Record<string, string>,
  handlers: DataHandlers,
  signal: AbortSignal,
): Promise<void> {
  const answer = await sendJson(`${path}/data`, "POST", { filters, known }, signal);
  for await (const text of linesOf(answer)) {
    const line = JSON.parse(text) as DataLine;
    if ("stamp" in line) {
      handlers.onHead(line.stamp, line.filters);
      continue;
    }
    const kind = line.tile !== undefined ? "tile" : "filter";
    const id = (line.tile ?? line.filter)!;
    if ("again_in_ms" in line && line.again_in_ms) handlers.onLater(line.again_in_ms);
    if (line.good_for_ms) handlers.onLater(line.good_for_ms);
    if ("error" in line) handlers.onError(kind, id, new ApiError(line.error.code, line.error.message, 422));
    else if ("unchanged" in line) handlers.onSame(kind, id);
    else handlers.onData(kind, id, line);
  }
}

export const boardPath = (name: string) =>
  isGuest() ? "/api/v1/shared" : `/api/v1/boards/${encodeURIComponent(name)}`;

const changed = async (path: string, method: string, body: unknown): Promise<Board> =>
  (await sendJson(path, method, body)).json() as Promise<Board>;
export type TileDraft = Omit<TileConfig, "line" | "at" | "id"> & { id?: string; at?: TileConfig["at"] };

// All of these fail when somebody else changed the file since `board` was read.
export const makeBoard = (title: string) => changed("/api/v1/boards", "POST", { title });
export const addTile = (board: Board, tile: TileDraft) =>
  changed(`${boardPath(board.name)}/tiles`, "POST", { stamp: board.stamp, tile });
export const saveTile = (board: Board, id: string, tile: TileDraft) =>
  changed(`${boardPath(board.name)}/tiles/${encodeURIComponent(id)}`, "PUT", { stamp: board.stamp, tile });
export const removeTile = (board: Board, id: string) =>
  changed(`${boardPath(board.name)}/tiles/${encodeURIComponent(id)}`, "DELETE", { stamp: board.stamp });
export const saveLayout = (board: Board, boxes: Map<string, [number, number, number, number]>) =>
  changed(`${boardPath(board.name)}/layout`, "PUT", { stamp: board.stamp, boxes: Object.fromEntries(boxes) });

async function one(
  path: string,
  body: unknown,
  signal?: AbortSignal,
): Promise<{ sql: string; data: TileData }> {
  const answer = await sendJson(path, "POST", body, signal);
  let sql = "";
  for await (const text of linesOf(answer)) {
    const line = JSON.parse(text) as DataLine | { sql: string };
    if ("error" in line) throw new ApiError(line.error.code, line.error.message, 422);
    if ("sql" in line) sql = line.sql;
    if ("rows" in line) return { sql, data: line };
  }
  throw new ApiError("unavailable", "The answer broke off: try again", 0);
}
// The rows that a number was made of.
export const rowsBehind = (
  board: Board,
  tile: string,
  filters: Given,
  where: Record<string, string | null>,
  signal?: AbortSignal,
) => one(`${boardPath(board.name)}/rows`, { tile, filters, where }, signal);
// What a query would show, before it is saved.
export const tryQuery = (board: Board, query: string, filters: Given, signal?: AbortSignal) =>
  one(`${boardPath(board.name)}/try`, { query, filters }, signal);
