"""Goal: Spark, Trino, pyiceberg and DuckDB share the lake through /iceberg, both ways: what one of them makes, fills, changes and
maintains Tarn reads exactly, and what Tarn does they read. Method: each peer on `tarn serve` as its catalog; every statement is
also run in plain DuckDB tables, and after each step peer, Tarn and DuckDB must have the same rows, by value; what was found is
the second table of docs/interop.md."""

import datetime
import os
import pathlib
import threading

import duckdb
import pytest

import pyiceberg_steps as steps

from catalog_peers import CATALOG, RestDuckDB, RestPyIceberg, RestSpark, RestTrino
from conftest import Tarn
from java_deletes import JavaWriter
from lossy_proxy import LossyProxy
from matrix import Limit, Matrix
from readers import sorted_rows, tarn_answer
from small_peers import DuckDB
from sql_peer import Literal
from tarn_server import Server

PEERS = {peer.name: peer for peer in (RestSpark, RestTrino, RestPyIceberg, RestDuckDB)}
SQL_PEERS = ("Spark", "Trino", "DuckDB iceberg")
JVM = ("Spark", "Trino")


class Shared:
    """A table that one peer, Tarn and an oracle (DuckDB's own tables) have under one name, each with its own words."""

    def __init__(self, peer, server, folder):
        self.peer, self.server, self.tarn, self.folder = peer, server, server.tarn, folder
        self.schema = peer.name.split()[0].lower()
        self.oracle = duckdb.connect()
        self.oracle.execute("set timezone = 'UTC'")
        self.table = ""

    def words(self, literals, table, **more):
        return {**{word: Literal(write) for word, write in literals.items()}, "t": table, **more}

    def peer_does(self, text, **more):
        self.peer.ask(text.format(**self.words(self.peer.literals, f"{CATALOG}.{self.schema}.{self.table}", **more)))

    def oracle_does(self, text):
        self.oracle.execute(text.format(**self.words(DuckDB.literals, f'"{self.table}"')))

    def tarn_does(self, text):
        self.tarn.run("sql", text.format(**self.words(DuckDB.literals, f'{self.schema}."{self.table}"')))

    def both(self, text):
        """In the peer and in the oracle."""
        self.peer_does(text)
        self.oracle_does(text)

    def also(self, text):
        """In Tarn and in the oracle."""
        self.tarn_does(text)
        self.oracle_does(text)

    def expected(self):
        table = self.oracle.execute(f'select * from "{self.table}"').to_arrow_table()
        return table.column_names, sorted_rows(table.to_pylist())

    def of_tarn(self, rest=""):
        return tarn_answer(self.tarn, f'select * from {self.schema}."{self.table}" {rest}', self.folder)

    def of_peer(self, **options):
        return self.peer.rows(self.schema, self.table, **options)

    def check(self):
        expected = self.expected()
        assert self.of_tarn() == expected, f"Tarn reads {self.table} otherwise"
        assert self.of_peer() == expected, f"{self.peer.name} reads {self.table} otherwise"

    def snapshots(self):
        """[(snapshot id, operation, lake version or None)], oldest first."""
        rows = self.tarn.rows(f"select snapshot_id::varchar as id, operation, lake_version from table_snapshots('{self.schema}.{self.table}') "
                              "order by committed_at")
        return [(int(row["id"]), row["operation"], row["lake_version"]) for row in rows]

    def delete_files(self):
        return int(self.tarn.rows(f"select count(*) as n from table_files('{self.schema}.{self.table}') where content <> 'data'")[0]["n"])

    def files(self):
        return [pathlib.Path("/" + row["path"].removeprefix("file:").lstrip("/"))
                for row in self.tarn.rows(f"select path from table_files('{self.schema}.{self.table}')")]

    # Creating, in each one's words.
    def create(self, name, oracle, columns=None, **options):
        self.table = name
        self.peer_does(self.peer.creation(columns or oracle, **options))
        self.oracle_does(f"create table {{t}} ({oracle})")


def rows(first, last, parts=("a", "b", "c")):
    return ", ".join(f"({i}, '{parts[i % len(parts)]}', {i}.25, {{date:2026-01-{1 + i % 28:02}}})" for i in range(first, last))


PEOPLE = "k bigint, s {text}, v double, day date"


