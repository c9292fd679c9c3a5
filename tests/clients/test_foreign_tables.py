"""Goal: Tarn reads tables of any writer as that writer's other readers do, and what it then writes into them, they read.
Method: tables of format version 1 and 2 by pyiceberg through /iceberg, and by hand where no client at hand would write so
(hand_made.py); registered or committed through the catalog, read by Tarn and by pyiceberg, changed by Tarn with INSERT, UPDATE,
DELETE and MERGE, and compared again."""

import datetime
import decimal
import json

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.catalog import load_catalog
from pyiceberg.expressions import EqualTo
from pyiceberg.schema import Schema
from pyiceberg.table.sorting import SortDirection, SortField, SortOrder
from pyiceberg.transforms import BucketTransform, IdentityTransform, MonthTransform, TruncateTransform, VoidTransform
from pyiceberg.types import (DecimalType, DoubleType, FixedType, FloatType, IntegerType, LongType, NestedField, StringType,
                             StructType, TimestampType)

from hand_made import HandMade, with_ids
from readers import plain
from tarn_server import Server

FIELDS = [{"id": 1, "name": "id", "required": False, "type": "long"}, {"id": 2, "name": "name", "required": False, "type": "string"},
          {"id": 3, "name": "v", "required": False, "type": "double"}]
IDS = {"id": 1, "name": 2, "v": 3}


def people(first, last):
    return pa.table({"id": pa.array(range(first, last), pa.int64()), "name": [f"n{i % 5}" for i in range(first, last)],
                     "v": [i / 2 for i in range(first, last)]})


class Lake:
    """Tarn behind its server, its REST catalog, and a folder for tables of others."""

    def __init__(self, tarn, tmp_path):
        self.shared = tmp_path / "shared"
        self.shared.mkdir()
        tarn.write("tarn.yml", f"name: home\niceberg:\n  locations: [{self.shared}]\n")
        self.server = Server(tarn)
        self.catalog = load_catalog("tarn", type="rest", uri=self.server.url + "/iceberg", token=self.server.token)
        self.catalog.create_namespace("f")

    def ask(self, sql):
        return self.server.request("/api/v1/sql", {"sql": sql, "format": "json"})

    def sql(self, sql):
        status, answer = self.ask(sql)
        assert status == 200, (sql, answer)
        return json.loads(answer) if answer.strip().startswith(b"[") else answer

    def refused(self, sql):
        status, answer = self.ask(sql)
        assert status != 200, (sql, answer)
        return json.loads(answer)["error"]["message"]

    def register(self, name, made, **options):
        return self.catalog.register_table(f"f.{name}", made.write(**options))

    def peer(self, name, **options):
        return self.catalog.load_table(f"f.{name}").scan(**options).to_arrow()

    def rows(self, name):
        """Tarn's rows by column, as text; values that JSON has no form for come by their text anyway."""
        return sorted(json.dumps(row, sort_keys=True) for row in self.sql(f"select * from f.{name}"))

    def same(self, name):
        """Tarn and pyiceberg see the same rows: all values, made one by one of Arrow's and of JSON's."""
        by_peer = sorted(json.dumps({k: spelled(v) for k, v in row.items()}, sort_keys=True) for row in self.peer(name).to_pylist())
        by_tarn = sorted(json.dumps({k: spelled(v) for k, v in row.items()}, sort_keys=True) for row in self.sql(f"select * from f.{name}"))
        assert by_tarn == by_peer, name
        return by_tarn

    def change(self, name, sets="name = 'changed'", again=False):
        """Every kind of change by Tarn; after each pyiceberg reads what Tarn reads."""
        for sql in (f"insert into f.{name} (id, name) values (1000, 'new'), (1001, null)",
                    f"update f.{name} set {sets} where id % 7 = 1",
                    f"delete from f.{name} where id % 5 = 2",
                    f"merge into f.{name} t using (select * from (values (3, 'm3'), (2000, 'm2000')) v(id, name)) s on t.id = s.id "
                    "when matched then update set name = s.name when not matched then insert (id, name) values (s.id, s.name)"):
            before = self.same(name)
            self.sql(sql)
            assert self.same(name) != before or again, f"{sql} changed nothing"


