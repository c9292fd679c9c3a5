// Rows of a table by one of its columns. The choice stands in the page's address: ?sort=rows, ?sort=-rows.
import { computed, type ComputedRef } from "vue";
import { useRoute } from "vue-router";

import { byValue, type SortValue } from "../text/byvalue";

export function useSorted<T>(rows: () => T[], keys: Record<string, (row: T) => SortValue>): ComputedRef<T[]> {
  const route = useRoute();
  return computed(() => {
    const asked = String(route.query.sort ?? "");
    const down = asked.startsWith("-");
    const key = keys[down ? asked.slice(1) : asked];
    return key ? byValue(rows(), key, down) : rows();
  });
}
