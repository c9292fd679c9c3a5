"""Goal: two sessions and another engine that change the same tables at once leave them as plain DuckDB tables are, whatever is
inserted, updated, deleted, merged, altered, rolled back, fails or is cancelled; at the end pyiceberg reads the same. Method: a
random walk of two sessions of a server; an oracle of two DuckDB connections takes the same steps, and what a session sees in its
transaction, and everybody after each commit, is compared. A transaction that Tarn refuses with a conflict is run again, in both.
TARN_TRANSACTIONS says how many, TARN_SEED repeats a run (but for where a cancel falls)."""

import collections
import json
import os
import random
import re
import socket
import time
import urllib.parse

import duckdb
import pytest

from outside_writer import OutsideWriter, as_kept, comparable, struct_lists
from random_sql import Script, literal
from readers import sorted_rows
from tarn_server import Server
from test_differential import content

TRANSACTIONS = int(os.environ.get("TARN_TRANSACTIONS", "60"))
SEED = int(os.environ.get("TARN_SEED", random.randrange(1 << 30)))
ROWS = ("insert", "update", "delete", "merge", "truncate")  # statements that leave the shape of a table
FAILING = ["insert into {t} select error('no') from {t}", "select * from not_there", "insert into {t} values ({n})", "selec 1",
           "select 'x'::integer", "alter table {t} drop column not_there"]
TARGET = re.compile(r"(?:insert into|update|delete from|merge into|truncate) (t\d)\b")
WIDENED = re.compile(r"alter table (t\d) alter column \w+ type ")
DEFAULT = re.compile(r"^alter table .* (set|drop) default")
LONG = ["create or replace table endless as select md5(i::varchar) as m from range(1000000000) r(i)",
        "delete from anchor where (select max(md5(i::varchar)) from range(1000000000) r(i)) > ''",
        "insert into anchor select i from range(1000000000) r(i) where md5(i::varchar) < '4'"]
ENDS = ("committed", "rolled back", "conflict", "failed statement", "failed on purpose", "cancelled", "conflict of DuckDB")


def is_conflict_of_duckdb(error):
    return isinstance(error, duckdb.TransactionException) or any(
        word in str(error) for word in ("onflict", "another transaction", "altered", "has been dropped"))


def told(sql, rows):
    """What a statement tells of the rows that it changed: how many, or those of its RETURNING."""
    return sorted(row[0] for row in rows) if " returning " in sql else rows[0][0]


def answer(connection, sql):
    cursor = connection.execute(sql)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row)) for row in cursor.fetchall()]


def shaped_by(steps):
    """The tables that these statements make, alter, replace or drop."""
    return {word for sql in steps if sql.split()[0] not in ROWS for word in re.findall(r"\bt\d\b", sql.split(" as select")[0])}


def only_defaults(steps):
    """Those of shaped_by() that get other defaults, but keep their shape."""
    return shaped_by(steps) - shaped_by(sql for sql in steps if not DEFAULT.search(sql))


