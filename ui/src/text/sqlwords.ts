// The words of SQL as the editor and the reading of it colour them; names of columns are seldom among them.
export const sqlWords = (
  "all alter analyze and anti any as asc asof begin between by cascade case cast check column columns comment commit " +
  "constraint create cross cube current default delete desc describe distinct drop else end escape except exclude " +
  "exists explain false filter first following for from full glob group grouping having if ilike in inner insert " +
  "intersect interval into is join key lambda last lateral left like limit macro materialized merge natural not null " +
  "nulls of offset on only or order outer over partition pivot positional preceding primary qualify range recursive " +
  "references rename replace returning right rollback rollup row rows sample schema select semi set sets show similar " +
  "some summarize table temp temporary then to transaction true truncate unbounded union unique unnest unpivot update " +
  "using values view when where window with"
).split(" ");
