"""Goal: what a table's manifests say is true of its files, whatever types, partitions, changes of rows and of shape it has seen;
and a reader that prunes by them loses no row. Method: random tables, made alike in Tarn and in a plain DuckDB; each snapshot of
each table is recomputed from its files by other code (table_facts.py); pyiceberg and Tarn are asked for =, <, >, IS NULL and
IS NAN on each flat column and must find the rows that DuckDB finds. The seed is printed. TARN_TABLES says how many."""

import decimal
import json
import math
import os
import random

import duckdb
import pytest
from pyiceberg.expressions import EqualTo, GreaterThan, IsNaN, IsNull, LessThan
from pyiceberg.table import StaticTable

from random_sql import TYPES, WIDER, literal
from table_facts import check_table
from tarn_server import Server

TABLES = int(os.environ.get("TARN_TABLES", "30"))
SEED = int(os.environ.get("TARN_SEED", random.randrange(1 << 30)))
# What Iceberg holds as another type (text, a wider number) is compared only by table_facts.
ASKED = {"boolean", "tinyint", "smallint", "integer", "bigint", "utinyint", "uinteger", "ubigint", "hugeint", "float", "double",
         "date", "time", "timestamp", "timestamptz", "timestamp_s", "timestamp_ms", "varchar", "blob", "uuid"}
WHOLE = {"tinyint", "smallint", "integer", "bigint", "utinyint", "uinteger"}
WIDE = {"ubigint", "hugeint"}
CLOCK = {"timestamp", "timestamptz", "timestamp_s", "timestamp_ms"}
NO_BUCKET = {"boolean", "float", "double"}


def value_of(dice, kind, nulls=0.15):
    if kind in ("float", "double") and dice.random() < 0.15:
        return f"'-0.0'::{kind}"
    if kind == "varchar" and dice.random() < 0.1:
        # Long ones that differ behind the 16th letter, and ones whose 16th letter has no next.
        return dice.choice(["'" + "k" * 16 + str(dice.randrange(99)) + "'", "repeat(chr(1114111), 20)", "repeat(chr(55295), 17)",
                            "'é' || repeat('z', 299)", "repeat('q', 15) || chr(1114111) || 'x'"])
    return literal(dice, kind, nulls)


def transforms(kind):
    yield "{}"
    if kind not in NO_BUCKET:
        yield "bucket(5, {})"
    if kind in WHOLE | WIDE | {"varchar", "blob"} or kind.startswith("decimal"):
        yield "truncate(3, {})"
    if kind in CLOCK | {"date"}:
        yield from ("year({})", "month({})", "day({})")
    if kind in CLOCK:
        yield "hour({})"


def is_flat(kind):
    return kind in ASKED or (kind.startswith("decimal") and not kind.endswith("[]"))