@pytest.fixture(scope="module")
def matrix():
    found = Matrix("made by ./dev interop through the catalog")
    yield found
    if "TARN_INTEROP_DOC" in os.environ and found.peers.keys() == PEERS.keys():
        found.rewrite(pathlib.Path(os.environ["TARN_INTEROP_DOC"]))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shared")
    (folder / "tarn.yml").write_text("name: home\n", encoding="utf-8")
    server = Server(Tarn(folder))
    yield server
    code, _, errors = server.stop()
    assert code == 0, errors


@pytest.fixture(scope="module", params=PEERS)
def shared(request, server, tmp_path_factory):
    peer = PEERS[request.param](tmp_path_factory.mktemp("peer"), server)
    try:
        shared = Shared(peer, server, tmp_path_factory.mktemp("answers"))
        server.tarn.run("sql", f"create schema if not exists {shared.schema}")
        yield shared
    finally:
        peer.stop()


def people(shared, name, **options):
    columns = PEOPLE.format(text=shared.peer.types["text"])
    shared.create(name, PEOPLE.format(text="varchar"), columns, **options)
    shared.both("insert into {t} values " + rows(0, 200))


# Each: (name of the operation, peers that have it, what is done).

def make_types(shared):
    """Every type that the peer has, at its edges, nested ones, NULL."""
    peer = shared.peer
    kinds = [("k", "integer", "integer"), ("b", "boolean", "boolean"), ("l", "bigint", "bigint"), ("f", peer.types.get("float", "float"), "float"),
             ("d", "double", "double"), ("n9", "decimal(9,2)", "decimal(9,2)"), ("n38", "decimal(38,10)", "decimal(38,10)"),
             ("day", "date", "date"), ("s", peer.types["text"], "varchar"), ("x", peer.types["blob"], "blob"),
             ("ts", peer.types["ts"], "timestamp"), ("tz", peer.types["tz"], "timestamptz"), ("list", peer.shapes["list"], "integer[]"),
             ("place", peer.shapes["struct"], "struct(a integer, b varchar)"), ("words", peer.shapes["map"], "map(varchar, integer)")]
    for lacking in ("uuid", "time"):
        if lacking not in peer.lacks:
            kinds.append((lacking[0] * 2, peer.types[lacking], lacking))
    shared.create("types", ", ".join(f"{name} {kind}" for name, _, kind in kinds), ", ".join(f"{name} {kind}" for name, kind, _ in kinds))
    nested = len(kinds) - 12
    lacking = ", ".join(["null"] * nested)
    shared.both(f"""insert into {{t}} values
      (1, true, 9223372036854775807, 1.5, 0.1, 12.34, 12.0000000001, {{date:2024-02-29}}, 'héllo 🎈', {{blob:00ff}}, {{ts:1969-07-20 20:17:40.123456}},
       {{tz:2026-03-29 01:30:00}}, {lacking}),
      (2, false, -9223372036854775807, -0.25, -5e-300, -9999999.99, -9999999999999999999999999999.9999999999, {{date:0001-01-01}}, '', {{blob:}},
       {{ts:9999-12-31 23:59:59.999999}}, {{tz:1883-11-18 12:00:00.000001}}, {lacking}),
      (3, null, null, null, null, null, null, null, null, null, null, null, {lacking})""")
    nothing = ", ".join(["null"] * 11)
    rest = ", null" * (nested - 3)
    shared.peer_does(f"insert into {{t}} select 4, {nothing}, " + {
        "Spark": "array(1, null), named_struct('a', 7, 'b', 'x'), map('k', 1, 'j', cast(null as int))",
        "Trino": "array[1, null], cast(row(7, 'x') as row(a integer, b varchar)), map(array['k', 'j'], array[1, null])",
        "DuckDB iceberg": "[1, null], {{'a': 7, 'b': 'x'}}, map {{'k': 1, 'j': null}}"}[peer.name] + rest)
    shared.oracle_does("insert into {t} (k, list, place, words) values (4, [1, null], {{'a': 7, 'b': 'x'}}, map {{'k': 1, 'j': null}})")
    shared.check()


