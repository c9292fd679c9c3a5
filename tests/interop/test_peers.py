"""Goal: Spark, Trino, pyiceberg and DuckDB's iceberg extension see in every table what Tarn sees, now and at former versions.
Method: the demo's tables and those of peer_tables are registered in the peer's own catalog, read and asked with predicates,
and compared row by row with `tarn sql`; what was found is the table of docs/interop.md."""

import datetime
import json
import os
import pathlib

import pytest

import peer_tables
from conftest import Tarn
from matrix import Limit, Matrix
from readers import plain, tarn_answer
from small_peers import DuckDB, PyIceberg
from spark_peer import Spark
from trino_peer import Trino

PEERS = {peer.name: peer for peer in (Spark, Trino, PyIceberg, DuckDB)}

UUIDS = "predicates on uuid columns"
EARLY = "predicates on partitions before 1970"
WIDENED = "integer columns widened to bigint"
WIDENED_PREDICATES = "predicates on integers widened to bigint"

READS = {
    "every type, NULL, NaN, infinity, extremes": ["types", "widened"],
    "time of day": ["clock"],
    "lists, maps, structs, nested": ["nested"],
    "a NULL list of structs": ["null_lists"],
    "partitions: identity, every type": ["by_value", "by_odd_value"],
    "partitions: year, month, day, hour": ["by_time", "by_year"],
    "partitions: bucket, truncate": ["by_bucket", "by_prefix"],
    "columns added, dropped, renamed; float, decimal widened": ["evolved", "evolved_parts"],
    WIDENED: ["grown", "grown_parts"],
    "a column added with a default, rows from before it": ["defaulted"],
    "both after CREATE OR REPLACE TABLE t AS SELECT * FROM t": ["grown_again", "defaulted_again"],
    "50 small commits; an empty table; a replaced one": ["commits", "empty", "replaced"],
    "rows deleted, updated, merged": ["changed", "changed_parts", "emptied"],
    "rows overwritten by file (upsert, replace)": ["upserted", "upserted_parts", "reloaded"],
}

NO_DEFAULT = Limit("AssertionError: defaulted of public", "they have NULL, see below")

VECTORS = Limit("BigIntVector cannot be cast", "fails unless `spark.sql.iceberg.vectorization.enabled=false`, apache/iceberg#16341")

LIMITS = {
    **{(peer, "a column added with a default, rows from before it"): NO_DEFAULT for peer in PEERS},
    ("Spark", "time of day"): Limit("does not support time fields", "has no such type"),
    ("Spark", WIDENED): VECTORS,
    ("Spark", WIDENED_PREDICATES): VECTORS,
    ("Spark", UUIDS): Limit("assert not ['types where u", "loses rows, compares UUIDs as signed, apache/iceberg#14500"),
    ("pyiceberg", "a NULL list of structs"): Limit("AssertionError: null_lists of public", "reads an empty list, apache/iceberg-python#3833"),
    ("pyiceberg", UUIDS): Limit("assert not ['by_odd_value where u", "loses rows of a partition by the value, apache/iceberg#8248"),
    ("DuckDB iceberg", UUIDS): Limit("assert not ['by_bucket where u", "loses rows of a partition by bucket, duckdb/duckdb-iceberg#1325"),
    ("DuckDB iceberg", EARLY): Limit("assert not ['by_time where ts", "loses rows of a partition by day, duckdb/duckdb-iceberg#1361"),
}

# Tables and columns whose count, least and greatest a peer may answer from metadata alone.
AGGREGATES = {
    "types": ["k", "i", "l", "n9", "n18", "n38", "day", "s", "ts", "tz"],
    "by_time": ["ts", "tz", "day", "v"],
    "by_bucket": ["i", "l", "n", "day", "ts", "tz", "s", "v"],
    "evolved": ["i", "f", "n", "text", "later", "gone"],
    "evolved_parts": ["part", "day", "v", "note"],
    "commits": ["v", "label", "price", "day"],
    "upserted": ["k", "s", "v", "day"],
    "upserted_parts": ["k", "s", "v", "day"],
}

TRAVELS = ["commits", "evolved", "evolved_parts", "upserted", "upserted_parts", "reloaded", "replaced", "by_value"]


