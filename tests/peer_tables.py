"""Tables that others must be able to read: every type, nesting, partitions, changes of shape, overwrites, small commits.
`make(tarn, group)` makes the tables of one group; PREDICATES are asked of them by every peer that speaks SQL."""

TYPES = [
    """create table types (k integer, b boolean, i integer, l bigint, f float, d double, n9 decimal(9,2), n18 decimal(18,3),
       n38 decimal(38,10), day date, s varchar, u uuid, x blob, ts timestamp, tz timestamptz)""",
    """insert into types values
       (1, true, 1, 2, 1.5, 0.1, 12.34, 12.345, 12.0000000001, '2024-02-29', 'héllo', 'f79c3e09-677c-4bbd-a479-3f349cb785e7',
        'ab'::blob, '1969-07-20 20:17:40.123456', '2026-03-29 01:30:00+01'),
       (2, false, -2147483648, -9223372036854775808, -3.4e38, -1.7e308, -9999999.99, -999999999999999.999,
        -9999999999999999999999999999.9999999999, '0001-01-01', '', '00000000-0000-0000-0000-000000000000', ''::blob,
        '0001-01-01 00:00:00', '1883-11-18 12:00:00.000001+00'),
       (3, false, 2147483647, 9223372036854775807, 1.1754944e-38, 5e-324, 9999999.99, 999999999999999.999,
        9999999999999999999999999999.9999999999, '9999-12-31', '漢字 🎈 "quoted" \\ and' || chr(10) || 'a line',
        'ffffffff-ffff-ffff-ffff-ffffffffffff', '\\x00\\xFF'::blob, '9999-12-31 23:59:59.999999', '2037-12-31 23:59:59.999999+00'),
       (4, null, null, null, null, null, null, null, null, null, null, null, null, null, null)""",
    "insert into types (k, f, d, s) values (5, 'nan', 'nan', repeat('a long text ', 20)), (6, 'inf', '-inf', 'x'), (7, '-0.0', '-0.0', 'y')",
    "insert into types (k) values (8), (9)",
    """create table widened (k integer, t tinyint, ut utinyint, sm smallint, us usmallint, ui uinteger, ub ubigint, j json,
       e enum('x', 'y'), pair integer[2])""",
    "insert into widened values (1, -128, 255, -32768, 65535, 4294967295, 18446744073709551615, '{\"a\": [1]}', 'x', [1, null]), "
    "(2, null, null, null, null, null, null, null, null, null)",
]

CLOCK = [
    "create table clock (k integer, moment time)",
    "insert into clock values (1, '00:00:00'), (2, '23:59:59.999999'), (3, null), (4, '12:34:56.789')",
]

NESTED = [
    """create table nested (k integer, numbers integer[], place struct(a integer, b varchar, deep struct(day date, ts timestamptz)),
       words map(varchar, integer), grid integer[][], places struct(x integer, y varchar)[], lists map(integer, double[]),
       amounts decimal(12,3)[])""",
    """insert into nested values
       (1, [1, null, 3], {'a': 1, 'b': 'x', 'deep': {'day': date '1969-07-20', 'ts': timestamptz '2026-03-29 01:30:00+01'}},
        map {'k': 1, 'j': null}, [[1, 2], [], null, [null]], [{'x': 1, 'y': 'a'}, null, {'x': null, 'y': 'b'}],
        map {1: [1.5, null], 2: []}, [0.001, 999999999.999]),
       (2, [], {'a': null, 'b': null, 'deep': null}, map {}, [], [], map {}, []),
       (3, null, null, null, null, [], null, null)""",
    "insert into nested select i, range(i)::integer[], {'a': i, 'b': 'n' || i, 'deep': null}, map {'i': i}, [[i]], [], null, null "
    "from range(4, 40) r(i)",
]