def make_partitioned(shared):
    transforms = {"Spark": ["s", "bucket(4, k)", "truncate(1, s)", "months(day)"], "Trino": ["s", "bucket(k, 4)", "truncate(s, 1)", "month(day)"],
                  "DuckDB iceberg": ["s", "bucket(4, k)", "month(day)"]}[shared.peer.name]
    people(shared, "parts", partitions=transforms)
    shared.both("insert into {t} values (900, null, null, null), (-7, 'é', -1.5, {date:1969-12-31})")
    shared.check()
    shared.also("insert into {t} values (901, 'é', 2, {date:1969-12-31}), (902, null, null, null)")
    shared.also("delete from {t} where k = -7 or s = 'a'")
    shared.check()
    for predicate in ("s = 'b'", "k = 17", "day < {date:2026-01-05}", "s is null"):
        expected = shared.tarn.rows(f'select count(*) as n from {shared.schema}.parts where {DuckDB.predicate(predicate)}')[0]["n"]
        assert len(shared.of_peer(where=predicate)[1]) == int(expected) > 0, predicate


def create_as(shared):
    """CREATE TABLE AS is staged, and made by one commit; CREATE OR REPLACE keeps what the table was."""
    people(shared, "source")
    source = f"{CATALOG}.{shared.schema}.source"
    shared.table = "copied"
    shared.peer_does("create table {t} as select k, s from {source} where k < 50", source=source)
    shared.oracle_does("create table {t} as select k, s from source where k < 50")
    shared.check()
    if shared.peer.name not in JVM:
        return
    before = shared.expected()
    version = shared.server.json("/api/v1/overview")["lake_version"]
    shared.peer_does("create or replace table {t} as select s, v, k from {source} where k >= 190", source=source)
    shared.oracle_does("create or replace table {t} as select s, v, k from source where k >= 190")
    shared.check()
    assert shared.of_tarn(f"at (version => {version})") == before
    shared.also("create or replace table {t} as select k, s || '!' as s from {t} where k > 195")
    shared.check()


def change_columns(shared):
    people(shared, "shaped")
    peer = shared.peer
    shared.both("alter table {t} add column note " + peer.types["text"])
    shared.both("insert into {t} values (500, 'new', 0.5, {date:2026-03-01}, 'noted')")
    shared.both("alter table {t} rename column s to label")
    shared.both("alter table {t} drop column v")
    shared.check()
    shared.also("alter table {t} add column n integer")
    shared.also("insert into {t} values (501, 'tarn', {date:2026-03-02}, null, 7)")
    shared.check()
    shared.peer_does(peer.widen, column="n", type="bigint")
    shared.oracle_does("alter table {t} alter column n type bigint")
    shared.both("insert into {t} values (502, 'wide', null, null, 5000000000)")
    shared.also("alter table {t} rename column note to remark")
    shared.also("update {t} set remark = 'both' where k > 499")
    shared.check()


def change_nested_columns(shared):
    shared.create("deep", "k integer, place struct(a integer, b varchar)", f"k integer, place {shared.peer.shapes['struct']}")
    value = {"Spark": "named_struct('a', 1, 'b', 'x')", "Trino": "cast(row(1, 'x') as row(a integer, b varchar))"}[shared.peer.name]
    shared.peer_does(f"insert into {{t}} select 1, {value}")
    shared.oracle_does("insert into {t} values (1, {{'a': 1, 'b': 'x'}})")
    shared.both("alter table {t} add column place.c integer")
    shared.both("alter table {t} rename column place.a to z")
    shared.check()
    shared.also("insert into {t} values (2, {{'z': 2, 'b': 'y', 'c': 22}})")
    shared.both("alter table {t} drop column place.b")
    shared.check()


def change_partitions(shared):
    people(shared, "moved")
    shared.peer_does({"Spark": "alter table {t} add partition field bucket(3, k)",
                      "Trino": "alter table {t} set properties partitioning = ARRAY['bucket(k, 3)']"}[shared.peer.name])
    shared.both("insert into {t} values " + rows(200, 230))
    shared.also("insert into {t} values " + rows(230, 250))
    shared.peer_does({"Spark": "alter table {t} replace partition field bucket(3, k) with days(day)",
                      "Trino": "alter table {t} set properties partitioning = ARRAY['day(day)']"}[shared.peer.name])
    shared.both("insert into {t} values " + rows(250, 270))
    shared.check()
    shared.also("delete from {t} where k % 7 = 0")
    shared.both("delete from {t} where k % 5 = 1")
    shared.check()
    assert len({tuple(sorted(row)) for row in [shared.tarn.rows(f"select * from table_partitions('{shared.schema}.moved')")[0]]}) == 1


