"""Goal: lake tables answer as DuckDB's own tables do: after each transaction the same rows, and the same rows for filters
on every type, whatever was created, inserted, altered, rolled back. Method: random statements, sent to both; the seed is
printed. TARN_TRANSACTIONS says how many, TARN_SEED repeats a run."""

import json
import os
import random

import duckdb
import pytest

from random_sql import Script, literal
from tarn_server import Server

TRANSACTIONS = int(os.environ.get("TARN_TRANSACTIONS", "120"))
SEED = int(os.environ.get("TARN_SEED", random.randrange(1 << 30)))
OPERATORS = ("=", "<>", "<", "<=", ">", ">=")


class Pair:
    """Tarn behind its server, and DuckDB in memory."""

    def __init__(self, server):
        self.server = server
        self.duck = duckdb.connect()
        self.duck.execute("set timezone = 'UTC'")

    def tarn(self, sql):
        """(ok, rows or the error's words)"""
        status, answer = self.server.request("/api/v1/sql", {"sql": sql, "format": "json"})
        return (True, json.loads(answer)) if status == 200 else (False, answer.decode())

    def execute(self, statements):
        """Runs a script in both; fails if only one of them accepts it. Returns whether both did."""
        error = None
        try:
            for statement in statements:
                self.duck.execute(statement)
        except duckdb.TransactionException as e:
            # DuckDB's own tables cannot always be changed and altered in one transaction.
            assert statement == "commit" and "altered this table" in str(e), e
            accepted, words = self.tarn(";\n".join([*statements[:-1], "rollback"]))
            assert accepted, words
            return False
        except duckdb.Error as e:
            error = str(e)
            if "begin" in statements:
                self.duck.execute("rollback")
        accepted, words = self.tarn(";\n".join(statements))
        assert accepted == (error is None), f"DuckDB: {error}; Tarn: {words}; script: {statements}"
        return accepted

    def same(self, sql):
        names = [column[0] for column in self.duck.execute(sql).description]
        expected = [dict(zip(names, row)) for row in self.duck.execute(sql).fetchall()]
        accepted, found = self.tarn(sql)
        assert accepted, f"{sql}: {found}"
        assert found == expected, f"{sql}: Tarn {found}, DuckDB {expected}"


def content(table, columns):
    """A query that tells the number of values and their sum of digits, column by column."""
    parts = [f"count({name})::varchar as n{i}, md5(string_agg(coalesce({name}::varchar, '∅'), '|' order by {name}::varchar)) as m{i}"
             for i, (name, _) in enumerate(columns)]
    return f"select count(*)::varchar as n, {', '.join(parts)} from {table}"


def filters(dice, table, columns):
    """Queries that planning may answer with fewer files."""
    name, kind = dice.choice(columns)
    if kind == "json":
        return
    value = literal(dice, kind, nulls=0)
    where = f"{name} {dice.choice(OPERATORS) if not kind.startswith('map') else '='} {value}"
    yield f"select count(*)::varchar as n from {table} where {where}"
    yield f"select count(*)::varchar as n from {table} where {where} or {name} is null"
    yield f"select count(*)::varchar as n from {table} where {name} in ({value}, {literal(dice, kind, nulls=0)})"
    yield f"select count(*)::varchar as n from {table} join (select {value} as v) on {name} = v"


@pytest.fixture
def pair(tarn):
    server = Server(tarn)
    try:
        yield Pair(server)
    finally:
        server.stop()


def test_random_transactions(pair, capsys):
    dice = random.Random(SEED)
    script = Script(dice)
    with capsys.disabled():
        print(f"\n{TRANSACTIONS} random transactions, seed {SEED}", flush=True)
    for _ in range(TRANSACTIONS):
        before = dict(script.tables)
        statements, end = [script.statement()], ""
        if dice.random() < 0.5:
            statements += [script.statement() for _ in range(dice.randrange(5))]
            end = dice.choice(["commit", "commit", "rollback"])
            statements = ["begin", *statements, end]
        if not pair.execute(statements) or end == "rollback":
            script.tables = before
        for table, columns in script.tables.items():
            pair.same(content(table, columns))
            for sql in filters(dice, table, columns):
                pair.same(sql)