class Session:
    """A session of the server, and the connection of the oracle that takes the same steps."""

    def __init__(self, world, name):
        self.world, self.name = world, name
        self.id = world.server.json("/api/v1/sessions", {})["id"]
        self.duck = world.duck.cursor()
        self.duck.execute("set timezone = 'UTC'")
        self.script = Script(world.dice)
        self.script.new_name = self.new_name
        self.steps, self.is_open, self.shape_changed, self.disturbed, self.before = [], False, False, False, {}
        self.changed, self.reshaped, self.other_defaults = {}, set(), set()

    def new_name(self):
        self.world.names += 1
        return f"n{self.world.names}"

    def tarn(self, sql):
        """(ok, rows or the error's words)"""
        status, answer = self.world.server.request("/api/v1/sql", {"sql": sql, "format": "json", "session": self.id})
        return (True, json.loads(answer)) if status == 200 else (False, answer.decode())

    def change(self, sql):
        """As tarn(), of a statement that changes rows: what it tells of them, see told()."""
        status, answer = self.world.server.request("/api/v1/sql", {"sql": sql, "format": "rows", "session": self.id})
        if status != 200:
            return False, answer.decode()
        head, *rows, end = map(json.loads, answer.splitlines())
        if "error" in end:
            return False, end["error"]
        return True, told(sql, [[head["rows_changed"]]] if rows == [] and " returning " not in sql else rows)

    def begin(self):
        self.script.tables, self.before = dict(self.world.tables), dict(self.world.tables)
        for sql in ("begin", "select * from anchor"):  # both pin what they see at the first look
            self.duck.execute(sql).fetchall()
            accepted, words = self.tarn(sql)
            assert accepted, words
        self.steps, self.is_open, self.shape_changed, self.disturbed = [], True, False, False
        # rows by table; tables that others have given another shape, or other defaults, since
        self.changed, self.reshaped, self.other_defaults = {}, set(), set()
        self.world.trace.append((self.name, "begin"))

    def abort(self, reason, failed_in_tarn=False):
        """Nothing of the transaction stays. After an error COMMIT must not commit."""
        self.world.ends[reason] += 1
        self.world.trace.append((self.name, f"rollback: {reason}"))
        self.duck.execute("rollback")
        end = "commit" if failed_in_tarn and self.world.dice.random() < 0.5 else "rollback"
        accepted, words = self.tarn(end)
        assert accepted == (end == "rollback"), f"{end} after {reason}: {words}"
        self.is_open = False

    def in_duck(self, sql):
        """(error or None, rows)"""
        try:
            widened = WIDENED.match(sql)
            if widened:
                return None, self.widen_in_duck(widened[1], sql)
            rows = self.duck.execute(sql).fetchall()
            target = TARGET.match(sql)
            if target and rows:
                self.changed[target[1]] = self.changed.get(target[1], 0) + (len(rows) if " returning " in sql else rows[0][0])
            return None, rows
        except duckdb.Error as error:
            return error, []

    def widen_in_duck(self, table, sql):
        """While older transactions are open DuckDB gives a column another type with former values, or zeros: they are put right."""
        for part in (f"create or replace temp table before_it as select * from {table}", sql):
            rows = self.duck.execute(part).fetchall()
        if self.duck.execute(f"select 1 from (from before_it except all from {table}) limit 1").fetchall():
            for part in (f"delete from {table}", f"insert into {table} select * from before_it"):
                self.duck.execute(part)
            self.changed[table] = self.changed.get(table, 0) + 1
            self.world.ends["widened by hand"] += 1
        return rows

    def step(self, sql):
        """One statement of the transaction. Returns whether it goes on."""
        self.world.trace.append((self.name, sql))
        changes_rows = sql.split()[0] in ROWS
        error, rows = self.in_duck(sql)
        accepted, words = self.change(sql) if changes_rows else self.tarn(sql)
        if error is None and accepted:
            self.steps.append(sql)
            if changes_rows and words != told(sql, rows):
                table = TARGET.match(sql)[1]
                difference = self.world.difference(table, self.script.tables[table], self.tarn, self.duck)
                raise AssertionError(f"{sql}: Tarn tells {words}, DuckDB {told(sql, rows)}; after {self.steps}\n{difference}")
            return True
        if accepted and is_conflict_of_duckdb(error):
            self.abort("conflict of DuckDB")
            return False
        if error is None and "onflict" in words:
            self.abort("conflict", failed_in_tarn=True)
            return False
        assert error is not None and not accepted, f"{self.name}: DuckDB: {error}; Tarn: {words}; statement: {sql}"
        self.abort("failed statement", failed_in_tarn=True)
        return False

    def own_view(self):
        for table in self.world.dice.sample(sorted(self.script.tables), min(2, len(self.script.tables))):
            sql = content(table, self.script.tables[table])
            expected = answer(self.duck, sql)
            accepted, found = self.tarn(sql)
            assert accepted and found == expected, (f"{self.name} sees in {table}: {found}; DuckDB: {expected}; after {self.steps}\n"
                                                    f"{self.world.difference(table, self.script.tables[table], self.tarn, self.duck)}")

    def commit(self):
        """True when it is done; False after a conflict, with nothing changed; None when DuckDB could not follow."""
        kinds = {sql.split()[0] in ROWS for sql in self.steps}
        if self.disturbed and len(kinds) == 2:
            # DuckDB may refuse the COMMIT of rows and shapes in one transaction, and after what others committed its steps, run
            # again, would do something else.
            self.abort("DuckDB could not")
            return None
        for other in self.world.sessions:  # DuckDB lets nobody write to what another has altered, committed or not
            if other is not self and other.is_open and shaped_by(other.steps) & (self.changed.keys() | shaped_by(self.steps)):
                other.abort("made way")
        met = [self.changed[table] for table in self.reshaped if table in self.changed]
        as_before = {table for table in self.reshaped if self.world.tables.get(table) == self.before.get(table)}
        if met and not any(met) or (self.other_defaults | as_before) & self.changed.keys():
            # which also refuses what changed no row of such a table, or met another default, or a table made anew with the same columns
            self.abort("DuckDB could not")
            return None
        accepted, words = self.tarn("commit")
        self.world.trace.append((self.name, "commit" if accepted else f"commit: {words}"))
        if not accepted:
            assert "onflict" in words, words
            only_adds = all(sql.startswith("insert into") and " values " in sql for sql in self.steps)
            assert not only_adds or self.shape_changed, f"{self.name} only adds rows, but: {words}"
            self.duck.execute("rollback")
            self.is_open = False
            return False
        assert not met, f"{self.name} has changed rows of a table that got another shape meanwhile, and is committed: {self.steps}\n{self.world.story(' ')}"
        self.is_open = False
        error, _ = self.in_duck("commit")
        if error is not None:  # DuckDB cannot always commit what was changed and altered in one transaction
            assert is_conflict_of_duckdb(error), error
            self.world.trace.append((self.name, f"again in DuckDB, which said: {error}"))
            for other in self.world.sessions:  # whose open changes would stand in the way
                if other.is_open:
                    other.abort("made way")
            for table in self.changed.keys() & self.world.shapes(self.duck).keys():
                self.world.reopen(table)
            for sql in self.steps:
                failed, _ = self.in_duck(sql)
                assert failed is None, f"{sql}: {failed}\n{self.world.story('')}"
        self.world.committed(self)
        return True

    def run_again(self):
        """The whole transaction, after a conflict."""
        steps = self.steps
        self.begin()
        for sql in steps:
            if not self.step(sql):
                return
        self.script.tables = self.world.shapes(self.duck)
        done = self.commit()
        self.world.ends["committed the second time" if done else "conflict, twice" if done is False else "not twice"] += 1