# On its own, since pyiceberg reads a NULL list of structs as an empty one (apache/iceberg-python#3833).
NULL_LISTS = [
    "create table null_lists (k integer, places struct(x integer, y varchar)[])",
    "insert into null_lists values (1, [{'x': 1, 'y': 'a'}, null]), (2, null), (3, [])",
]

PARTITIONED = [
    "create table by_value (k varchar, day date, v integer) partitioned by (k, day)",
    """insert into by_value select ['a', 'b/c', 'd=e f', 'é%', '', null][1 + i % 6], date '2026-01-01' + (i % 4)::integer, i
       from range(60) r(i)""",
    "insert into by_value values ('a', null, 100), (null, null, 101)",
    "create table by_odd_value (b boolean, i integer, l bigint, n decimal(20,4), u uuid, x blob, ts timestamp, f double, v integer) "
    "partitioned by (b, i, l, n, u, x, ts, f)",
    """insert into by_odd_value select i % 2 = 0, i - 3, -i * 10000000000, (i - 2) * 1234567.8901, md5('' || i)::uuid, ('x' || i)::blob,
       timestamp '1969-12-31 23:59:59.5' + to_microseconds(i * 300000), i / 3.0, i from range(8) r(i)""",
    "insert into by_odd_value (v) values (100)",
    "create table by_time (ts timestamp, tz timestamptz, day date, v integer) partitioned by (day(ts), hour(tz), month(day))",
    """insert into by_time select timestamp '2024-02-28 22:00:00' + to_hours(i * 7), timestamptz '2026-03-29 00:10:00+00' + to_minutes(i * 25),
       date '2023-12-30' + i::integer, i from range(12) r(i)""",
    "insert into by_time values ('1969-12-31 23:59:59.999999', '1969-12-31 23:59:59.999999+00', '1969-12-31', 100), "
    "('1970-01-01', '1970-01-01 00:00:00+00', '1970-01-01', 101), (null, null, null, 102)",
    "create table by_year (ts timestamp, tz timestamptz, day date, v integer) partitioned by (year(ts), year(tz), year(day))",
    """insert into by_year select timestamp '1968-06-01' + to_years(i), timestamptz '1968-01-01 00:00:00+00' + to_years(i),
       date '1969-12-31' + i::integer, i from range(4) r(i)""",
    """create table by_bucket (i integer, l bigint, n decimal(9,2), day date, ts timestamp, tz timestamptz, s varchar, u uuid, x blob,
       v integer) partitioned by (bucket(3, i), bucket(3, l), bucket(3, n), bucket(3, day), bucket(3, ts), bucket(3, tz), bucket(3, s),
       bucket(3, u), bucket(3, x))""",
    """insert into by_bucket select i - 5, (i - 5) * 5000000000, (i - 5) * 1.25, date '1969-12-28' + i::integer,
       timestamp '1969-12-31 12:00:00' + to_hours(i), timestamptz '1969-12-31 12:00:00+00' + to_hours(i), 'text é ' || i,
       md5('' || i)::uuid, ('x' || i)::blob, i from range(30) r(i)""",
    "insert into by_bucket (v) values (100)",
    "create table by_prefix (s varchar, i integer, v integer) partitioned by (truncate(2, s), truncate(10, i))",
    """insert into by_prefix select ['é漢字', 'ab' || i, 'a', ''][1 + i % 4], i - 20, i from range(40) r(i)""",
]