class Lake:
    """One project's tables; `prefix` keeps two projects apart in a peer's catalog."""

    def __init__(self, tarn, prefix, folder):
        self.tarn, self.prefix, self.folder = tarn, prefix, folder
        self.tables = tarn.metadata_locations()
        self.answers = {}

    def register(self, peer):
        for (schema, name), location in self.tables.items():
            peer.register(self.prefix + schema, name, location)

    def answer(self, sql):
        if sql not in self.answers:
            self.answers[sql] = tarn_answer(self.tarn, sql, self.folder)
        return self.answers[sql]

    def metadata(self, name):
        return json.loads(pathlib.Path(self.tables["public", name].removeprefix("file://")).read_text(encoding="utf-8"))

    def check(self, peer, schema, name):
        assert peer.rows(self.prefix + schema, name) == self.answer(peer_tables.select(schema, name)), f"{name} of {schema}"


@pytest.fixture(scope="session")
def matrix():
    found = Matrix()
    yield found
    if "TARN_INTEROP_DOC" in os.environ and found.peers.keys() == PEERS.keys():
        found.rewrite(pathlib.Path(os.environ["TARN_INTEROP_DOC"]))


@pytest.fixture(scope="session")
def lake(tmp_path_factory):
    """A project with every table of peer_tables."""
    folder = tmp_path_factory.mktemp("lake")
    (folder / "tarn.yml").write_text("name: home\n", encoding="utf-8")
    tarn = Tarn(folder)
    for group in peer_tables.GROUPS:
        peer_tables.make(tarn, group)
    peer_tables.make_upserts(tarn)
    return Lake(tarn, "", folder)


@pytest.fixture(scope="session")
def demo_lake(demo, tmp_path_factory):
    return Lake(demo, "demo_", tmp_path_factory.mktemp("answers"))


@pytest.fixture(scope="session", params=PEERS)
def peer(request, matrix, lake, demo_lake, tmp_path_factory):
    started = PEERS[request.param](tmp_path_factory.mktemp("peer"))
    yield from use(started, lake, demo_lake)


def use(started, *lakes):
    try:
        for one in lakes:
            one.register(started)
        yield started
    finally:
        started.stop()


def test_every_table_of_the_demo(peer, demo_lake, matrix):
    with matrix.cell(peer, "every table of the demo"):
        assert len(demo_lake.tables) >= 8
        for schema, name in demo_lake.tables:
            demo_lake.check(peer, schema, name)


@pytest.mark.parametrize("operation", READS)
def test_read(peer, lake, matrix, operation):
    with matrix.cell(peer, operation, LIMITS.get((peer.name, operation))):
        for name in READS[operation]:
            lake.check(peer, "public", name)


PREDICATES = {
    "predicates: pruning loses no row": peer_tables.PREDICATES,
    EARLY: peer_tables.EARLY_PREDICATES,
    UUIDS: peer_tables.UUID_PREDICATES,
    WIDENED_PREDICATES: peer_tables.GROWN_PREDICATES,
}


def words_of(predicate):
    return {piece.split(":")[0] for piece in predicate.split("{")[1:]}


@pytest.mark.parametrize("operation", PREDICATES)
def test_predicates(peer, lake, matrix, operation):
    asked = [(name, predicate) for name, predicates in PREDICATES[operation].items() for predicate in predicates]
    wrong = []
    with matrix.cell(peer, operation, LIMITS.get((peer.name, operation))):
        for name, predicate in asked:
            expected = lake.answer(peer_tables.select("public", name, "where " + DuckDB.predicate(predicate)))
            everything = lake.answer(peer_tables.select("public", name))
            assert 0 < len(expected[1]) < len(everything[1]), f"{name}: {predicate} tells nothing"
            if words_of(predicate) <= peer.literals.keys() and peer.rows("public", name, where=predicate) != expected:
                wrong.append(f"{name} where {predicate}")
        assert not wrong


def test_ways_round_the_limits_of_spark(peer, lake):
    """What docs/interop.md says of them is true."""
    if not isinstance(peer, Spark):
        pytest.skip("is about Spark")
    with peer.setting("spark.sql.iceberg.vectorization.enabled", "false"):
        for name in READS[WIDENED]:
            lake.check(peer, "public", name)
    for name, predicates in peer_tables.UUID_PREDICATES.items():
        as_text = [predicate.replace("u = ", "concat(u, '') = ") for predicate in predicates]
        for predicate, asked in zip(predicates, as_text):
            expected = lake.answer(peer_tables.select("public", name, "where " + DuckDB.predicate(predicate)))
            assert peer.rows("public", name, where=asked) == expected, f"{name} where {asked}"