MERGE = """merge into {t} as x using (select 3 as k, 'merged' as s union all select 7, 'gone' union all select 1001, 'new') m on x.k = m.k
  when matched and m.s = 'gone' then delete
  when matched then update set s = m.s, v = -1
  when not matched then insert (k, s) values (m.k, m.s)"""

# DuckDB's iceberg extension has one action for what is matched.
SMALL_MERGE = MERGE.replace("  when matched and m.s = 'gone' then delete\n", "")


def change_rows(shared, name, **options):
    """DELETE, UPDATE, MERGE by the peer and by Tarn in turn, each on what the other has left."""
    people(shared, name, **options)
    shared.both("delete from {t} where k % 10 = 3 and k > 50")
    assert (shared.delete_files() > 0) == options.get("merge_on_read", False)
    shared.check()
    shared.also("delete from {t} where k % 10 = 4")
    shared.also("update {t} set s = 'tarn' where k % 10 = 5")
    shared.check()
    shared.both("update {t} set s = 'peer', v = null where k between 20 and 40")
    shared.check()
    shared.both(MERGE if shared.peer.name in JVM else SMALL_MERGE)
    shared.check()
    shared.also("merge into {t} as x using (select i * 11 as k, i as v from range(30) r(i)) m on x.k = m.k when matched then update set v = -m.v "
                "when not matched then insert (k, s) values (m.k, 'tarn') when not matched by source and x.k > 198 then delete")
    shared.check()
    shared.both("delete from {t} where s = 'tarn' and k < 100")
    shared.both("insert into {t} values " + rows(2000, 2010))
    shared.also("insert into {t} values " + rows(2010, 2020))
    shared.check()
    shared.both("delete from {t} where k >= 0")
    shared.check()
    shared.also("insert into {t} values " + rows(0, 3))
    shared.check()


def copy_on_write(shared):
    change_rows(shared, "cow")


def merge_on_read(shared):
    change_rows(shared, "mor", merge_on_read=True)


def merge_on_read_in_partitions(shared):
    transform = {"Spark": "bucket(3, k)", "Trino": "bucket(k, 3)", "DuckDB iceberg": "bucket(3, k)"}[shared.peer.name]
    change_rows(shared, "mor_parts", merge_on_read=True, partitions=["s", transform])


def overwrite(shared):
    """INSERT OVERWRITE of partitions by what comes, and of everything."""
    people(shared, "over", partitions=["s"])
    with shared.peer.setting("spark.sql.sources.partitionOverwriteMode", "dynamic"):
        shared.peer_does("insert overwrite {t} values " + rows(3000, 3001))
    shared.oracle_does("delete from {t} where s = 'a'")
    shared.oracle_does("insert into {t} values " + rows(3000, 3001))
    shared.check()
    shared.peer_does("insert overwrite {t} partition (s = 'b') values (1, 0.5, {date:2026-01-01})")
    shared.oracle_does("delete from {t} where s = 'b'")
    shared.oracle_does("insert into {t} values (1, 'b', 0.5, {date:2026-01-01})")
    shared.check()
    shared.also("insert into {t} values (2, 'tarn', 1, null)")
    shared.peer_does("insert overwrite {t} values " + rows(0, 2))
    shared.oracle_does("delete from {t}")
    shared.oracle_does("insert into {t} values " + rows(0, 2))
    shared.check()


def truncate(shared):
    people(shared, "cut")
    shared.peer_does("truncate table {t}")
    shared.oracle_does("delete from {t}")
    shared.check()
    shared.also("insert into {t} values " + rows(0, 3))
    shared.check()


def time_travel(shared):
    """The peer reads Tarn's snapshots, Tarn the peer's, through all changes."""
    people(shared, "at_times", merge_on_read=True)
    known = {shared.snapshots()[-1][0]: shared.expected()}
    for step in (lambda: shared.also("delete from {t} where k < 20"), lambda: shared.also("update {t} set s = 'x' where k < 40"),
                 lambda: shared.both("insert into {t} values " + rows(300, 310)), lambda: shared.also("delete from {t} where s = 'x'")):
        step()
        known[shared.snapshots()[-1][0]] = shared.expected()
    assert len(known) == 5
    for snapshot, expected in known.items():
        assert shared.of_peer(snapshot=snapshot) == expected, f"{shared.peer.name} at {snapshot}"
    versions = shared.tarn.rows(f"select lake_version::integer as v, snapshot_id::varchar as id from table_snapshots('{shared.schema}.at_times')")
    for row in versions:
        if row["v"] is not None:
            assert shared.of_tarn(f"at (version => {row['v']})") == known[int(row["id"])], row


