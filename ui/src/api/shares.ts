// Links that show one board to who has them.
import type { Board, Given } from "./boards";
import { getJson, sendJson } from "./client";
import type { components } from "./schema";

export type Share = components["schemas"]["Share"];
export interface ShareRequest {
  board: string;
  days: number;
  filters: Given;
  may_filter: boolean;
  may_see_rows: boolean;
}

export const makeShare = async (request: ShareRequest): Promise<Share & { path: string }> =>
  (await sendJson("/api/v1/shares", "POST", request)).json() as Promise<Share & { path: string }>;
export const endShare = (id: string) => sendJson(`/api/v1/shares/${encodeURIComponent(id)}`, "DELETE", {});

export interface SharedBoard {
  board: Board;
  filters: Given;
  may_filter: boolean;
  may_see_rows: boolean;
  expires_at: string;
}
export const getShared = () => getJson<SharedBoard>("/api/v1/shared");
