// Long lists that the server filters, sorts and cuts into pages: what of the page's address it is asked.
export const pageSize = 50;

type Query = Record<string, string | null | (string | null)[] | undefined>;

const textOf = (value: Query[string]): string => (Array.isArray(value) ? value[0] : value) ?? "";

export function pageOf(query: Query): number {
  const page = Number(textOf(query.page));
  return Number.isInteger(page) && page > 0 ? page : 1;
}

// `filters`: names in the address, as the server calls them.
export function askOf(query: Query, filters: Record<string, string>): string {
  const asked = new URLSearchParams();
  for (const [name, as] of Object.entries(filters))
    if (textOf(query[name])) asked.set(as, textOf(query[name]));
  if (textOf(query.sort)) asked.set("sort", textOf(query.sort));
  asked.set("offset", String((pageOf(query) - 1) * pageSize));
  asked.set("limit", String(pageSize));
  return asked.toString();
}
