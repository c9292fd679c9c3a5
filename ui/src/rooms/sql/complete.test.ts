// Goal: the editor proposes the columns of the tables that the text names. Method: texts as people write them.
import { describe, expect, it } from "vitest";

import { catalogOf, columnOptions, inSql, namespaceOf, tableInSql, tablesNamed } from "./complete";

const catalog = catalogOf([
  ["_tarn", "runs", "id", "VARCHAR"],
  ["public", "prices", "day", "DATE"],
  ["public", "prices", "Close Price", "DOUBLE"],
  ["public", "symbols", "symbol", "VARCHAR"],
]);
const named = (sql: string) => tablesNamed(sql, catalog).map(tableInSql);

describe("completion", () => {
  it("finds tables after from and join, in any case, quoted, with a schema", () => {
    expect(named("select  from Prices p join symbols s")).toEqual(["prices", "symbols"]);
    expect(named('select from "public"."prices"')).toEqual(["prices"]);
    expect(named("from _tarn.runs")).toEqual(["_tarn.runs"]);
    expect(named("from runs")).toEqual([]);
  });
  it("tells tables of attachments from those of the lake", () => {
    const both = catalogOf([
      ["public", "prices", "day", "DATE", ""],
      ["public", "prices", "id", "INTEGER", "shop"],
      ["Odd", "t", "a", "INTEGER", "shop"],
    ]);
    const found = (sql: string) => tablesNamed(sql, both).map(tableInSql);
    expect(found("from shop.public.prices")).toEqual(["shop.public.prices"]);
    expect(found("from shop.prices join prices")).toEqual(["prices", "shop.public.prices"]);
    expect(found('from shop."Odd".t')).toEqual(['shop."Odd".t']);
    expect(Object.keys(namespaceOf(both))).toEqual(["public", "shop"]);
  });
  it("writes odd names in quotes", () => {
    expect(columnOptions("from prices", catalog).map((one) => one.apply)).toEqual(["day", '"Close Price"']);
    expect(inSql('a"b')).toBe('"a""b"');
  });
  it("groups columns by schema and table", () => {
    expect(Object.keys(namespaceOf(catalog).public!)).toEqual(["prices", "symbols"]);
  });
});