def names_and_properties(shared):
    people(shared, "first")
    if shared.peer.name == "Spark":
        shared.peer_does("alter table {t} set tblproperties ('colour' = 'green')")
        shared.peer_does("alter table {t} alter column s comment 'who'")
        shared.peer_does("comment on table {t} is 'people'")
    else:
        shared.peer_does("comment on column {t}.s is 'who'")
        shared.peer_does("comment on table {t} is 'people'")
    comments = shared.tarn.rows("select comment from duckdb_columns() where table_name = 'first' and column_name = 's' "
                                f"and schema_name = '{shared.schema}'")
    assert comments == [{"comment": "who"}]
    shared.peer_does(f"alter table {{t}} rename to {shared.schema}.second")
    shared.oracle_does("alter table {t} rename to second")
    shared.table = "second"
    shared.check()
    shared.tarn_does("alter table {t} rename to third")
    shared.oracle_does("alter table {t} rename to third")
    shared.table = "third"
    shared.check()
    shared.peer_does("drop table {t}")
    assert not shared.tarn.rows(f"select 1 as x from information_schema.tables where table_name = 'third' and table_schema = '{shared.schema}'")
    shared.peer.ask(f"create schema {CATALOG}.more_{shared.schema}")
    assert shared.tarn.rows(f"select 1 as x from information_schema.schemata where schema_name = 'more_{shared.schema}'")
    shared.peer.ask(f"drop schema {CATALOG}.more_{shared.schema}")


def worn(shared, name):
    """A table of many small files with deletes of both."""
    people(shared, name, merge_on_read=True)
    for first in range(300, 340, 10):
        shared.both("insert into {t} values " + rows(first, first + 10))
    shared.also("delete from {t} where k % 9 = 0")
    shared.both("delete from {t} where k % 11 = 0")


def compact(shared):
    """Files written anew change no row, and Tarn's later deletes still apply."""
    worn(shared, "packed")
    name = f"{shared.schema}.packed"
    files = len(shared.tarn.rows(f"select path from table_files('{name}')"))
    if shared.peer.name == "Spark":
        for call in (f"rewrite_position_delete_files(table => '{name}', options => map('rewrite-all', 'true'))", f"rewrite_manifests('{name}')",
                     f"rewrite_data_files(table => '{name}', options => map('rewrite-all', 'true'))"):
            shared.peer.ask(f"call {CATALOG}.system.{call}")
            shared.check()
    else:
        shared.peer_does("alter table {t} execute optimize")
        shared.check()
    assert len(shared.tarn.rows(f"select path from table_files('{name}')")) < files
    shared.also("delete from {t} where k % 7 = 0")
    shared.both("delete from {t} where k % 13 = 0")
    shared.check()


def expire(shared):
    """The peer removes files of what is no longer; the table stays whole, and Tarn goes on with it."""
    worn(shared, "kept")
    name = f"{shared.schema}.kept"
    now = datetime.datetime.now(datetime.timezone.utc)
    if shared.peer.name == "Spark":
        shared.peer.ask(f"call {CATALOG}.system.expire_snapshots(table => '{name}', older_than => timestamp '{now:%Y-%m-%d %H:%M:%S.%f}+00:00', "
                        "retain_last => 1)")
    else:
        shared.peer_does("alter table {t} execute expire_snapshots(retention_threshold => '0s')")
    assert len(shared.snapshots()) == 1
    shared.check()
    shared.also("insert into {t} values " + rows(400, 410))
    shared.also("update {t} set s = 'after' where k % 6 = 1")
    shared.check()


def branches_and_tags(shared):
    people(shared, "refs")
    shared.peer_does("alter table {t} create tag start")
    shared.peer_does("alter table {t} create branch work")
    before = shared.expected()
    shared.peer.ask(f"insert into {CATALOG}.spark.refs.branch_work values (7000, 'branch', 1, null)")
    shared.check()
    shared.also("insert into {t} values (8000, 'main', 1, null)")
    shared.check()
    refs = {row["name"] for row in shared.tarn.rows("select name from table_refs('spark.refs')")}
    assert refs == {"main", "start", "work"}
    _, found = shared.peer.ask(f"select * from {CATALOG}.spark.refs version as of 'start'")
    assert sorted_rows(found) == before[1]
    _, found = shared.peer.ask(f"select count(*) as n from {CATALOG}.spark.refs version as of 'work'")
    assert found == [{"n": 201}]
    shared.peer_does("alter table {t} drop branch work")
    shared.check()


