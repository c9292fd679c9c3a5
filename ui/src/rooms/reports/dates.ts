// Dates as a form shows them. Pure.

// The words that a date takes, for those who do not know them.
export const dateWords = [
  "today",
  "yesterday",
  "today - 7 days",
  "today - 30 days",
  "start of week",
  "start of month",
  "start of month - 1 month",
  "end of month - 1 month",
  "start of quarter",
  "start of year",
  "today - 1 year",
];

export const isDay = (text: string): boolean => /^\d{4}-\d\d-\d\d$/.test(text);

// "Fri 30 Oct 2026"; a text that is no day stays as it is.
export function dayInWords(day: string): string {
  const at = isDay(day) ? Date.parse(`${day}T00:00:00Z`) : NaN;
  if (Number.isNaN(at) || new Date(at).toISOString().slice(0, 10) !== day) return day;
  const parts = new Intl.DateTimeFormat("en-GB", {
    weekday: "short",
    day: "numeric",
    month: "short",
    year: "numeric",
    timeZone: "UTC",
  });
  return parts.format(at).replaceAll(",", "");
}