EVOLVED = [
    "create table evolved (i integer, f float, n decimal(9,2), s varchar, gone varchar, place struct(a integer, b varchar))",
    """insert into evolved values (1, 1.1, 1.25, 'one', 'gone 1', {'a': 1, 'b': 'x'}), (-2, -0.5, -1.25, 'two', null, {'a': 2, 'b': 'y'}),
       (null, null, null, null, null, null)""",
    "alter table evolved add column later varchar",
    "alter table evolved rename column s to text",
    "alter table evolved alter column f type double",
    "alter table evolved alter column n type decimal(18,2)",
    "alter table evolved drop column gone",
    "alter table evolved add column place.c integer",
    "alter table evolved rename column place.a to z",
    "insert into evolved values (7, 0.1, 1234567890.12, 'three', {'z': 3, 'b': 'z', 'c': 33}, 'new')",
    "alter table evolved add column gone integer",
    "insert into evolved values (6, 2.5, 3, 'four', null, 'x', 4)",
    "create table evolved_parts (p integer, day date, v integer) partitioned by (p, month(day))",
    "insert into evolved_parts select i % 3, date '2025-12-30' + i::integer, i from range(6) r(i)",
    "alter table evolved_parts rename column p to part",
    "alter table evolved_parts add column note varchar",
    "insert into evolved_parts select i % 3, date '2025-12-30' + i::integer, i * 500, 'n' || i from range(6) r(i)",
]

GROWN = [
    "create table grown (i integer, s varchar, list integer[], place struct(a integer))",
    "insert into grown select i - 3, 's' || i, [i, null], {'a': i} from range(6) r(i)",
    "alter table grown alter column i type bigint",
    "insert into grown values (5000000000, 'big', [7], {'a': 7})",
    "create table grown_parts (p integer, k integer, v integer) partitioned by (p, bucket(4, k))",
    "insert into grown_parts select i % 3, i, i from range(12) r(i)",
    "alter table grown_parts alter column p type bigint",
    "alter table grown_parts alter column k type bigint",
    "alter table grown_parts alter column v type bigint",
    "insert into grown_parts select i % 3 + 5000000000, i, i * 5000000000 from range(12) r(i)",
]

# Format version 2 has no value for rows from before the column; Tarn keeps it in a property of its own.
DEFAULTED = [
    "create table defaulted (k integer)",
    "insert into defaulted values (1), (2)",
    "alter table defaulted add column v integer default 7",
    "insert into defaulted (k) values (3)",
]

# What docs/interop.md proposes where a peer cannot read a change of shape: every row is written again.
REWRITTEN = [
    *[statement.replace("grown", "grown_again") for statement in GROWN if "grown_parts" not in statement],
    "create or replace table grown_again as select * from grown_again",
    *[statement.replace("defaulted", "defaulted_again") for statement in DEFAULTED],
    "create or replace table defaulted_again as select * from defaulted_again",
]

COMMITS = [
    "create table commits (v integer, label varchar, price double, day date)",
    *[f"insert into commits values ({i}, 'label {i % 7}', {i} / 8.0, date '2026-01-01' + {i})" for i in range(50)],
    "create table empty (k integer, s varchar)",
    "create table replaced (k integer)",
    "insert into replaced values (1)",
    "create or replace table replaced as select i as n, 'r' || i as s from range(5) r(i)",
    "insert into replaced values (100, 'last')",
]

# Rows taken out and changed: position deletes beside data files, files that went whole, before and after changes of shape.
CHANGED = [
    "create table changed (k integer primary key, s varchar, v double, day date)",
    "insert into changed select i, 's' || (i % 7), i / 4.0, date '2026-01-01' + (i % 40)::integer from range(500) r(i)",
    "delete from changed where k % 5 = 0",
    "update changed set s = 'changed', v = null where k between 100 and 120",
    "insert into changed select i, 'late', i, null from range(500, 520) r(i)",
    "alter table changed add column n integer",
    "delete from changed where s = 's3'",
    """merge into changed using (select i * 50 as k, i as v from range(20) r(i)) m on changed.k = m.k
       when matched then update set v = -m.v, n = 1 when not matched then insert (k, s, v) values (m.k, 'merged', m.v)
       when not matched by source and k > 515 then delete""",
    "insert into changed (k, s) values (1, 'upserted'), (1000, 'upserted') on conflict (k) do update set s = excluded.s",
    """begin; insert into changed (k, s) select i, 'own' from range(2000, 2020) r(i); delete from changed where s = 'own' and k % 2 = 0;
       update changed set v = 1 where k = 2001; commit""",
    "create table changed_parts (k integer, part varchar, day date, v integer) partitioned by (part, month(day))",
    """insert into changed_parts select i, ['a', 'b', null][1 + i % 3], date '2026-01-01' + (i % 90)::integer, i from range(300) r(i)""",
    "delete from changed_parts where v % 4 = 1",
    "update changed_parts set part = 'moved' where k between 10 and 30",
    "delete from changed_parts where part = 'b' and day < date '2026-02-01'",
    "create table emptied (k integer)",
    "insert into emptied select i from range(10) r(i)",
    "delete from emptied",
]