def statistics(shared):
    people(shared, "counted")
    if shared.peer.name == "Spark":
        shared.peer.ask(f"call {CATALOG}.system.compute_table_stats('spark.counted')")
    else:
        shared.peer_does("analyze {t}")
    shared.check()
    shared.also("insert into {t} values (9000, 'later', 1, null)")
    shared.check()


def version_1(shared):
    """A table of format version 1 becomes one of version 2 when Tarn changes it."""
    properties = {"Spark": {"format-version": "1"}, "Trino": {"format_version": "1"}}[shared.peer.name]
    people(shared, "old", properties=properties)
    shared.check()
    shared.also("insert into {t} values (600, 'tarn', 1, null)")
    shared.also("delete from {t} where k < 10")
    shared.check()
    shared.both("insert into {t} values " + rows(700, 710))
    shared.check()


def views(shared):
    """A view of the peer's dialect is kept for it; Tarn lists it, and says why it does not run it."""
    people(shared, "seen")
    view = f"{CATALOG}.{shared.schema}.looked"
    shared.peer.ask(f"create view {view} as select k, s from {CATALOG}.{shared.schema}.seen where k < 3")
    _, found = shared.peer.ask(f"select count(*) as n from {view}")
    assert found[0]["n"] == 3
    shared.tarn_does("insert into {t} values (-1, 'x', 0, null)")
    shared.oracle_does("insert into {t} values (-1, 'x', 0, null)")
    _, found = shared.peer.ask(f"select count(*) as n from {view}")
    assert found[0]["n"] == 4
    listed = shared.tarn.rows(f"select table_type as t from information_schema.tables where table_schema = '{shared.schema}' and table_name = 'looked'")
    assert listed == [{"t": "VIEW"}]
    refused = shared.tarn.run("sql", f"select * from {shared.schema}.looked", check=2)
    assert "made by another engine" in refused.stderr and len(refused.stderr.strip().splitlines()) == 1, refused.stderr
    shared.tarn.run("sql", f"drop view {shared.schema}.looked")
    with pytest.raises(Exception, match="(?i)not found|does not exist|cannot be found"):
        shared.peer.ask(f"select count(*) as n from {view}")


def write_at_once(shared, fill=None, write=None):
    """The peer and Tarn add and change rows at the same time: whoever is told of success finds its rows."""
    (fill or people)(shared, "busy")
    done, failures = [], []

    def tarn_writes():
        for i in range(20):
            text = f"insert into {shared.schema}.busy values ({10000 + i}, 'tarn', {i}, null)"
            if i % 4 == 3:
                text = f"update {shared.schema}.busy set v = {i} where k = {10000 + i - 1}"
            ran = shared.tarn.run("sql", text, check=None)
            if ran.returncode == 0:
                done.append(text.replace(f"{shared.schema}.busy", "busy"))
            elif "conflict" not in ran.stderr:
                failures.append(ran.stderr)

    thread = threading.Thread(target=tarn_writes)
    thread.start()
    written = []
    while thread.is_alive() or len(written) < 3:
        k = 20000 + len(written)
        try:
            if write is None:
                shared.peer_does(f"insert into {{t}} values ({k}, 'peer', 1, null)")
            else:
                write(shared, k)
            written.append(k)
        except Exception as error:
            assert any(word in str(error) for word in ("ommit", "onflict")), error
    thread.join()
    assert not failures, failures
    for text in done:
        shared.oracle.execute(text)
    if write is None:
        for k in written:
            shared.oracle.execute(f"insert into busy values ({k}, 'peer', 1, null)")
    shared.check()


def of(peers, run, pyiceberg=None):
    return {**{name: run for name in peers}, **({"pyiceberg": pyiceberg} if pyiceberg else {})}


