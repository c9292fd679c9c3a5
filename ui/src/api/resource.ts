// What the server said, kept for the next look, and asked for again when an event says that it changed.
import { onScopeDispose, ref, shallowRef, watch, type Ref, type ShallowRef } from "vue";

import { ApiError, getJson, sql, type SqlAsked, type SqlRows } from "./client";
import { listen, type LiveEvent } from "./live";

export interface Resource<T> {
  data: ShallowRef<T | undefined>;
  error: ShallowRef<ApiError | undefined>;
  loading: Ref<boolean>;
  reload: () => void;
}

type Test = (event: LiveEvent) => boolean;
const kept = new Map<string, { data: unknown; stale: boolean; changes: Test }>();
const keptMax = 200;
const pause = 120; // ms: events come in bursts

listen((event) => {
  for (const entry of kept.values()) if (event.kind === "refresh" || entry.changes(event)) entry.stale = true;
});

export function forgetAll(): void {
  kept.clear();
}

// `key` may change, and be null while there is nothing to ask for. `changes` says which events are about it.
export function useKept<T>(
  key: () => string | null,
  ask: (key: string, signal: AbortSignal) => Promise<T>,
  changes: Test,
): Resource<T> {
  const data = shallowRef<T>();
  const error = shallowRef<ApiError>();
  const loading = ref(false);
  let asked: AbortController | undefined;
  let timer: number | undefined;

  async function load(): Promise<void> {
    asked?.abort();
    const wanted = key();
    if (!wanted) return;
    const mine = (asked = new AbortController());
    loading.value = true;
    try {
      const answer = await ask(wanted, mine.signal);
      if (key() !== wanted) return;
      kept.delete(wanted);
      if (kept.size >= keptMax) kept.delete(kept.keys().next().value!);
      kept.set(wanted, { data: answer, stale: false, changes });
      data.value = answer;
      error.value = undefined;
    } catch (caught) {
      if (mine.signal.aborted || key() !== wanted) return;
      error.value = caught instanceof ApiError ? caught : new ApiError("internal", String(caught), 0);
    } finally {
      if (asked === mine) loading.value = false;
    }
  }

  watch(
    key,
    (wanted) => {
      error.value = undefined;
      const entry = wanted ? kept.get(wanted) : undefined;
      data.value = entry?.data as T | undefined;
      if (!entry || entry.stale) void load();
    },
    { immediate: true },
  );
  const stop = listen((event) => {
    if (event.kind !== "refresh" && !changes(event)) return;
    // Not put off again by each event: a stream of them must not keep the page from what is new.
    timer ??= window.setTimeout(() => {
      timer = undefined;
      void load();
    }, pause);
  });
  onScopeDispose(() => {
    stop();
    window.clearTimeout(timer);
    asked?.abort();
  });
  return { data, error, loading, reload: () => void load() };
}

export const useResource = <T>(path: () => string | null, changes: Test): Resource<T> =>
  useKept<T>(path, (wanted, signal) => getJson<T>(wanted, signal), changes);

// A question of a page's own, not one that somebody wrote.
export type Question = SqlAsked & { limit: number; asOf?: string };
export const useRows = (question: () => Question | null, changes: Test): Resource<SqlRows> =>
  useKept<SqlRows>(
    () => (question() ? JSON.stringify(question()) : null),
    (key, signal) => {
      const { limit, asOf, ...asked } = JSON.parse(key) as Question;
      return sql(asked, { limit, asOf, signal });
    },
    changes,
  );
