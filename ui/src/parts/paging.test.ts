import { expect, test } from "vitest";

import { askOf, pageOf } from "./paging";

test("a page's address says what the server is asked; nonsense in it is the first page", () => {
  const filters = { state: "state", find: "text" };
  expect(askOf({ state: "not sent", find: "a&b=c", page: "3", sort: "-at", other: "x" }, filters)).toBe(
    "state=not+sent&text=a%26b%3Dc&sort=-at&offset=100&limit=50",
  );
  expect(askOf({}, filters)).toBe("offset=0&limit=50");
  for (const page of ["0", "-1", "x", "1.5", ["2", "3"], undefined])
    expect(pageOf({ page })).toBe(Array.isArray(page) ? 2 : 1);
});
