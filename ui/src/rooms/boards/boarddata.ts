// What a page knows of one board's data: asked for when a filter or a table changes, and only what changed comes.
import { onScopeDispose, ref, shallowReactive, shallowRef, watch } from "vue";

import { askBoard, type Given, type TileData } from "../../api/boards";
import { ApiError } from "../../api/client";
import { listen } from "../../api/live";

export interface PartState {
  data?: TileData;
  error?: ApiError;
  waiting: boolean;
}

const pause = 120; // ms: events come in bursts

export function useBoardData(path: () => string | null, given: () => Given) {
  const tiles = shallowReactive(new Map<string, PartState>());
  const choices = shallowReactive(new Map<string, PartState>());
  const settled = shallowRef<Given>({}); // as the server took them: relative dates are dates
  const stamp = ref("");
  const error = shallowRef<ApiError>();
  const asking = ref(false);
  const answeredAt = ref(0);
  let current: AbortController | undefined;
  let timer: number | undefined;

  const mapOf = (kind: "tile" | "filter") => (kind === "tile" ? tiles : choices);
  const known = (): Record<string, string> => {
    const etags: Record<string, string> = {};
    for (const [id, part] of tiles) if (part.data && !part.error) etags[`tile:${id}`] = part.data.etag;
    for (const [id, part] of choices) if (part.data && !part.error) etags[`filter:${id}`] = part.data.etag;
    return etags;
  };

  function askIn(ms: number): void {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => void ask(), ms);
  }

  async function ask(): Promise<void> {
    const wanted = path();
    if (!wanted) return;
    current?.abort();
    const mine = (current = new AbortController());
    asking.value = true;
    let later = 0;
    for (const [id, part] of tiles) tiles.set(id, { ...part, waiting: true });
    try {
      await askBoard(
        wanted,
        given(),
        known(),
        {
          onHead: (text, filters) => {
            stamp.value = text;
            settled.value = filters;
          },
          onData: (kind, id, data) => mapOf(kind).set(id, { data, waiting: false }),
          onSame: (kind, id) => mapOf(kind).set(id, { data: mapOf(kind).get(id)?.data, waiting: false }),
          onError: (kind, id, failed) =>
            mapOf(kind).set(id, { data: mapOf(kind).get(id)?.data, error: failed, waiting: false }),
          onLater: (ms) => (later = later ? Math.min(later, ms) : ms),
        },
        mine.signal,
      );
      error.value = undefined;
      answeredAt.value = Date.now();
      if (later > 0) askIn(later);
    } catch (caught) {
      if (mine.signal.aborted) return;
      error.value = caught instanceof ApiError ? caught : new ApiError("internal", String(caught), 0);
      for (const [id, part] of tiles) tiles.set(id, { ...part, waiting: false });
    } finally {
      if (current === mine) asking.value = false;
    }
  }

  const readsAny = (tables: string[]) => {
    const changed = new Set(tables);
    return [...tiles.values(), ...choices.values()].some((part) =>
      part.data?.reads.some((read) => changed.has(read.table)),
    );
  };
  const stop = listen((event) => {
    const concerns =
      event.kind === "refresh" || (event.kind === "lake" && (readsAny(event.data.tables) || error.value));
    if (!concerns) return;
    askIn(pause);
  });
  watch(
    [path, () => JSON.stringify(given())],
    ([now], [before]) => {
      if (now !== before) {
        tiles.clear();
        choices.clear();
        stamp.value = "";
      }
      void ask();
    },
    { immediate: true },
  );
  onScopeDispose(() => {
    stop();
    window.clearTimeout(timer);
    current?.abort();
  });
  return { tiles, choices, settled, stamp, error, asking, answeredAt, ask: () => void ask() };
}