GROUPS = {"types": TYPES, "clock": CLOCK, "nested": NESTED, "null_lists": NULL_LISTS, "partitioned": PARTITIONED, "evolved": EVOLVED,
          "grown": GROWN, "defaulted": DEFAULTED, "rewritten": REWRITTEN, "commits": COMMITS, "changed": CHANGED}

# {date:...}, {ts:...} and the like are literals in the peer's words, {nan:c} asks whether column c is not a number,
# {missing:c} whether a nested column is NULL (pyiceberg asks that of flat columns only).
PREDICATES = {
    "types": ["d = 0.1", "l > 5", "n9 < 0", "n18 >= 12.345", "n38 > 0", "day >= {date:2024-01-01}", "s = 'héllo'", "s >= 'y'",
              "ts < {ts:1970-01-01 00:00:00}", "tz > {tz:2026-01-01 00:00:00}",
              "b is null", "s is not null", "{nan:d}", "d is null", "i in (1, 2147483647)", "b = true", "x = {blob:6162}",
              "s is null and k > 8"],
    "nested": ["k = 2", "{missing:numbers}", "not {missing:place}", "k > 30 and k < 35"],
    "by_value": ["k = 'a'", "k = 'b/c'", "k = 'é%'", "k = ''", "k is null", "day is null", "day = {date:2026-01-02}",
                 "day < {date:2026-01-03} and k = 'd=e f'", "k is not null and day > {date:2026-01-03}", "v = 17"],
    "by_odd_value": ["b = true", "b is null", "i < 0", "l = -20000000000", "n > 1000000", "n = 2469135.7802",
                     "x = {blob:7833}", "ts < {ts:1970-01-01 00:00:00}", "f > 1",
                     "ts = {ts:1969-12-31 23:59:59.800000}"],
    "by_time": ["ts < {ts:1970-01-01 00:00:00}", "ts >= {ts:2024-02-29 00:00:00} and ts < {ts:2024-03-01 00:00:00}", "ts is null",
                "tz < {tz:1970-01-01 00:00:00}", "tz >= {tz:2026-03-29 01:00:00}",
                "tz = {tz:2026-03-29 01:00:00}", "day >= {date:2024-01-01}", "day = {date:1969-12-31}", "day is null",
                "day <= {date:1970-01-01}"],
    "by_year": ["ts < {ts:1970-01-01 00:00:00}", "tz < {tz:1970-01-01 00:00:00}", "day < {date:1970-01-01}", "ts > {ts:1970-01-01 00:00:00}"],
    "by_bucket": ["i = -3", "l = 25000000000", "n = -6.25", "n = 1.25", "day = {date:1969-12-30}", "day = {date:1970-01-03}",
                  "ts = {ts:1969-12-31 13:00:00}", "ts = {ts:1970-01-01 10:00:00}", "tz = {tz:1969-12-31 15:00:00}", "s = 'text é 9'",
                  "x = {blob:7833}", "s is null", "i in (0, 7, 20)"],
    "by_prefix": ["s = 'é漢字'", "s = 'a'", "s >= 'ab2'", "s = ''", "i < -10", "i = -11", "i >= 10"],
    "evolved": ["i > 2", "i = -2", "f > 2", "n = 1.25", "text = 'one'", "later is null", "later = 'new'", "gone = 4",
                "gone is null", "i is null"],
    "evolved_parts": ["part = 1", "day < {date:2026-01-01}", "v > 1000", "v = 3", "note is null and part = 2"],
    "upserted": ["k = 7", "k = 50", "s = 'second 53'", "s >= 'second'", "v is null", "day = {date:2026-02-01}"],
    "upserted_parts": ["k = 7", "k = 50", "k = 300", "day >= {date:2026-02-01}", "day < {date:2026-01-10} and s >= 'second'", "v is null"],
    "changed": ["k = 1", "k = 106", "s = 'changed'", "s = 's4'", "v < 0", "v is null", "day = {date:2026-01-10}", "n = 1", "k > 490"],
    "changed_parts": ["part = 'moved'", "part = 'b'", "part is null", "day < {date:2026-02-01}", "v = 18", "k > 250"],
    "commits": ["v = 17", "v > 40", "label = 'label 3'", "day = {date:2026-02-01}", "price < 2"],
}

