// Goal: colouring shows every character of the text once. Method: the pieces together, with odd endings.
import { expect, it } from "vitest";

import { markSql } from "./marksql";

it.each(["select 'it''s' -- x\nfrom \"a b\" where n > 1.5e3", "/* open", "'open", "", "sélect 1"])(
  "keeps %j",
  (sql) => {
    expect(
      markSql(sql)
        .map((piece) => piece.text)
        .join(""),
    ).toBe(sql);
  },
);

it("knows words, texts, numbers and comments", () => {
  const kinds = markSql("select 'a', 12 from t -- end").map((piece) => piece.kind);
  expect(kinds.filter((kind) => kind !== "plain")).toEqual(["word", "text", "number", "word", "comment"]);
});
