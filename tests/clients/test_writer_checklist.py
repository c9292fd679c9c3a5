"""Goal: each point of docs/iceberg-checklist.md holds. Method: what Tarn writes is looked at by pyarrow, fastavro and JSON; what
other tests show is named there; the last test fails when a point has no test."""

import json
import pathlib
import re

import fastavro
import pyarrow.parquet as pq
import pytest

from conftest import ROOT
from table_facts import TableFacts, avro, check_table, leaf_ids, path_of

COLUMNS = """id bigint, b boolean, i integer, f float, d double, d9 decimal(9, 2), d18 decimal(18, 4), d38 decimal(38, 10), day date,
t time, ts timestamp, tz timestamptz, s varchar default 'x', x blob, u uuid, st struct(a integer, b varchar), l integer[],
ls struct(y integer)[], m map(varchar, integer)"""
ROW = """(1, true, 2, 1.5, 2.5, 1.25, 1.25, 1.25, '2024-02-29', '12:34:56.5', '1969-12-31 23:59:59', '2024-01-01 00:00:00+00', 'text', 'x'::blob,
'f79c3e09-677c-4bbd-a479-3f349cb785e7', {'a': 1, 'b': 'x'}, [1, null], [{'y': 1}], map {'k': 1})"""


@pytest.fixture
def wide(tarn):
    """The facts of a table of every type, after an append, a delete and a change of its schema."""
    tarn.run("sql", f"create table wide ({COLUMNS}) partitioned by (bucket(3, i)); insert into wide values {ROW}, {ROW}; "
             f"insert into wide (id, i) select range, range from range(30); delete from wide where id = 7; "
             "alter table wide add column later double[]; insert into wide (id, later) values (50, [1.0])")
    location = tarn.metadata_locations()["public", "wide"]
    return check_table(location)


def parquet_of(facts, content=0):
    return [pq.ParquetFile(path_of(path)) for path in facts.data
            if (content == 0) == ("deletes" not in path.rsplit("/", 1)[1])]


def test_ids_and_shapes_of_columns(wide):  # checklist D.1
    for file in parquet_of(wide):
        paths = {file.schema.column(i).path for i in range(len(file.schema))}
        assert {"l.list.element", "ls.list.element.y", "m.key_value.key", "m.key_value.value", "st.a"} <= paths
        assert None not in list(leaf_ids(file.schema_arrow))
    assert wide.metadata["last-column-id"] == 28  # 18 columns, 7 parts of nested ones, and later's two


def test_physical_types(wide):  # checklist D.2
    expected = {"b": ("BOOLEAN", "NONE"), "i": ("INT32", "INT"), "f": ("FLOAT", "NONE"), "d": ("DOUBLE", "NONE"), "id": ("INT64", "INT"),
                "d9": ("INT32", "DECIMAL"), "d18": ("INT64", "DECIMAL"), "d38": ("FIXED_LEN_BYTE_ARRAY", "DECIMAL"),
                "day": ("INT32", "DATE"), "t": ("INT64", "TIME"), "ts": ("INT64", "TIMESTAMP"), "tz": ("INT64", "TIMESTAMP"),
                "s": ("BYTE_ARRAY", "STRING"), "x": ("BYTE_ARRAY", "NONE"), "u": ("FIXED_LEN_BYTE_ARRAY", "UUID")}
    file = parquet_of(wide)[0]
    found = {}
    for i in range(len(file.schema)):
        column = file.schema.column(i)
        found[column.path] = column
    for name, kinds in expected.items():
        column = found[name]
        assert (column.physical_type, column.logical_type.type) == kinds, (name, column)
    for name, adjusted in (("ts", False), ("tz", True), ("t", False)):
        kind = json.loads(found[name].logical_type.to_json())
        assert (kind["isAdjustedToUTC"], kind["timeUnit"]) == (adjusted, "microseconds"), kind
    assert found["u"].length == 16 and found["d38"].length == 16


