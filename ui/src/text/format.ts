// Numbers, sizes and times as people read them.

const whole = new Intl.NumberFormat("en-GB");

export const count = (value: number): string => whole.format(value);

export function bytes(value: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

export const plural = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`;

export function duration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.round((ms % 60_000) / 1000)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function ago(at: number, now: number): string {
  const seconds = Math.round((now - at) / 1000);
  if (seconds < -5) return `in ${span(-seconds)}`;
  return seconds < 5 ? "just now" : `${span(seconds)} ago`;
}

function span(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} days`;
}

export const exact = (at: number): string =>
  new Date(at).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" }) +
  ` ${Intl.DateTimeFormat().resolvedOptions().timeZone}`;

const numberTypes = /^(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT|U\w*INT|FLOAT|DOUBLE|DECIMAL)/;
export const isNumberType = (type: string): boolean => numberTypes.test(type) && !type.endsWith("[]");
export const isTimeType = (type: string): boolean => /^(DATE|TIMESTAMP)/.test(type) && !type.endsWith("[]");

// Digits in groups of three, without going through a double: all digits stay. Short ones (years) stand as they are.
export function groupDigits(text: string): string {
  const match = /^(-?)(\d{5,})(\.\d+)?$/.exec(text);
  if (!match) return text;
  return match[1]! + match[2]!.replace(/\B(?=(\d{3})+$)/g, ",") + (match[3] ?? "");
}

const utcTime = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?Z/g;
// The server says times in UTC, to the microsecond; people read them on their own clock.
export const withLocalTimes = (text: string): string =>
  text.replace(utcTime, (time) =>
    new Date(time.replace(" ", "T")).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" }),
  );
