// The page's one stream of server-sent events. A lost connection heals itself; what was missed is asked for again.
import { ref } from "vue";

import { getJson, type LogLine } from "./client";

export type LiveEvent =
  | { kind: "run"; data: { id: string; state: string } }
  | { kind: "task"; data: { run: string; name: string; state: string } }
  | { kind: "progress"; data: { run: string; name: string; text: string } }
  | { kind: "lines"; data: { run: string; from: number; lines: LogLine[] } }
  | { kind: "lake"; data: { version: number; tables: string[] } }
  | { kind: "schedule"; data: { name: string } }
  | { kind: "status" | "alert" | "refresh"; data: object };

type Listener = (event: LiveEvent) => void;

export const connection = ref<"connecting" | "open" | "lost">("connecting");

const kinds = ["run", "task", "progress", "lines", "lake", "schedule", "status", "alert", "refresh"] as const;
const listeners = new Set<Listener>();
let source: EventSource | undefined;
let followed = "";
let retry: number | undefined;

export function listen(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell(event: LiveEvent): void {
  for (const listener of [...listeners]) listener(event);
}

function open(isAgain: boolean): void {
  source?.close();
  const stream = new EventSource(`/api/v1/events${followed ? `?run=${encodeURIComponent(followed)}` : ""}`);
  source = stream;
  stream.onopen = () => {
    connection.value = "open";
    if (isAgain) tell({ kind: "refresh", data: {} });
    isAgain = false; // from here on the browser itself connects again, and says what it had last
  };
  stream.onerror = () => {
    connection.value = "lost";
    if (stream.readyState !== EventSource.CLOSED) return;
    window.clearTimeout(retry);
    retry = window.setTimeout(() => {
      // When the session has ended this leads to the login.
      getJson("/api/v1/overview").then(
        () => open(true),
        () => source === stream && open(true),
      );
    }, 3000);
  };
  for (const kind of kinds) {
    stream.addEventListener(kind, (event) => {
      tell({ kind, data: JSON.parse((event as MessageEvent<string>).data) } as LiveEvent);
    });
  }
}

export function connect(): void {
  if (!source) open(false);
}

export function disconnect(): void {
  window.clearTimeout(retry);
  source?.close();
  source = undefined;
}

// Also the log lines of this run, until it is called with "".
export function follow(run: string): void {
  if (followed === run) return;
  followed = run;
  if (source) open(true);
}
