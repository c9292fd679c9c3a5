// The newest answer that came, while the next one is on its way: a list does not go blank at each letter of a search.
import { shallowRef, watch, type ShallowRef } from "vue";

export function useLatest<T>(data: ShallowRef<T | undefined>): ShallowRef<T | undefined> {
  const latest = shallowRef<T>();
  watch(data, (now) => now && (latest.value = now), { immediate: true });
  return latest;
}