def through_a_lossy_proxy(shared):
    """Answers of what was done are lost: the peer asks again, or gives up; each change is there once, with all its files."""
    people(shared, "lost", merge_on_read=True)
    proxy = LossyProxy(shared.server.url)
    try:
        shared.peer.through(proxy, "lossy")
        steps = ["insert into {t} values (5000, 'lost', 1, null)", "delete from {t} where k % 3 = 0", "update {t} set s = 'x' where k < 20",
                 MERGE if shared.peer.name in JVM else SMALL_MERGE]
        for mode in ("503", "closed"):
            for i, text in enumerate(steps):
                text = text.replace("5000", str(5000 + i + (100 if mode == "closed" else 0)))
                proxy.lose(mode, count=1 + i % 2)
                try:
                    shared.peer.ask(text.format(**shared.words(shared.peer.literals, f"lossy.{shared.schema}.lost")))
                except (RuntimeError, duckdb.Error) as error:
                    assert any(word in str(error) for word in ("ommit", "RESTException", "503", "ransaction", "POST")), error  # it cannot know
                assert proxy.lost and proxy.lost[0][2] in (200, 204), f"{mode}: {text}: {proxy.lost}"
                proxy.lose(None)
                shared.oracle_does(text)
                assert all(path.exists() for path in shared.files()), f"{mode}: {text}: a file is gone"
                shared.check()
    finally:
        proxy.stop()


FLINK = "k integer, s {text}, v double, day date"


def equality_deletes(shared):
    """As Flink's upserts: a delete by value holds for what was there before it, whoever wrote that, and not for what came with it."""
    def day(of):
        return datetime.date(2026, 1, of)

    def deletes():
        return {row["content"]: int(row["n"]) for row in shared.tarn.rows(
            f"select content, count(*) as n from table_files('{shared.schema}.upserted') where content <> 'data' group by 1")}

    shared.create("upserted", FLINK.format(text="varchar"), FLINK.format(text=shared.peer.types["text"]))
    shared.both("insert into {t} values " + rows(0, 200) + ", (900, null, null, null), (901, null, 1, {date:2026-01-05})")
    flink = JavaWriter(shared.peer.session, f"{CATALOG}.{shared.schema}.upserted")

    assert flink.upsert(["k"], [{"k": k} for k in (3, 5, 7, 5000)]) == 4
    shared.oracle_does("delete from {t} where k in (3, 5, 7)")
    assert deletes() == {"equality deletes": 1}
    shared.check()

    # The key goes and comes in one commit; then once more; then Tarn changes what came.
    for text in ("first", "second"):
        flink.upsert(["k"], [{"k": k} for k in (10, 11)], [{"k": k, "s": text, "v": 0.5, "day": day(k)} for k in (10, 11)])
        shared.oracle_does("delete from {t} where k in (10, 11)")
        shared.oracle_does(f"insert into {{t}} values (10, '{text}', 0.5, {{date:2026-01-10}}), (11, '{text}', 0.5, {{date:2026-01-11}})")
        shared.check()
    shared.also("update {t} set s = 'tarn' where k in (10, 12, 13)")
    shared.also("delete from {t} where k in (11, 14)")
    shared.check()
    assert deletes()["position deletes"] > 0
    flink.upsert(["k"], [{"k": k} for k in (10, 14, 15)], [{"k": 10, "s": "third", "v": None, "day": None}])
    shared.oracle_does("delete from {t} where k in (10, 14, 15)")
    shared.oracle_does("insert into {t} values (10, 'third', null, null)")
    shared.check()

    # By two columns, of which NULL equals NULL; then by another one.
    flink.upsert(["s", "day"], [{"s": "a", "day": day(1)}, {"s": None, "day": day(5)}, {"s": "tarn", "day": None}])
    shared.oracle_does("delete from {t} where (s = 'a' and day = {date:2026-01-01}) or (s is null and day = {date:2026-01-05})")
    flink.upsert(["v"], [{"v": None}, {"v": 20.25}])
    shared.oracle_does("delete from {t} where v is null or v = 20.25")
    shared.check()

    # A changed shape: the deletes go by the column, not by its name.
    shared.also("alter table {t} rename column k to key")
    shared.both("alter table {t} add column note " + shared.peer.types["text"])
    shared.also("update {t} set note = 'kept' where key between 30 and 40")
    flink.upsert(["key"], [{"key": 31}])
    shared.oracle_does("delete from {t} where key = 31")
    shared.also("merge into {t} as x using (select 32 as k union all select 31) m on x.key = m.k when matched then delete "
                "when not matched then insert (key, note) values (m.k, 'new')")
    shared.check()

    # Files written anew have no more rows to delete, in one's words and in the other's.
    with_all = shared.expected()
    shared.peer.ask(f"call {CATALOG}.system.rewrite_data_files(table => '{shared.schema}.upserted', "
                    "options => map('rewrite-all', 'true', 'remove-dangling-deletes', 'true'))")
    assert not deletes(), deletes()
    shared.check()
    flink.upsert(["key"], [{"key": 33}])
    shared.oracle_does("delete from {t} where key = 33")
    shared.also("create or replace table {t} as select * from {t}")
    assert not deletes() and shared.expected() != with_all
    shared.check()