def test_aggregates(peer, lake, matrix):
    if not hasattr(peer, "ask"):
        pytest.skip("has no aggregates")
    with matrix.cell(peer, "count, min, max (from metadata where the peer can)"):
        for name, columns in AGGREGATES.items():
            asked = "count(*) as n, " + ", ".join(f"count({c}) as n_{c}, min({c}) as min_{c}, max({c}) as max_{c}" for c in columns)
            expected = lake.answer(f"select {asked} from public.{name}")[1]
            _, rows = peer.ask(f"select {asked} from {peer.source('public', name)}")
            assert [repr(plain(row)) for row in rows] == expected, name


def former(lake, name):
    """[(snapshot id, its time, lake version)] of a table's history."""
    snapshots = lake.metadata(name)["snapshots"]
    return [(s["snapshot-id"], s["timestamp-ms"], int(s["summary"]["tarn.lake-version"])) for s in snapshots]


def at_version(lake, name, version):
    return lake.answer(f'select * from public."{name}" at (version => {version})')


def test_time_travel_by_snapshot(peer, lake, matrix):
    with matrix.cell(peer, "time travel by snapshot"):
        for name in TRAVELS:
            history = former(lake, name)
            assert len(history) > 1, name
            for snapshot, _, version in history[:: max(1, len(history) // 8)]:
                assert peer.rows("public", name, snapshot=snapshot) == at_version(lake, name, version), f"{name} at {snapshot}"


def test_time_travel_by_time(peer, lake, matrix):
    with matrix.cell(peer, "time travel by time"):
        for name in TRAVELS:
            history = former(lake, name)
            last_of = {time_ms: version for _, time_ms, version in history}  # of snapshots in one millisecond
            for time_ms, version in list(last_of.items())[:: max(1, len(last_of) // 8)]:
                assert peer.rows("public", name, time_ms=time_ms) == at_version(lake, name, version), f"{name} at {time_ms}"


def by(rows, key):
    return {row[key]: row for row in rows}


def check_snapshots(peer, lake, name, total):
    metadata = lake.metadata(name)
    _, rows = peer.ask(f"select * from {peer.inside('public', name, 'snapshots')}")
    shown = by(rows, "snapshot_id")
    assert shown.keys() == {s["snapshot-id"] for s in metadata["snapshots"]}
    for snapshot in metadata["snapshots"]:
        row = shown[snapshot["snapshot-id"]]
        assert row["operation"] == snapshot["summary"]["operation"]
        assert row["parent_id"] == snapshot.get("parent-snapshot-id")
        assert row["committed_at"] == datetime.datetime.fromtimestamp(snapshot["timestamp-ms"] / 1000, datetime.timezone.utc)
    current = dict(shown[metadata["current-snapshot-id"]]["summary"])
    assert int(current["total-records"]) == total


def check_history(peer, lake, name):
    _, rows = peer.ask(f"select * from {peer.inside('public', name, 'history')} order by made_current_at")
    assert rows[-1]["snapshot_id"] == lake.metadata(name)["current-snapshot-id"]
    assert rows[-1]["is_current_ancestor"]
    times = [row["made_current_at"] for row in rows]
    assert times == sorted(times)


def check_files(peer, lake, name, total):
    _, files = peer.ask(f"select file_path, record_count, file_size_in_bytes from {peer.inside('public', name, 'files')}")
    assert sum(file["record_count"] for file in files) == total
    for file in files:
        path = pathlib.Path(file["file_path"].removeprefix("file://"))
        assert path.stat().st_size == file["file_size_in_bytes"], path
        assert path.is_relative_to(lake.tarn.data / "lake")
    source = peer.source("public", name)
    _, counted = peer.ask(f"select {peer.file_column} as file, count(*) as n from {source} group by {peer.file_column}")
    assert {row["file"]: row["n"] for row in counted} == {file["file_path"]: file["record_count"] for file in files}


def check_partitions(peer, name, total):
    _, partitions = peer.ask(f"select * from {peer.inside('public', name, 'partitions')}")
    assert sum(row["record_count"] for row in partitions) == total
    _, files = peer.ask(f"select count(*) as n from {peer.inside('public', name, 'files')}")
    assert sum(row["file_count"] for row in partitions) == files[0]["n"]
    if "partition" in partitions[0]:
        assert len({repr(row["partition"]) for row in partitions}) == len(partitions)


def test_metadata_tables(peer, lake, matrix):
    if not hasattr(peer, "inside"):
        pytest.skip("is not asked for metadata tables")
    with matrix.cell(peer, "metadata tables: snapshots, history, files, partitions"):
        for name in AGGREGATES:
            total = len(lake.answer(peer_tables.select("public", name))[1])
            check_snapshots(peer, lake, name, total)
            check_history(peer, lake, name)
            check_files(peer, lake, name, total)
            check_partitions(peer, name, total)