def spelled(value):
    """A value in one form, whether it came by Arrow or by JSON."""
    value = float(value) if isinstance(value, decimal.Decimal) else plain(value)
    if isinstance(value, dict):
        return {k: spelled(v) for k, v in value.items()}
    if isinstance(value, list):
        return [spelled(v) for v in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    return str(value).replace("T", " ").removesuffix("+00:00").removesuffix("+00").removesuffix("Z")


@pytest.fixture
def lake(tarn, tmp_path):
    lake = Lake(tarn, tmp_path)
    try:
        yield lake
    finally:
        lake.server.stop()


SCHEMA = Schema(NestedField(1, "id", LongType()), NestedField(2, "name", StringType()), NestedField(3, "v", DoubleType()))


def test_version_one_by_pyiceberg(lake):
    table = lake.catalog.create_table("f.one", SCHEMA, properties={"format-version": "1"})
    table.append(people(0, 20))
    table.append(people(20, 40))
    assert table.metadata.format_version == 1
    assert len(lake.same("one")) == 40
    lake.change("one")
    assert lake.catalog.load_table("f.one").metadata.format_version == 2


def test_version_one_becomes_two_by_the_catalog(lake):
    table = lake.catalog.create_table("f.up", SCHEMA, properties={"format-version": "1"})
    table.append(people(0, 20))
    with table.transaction() as transaction:
        transaction.upgrade_table_version(2)
    lake.same("up")
    table = lake.catalog.load_table("f.up")
    assert table.metadata.format_version == 2
    table.append(people(20, 30))  # with version 1's manifests in the list
    table.delete(EqualTo("id", 3))
    assert len(lake.same("up")) == 29
    lake.change("up")


@pytest.mark.parametrize("how", ["list", "list without counts", "inline manifests"])
def test_version_one_by_hand(lake, how):
    """`schema` and `partition-spec` at the top, no sequence numbers, no counts in the list, or no list at all."""
    made = HandMade(lake.shared / "old", FIELDS, version=1)
    options = {"inline": how == "inline manifests", "counts": how == "list"}
    first = made.manifest([made.file(with_ids(people(0, 10), IDS))])
    made.snapshot([first], **options)
    second = made.manifest([made.file(with_ids(people(10, 20), IDS))], snapshot_id=2)
    made.snapshot([first, second], **options)
    status, answer = lake.server.request("/iceberg/v1/namespaces/f/register", {"name": "old", "metadata-location": made.write()})
    assert status == 200, answer
    assert len(lake.rows("old")) == 20
    assert lake.sql("select sum(id) as s from f.old where id >= 10") == [{"s": 145}]
    if how != "list":  # pyiceberg does not read those; Tarn's first commit mends them
        lake.sql("insert into f.old (id, name) values (1, 'x')")
        assert len(lake.same("old")) == 21
    lake.change("old")


def test_version_one_dropped_a_partition_field(lake):  # checklist D.7
    """In version 1 a field of a spec stays, as void; its column may be gone."""
    table = lake.catalog.create_table("f.voids", SCHEMA, properties={"format-version": "1"})
    with table.update_spec() as spec:
        spec.add_field("name", IdentityTransform(), "name_part")
        spec.add_field("v", IdentityTransform(), "v_part")
    table.append(people(0, 20))
    with table.update_spec() as spec:
        spec.remove_field("v_part")
    table.append(people(20, 40))
    lake.same("voids")
    assert any(isinstance(field.transform, VoidTransform) for field in lake.catalog.load_table("f.voids").spec().fields)
    lake.change("voids")
    lake.sql("alter table f.voids drop column v")  # pyiceberg does not read such a table
    lake.sql("insert into f.voids values (5000, 'late')")
    lake.sql("delete from f.voids where id = 2000")
    assert lake.sql("select count(*) as n from f.voids where id >= 2000") == [{"n": 1}]


def test_spec_changes_by_others(lake):  # checklist D.6
    schema = Schema(NestedField(1, "id", LongType()), NestedField(2, "name", StringType()), NestedField(3, "ts", TimestampType()))
    rows = lambda a, b: pa.table({"id": pa.array(range(a, b), pa.int64()), "name": [f"n{i % 3}" for i in range(a, b)],
                                  "ts": [datetime.datetime(2024, 1, 1) + datetime.timedelta(days=7 * i) for i in range(a, b)]})
    table = lake.catalog.create_table("f.specs", schema)
    table.append(rows(0, 10))
    with table.update_spec() as spec:
        spec.add_identity("name")
    table.append(rows(10, 20))
    # What follows pyiceberg does not write here (it would need Rust's library), but Tarn does.
    for n, change in enumerate([lambda spec: spec.add_field("ts", MonthTransform(), "month"), lambda spec: spec.remove_field("name"),
                                lambda spec: spec.add_field("id", TruncateTransform(10), "tens"),
                                lambda spec: spec.rename_field("tens", "decade"), lambda spec: spec.add_field("id", BucketTransform(3), "b")]):
        table.refresh()
        with table.update_spec() as spec:
            change(spec)
        lake.sql(f"insert into f.specs select i, 'n' || (i % 3), timestamp '2024-01-01' + to_days((7 * i)::integer) "
                 f"from range({20 + n * 10}, {30 + n * 10}) r(i)")
        lake.same("specs")
    table.refresh()
    assert len(table.metadata.partition_specs) >= 4
    lake.change("specs")
    lake.sql("alter table f.specs set partitioned by (year(ts))")
    lake.change("specs", sets="name = 'again'", again=True)
    lake.sql("alter table f.specs set partitioned by (name)")
    table.refresh()
    table.append(rows(500, 510))
    lake.same("specs")


def test_partition_by_a_field_of_a_struct(lake):
    place = StructType(NestedField(3, "town", StringType()), NestedField(4, "zip", IntegerType()))
    table = lake.catalog.create_table("f.inner", Schema(NestedField(1, "id", LongType()), NestedField(2, "place", place),
                                                        NestedField(5, "name", StringType())))
    lake.sql("insert into f.inner values (1, {'town': 'a', 'zip': 1}, 'x'), (2, {'town': null, 'zip': 2}, 'y')")
    with table.update_spec() as spec:
        spec.add_field("place.zip", BucketTransform(3), "zips")
    lake.sql("insert into f.inner select i, {'town': 't', 'zip': i}, 'n' || i from range(10, 30) r(i)")
    lake.sql("insert into f.inner values (40, null, null)")
    lake.same("inner")
    lake.change("inner")


def test_files_without_field_ids(lake):  # checklist D.4, D.5
    """pyiceberg's add_files: the table's name mapping tells which column is which."""
    table = lake.catalog.create_table("f.added", SCHEMA)
    path = lake.shared / "added.parquet"
    pq.write_table(people(0, 20).select(["v", "name", "id"]), path)
    table.add_files([f"file://{path}"])
    assert "schema.name-mapping.default" in lake.catalog.load_table("f.added").properties
    assert len(lake.same("added")) == 20
    assert lake.sql("select v from f.added where id = 7") == [{"v": 3.5}]
    with table.update_schema() as schema:
        schema.rename_column("name", "title")
    lake.same("added")
    with table.update_schema() as schema:
        schema.rename_column("title", "name")
        schema.add_column("more", LongType())
    lake.same("added")
    lake.change("added")


def test_nested_files_without_field_ids(lake):  # checklist D.4, D.5
    made = HandMade(lake.shared / "names", [
        {"id": 1, "name": "id", "required": False, "type": "long"}, {"id": 2, "name": "name", "required": False, "type": "string"},
        {"id": 3, "name": "place", "required": False, "type": {"type": "struct", "fields": [
            {"id": 4, "name": "town", "required": False, "type": "string"}, {"id": 5, "name": "zip", "required": False, "type": "int"}]}},
        {"id": 6, "name": "tags", "required": False, "type": {"type": "list", "element-id": 7, "element": "string", "element-required": False}},
        {"id": 8, "name": "counts", "required": False, "type": {"type": "map", "key-id": 9, "key": "string", "value-id": 10,
                                                                "value": "long", "value-required": False}},
        {"id": 11, "name": "stops", "required": False, "type": {"type": "list", "element-id": 12, "element-required": False,
            "element": {"type": "struct", "fields": [{"id": 13, "name": "at", "required": False, "type": "int"}]}}}])
    made.properties["schema.name-mapping.default"] = json.dumps([
        {"field-id": 1, "names": ["id", "ID"]}, {"field-id": 2, "names": ["name"]},
        {"field-id": 3, "names": ["ort"], "fields": [{"field-id": 4, "names": ["stadt"]}, {"field-id": 5, "names": ["zip"]}]},
        {"field-id": 6, "names": ["tags"], "fields": [{"field-id": 7, "names": ["element"]}]},
        {"field-id": 8, "names": ["counts"], "fields": [{"field-id": 9, "names": ["key"]}, {"field-id": 10, "names": ["value"]}]},
        {"field-id": 11, "names": ["stops"], "fields": [{"field-id": 12, "names": ["element"], "fields": [
            {"field-id": 13, "names": ["at"]}]}]}])
    rows = pa.table({
        "other": pa.array([9, 9, 9]), "ID": pa.array([1, 2, 3], pa.int64()),
        "ort": pa.array([{"zip": 7, "stadt": "Rom"}, None, {"zip": None, "stadt": "Oslo"}], pa.struct([("zip", pa.int32()), ("stadt", pa.string())])),
        "tags": pa.array([["a", None], [], None], pa.list_(pa.string())),
        "counts": pa.array([[("k", 1)], [], None], pa.map_(pa.string(), pa.int64())),
        "stops": pa.array([[{"at": 5}, None], [], None], pa.list_(pa.struct([("at", pa.int32())])))})
    made.snapshot([made.manifest([made.file(rows)])])
    lake.register("names", made)
    assert lake.sql("select id, name, place, tags, counts, stops from f.names order by id") == [
        {"id": 1, "name": None, "place": {"town": "Rom", "zip": 7}, "tags": ["a", None], "counts": {"k": 1}, "stops": [{"at": 5}, None]},
        {"id": 2, "name": None, "place": None, "tags": [], "counts": {}, "stops": []},
        {"id": 3, "name": None, "place": {"town": "Oslo", "zip": None}, "tags": None, "counts": None, "stops": None}]
    assert lake.sql("select id from f.names where place.zip = 7") == [{"id": 1}]
    assert lake.sql("select count(*) as n from f.names where name is null") == [{"n": 3}]


def test_files_without_field_ids_and_without_mapping(lake):
    made = HandMade(lake.shared / "nameless", FIELDS)
    made.snapshot([made.manifest([made.file(people(0, 3))])])
    lake.register("nameless", made)
    said = lake.refused("select * from f.nameless")
    assert "no field ids" in said and "schema.name-mapping.default" in said and "f.nameless" in said, said
    assert lake.sql("select 1 as one") == [{"one": 1}]


def test_a_column_that_is_only_in_the_partition(lake):  # checklist D.4, D.10
    """Files of Hive's layout: the partition's column is not in them."""
    spec = [{"name": "name", "transform": "identity", "source-id": 2, "field-id": 1000}]
    made = HandMade(lake.shared / "hive", FIELDS, spec=spec, partition=[
        {"name": "name", "type": ["null", "string"], "default": None, "field-id": 1000}])
    files = [made.file(with_ids(people(i * 10, i * 10 + 10).drop_columns(["name"]), {"id": 1, "v": 3}), partition={"name": value})
             for i, value in enumerate(["a", "b", None])]
    made.snapshot([made.manifest(files)])
    lake.register("hive", made)
    assert lake.sql("select name, count(*) as n, min(id) as low from f.hive group by 1 order by 3") == [
        {"name": "a", "n": 10, "low": 0}, {"name": "b", "n": 10, "low": 10}, {"name": None, "n": 10, "low": 20}]
    assert lake.sql("select count(*) as n from f.hive where name = 'b' and id > 15") == [{"n": 4}]
    assert lake.sql("select count(*) as n from f.hive where name is null") == [{"n": 10}]
    lake.change("hive")


def test_promoted_types(lake):  # checklist D.17
    """Old files and their bounds have the narrower type."""
    schema = Schema(NestedField(1, "id", LongType()), NestedField(2, "name", StringType()), NestedField(3, "i", IntegerType()),
                    NestedField(4, "f", FloatType()), NestedField(5, "d", DecimalType(5, 2)),
                    NestedField(6, "s", StructType(NestedField(7, "i", IntegerType()))))
    table = lake.catalog.create_table("f.wide", schema)
    kinds = [("id", pa.int64()), ("name", pa.string()), ("i", pa.int32()), ("f", pa.float32()), ("d", pa.decimal128(5, 2)),
             ("s", pa.struct([("i", pa.int32())]))]
    rows = [{"id": n, "name": f"n{n}", "i": n - 5, "f": n / 4, "d": decimal.Decimal(n - 5) / 4, "s": {"i": -n}} for n in range(10)]
    table.append(pa.Table.from_pylist(rows, pa.schema(kinds)))
    with table.update_spec() as spec:
        spec.add_identity("i")
        spec.add_identity("d")
    table.append(pa.Table.from_pylist([{**row, "id": row["id"] + 100} for row in rows], pa.schema(kinds)))
    with table.update_schema() as schema:
        schema.update_column("i", LongType())
        schema.update_column("f", DoubleType())
        schema.update_column("d", DecimalType(12, 2))
        schema.update_column(("s", "i"), LongType())
    lake.same("wide")
    for where, expected in (("i = -5", 2), ("i > 3", 2), ("i < -4", 2), ("f = 2.25", 2), ("f >= 2", 4), ("d = -1.25", 2), ("d > 0.5", 4),
                            ("s.i = -9", 2), ("i > 5000000000", 0), ("d > 99999", 0)):
        assert lake.sql(f"select count(*) as n from f.wide where {where}") == [{"n": expected}], where
    lake.sql("insert into f.wide values (500, 'big', 5000000000, 1e300, 1234567890.12, {'i': 5000000000})")
    for where in ("i > 4000000000", "f > 1e200", "d > 1000000", "s.i > 4000000000"):
        assert lake.sql(f"select id from f.wide where {where}") == [{"id": 500}], where
    lake.change("wide")


def test_schema_history(lake):  # checklist D.3
    table = lake.catalog.create_table("f.shapes", SCHEMA)
    table.append(people(0, 5))
    first = table.current_snapshot().snapshot_id
    for change in (lambda s: s.add_column("extra", LongType()), lambda s: s.rename_column("v", "amount"),
                   lambda s: s.delete_column("extra"), lambda s: s.add_column("extra", StringType()), lambda s: s.move_first("name")):
        with table.update_schema() as schema:
            change(schema)
        n = len(table.scan().to_arrow())
        kinds = table.schema().as_arrow()
        table.append(pa.Table.from_pylist([{"id": n, "name": "x"}], kinds))
        lake.same("shapes")
    assert len(table.metadata.schemas) == 6
    old = lake.peer("shapes", snapshot_id=first)
    assert old.num_rows == 5 and old.column_names == ["id", "name", "v"]
    lake.change("shapes")


def test_sort_orders_of_others(lake):  # checklist D.32
    table = lake.catalog.create_table("f.sorted", SCHEMA, sort_order=SortOrder(
        SortField(2, IdentityTransform(), SortDirection.DESC), SortField(1, BucketTransform(4))))
    table.append(people(0, 20))
    lake.change("sorted")
    table.refresh()
    assert len(table.sort_order().fields) == 2
    lake.sql("alter table f.sorted add column more integer")
    assert len(lake.catalog.load_table("f.sorted").sort_order().fields) == 2


def position_deletes(pairs):
    return with_ids(pa.table({"file_path": [p for p, _ in pairs], "pos": pa.array([n for _, n in pairs], pa.int64())}),
                    {"file_path": 2147483546, "pos": 2147483545})


def test_position_deletes_of_many_files_in_one(lake):  # checklist D.30
    made = HandMade(lake.shared / "shared_deletes", FIELDS)
    files = [made.file(with_ids(people(i * 10, i * 10 + 10), IDS)) for i in range(3)]
    data = made.manifest(files)
    made.snapshot([data])
    pairs = sorted((file["file_path"], position) for file in files[:2] for position in (0, 3, 9))
    deletes = made.manifest([made.file(position_deletes(pairs), content=1)], deletes=True, sequence_number=2, snapshot_id=2)
    made.snapshot([data, deletes], operation="delete")
    lake.register("shared_deletes", made)
    assert lake.sql("select count(*) as n, sum(id) as s from f.shared_deletes") == [{"n": 24, "s": 435 - 54 + 0}]
    lake.change("shared_deletes")


NAN_TESTS = ("{c} = 'nan'", "{c} > 1e30", "{c} >= 'nan'", "{c} < 99", "{c} <= 1.5", "{c} = 1.5", "{c} <> 1.5", "{c} <> 'nan'",
             "not ({c} <= 1.5)", "{c} in ('nan', 7)", "{c} in (1.5, 7)", "{c} = 1.5 or {c} = 'nan'", "{c} between 1 and 2", "isnan({c})",
             "{c} > 1 and {c} < 3", "{c} is null", "{c} is not null")


@pytest.mark.parametrize("counted", (False, True))
def test_nan_in_files_whose_bounds_leave_it_out(lake, counted):
    """As pyarrow writes them: the least and greatest value of a row group are of numbers only."""
    fields = [{"id": 1, "name": "f", "required": False, "type": "float"}, {"id": 2, "name": "d", "required": False, "type": "double"},
              {"id": 3, "name": "s", "required": False, "type": {"type": "struct", "fields": [
                  {"id": 4, "name": "x", "required": False, "type": "double"}]}}]
    values = [[float("nan"), 1.5], [1.5], [float("nan")], [float("inf"), float("nan"), None], [None, -1.0, 7.0, float("nan")]]
    made = HandMade(lake.shared / "nan", fields)
    files = []
    for some in values:
        rows = pa.table({"f": pa.array(some, pa.float32()), "d": pa.array(some, pa.float64()), "s": [{"x": value} for value in some]})
        nans = sum(value != value for value in some if value is not None)
        known = {"nan_value_counts": [{"key": i, "value": nans} for i in (1, 2, 4)]} if counted else {}
        files.append(made.file(with_ids(rows, {"f": 1, "d": 2, "s": {"": 3, "x": 4}}), **known))
    made.snapshot([made.manifest(files)])
    lake.register("nan", made)
    oracle = duckdb.connect()
    oracle.execute("create table nan (f float, d double, s struct(x double))")
    for some in values:
        oracle.executemany("insert into nan values ($1, $1, {'x': $1})", [[value] for value in some])
    for column in ("f", "d", "s.x"):
        for test in NAN_TESTS:
            sql = "select count(*)::integer as n from {t} where " + test.format(c=column)
            expected = oracle.execute(sql.format(t="nan")).fetchall()[0][0]
            assert lake.sql(sql.format(t="f.nan")) == [{"n": expected}], sql
        sql = f"select count(*)::integer as n from {{t}} join (select * from (values ('nan'::double), (7)) v(k)) on {column} = k"
        assert lake.sql(sql.format(t="f.nan")) == [{"n": oracle.execute(sql.format(t="nan")).fetchall()[0][0]}], sql
        top = lake.sql(f"select {column}::varchar as v from f.nan where {column} > 1 order by {column} desc limit 5")
        assert [row["v"] for row in top] == ["nan"] * 4 + ["inf"]
    lake.sql("delete from f.nan using (select 'nan'::double as k) where d = k")
    assert lake.sql("select count(*)::integer as n from f.nan") == [{"n": sum(map(len, values)) - 4}]


def test_equality_deletes(lake):  # checklist D.30
    """Of two columns with a null, of one that was dropped since, and older than data that they must leave alone. pyiceberg does not
    read them, so that Python's own counting is what is compared with."""
    made = HandMade(lake.shared / "equal", FIELDS)
    data = made.manifest([made.file(with_ids(people(0, 20), IDS)),
                          made.file(with_ids(pa.table({"id": pa.array([50, 51], pa.int64()), "name": pa.array([None, "n1"]), "v": [1.0, 2.0]}), IDS))])
    made.snapshot([data])
    by_both = with_ids(pa.table({"name": pa.array(["n1", None]), "id": pa.array([1, 50], pa.int64())}), {"name": 2, "id": 1})
    by_v = with_ids(pa.table({"v": [5.0, 5.5]}), {"v": 3})
    deletes = made.manifest([made.file(by_both, content=2, equality_ids=[1, 2]), made.file(by_v, content=2, equality_ids=[3])],
                            deletes=True, sequence_number=2, snapshot_id=2)
    made.snapshot([data, deletes], operation="delete")
    later = made.manifest([made.file(with_ids(people(0, 2), IDS))], sequence_number=3, snapshot_id=3)
    made.snapshot([data, deletes, later])
    lake.register("equal", made)
    expected = sorted([i for i in range(20) if i not in (1, 10, 11)] + [51] + [0, 1])
    ids = lambda: [row["id"] for row in lake.sql("select id from f.equal order by id")]
    assert ids() == expected
    lake.sql("alter table f.equal drop column v")
    assert ids() == expected
    lake.sql("delete from f.equal where id in (0, 51)")
    lake.sql("insert into f.equal values (1, 'n1')")
    lake.sql("update f.equal set name = 'u' where id = 1")
    expected = sorted([i for i in expected if i not in (0, 51)] + [1])
    assert ids() == expected
    assert lake.sql("select count(*) as n from f.equal where name = 'u'") == [{"n": 2}]


def test_equality_deletes_of_files_without_field_ids(lake):
    made = HandMade(lake.shared / "equal_names", FIELDS)
    made.properties["schema.name-mapping.default"] = json.dumps([{"field-id": IDS[name], "names": [name]} for name in IDS])
    data = made.manifest([made.file(people(0, 10))])
    made.snapshot([data])
    deletes = made.manifest([made.file(with_ids(pa.table({"name": ["n1"]}), {"name": 2}), content=2, equality_ids=[2])], deletes=True,
                            sequence_number=2, snapshot_id=2)
    made.snapshot([data, deletes], operation="delete")
    lake.register("equal_names", made)
    assert [row["id"] for row in lake.sql("select id from f.equal_names order by id")] == [0, 2, 3, 4, 5, 7, 8, 9]


def test_folders_say_nothing(lake):  # checklist D.10
    """Files in folders that are called as columns are: what is in the files counts."""
    made = HandMade(lake.shared / "folders", FIELDS)
    made.properties["schema.name-mapping.default"] = json.dumps([{"field-id": IDS[name], "names": [name]} for name in IDS])
    files = [made.file(people(0, 10), name="name=n1/a.parquet"), made.file(people(10, 20), name="id=3/b.parquet")]
    data = made.manifest(files)
    made.snapshot([data])
    by_name = made.file(with_ids(pa.table({"name": ["n1"]}), {"name": 2}), content=2, equality_ids=[2], name="name=n2/c.parquet")
    by_position = made.file(position_deletes([(files[0]["file_path"], 0), (files[0]["file_path"], 2)]), content=1, name="pos=7/d.parquet")
    deletes = made.manifest([by_name, by_position], deletes=True, sequence_number=2, snapshot_id=2)
    made.snapshot([data, deletes], operation="delete")
    lake.register("folders", made)
    gone = {0, 2} | {i for i in range(20) if i % 5 == 1}
    assert [row["id"] for row in lake.sql("select id from f.folders order by id")] == [i for i in range(20) if i not in gone]
    assert lake.sql("select count(*) as n from f.folders where id = 3 and name = 'n3'") == [{"n": 1}]


def test_the_same_type_written_in_several_ways(lake):
    """Timestamps as INT96, in milliseconds, in nanoseconds; decimals as integers or bytes; texts in a dictionary or not."""
    fields = [{"id": 1, "name": "id", "required": False, "type": "long"}, {"id": 2, "name": "ts", "required": False, "type": "timestamp"},
              {"id": 3, "name": "d", "required": False, "type": "decimal(9, 2)"}, {"id": 4, "name": "s", "required": False, "type": "string"}]
    ids = {"id": 1, "ts": 2, "d": 3, "s": 4}
    made = HandMade(lake.shared / "ways", fields)
    ways = [{}, {"use_deprecated_int96_timestamps": True}, {"coerce_timestamps": "ms"}, {"version": "2.6", "store_decimal_as_integer": True},
            {"use_dictionary": False, "compression": "gzip"}, {"data_page_version": "2.0", "compression": "zstd", "write_page_checksum": True}]
    moments = [datetime.datetime(1969, 12, 31, 23, 59, 59, 500_000), datetime.datetime(2024, 2, 29, 12, 0, 0, 250_000), None]
    files = []
    for i, how in enumerate(ways):
        unit = "ns" if i == 3 else "us"
        table = pa.table({"id": pa.array([i, i + 100, i + 200], pa.int64()), "ts": pa.array(moments, pa.timestamp(unit)),
                          "d": pa.array([decimal.Decimal("-1.25"), decimal.Decimal("9999999.99"), None], pa.decimal128(9, 2)),
                          "s": pa.array(["a", "é" * 20, None])})
        files.append(made.file(with_ids(table, ids), how=how))
    made.snapshot([made.manifest(files)])
    lake.register("ways", made)
    n = len(ways)
    for where in ("ts = '1969-12-31 23:59:59.5'", "ts < '1970-01-01'", "ts > '2024-02-29 12:00:00.2'", "ts is null", "d = -1.25", "d > 1000",
                  "s = 'a'", "s > 'b'", "id in (1, 102, 203) or id = 99 or id between 1000 and 2000 or (ts is not null and d > 0)"):
        expected = {"id in": 3 + n - 1}.get(where[:5], n)
        assert lake.sql(f"select count(*) as n from f.ways where {where}") == [{"n": expected}], where
    assert lake.sql("select distinct ts, d, s from f.ways order by ts") == [
        {"ts": "1969-12-31 23:59:59.5", "d": -1.25, "s": "a"}, {"ts": "2024-02-29 12:00:00.25", "d": 9999999.99, "s": "é" * 20},
        {"ts": None, "d": None, "s": None}]
    lake.sql("update f.ways set s = 'changed' where ts < '1970-01-01'")
    assert lake.sql("select count(*) as n from f.ways where s = 'changed'") == [{"n": n}]


def test_packed_metadata(lake):  # checklist D.35
    made = HandMade(lake.shared / "packed", FIELDS)
    made.snapshot([made.manifest([made.file(with_ids(people(0, 10), IDS))])])
    lake.register("packed", made, packed=True)
    assert len(lake.same("packed")) == 10
    lake.change("packed")


def test_a_table_of_a_catalog_that_packs(lake):
    """The property asks writers for gzip; Tarn's own documents stay readable for all."""
    table = lake.catalog.create_table("f.gzip", SCHEMA, properties={"write.metadata.compression-codec": "gzip"})
    table.append(people(0, 10))
    lake.change("gzip")


def test_manifests_without_what_is_optional(lake):
    """No counts, sizes, bounds or offsets, and a header with what version 2 asks for only."""
    made = HandMade(lake.shared / "bare", FIELDS)
    made.snapshot([made.manifest([made.file(with_ids(people(i, i + 10), IDS)) for i in (0, 10)])])
    lake.register("bare", made)
    assert lake.sql("select count(*) as n, min(id) as a, max(id) as b from f.bare") == [{"n": 20, "a": 0, "b": 19}]
    assert lake.sql("select count(*) as n from f.bare where id < 5 and name is not null") == [{"n": 5}]
    lake.change("bare")


def test_types_that_are_only_read(lake):
    table = lake.catalog.create_table("f.fixed", Schema(NestedField(1, "id", LongType()), NestedField(2, "code", FixedType(3))))
    table.append(pa.table({"id": pa.array([1, 2], pa.int64()), "code": pa.array([b"abc", None], pa.binary(3))}))
    assert lake.sql("select id from f.fixed where code = 'abc'::blob") == [{"id": 1}]
    said = lake.refused("insert into f.fixed values (3, 'xyz'::blob)")
    assert "fixed[3]" in said and "code" in said, said


def test_unknown_transforms_are_read(lake):  # checklist D.7
    made = HandMade(lake.shared / "later", FIELDS, spec=[{"name": "zone", "transform": "hilbert[3]", "source-id": 1, "field-id": 1000}],
                    partition=[{"name": "zone", "type": ["null", "int"], "default": None, "field-id": 1000}])
    made.snapshot([made.manifest([made.file(with_ids(people(0, 10), IDS), partition={"zone": 4})])])
    lake.register("later", made)
    assert lake.sql("select count(*) as n from f.later where id < 3") == [{"n": 3}]
    said = lake.refused("insert into f.later values (1, 'a', 1)")
    assert "hilbert[3]" in said and "SET PARTITIONED BY" in said, said
    lake.sql("alter table f.later set partitioned by (bucket(3, id))")
    lake.sql("insert into f.later values (77, 'a', 1)")
    assert lake.sql("select count(*) as n from f.later") == [{"n": 11}]
    lake.sql("delete from f.later where id = 2")
    assert lake.sql("select count(*) as n from f.later") == [{"n": 10}]