EARLY_PREDICATES = {
    "by_time": ["ts = {ts:1969-12-31 23:59:59.999999}", "tz = {tz:1969-12-31 23:59:59.999999}", "day = {date:1969-12-31}"],
    "by_year": ["ts = {ts:1968-06-01 00:00:00}", "tz = {tz:1968-01-01 00:00:00}", "day = {date:1969-12-31}"],
    "by_bucket": ["ts = {ts:1969-12-31 13:00:00}", "tz = {tz:1969-12-31 15:00:00}", "day = {date:1969-12-30}"],
}

UUID_PREDICATES = {
    "types": ["u = {uuid:f79c3e09-677c-4bbd-a479-3f349cb785e7}"],
    "by_odd_value": ["u = {uuid:cfcd2084-95d5-65ef-66e7-dff9f98764da}"],
    "by_bucket": ["u = {uuid:cfcd2084-95d5-65ef-66e7-dff9f98764da}"],
}

GROWN_PREDICATES = {
    "grown": ["i = 2", "i < 0", "i > 4000000000"],
    "grown_parts": ["p = 1", "p > 4000000000", "k = 7", "v = 3", "v > 4000000000"],
}

# An array of a fixed length is stored as a list. pyarrow cannot read DuckDB's export of a NULL array, so Tarn is asked for lists.
COLUMNS = {"widened": "* replace (pair::integer[] as pair)"}


def select(schema, name, rest=""):
    """What Tarn is asked for a table's rows."""
    return f'select {COLUMNS.get(name, "*")} from "{schema}"."{name}" {rest}'


def make(tarn, group):
    tarn.run("sql", ";\n".join(GROUPS[group]))


def make_upserts(tarn):
    """Tables whose rows sources have replaced by file: `upserted`, `upserted_parts` (partitioned) and `reloaded` (mode replace)."""
    rounds = [
        [(i, f"first {i}", i * 1.5, f"2026-01-{1 + i % 28:02}") for i in range(200)],
        [(i, f"second {i}", i * 2.5, f"2026-01-{1 + i % 28:02}") for i in range(50, 230, 3)],
        [(7, "third", None, "2026-01-08"), (300, "new", 0.5, "2026-02-01")],
    ]
    for name, mode in (("upserted", "mode: upsert\nkey: k\n"), ("upserted_parts", "mode: upsert\nkey: k\npartition_by: [month(day), 'bucket(4, k)']\n"),
                       ("reloaded", "mode: replace\n")):
        tarn.write(f"sources/{name}.yml", f"kind: files\npath: rows.ndjson\nformat: ndjson\n{mode}columns:\n"
                   "  k: {type: integer}\n  s: {type: varchar}\n  v: {type: double}\n  day: {type: date}\n")
    for rows in rounds:
        lines = ['{"k": %d, "s": "%s", "v": %s, "day": "%s"}' % (k, s, "null" if v is None else v, day) for k, s, v, day in rows]
        tarn.write("rows.ndjson", "\n".join(lines) + "\n")
        tarn.run("run")