def test_schemas_are_kept_and_hold_no_defaults(wide):  # checklist D.3
    schemas = wide.metadata["schemas"]
    assert [schema["schema-id"] for schema in schemas] == [0, 1] and wide.metadata["current-schema-id"] == 1
    assert "default" not in json.dumps(schemas)
    for schema in schemas:
        assert schema["type"] == "struct"
        for field in schema["fields"]:
            assert {"id", "name", "required", "type"} <= set(field) <= {"id", "name", "required", "type", "doc"}


def manifests(facts):
    for snapshot in facts.metadata["snapshots"]:
        for line in avro(snapshot["manifest-list"])[1]:
            yield line["manifest_path"]


def schema_of(location):
    with open(path_of(location), "rb") as file:
        reader = fastavro.reader(file)
        return json.loads(reader.metadata["avro.schema"]), reader.metadata["avro.codec"]


def ids_of(schema, ids):
    """Collects {field id: (name, type)} of an Avro schema; every field of it has an id."""
    if isinstance(schema, list):
        for branch in schema:
            ids_of(branch, ids)
    elif isinstance(schema, dict):
        if schema["type"] == "record":
            for field in schema["fields"]:
                assert field["field-id"] not in ids, field
                ids[field["field-id"]] = field["name"]
                ids_of(field["type"], ids)
        elif schema["type"] == "array":
            if schema.get("logicalType") != "map":
                ids[schema["element-id"]] = "element"
            ids_of(schema["items"], ids)
        elif isinstance(schema["type"], (dict, list)):
            ids_of(schema["type"], ids)
    return ids


def test_manifests_as_java_has_them(wide):  # checklist D.11, D.14
    for location in manifests(wide):
        schema, codec = schema_of(location)
        assert codec == "deflate" and schema["name"] == "manifest_entry"
        ids = ids_of(schema, {})
        file = next(field["type"] for field in schema["fields"] if field["name"] == "data_file")
        assert file["name"] == "r2"
        by_name = {field["name"]: field for field in file["fields"]}
        assert by_name["partition"]["type"]["name"] == "r102"
        for name, (key, value) in {"column_sizes": (117, 118), "value_counts": (119, 120), "null_value_counts": (121, 122),
                                   "nan_value_counts": (138, 139), "lower_bounds": (126, 127), "upper_bounds": (129, 130)}.items():
            kind = by_name[name]["type"][1]
            assert kind["logicalType"] == "map" and kind["items"]["name"] == f"k{key}_v{value}"
        assert {0, 1, 2, 3, 4, 134, 100, 101, 102, 103, 104, 108, 109, 110, 137, 125, 128, 131, 132, 135, 140, 143} <= set(ids)
        assert not {105, 106, 107, 111, 142, 144, 145} & set(ids)  # of version 1 and 3
        for entry in avro(location)[1]:
            file = entry["data_file"]
            assert file["equality_ids"] is None and file["file_format"] == "PARQUET"
            assert file["split_offsets"] == sorted(file["split_offsets"]) and file["sort_order_id"] is None
            assert (file["referenced_data_file"] is None) == (file["content"] == 0)


def test_manifest_lists_as_java_has_them(wide):  # checklist D.15
    for snapshot in wide.metadata["snapshots"]:
        schema, codec = schema_of(snapshot["manifest-list"])
        assert codec == "deflate" and schema["name"] == "manifest_file"
        required = {field["field-id"] for field in schema["fields"] if not isinstance(field["type"], list)}
        assert required == {500, 501, 502, 517, 515, 516, 503, 504, 505, 506, 512, 513, 514}
        assert set(ids_of(schema, {})) == required | {507, 508, 509, 518, 510, 511, 519}


def test_sequence_numbers_count_the_snapshots(wide):  # checklist D.16, D.20
    numbers = [snapshot["sequence-number"] for snapshot in wide.metadata["snapshots"]]
    assert numbers == list(range(1, len(numbers) + 1)) and wide.metadata["last-sequence-number"] == numbers[-1]
    assert "parent-snapshot-id" not in wide.metadata["snapshots"][0]
    parents = [snapshot["parent-snapshot-id"] for snapshot in wide.metadata["snapshots"][1:]]
    assert parents == [snapshot["snapshot-id"] for snapshot in wide.metadata["snapshots"][:-1]]


