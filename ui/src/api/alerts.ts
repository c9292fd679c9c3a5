// Alerts, and the mails of reports: what was told to whom, and what somebody says who looked whether it arrived.
import { sendJson } from "./client";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type Alerts = Schemas["Alerts"];
export type Alert = Schemas["Alert"];
export type Episode = Schemas["AlertEpisode"];
export type Channel = Schemas["AlertChannel"];
export type ChannelTest = Schemas["AlertTest"];
export type Mail = Schemas["Sent"];
export interface AlertPage {
  alerts: Alert[];
  total: number;
}
export interface MailPage {
  mails: Mail[];
  total: number;
  unknown: number;
}

export async function testChannel(channel: string): Promise<ChannelTest> {
  const answer = await sendJson("/api/v1/alerts/test", "POST", { channel });
  return ((await answer.json()) as { results: ChannelTest[] }).results[0]!;
}
// `done`: it arrived; else it is sent again. It stands for all alerts of its message.
export const settleAlert = (id: number, done: boolean) =>
  sendJson(`/api/v1/alerts/${id}/settle`, "POST", { done });
export const settleMail = (mail: string, done: boolean) =>
  sendJson("/api/v1/mails/settle", "POST", { mail, done });
export const mailAgain = (mail: string) => sendJson("/api/v1/mails/again", "POST", { mail });
