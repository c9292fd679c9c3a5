// The as-of of a query: a UTC time to the server, a local one to the input of the page.

export function localTime(utc: string): string {
  const at = Date.parse(utc);
  if (Number.isNaN(at)) return "";
  const date = new Date(at);
  return new Date(at - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

export function utcTime(local: string): string {
  const at = Date.parse(local);
  return Number.isNaN(at) ? "" : new Date(at).toISOString();
}