def test_position_deletes(wide):  # checklist D.29, D.31
    """table_facts looks at their order, paths and bounds."""
    files = parquet_of(wide, content=1)
    assert files
    for file in files:
        assert [file.schema.column(i).path for i in range(2)] == ["file_path", "pos"]
        assert all(file.read().column(name).null_count == 0 for name in ("file_path", "pos"))


def test_paths_and_names(wide):  # checklist D.34, D.35
    assert wide.location.startswith("file:///")
    assert re.fullmatch(r"\d{5}-[0-9a-f-]{36}\.metadata\.json", wide.location.rsplit("/", 1)[1]), wide.location
    for snapshot in wide.metadata["snapshots"]:
        for line in avro(snapshot["manifest-list"])[1]:
            for entry in avro(line["manifest_path"])[1]:
                assert entry["data_file"]["file_path"].startswith("file:///")
                assert pathlib.Path(path_of(entry["data_file"]["file_path"])).exists()
    logged = [entry["metadata-file"] for entry in wide.metadata["metadata-log"]]
    assert logged and all(pathlib.Path(path_of(location)).exists() for location in logged)


def codecs_of(facts):
    return {file.parquet.metadata.row_group(0).column(0).compression for file in facts.data.values()}


def test_defaults_that_others_assume(tarn):  # checklist D.40
    tarn.run("sql", "create table often (v integer); " + "; ".join(f"insert into often values ({i})" for i in range(120)))
    facts = TableFacts(tarn.metadata_locations()["public", "often"])
    assert len(facts.metadata["metadata-log"]) == 100
    facts.check_metadata()
    last = facts.metadata["snapshots"][-1]
    facts.check_snapshot(last)
    assert len(avro(last["manifest-list"])[1]) <= 100
    assert last["summary"]["total-records"] == "120"
    assert codecs_of(facts) == {"SNAPPY"}
    assert facts.metadata["properties"]["write.parquet.compression-codec"] == "snappy"
    tarn.run("sql", "alter table often set (\"write.parquet.compression-codec\" = 'zstd'); delete from often where v >= 0; "
             "insert into often values (1)")
    facts = TableFacts(tarn.metadata_locations()["public", "often"])
    facts.check_snapshot(facts.metadata["snapshots"][-1])
    assert codecs_of(facts) == {"ZSTD"}


MARK = re.compile(r"checklist ((?:D\.\d+(?:, )?)+)")
TEST = re.compile(r"^\s*(?:TEST(?:_F|_P)?\(|def test_)")


def marks():
    """{point: [file:line of the tests that name it]}"""
    found = {}
    files = [*ROOT.glob("src/**/*_test.cc"), *ROOT.glob("tests/*/test_*.py"), *ROOT.glob("tests/sql/*.test")]
    for file in files:
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if mark := MARK.search(line):
                assert file.suffix == ".test" or TEST.match(line), f"{file}:{number}: the name of a point stands beside no test"
                for point in mark[1].split(", "):
                    found.setdefault(point, []).append(f"{file.relative_to(ROOT)}:{number}")
    return found


def test_every_point_has_a_test():
    rows = re.findall(r"^\| (D\.\d+) \| .* \| (yes|no)(?:[:;] .*)? \|$", (ROOT / "docs/iceberg-checklist.md").read_text(), re.M)
    applies = dict(rows)
    assert list(applies) == [f"D.{i}" for i in range(1, 41)], "the checklist has forty points"
    named = marks()
    assert set(named) <= set(applies), f"tests name unknown points: {set(named) - set(applies)}"
    missing = [point for point, word in applies.items() if word == "yes" and point not in named]
    assert not missing, f"no test names {', '.join(missing)}"
    beside = [point for point, word in applies.items() if word == "no" and point in named]
    assert not beside, f"{', '.join(beside)} have tests, but the checklist says that they do not apply"