class Table:
    """One random table and the statements that make it. Column k numbers the rows."""

    def __init__(self, dice, number):
        self.dice = dice
        self.name = f"r{number}"
        self.columns = [(f"c{i}", dice.choice(TYPES)) for i in range(dice.randint(1, 6))]
        self.names = 0
        self.rows = 0
        self.widened = set()
        self.keys = []  # [(column, key)] of all specs
        self.sorted = []  # likewise, what the rows are sorted by
        self.parts = self.some_parts() if dice.random() < 0.5 else []

    def some_parts(self):
        """[(column, key)]"""
        flat = [(name, kind) for name, kind in self.columns if is_flat(kind)]
        chosen = self.dice.sample(flat, min(len(flat), self.dice.choice([1, 1, 2, 3])))
        parts = [(name, self.dice.choice(list(transforms(kind))).format(name)) for name, kind in chosen]
        self.keys += parts
        return parts

    def statements(self):
        """(for Tarn, for DuckDB); the two differ in PARTITIONED BY and SORTED BY only."""
        columns = ", ".join(f"{name} {kind}" for name, kind in [("k", "bigint"), *self.columns])
        create = f"create table {self.name} ({columns})"
        keys = ", ".join(key for _, key in self.parts)
        yield f"{create} partitioned by ({keys})" if keys else create, create
        for sql in self.changes():
            yield sql, None if " by (" in sql else sql

    def changes(self):
        dice = self.dice
        if dice.random() < 0.3 and (sql := self.sort_anew()):
            yield sql
        yield self.insert()
        makers = [self.insert, self.insert, self.insert_many, self.delete, self.delete, self.update, self.merge, self.add, self.drop,
                  self.rename, self.widen, self.partition_anew, self.sort_anew]
        for _ in range(dice.randrange(6)):
            sql = dice.choice(makers)()
            if sql:
                yield sql

    def partition_anew(self):
        parts = self.some_parts()
        if not parts:
            return None
        self.parts = parts
        return f"alter table {self.name} set partitioned by ({', '.join(key for _, key in parts)})"

    def sort_anew(self):
        parts = self.some_parts()
        if not parts:
            return None
        self.sorted = parts
        keys = [f"{key} {self.dice.choice(['', 'asc', 'desc'])} {self.dice.choice(['', 'nulls first', 'nulls last'])}"
                for _, key in parts]
        return f"alter table {self.name} set sorted by ({', '.join(keys)})"

    def insert(self):
        rows = []
        for _ in range(self.dice.choice([1, 3, 12, 25])):
            values = ", ".join(value_of(self.dice, kind) for _, kind in self.columns)
            rows.append(f"({self.rows}, {values})")
            self.rows += 1
        return f"insert into {self.name} values {', '.join(rows)}"

    def insert_many(self):
        """Rows for several row groups, now and then."""
        if self.parts or self.dice.random() > 0.25:
            return self.insert()
        first, self.rows = self.rows, self.rows + 150_000
        values = ", ".join(value_of(self.dice, kind) for _, kind in self.columns)
        return f"insert into {self.name} select {first} + i, {values} from range(150000) r(i)"

    def some(self):
        return self.dice.choice([f"k % {self.dice.randint(2, 5)} = 0", f"k < {self.dice.randrange(self.rows + 1)}",
                                 f"k = {self.dice.randrange(self.rows + 1)}"])

    def delete(self):
        return f"delete from {self.name} where {self.some()}"

    def assignment(self):
        name, kind = self.dice.choice(self.columns)
        return f"{name} = {value_of(self.dice, kind)}"

    def update(self):
        return f"update {self.name} set {self.assignment()} where {self.some()}"

    def merge(self):
        name, kind = self.dice.choice(self.columns)
        first, self.rows = self.rows, self.rows + 3
        return (f"merge into {self.name} t using (select i as k from range({max(0, first - 4)}, {self.rows}) r(i)) s on t.k = s.k "
                f"when matched and t.k % 2 = 0 then update set {self.assignment()} when matched then delete "
                f"when not matched then insert (k, {name}) values (s.k, {value_of(self.dice, kind)})")

    def new_name(self):
        self.names += 1
        return f"n{self.names}"

    def add(self):
        column = (self.new_name(), self.dice.choice(TYPES))
        self.columns.append(column)
        return f"alter table {self.name} add column {column[0]} {column[1]}"

    def free_column(self):
        keys = {name for name, _ in self.parts + self.sorted}
        free = [column for column in self.columns if column[0] not in keys]
        return self.dice.choice(free) if len(free) > 1 else None

    def drop(self):
        column = self.free_column()
        if column:
            self.columns.remove(column)
            return f"alter table {self.name} drop column {column[0]}"
        return None

    def rename(self):
        column = self.free_column()
        if column:
            new = self.new_name()
            self.columns[self.columns.index(column)] = (new, column[1])
            if column[0] in self.widened:
                self.widened.add(new)
            self.keys = [(new, key.replace(column[0], new)) if name == column[0] else (name, key) for name, key in self.keys]
            return f"alter table {self.name} rename column {column[0]} to {new}"
        return None

    def widen(self):
        for i, (name, kind) in enumerate(self.columns):
            if kind in WIDER:
                self.columns[i] = (name, WIDER[kind])
                self.widened.add(name)
                return f"alter table {self.name} alter column {name} type {WIDER[kind]}"
        return None


