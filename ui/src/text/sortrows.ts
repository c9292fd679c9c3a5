// The order of rows by one column: numbers by value, else by code unit; nulls last both ways; equal ones keep theirs.

export function sortedOrder(
  rows: (string | null)[][],
  column: number,
  isNumber: boolean,
  down: boolean,
): Uint32Array {
  const order = Uint32Array.from(rows.keys());
  const sign = down ? -1 : 1;
  const numbers = isNumber ? Float64Array.from(rows, (row) => Number(row[column])) : undefined;
  return order.sort((a, b) => {
    const left = rows[a]![column] ?? null;
    const right = rows[b]![column] ?? null;
    if (left === null || right === null) return left === right ? a - b : left === null ? 1 : -1;
    const difference = numbers ? numbers[a]! - numbers[b]! : left < right ? -1 : left > right ? 1 : 0;
    return difference * sign || a - b;
  });
}