class World:
    def __init__(self, server, dice):
        self.server, self.dice = server, dice
        self.duck = duckdb.connect()
        self.duck.execute("set timezone = 'UTC'")
        self.tables, self.names = {}, 0
        self.ends = collections.Counter()
        self.trace = collections.deque(maxlen=400)  # (who, what), for a failure
        self.outside = OutsideWriter(server)
        for sql in ("create table anchor (x integer)", "insert into anchor values (1)"):
            self.duck.execute(sql)
            self.ask(sql)
        self.sessions = [Session(self, name) for name in ("one", "two")]

    def ask(self, sql):
        status, answer = self.server.request("/api/v1/sql", {"sql": sql, "format": "json"})
        assert status == 200, f"{sql}: {answer}"
        return json.loads(answer)

    def shapes(self, connection):
        """{table: [(column, type)]} as the connection sees it, with the types' names that the script knows."""
        shapes = collections.defaultdict(list)
        for table, column, kind in connection.execute(
                "select table_name, column_name, data_type from duckdb_columns() where database_name = 'memory' and schema_name = 'main' "
                "order by table_name, column_index").fetchall():
            shapes[table].append((column, kind.lower().replace("timestamp with time zone", "timestamptz").replace(", ", ",")))
        return {table: columns for table, columns in shapes.items() if table not in ("anchor", "endless")}

    def committed(self, session):
        self.ends["committed"] += 1
        self.disturb()
        self.tables = self.shapes(self.duck)
        shaped = shaped_by(session.steps)
        for other in self.sessions:
            other.shape_changed = other.shape_changed or bool(shaped)
            other.reshaped |= shaped - only_defaults(session.steps)
            other.other_defaults |= only_defaults(session.steps)

    def ended(self):
        return sum(self.ends[end] for end in ENDS)

    def disturb(self):
        for session in self.sessions:
            session.disturbed = True

    def same(self):
        for table, columns in self.tables.items():
            sql = content(table, columns)
            expected = answer(self.duck, sql)
            found = self.ask(sql)
            assert found == expected, (f"{table} {columns}: Tarn {found}, DuckDB {expected}\n{self.story(table)}\n"
                                       f"{self.difference(table, columns, lambda sql: (True, self.ask(sql)), self.duck)}")

    def difference(self, table, columns, tarn, duck):
        """The rows that only one of the two has."""
        sql = f"select {', '.join(f'{name}::varchar as {name}' for name, _ in columns)} from {table}"
        accepted, rows = tarn(sql)
        if not accepted:
            return rows
        found, expected = (collections.Counter(map(repr, some)) for some in (rows, answer(duck, sql)))
        return f"only in Tarn: {found - expected}\nonly in DuckDB: {expected - found}\n{self.story(table)}"

    def story(self, table):
        """What was done lately."""
        return "\n".join(f"{who}: {what[:300]}" for who, what in self.trace if table in what or not re.search(r"\bt\d\b", what))

    def free_table(self):
        """One that no open transaction has given another shape, or None: DuckDB lets nobody else write to those."""
        shaped = set().union(*(shaped_by(session.steps) for session in self.sessions if session.is_open))
        free = sorted(self.tables.keys() - shaped)
        return self.dice.choice(free) if free else None

    def reopen(self, table):
        """An ALTER that was rolled back can leave DuckDB's table closed to all changes."""
        defaults = self.duck.execute("select column_name, column_default from duckdb_columns() where database_name = 'memory' and "
                                     f"table_name = '{table}' and column_default is not null").fetchall()
        self.duck.execute(f"create or replace table {table} as select * from {table}")
        for column, default in defaults:
            self.duck.execute(f"alter table {table} alter column {column} set default {default}")

    def change_in_duck(self, table, sql):
        """Outside the sessions."""
        try:
            self.duck.execute(sql)
        except duckdb.TransactionException:
            self.reopen(table)
            self.duck.execute(sql)

    def append_from_outside(self):
        """pyiceberg adds rows while transactions are open."""
        table = self.free_table()
        if table is None:
            return
        columns = self.tables[table]
        values = ", ".join("(" + ", ".join(literal(self.dice, kind) for _, kind in columns) + ")" for _ in range(self.dice.choice([1, 3, 20])))
        self.duck.execute(f"create or replace temp table new_rows as select * from {table} limit 0")
        self.duck.execute(f"insert into new_rows values {values}")
        for name in struct_lists(columns):  # of which pyiceberg also writes NULL as an empty list
            self.duck.execute(f"update new_rows set {name} = [] where {name} is null")
        kept = self.duck.execute(f"select {as_kept(columns)} from new_rows").to_arrow_table().to_pylist()
        lost = self.outside.append(table, kept, columns)
        self.trace.append(("pyiceberg", f"{len(kept)} rows into {table}"))
        self.change_in_duck(table, f"insert into {table} select * from new_rows")
        self.ends["appended by pyiceberg"] += 1
        self.disturb()
        self.ends["pyiceberg lost a race"] += lost

    def same_from_outside(self):
        for table, columns in self.tables.items():
            rows = self.duck.execute(f"select {as_kept(columns)} from {table}").to_arrow_table().to_pylist()
            assert self.outside.rows(table, columns) == sorted_rows(comparable(rows, columns)), table

    def hang_up(self, sql, session=None, after_s=0.0):
        """Sends a statement and is gone before its answer."""
        body = json.dumps({"sql": sql, "format": "json", **({"session": session} if session else {})}).encode()
        address = urllib.parse.urlsplit(self.server.url)
        with socket.create_connection((address.hostname, address.port)) as gone:
            gone.sendall(f"POST /api/v1/sql HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {self.server.token}\r\n"
                         f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
            time.sleep(after_s)

    def wait_for(self, words):
        deadline = time.monotonic() + 30
        while any(words in (row["sql"] or "") for row in self.ask("select sql from _tarn.statements") if "_tarn.statements" not in (row["sql"] or "")):
            assert time.monotonic() < deadline, "a cancelled statement goes on"
            time.sleep(0.02)

    def cancel_one(self):
        """A statement of nobody's transaction whose client hangs up: it is done whole or not at all."""
        table = self.free_table()
        if table is None:
            return
        sql = f"insert into {table} select t.* from {table} t, range({self.dice.choice([1, 1, 500])}) r(i) where (select count(*) from {table}) < 400"
        self.hang_up(sql, after_s=self.dice.choice([0, 0.002, 0.01, 0.05]))
        self.wait_for(sql[:40])
        query = content(table, self.tables[table])
        if self.ask(query) != answer(self.duck, query):
            self.change_in_duck(table, sql)
            self.disturb()
            self.ends["hung up, but done"] += 1
        else:
            self.ends["hung up, not done"] += 1

    def walk(self, session):
        if not session.is_open:
            session.begin()
            return
        roll = self.dice.random() if session.steps else 1
        if roll < 0.24:
            if session.commit() is False:
                self.ends["conflict"] += 1
                session.run_again()
            self.same()
        elif roll < 0.28:
            session.abort("rolled back")
        elif roll < 0.32 and session.script.tables:
            table = self.dice.choice(sorted(session.script.tables))
            bad = self.dice.choice(FAILING).format(t=table, n=", ".join("1" for _ in range(99)))
            error, _ = session.in_duck(bad)
            accepted, words = session.tarn(bad)
            if error is None and accepted:  # the table was empty
                return
            if accepted and is_conflict_of_duckdb(error):
                session.abort("conflict of DuckDB")
                return
            assert error is not None and not accepted, f"{bad}: DuckDB: {error}; Tarn: {words}"
            session.abort("failed on purpose", failed_in_tarn=True)
        elif roll < 0.34:
            sql = self.dice.choice(LONG)
            self.hang_up(sql, session.id, after_s=0.1)
            self.wait_for(sql[:30])
            session.abort("cancelled", failed_in_tarn=True)
        elif session.step(session.script.statement()):
            session.script.tables = self.shapes(session.duck)
            session.own_view()


@pytest.fixture
def server(tarn):
    server = Server(tarn)
    yield server
    server.stop()


def test_two_sessions(server, capsys):
    dice = random.Random(SEED)
    world = World(server, dice)
    with capsys.disabled():
        print(f"\n{TRANSACTIONS} random transactions of two sessions, seed {SEED}", flush=True)
    looked_at = 0
    while world.ended() < TRANSACTIONS:
        world.walk(dice.choice(world.sessions))
        if dice.random() < 0.06:
            dice.choice([world.append_from_outside, world.append_from_outside, world.cancel_one])()
            world.same()
        if world.ended() >= looked_at + 200:
            looked_at = world.ended()
            world.same_from_outside()
    for session in world.sessions:
        if session.is_open:
            session.abort("rolled back")
    world.same()
    world.same_from_outside()
    with capsys.disabled():
        print(dict(world.ends), flush=True)
    assert world.ends["committed"] > TRANSACTIONS / 5


def session_of(server):
    """A function that runs a statement in one session: (status, answer)."""
    session = server.json("/api/v1/sessions", {})["id"]

    def run(text):
        status, answer = server.request("/api/v1/sql", {"sql": text, "format": "json", "session": session})
        return status, answer.decode()

    return run


def test_rows_of_a_new_table_stay_deleted_when_others_change_rows_meanwhile(server):
    """The transaction is put on top of theirs, with all that it has done."""
    one, two = session_of(server), session_of(server)
    one("create table t as select i::integer as a from range(10) r(i)")
    for text in ("begin", "create table n as select i::integer as a from range(10) r(i)", "delete from n where a < 5",
                 "update n set a = 100 where a = 9", "delete from t where a = 1"):
        assert one(text)[0] == 200, text
    assert two("delete from t where a = 2")[0] == 200
    assert one("commit")[0] == 200
    assert json.loads(one("select sum(a)::integer as s, count(*)::integer as n from n")[1]) == [{"s": 5 + 6 + 7 + 8 + 100, "n": 5}]
    assert json.loads(one("select count(*)::integer as n from t")[1]) == [{"n": 8}]


@pytest.mark.parametrize("change", ("delete from t", "delete from t where a = 1", "update t set a = 0", "insert into t values (1)"))
def test_rows_of_a_table_that_others_drop_meanwhile_are_a_conflict(server, change):
    one, two = session_of(server), session_of(server)
    one("create table t as select i::integer as a from range(10) r(i); create table u (a integer)")
    for text in ("begin", change, "insert into u values (1)"):
        assert one(text)[0] == 200, text
    assert two("drop table t")[0] == 200
    status, answer = one("commit")
    assert status == 409 and "40001" in answer, answer
    assert json.loads(one("select count(*)::integer as n from u")[1]) == [{"n": 0}]