def equality_deletes_in_partitions(shared):
    """A delete holds in its partition; one of the spec without partitions holds in all."""
    shared.create("upserted_parts", FLINK.format(text="varchar"), FLINK.format(text=shared.peer.types["text"]))
    shared.both("insert into {t} values " + rows(0, 30))
    shared.peer_does("alter table {t} add partition field s")
    shared.both("insert into {t} values " + rows(30, 60) + ", (61, null, 1, null)")
    flink = JavaWriter(shared.peer.session, f"{CATALOG}.{shared.schema}.upserted_parts")
    flink.upsert(["k"], [{"k": k} for k in (3, 33, 34)], [{"k": 99, "s": "a", "v": 1.0, "day": None}], partition={"s": "a"})
    shared.oracle_does("delete from {t} where k = 33")  # 3 is of the other spec, 34 of another partition
    shared.oracle_does("insert into {t} values (99, 'a', 1, null)")
    shared.check()
    flink.upsert(["k"], [{"k": k} for k in (4, 34, 61, 99)], spec_id=0)
    shared.oracle_does("delete from {t} where k in (4, 34, 61, 99)")
    shared.check()
    shared.also("update {t} set s = 'b' where k in (36, 37, 5)")
    shared.also("delete from {t} where k % 10 = 8")
    flink.upsert(["k"], [{"k": 37}, {"k": 40}], partition={"s": "b"})
    shared.oracle_does("delete from {t} where k in (37, 40)")
    shared.check()


OPERATIONS = {
    "create; insert; every type, NULL, nested": of(SQL_PEERS, make_types, steps.every_type),
    "create with partitions; insert": of(SQL_PEERS, make_partitioned, steps.partitions),
    "create as select; create or replace": of(SQL_PEERS, create_as),
    "add, drop, rename, widen columns": of(SQL_PEERS, change_columns, steps.columns),
    "add, drop, rename fields of a struct": of(JVM, change_nested_columns),
    "change partitions": of(JVM, change_partitions, steps.new_partitions),
    "delete, update, merge: copy on write": of(("Spark",), copy_on_write, steps.change_rows),
    "delete, update, merge: merge on read": of(SQL_PEERS, merge_on_read),
    "the same in partitions": of(SQL_PEERS, merge_on_read_in_partitions),
    "equality deletes by Iceberg's Java classes, as Flink's": of(("Spark",), equality_deletes),
    "the same in partitions, of two specs": of(("Spark",), equality_deletes_in_partitions),
    "overwrite partitions, everything": of(("Spark",), overwrite, steps.overwrite),
    "truncate": of(JVM, truncate),
    "time travel, each over the other's snapshots": of(SQL_PEERS, time_travel, steps.time_travel),
    "rename, properties, drop; schemas": of(JVM, names_and_properties, steps.names),
    "compact": of(JVM, compact),
    "expire snapshots": of(JVM, expire, steps.expire),
    "branches and tags": of(("Spark",), branches_and_tags, steps.tags),
    "statistics (Puffin)": of(JVM, statistics),
    "tables of format version 1": of(JVM, version_1, steps.version_1),
    "views of the peer's dialect": of(JVM, views),
    "answers of commits are lost": of(SQL_PEERS, through_a_lossy_proxy, steps.lost_answers),
    "write at once with Tarn": of(SQL_PEERS, write_at_once, lambda shared: write_at_once(shared, steps.people, steps.write_one)),
}

LIMITS = {}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_share(shared, matrix, operation):
    run = OPERATIONS[operation].get(shared.peer.name)
    if run is None:
        pytest.skip(f"{shared.peer.name} has no such thing")
    with matrix.cell(shared.peer, operation, LIMITS.get((shared.peer.name, operation))):
        run(shared)
