// Sorting by a value that may be missing: what is missing comes last, in both directions; equals keep their order. Pure.
export type SortValue = string | number | null | undefined;

const isMissing = (value: SortValue): boolean =>
  value === null || value === undefined || value === "" || Number.isNaN(value);

export function byValue<T>(rows: T[], key: (row: T) => SortValue, down: boolean): T[] {
  const sign = down ? -1 : 1;
  return rows
    .map((row, i) => ({ row, i, value: key(row) }))
    .sort((a, b) => {
      const missing = Number(isMissing(a.value)) - Number(isMissing(b.value));
      if (missing || isMissing(a.value)) return missing || a.i - b.i;
      const order =
        typeof a.value === "number" && typeof b.value === "number"
          ? a.value - b.value
          : String(a.value).localeCompare(String(b.value), "en", { numeric: true });
      return order * sign || a.i - b.i;
    })
    .map(({ row }) => row);
}