class Check:
    def __init__(self, table, duck, server, location):
        self.table, self.duck, self.server = table, duck, server
        self.peer = StaticTable.from_metadata(location)

    def expected(self, where, *parameters):
        sql = f"select k from {self.table.name} where {where} order by k"
        return [row[0] for row in self.duck.execute(sql, parameters).fetchall()]

    def found(self, filter):
        rows = self.peer.scan(row_filter=filter, selected_fields=("k",)).to_arrow()
        return sorted(rows["k"].to_pylist())

    def by_tarn(self, where):
        sql = f"select k from {self.table.name} where {where} order by k"
        status, answer = self.server.request("/api/v1/sql", {"sql": sql, "format": "json"})
        assert status == 200, (sql, answer)
        return [row["k"] for row in json.loads(answer)]

    def all_rows(self):
        assert self.found("k >= 0") == self.expected("true"), "all rows"

    def column(self, name, kind):
        no_nan = f" and not isnan({name})" if kind in ("float", "double") else ""
        if not is_flat(kind):
            return
        self.same(IsNull(name), f"{name} is null")
        if kind in ("float", "double"):
            self.same(IsNaN(name), f"isnan({name})")
        for value, text in self.values(name, kind):
            peer = self.peer_can(name, kind, value)
            self.same(EqualTo(name, value), f"{name} = {text}", peer)
            self.same(LessThan(name, value), f"{name} < {text}{no_nan}", peer)
            self.same(GreaterThan(name, value), f"{name} > {text}{no_nan}", peer)

    def peer_can(self, name, kind, value):
        """What pyiceberg 0.12 answers wrongly whoever wrote the table."""
        keys = " ".join(key for column, key in self.table.keys if column == name)
        if kind == "float" and math.isinf(value):
            return False  # knows no infinity of 32 bits
        if name in self.table.widened and not (kind == "bigint" and -(1 << 31) <= value < 1 << 31):
            return False  # brings the value into the file's narrower type, or refuses it
        if kind == "double" and keys:
            return False  # reads partition values as 32 bits
        if kind == "date" and value in ("0001-01-01", "9999-12-31") and keys:
            return False  # asks for the day before or after, which Python does not have
        if kind == "uuid" and keys:
            return False  # compares bytes with UUIDs
        if "truncate" in keys and kind in WHOLE:
            least = self.duck.execute(f"select min({name}) from {self.table.name}").fetchone()[0]
            bits = 63 if kind in ("bigint", "uinteger") and name not in self.table.widened else 31  # when it was written
            return least is None or least >= 3 - (1 << bits)  # does not wrap around
        return True

    def values(self, name, kind):
        """A value that is there and one that may be, as (Python value, SQL text)."""
        dice = self.table.dice
        texts = [value_of(dice, kind, nulls=0)]
        there = self.duck.execute(f"select k from {self.table.name} where {name} is not null order by k").fetchall()
        if there:
            texts.append(f"(select {name} from {self.table.name} where k = {dice.choice(there)[0]})")
        for text in texts:
            clock = kind in CLOCK or kind in ("date", "time")
            value = self.duck.execute(f"select ({text})::{kind}{'::varchar' if clock else ''}").fetchone()[0]
            if clock:
                value = value.replace(" ", "T").replace("+00", "+00:00")
            if value is not None and value == value:
                yield decimal.Decimal(value) if kind in WIDE else value, text

    def same(self, filter, where, peer=True):
        expected = self.expected(where)
        if peer:
            found = self.found(filter)
            assert found == expected, f"pyiceberg: {filter} {found[:9]}; DuckDB: {where} {expected[:9]}"
        assert self.by_tarn(where) == expected, f"Tarn: {where}"


@pytest.fixture
def server(tarn):
    server = Server(tarn)
    try:
        yield server
    finally:
        server.stop()


def check_one(number, duck, tarn, server):
    dice = random.Random(f"{SEED} {number}")  # each table can be made again alone
    table = Table(dice, number)
    done = []
    try:
        for ours, theirs in table.statements():
            done.append(ours)
            if theirs:
                duck.execute(theirs)
            status, answer = server.request("/api/v1/sql", {"sql": ours, "format": "json"})
            assert status == 200, answer
        location = tarn.metadata_locations()["public", table.name]
        check_table(location)
        check = Check(table, duck, server, location)
        check.all_rows()
        for name, kind in table.columns:
            check.column(name, kind)
    except Exception as error:
        script = ";\n".join(sql if len(sql) < 2000 else sql[:2000] + "…" for sql in done)
        raise AssertionError(f"table {number} of seed {SEED}: {type(error).__name__}: {error}\n{script}") from error


def test_random_tables(tarn, server, capsys):  # checklist D.1, D.12, D.13, D.15, D.17, D.18, D.19, D.21, D.22, D.31, D.32
    with capsys.disabled():
        print(f"\n{TABLES} random tables, seed {SEED}", flush=True)
    duck = duckdb.connect()
    duck.execute("set timezone = 'UTC'")
    for number in range(TABLES):
        check_one(number, duck, tarn, server)
