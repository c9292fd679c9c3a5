"""What a table's metadata say about its files, recomputed from the files themselves: pyarrow reads the Parquet files, fastavro
the manifests, Python the metadata. Nothing here is Tarn's code. `check_table` raises on the first difference."""

import datetime
import decimal
import functools
import json
import math
import os
import struct
import uuid
from collections import Counter

import fastavro
import mmh3
import pyarrow.compute as pc
import pyarrow.parquet as pq

DELETE_PATH, DELETE_POSITION = 2147483546, 2147483545
EPOCH = datetime.datetime(1970, 1, 1)
FLAT_TEXT = ("string", "binary")
MILLION = 1_000_000


def path_of(location):
    assert location.startswith("file:///"), location
    return location.removeprefix("file://")


def avro(location):
    """(header, records) of an Avro file."""
    with open(path_of(location), "rb") as file:
        reader = fastavro.reader(file)
        return reader.metadata, list(reader)


# --- values ---------------------------------------------------------------------------------------------------------------

def raw(value):
    """A value as Iceberg stores it: days, microseconds, bytes, unscaled numbers stay Decimals."""
    if isinstance(value, datetime.datetime):
        gone = value.replace(tzinfo=None) - EPOCH
        return (gone.days * 86400 + gone.seconds) * MILLION + gone.microseconds
    if isinstance(value, datetime.date):
        return (value - EPOCH.date()).days
    if isinstance(value, datetime.time):
        return ((value.hour * 60 + value.minute) * 60 + value.second) * MILLION + value.microsecond
    if isinstance(value, uuid.UUID):
        return value.bytes
    return value


def unscaled(value, scale):
    sign, digits, exponent = value.as_tuple()
    number = int("".join(map(str, digits)) or "0") * 10 ** (exponent + scale)
    return -number if sign else number


def scale_of(kind):
    return int(kind[8:-1].split(",")[1])


def to_bytes(kind, value):
    """The specification's single-value serialization (Appendix D)."""
    if kind == "boolean":
        return b"\1" if value else b"\0"
    if kind in ("int", "date"):
        return struct.pack("<i", value)
    if kind in ("long", "time", "timestamp", "timestamptz"):
        return struct.pack("<q", value)
    if kind in ("float", "double"):
        return struct.pack("<f" if kind == "float" else "<d", value)
    if kind == "string":
        return value.encode()
    if kind.startswith("decimal"):
        number = unscaled(value, scale_of(kind))
        return number.to_bytes((number + (number < 0)).bit_length() // 8 + 1, "big", signed=True)
    return value


def floor_text(value):
    return value[:16]


def ceiling(value):
    """The least text or bytes of 16 above all that begin as `value` does; None if there is none."""
    if len(value) <= 16:
        return value
    if isinstance(value, bytes):
        head = value[:16].rstrip(b"\xff")
        return head[:-1] + bytes([head[-1] + 1]) if head else None
    head = value[:16].rstrip("\U0010ffff")
    if not head:
        return None
    point = ord(head[-1]) + 1
    return head[:-1] + chr(0xE000 if point == 0xD800 else point)


def least_bytes(kind, values):
    value = min(values, key=lambda v: v.encode() if kind == "string" else v)
    if kind in ("float", "double") and value == 0:
        value = -0.0
    return to_bytes(kind, floor_text(value) if kind in FLAT_TEXT else value)


def greatest_bytes(kind, values):
    value = max(values, key=lambda v: v.encode() if kind == "string" else v)
    if kind in ("float", "double") and value == 0:
        value = 0.0
    if kind in FLAT_TEXT:
        value = ceiling(value)
    return None if value is None else to_bytes(kind, value)


def hashed(kind, value):
    if kind in ("int", "long", "date", "time", "timestamp", "timestamptz"):
        value = struct.pack("<q", value)
    elif kind == "string":
        value = value.encode()
    elif kind.startswith("decimal"):
        value = to_bytes(kind, value)
    return mmh3.hash(value, 0)


def transformed(transform, kind, value):
    """A partition value; `value` is raw."""
    if value is None or transform == "void":
        return None
    if transform == "identity":
        return value
    if transform.startswith("bucket"):
        return (hashed(kind, value) & 0x7FFFFFFF) % int(transform[7:-1])
    if transform.startswith("truncate"):
        width = int(transform[9:-1])
        if kind in FLAT_TEXT:
            return value[:width]
        if kind.startswith("decimal"):
            number = unscaled(value, scale_of(kind))
            return decimal.Decimal(number - number % width).scaleb(-scale_of(kind), decimal.Context(prec=80))
        low = value - value % width
        least = -(1 << (31 if kind == "int" else 63))
        return low if low >= least else low - 2 * least  # as Java's numbers, which start again at the other end
    if kind == "date":
        value *= 86400 * MILLION
    unit = {"hour": 3600, "day": 86400}.get(transform)
    if unit:
        return value // (unit * MILLION)
    day = EPOCH + datetime.timedelta(days=value // (86400 * MILLION))
    return day.year - 1970 if transform == "year" else (day.year - 1970) * 12 + day.month - 1


def result_kind(transform, kind):
    if transform.startswith("bucket") or transform in ("year", "month", "hour"):
        return "int"
    return "date" if transform == "day" else kind


# --- schemas --------------------------------------------------------------------------------------------------------------

class Leaf:
    def __init__(self, field, path, in_collection):
        self.id, self.kind, self.path, self.in_collection = field["id"], field["type"], path, in_collection


def leaves(fields, path=(), in_collection=False):
    """The flat fields of a schema; `path` is what a value is reached by, when no list or map is in between."""
    for field in fields:
        kind = field["type"]
        if isinstance(kind, str):
            yield Leaf(field, (*path, field["name"]), in_collection)
        elif kind["type"] == "struct":
            yield from leaves(kind["fields"], (*path, field["name"]), in_collection)
        elif kind["type"] == "list":
            element = {"id": kind["element-id"], "name": "element", "type": kind["element"]}
            yield from leaves([element], (*path, field["name"]), True)
        else:
            for part in ("key", "value"):
                inner = {"id": kind[f"{part}-id"], "name": part, "type": kind[part]}
                yield from leaves([inner], (*path, field["name"]), True)


def all_ids(fields):
    for field in fields:
        yield field["id"]
        kind = field["type"]
        if isinstance(kind, dict):
            yield from all_ids(kind.get("fields", []))
            for part in ("element", "key", "value"):
                if part in kind:
                    yield from all_ids([{"id": kind[f"{part}-id"], "type": kind[part]}])


class DataFacts:
    """What a Parquet file holds, by field id."""

    def __init__(self, location):
        self.path = path_of(location)
        self.parquet = pq.ParquetFile(self.path)
        self.rows = self.parquet.metadata.num_rows
        self.table = None
        self.chunks = {}  # field id -> [numbers of the chunks]
        ids = {}
        schema = self.parquet.schema
        for index, name in enumerate(leaf_ids(self.parquet.schema_arrow)):
            ids[index] = name
        assert len(ids) == len(schema), self.path
        self.missing = [i for i in ids.values() if i is None]
        footer = self.parquet.metadata
        for group in range(footer.num_row_groups):
            for column, field_id in ids.items():
                self.chunks.setdefault(field_id, []).append(footer.row_group(group).column(column))

    def offsets(self):
        footer = self.parquet.metadata
        first = [footer.row_group(group).column(0) for group in range(footer.num_row_groups)]
        return [c.dictionary_page_offset if c.has_dictionary_page and c.dictionary_page_offset else c.data_page_offset for c in first]

    def size(self, field_id):
        return sum(chunk.total_compressed_size for chunk in self.chunks[field_id])

    def value_count(self, field_id):
        return sum(chunk.num_values for chunk in self.chunks[field_id])

    def values(self, field_id):
        """The values of a field that is in no list or map, nulls among them."""
        if self.table is None:
            self.table = self.parquet.read()
        found = column_of(self.table, field_id)
        if found is None:
            return None
        return [raw(value) for value in found]


def leaf_ids(schema):
    """Field ids of the leaves in the file's order; None where there is none."""
    def walk(field):
        inner = [field.type.field(i) for i in range(field.type.num_fields)]
        if not inner:
            ids = field.metadata or {}
            yield int(ids[b"PARQUET:field_id"]) if b"PARQUET:field_id" in ids else None
        for child in inner:
            if str(field.type).startswith("map") and child.name in ("entries", "key_value"):
                yield from walk(child)
            else:
                yield from walk(child)
    for field in schema:
        yield from walk(field)


def column_of(table, field_id):
    for index, field in enumerate(table.schema):
        found = reach(field, table.column(index), field_id)
        if found is not None:
            return found
    return None


def reach(field, values, field_id):
    own = (field.metadata or {}).get(b"PARQUET:field_id")
    if own is not None and int(own) == field_id:
        return python_values(field.type, values)
    if str(field.type).startswith("struct"):
        for i in range(field.type.num_fields):
            found = reach(field.type.field(i), pc.struct_field(values, [i]), field_id)
            if found is not None:
                return found
    return None


def python_values(kind, values):
    if str(kind).startswith("timestamp"):
        return values.cast("int64").to_pylist()  # Python's datetime ends with the year 9999
    return values.to_pylist()


# --- the check ------------------------------------------------------------------------------------------------------------

def as_map(pairs):
    return {pair["key"]: pair["value"] for pair in pairs or []}


def is_nan(value):
    return isinstance(value, float) and math.isnan(value)


@functools.total_ordering
class Key:
    """A value to sort by."""

    def __init__(self, value, descending):
        self.value, self.descending = value, descending

    def __eq__(self, other):
        return self.value == other.value

    def __lt__(self, other):
        return other.value < self.value if self.descending else self.value < other.value


class TableFacts:
    def __init__(self, location):
        self.location = location
        with open(path_of(location), encoding="utf-8") as file:
            self.metadata = json.load(file)
        self.schemas = {schema["schema-id"]: schema for schema in self.metadata["schemas"]}
        self.specs = {spec["spec-id"]: spec["fields"] for spec in self.metadata["partition-specs"]}
        self.snapshots = {snapshot["snapshot-id"]: snapshot for snapshot in self.metadata["snapshots"]}
        self.kinds = {}  # field id -> type, the newest
        for schema in self.metadata["schemas"]:
            for leaf in leaves(schema["fields"]):
                self.kinds[leaf.id] = leaf
        self.data = {}  # path -> DataFacts
        self.sorted_files = 0  # those that say so
        self.seen = set()
        self.live = {}  # snapshot id -> [(data sequence number, data_file)]

    def check(self):
        self.check_metadata()
        for snapshot in sorted(self.metadata["snapshots"], key=lambda s: s["sequence-number"]):
            self.check_snapshot(snapshot)

    def check_metadata(self):
        m = self.metadata
        assert m["format-version"] == 2
        uuid.UUID(m["table-uuid"])
        for schema in m["schemas"]:
            ids = list(all_ids(schema["fields"]))
            assert len(ids) == len(set(ids)) and max(ids) <= m["last-column-id"] < 2147483447, schema
        assert m["current-schema-id"] in self.schemas and m["default-spec-id"] in self.specs
        assert m["default-sort-order-id"] in [order["order-id"] for order in m["sort-orders"]]
        fields = [field["field-id"] for spec in self.specs.values() for field in spec]
        assert all(1000 <= field <= m["last-partition-id"] for field in fields), m["partition-specs"]
        if m["snapshots"]:
            assert m["refs"]["main"] == {**m["refs"]["main"], "snapshot-id": m["current-snapshot-id"], "type": "branch"}
            assert m["snapshot-log"][-1]["snapshot-id"] == m["current-snapshot-id"]
            assert m["last-sequence-number"] == max(s["sequence-number"] for s in m["snapshots"])
        times = [entry["timestamp-ms"] for entry in m["snapshot-log"]]
        assert times == sorted(times) and m["last-updated-ms"] >= max([*times, 0])
        assert all(0 < s < 1 << 63 for s in self.snapshots)

    def check_snapshot(self, snapshot):
        parent = self.snapshots.get(snapshot.get("parent-snapshot-id"))
        assert parent is None or parent["sequence-number"] < snapshot["sequence-number"]
        assert snapshot["schema-id"] in self.schemas
        header, lines = avro(snapshot["manifest-list"])
        assert header["snapshot-id"] == str(snapshot["snapshot-id"])
        assert header["parent-snapshot-id"] == str(snapshot.get("parent-snapshot-id", "null"))
        assert header["sequence-number"] == str(snapshot["sequence-number"]) and header["format-version"] == "2"
        live, added, deleted = [], [], []
        for line in lines:
            for entry in self.check_manifest(snapshot, line):
                (deleted if entry["status"] == 2 else live).append(entry)
                if entry["status"] == 1 and entry["snapshot_id"] == snapshot["snapshot-id"]:
                    added.append(entry)
        deleted = [entry for entry in deleted if entry["snapshot_id"] == snapshot["snapshot-id"]]
        paths = [entry["data_file"]["file_path"] for entry in live]
        assert len(paths) == len(set(paths)), "a file is in the table twice"
        self.check_summary(snapshot, live, added, deleted)
        self.check_deletes(live)
        self.live[snapshot["snapshot-id"]] = live

    def check_manifest(self, snapshot, line):
        header, entries = avro(line["manifest_path"])
        spec = self.specs[line["partition_spec_id"]]
        assert line["manifest_length"] == os.path.getsize(path_of(line["manifest_path"]))
        assert header["format-version"] == "2" and header["content"] == ("deletes" if line["content"] else "data")
        assert header["partition-spec-id"] == str(line["partition_spec_id"]) and json.loads(header["partition-spec"]) == spec
        assert json.loads(header["schema"]) in self.metadata["schemas"]
        assert int(header["schema-id"]) == json.loads(header["schema"])["schema-id"]
        assert line["added_snapshot_id"] in self.snapshots and line["sequence_number"] <= snapshot["sequence-number"]
        counts, rows, numbers = Counter(), Counter(), []
        partitions = []
        for entry in entries:
            file = entry["data_file"]
            assert (file["content"] == 0) == (line["content"] == 0), "data and deletes have manifests of their own"
            counts[entry["status"]] += 1
            rows[entry["status"]] += file["record_count"]
            if entry["status"] != 1:
                assert None not in (entry["sequence_number"], entry["file_sequence_number"], entry["snapshot_id"]), entry
            if entry["status"] == 2:
                assert entry["snapshot_id"] == line["added_snapshot_id"]
            if entry["status"] == 1:
                entry["snapshot_id"] = entry["snapshot_id"] or line["added_snapshot_id"]
            for key in ("sequence_number", "file_sequence_number"):
                entry[key] = line["sequence_number"] if entry[key] is None else entry[key]
            assert entry["sequence_number"] <= snapshot["sequence-number"]
            partitions.append(self.check_partition(file, spec))
            if entry["status"] != 2:
                numbers.append(entry["sequence_number"])
                self.check_file(file, spec)
        names = {1: "added", 0: "existing", 2: "deleted"}
        for status, name in names.items():
            assert line[f"{name}_files_count"] == counts[status] and line[f"{name}_rows_count"] == rows[status], line
        if numbers:
            assert line["min_sequence_number"] == min(numbers), line
        kinds = {leaf.id: leaf.kind for leaf in leaves(json.loads(header["schema"])["fields"])}
        self.check_field_summaries(line, [(field, kinds.get(field["source-id"]) or self.kind_of(field)) for field in spec], partitions)
        return entries

    def kind_of(self, field):
        return self.kinds[field["source-id"]].kind

    def check_partition(self, file, spec):
        """The values of a file's partition, raw."""
        values = [raw(value) for value in file["partition"].values()]
        assert len(values) == len(spec)
        return values

    def check_field_summaries(self, line, spec, partitions):
        assert len(line["partitions"] or []) == len(spec), line
        for i, ((field, source), summary) in enumerate(zip(spec, line["partitions"] or [])):
            values = [values[i] for values in partitions]
            kind = result_kind(field["transform"], source)
            known = [v for v in values if v is not None and not is_nan(v)]
            assert summary["contains_null"] == (None in values), (field, summary, values)
            if kind in ("float", "double"):
                assert summary["contains_nan"] == any(map(is_nan, values)), (field, summary)
            else:
                assert not summary["contains_nan"]
            ends = ("lower_bound", min), ("upper_bound", max)
            for name, end in ends:
                expected = None
                if known:
                    expected = end(known, key=lambda v: v.encode() if isinstance(v, str) else v)
                    if kind in ("float", "double") and expected == 0:  # -0.0 is below +0.0
                        expected = end(known, key=lambda v: (v, math.copysign(1, v)))
                    expected = to_bytes(kind, expected)
                assert summary[name] == expected, (field, name, summary, known)

    def check_file(self, file, spec):
        """A file is looked at once; what manifests say of it later must be the same."""
        path = file["file_path"]
        key = repr(sorted((k, v) for k, v in file.items()))
        if (path, key) in self.seen:
            return
        assert path not in {p for p, _ in self.seen}, f"two manifests say different things about {path}"
        self.seen.add((path, key))
        assert file["file_format"] == "PARQUET" and file["equality_ids"] is None and file["content"] in (0, 1)
        assert file["file_size_in_bytes"] == os.path.getsize(path_of(path))
        facts = self.data[path] = DataFacts(path)
        assert file["record_count"] == facts.rows
        assert not facts.missing, f"{path} has columns without field ids"
        assert file["split_offsets"] == facts.offsets(), (path, file["split_offsets"], facts.offsets())
        if file["content"] == 0:
            self.check_columns(file, facts)
            self.check_partition_values(file, spec, facts)
            self.check_order(file, facts)
        else:
            self.check_delete_file(file, facts)

    def check_columns(self, file, facts):
        maps = {name: as_map(file[name]) for name in ("column_sizes", "value_counts", "null_value_counts", "nan_value_counts",
                                                      "lower_bounds", "upper_bounds")}
        for name, pairs in maps.items():
            assert len(pairs) == len(file[name] or []) and set(pairs) <= set(facts.chunks), (name, pairs)
        for field_id in facts.chunks:
            leaf = self.kinds[field_id]
            where = f"{facts.path}, field {field_id} {leaf.path} {leaf.kind}"
            assert maps["column_sizes"].get(field_id) == facts.size(field_id), where
            assert maps["value_counts"].get(field_id) == facts.value_count(field_id), where
            if leaf.in_collection:
                for name in ("lower_bounds", "upper_bounds"):
                    assert field_id not in maps[name], where
                continue
            self.check_values(facts.values(field_id), physical_kind(facts, field_id, leaf), field_id, maps, where)

    @staticmethod
    def check_values(values, kind, field_id, maps, where):
        assert maps["value_counts"][field_id] == len(values), where
        assert maps["null_value_counts"].get(field_id) == values.count(None), where
        known = [v for v in values if v is not None and not is_nan(v)]
        nans = sum(map(is_nan, values))
        if kind in ("float", "double"):
            assert maps["nan_value_counts"].get(field_id) == nans, (where, nans)
        else:
            assert field_id not in maps["nan_value_counts"], where
        expected = (least_bytes(kind, known), greatest_bytes(kind, known)) if known else (None, None)
        found = maps["lower_bounds"].get(field_id), maps["upper_bounds"].get(field_id)
        assert found == expected, f"{where}: bounds {found}, by the file {expected}"

    def check_partition_values(self, file, spec, facts):
        for field, held in zip(spec, self.check_partition(file, spec)):
            values = facts.values(field["source-id"])
            if values is None:
                continue
            leaf = self.kinds[field["source-id"]]
            written_as = physical_kind(facts, leaf.id, leaf)
            expected = {repr(transformed(field["transform"], written_as, v)) for v in values}
            kind = result_kind(field["transform"], leaf.kind)
            if kind in ("float", "double"):
                expected = {text.removeprefix("-") if text == "-0.0" else text for text in expected}
                held = 0.0 if held == 0 else held
            if held is not None and kind.startswith("decimal"):
                expected = {repr(decimal.Decimal(text.removeprefix("Decimal('").removesuffix("')")).normalize()) for text in expected}
                held = held.normalize()
            assert expected == {repr(held)}, (facts.path, field, held, expected)

    def check_order(self, file, facts):
        """A file that says so is sorted; one of a sorted table says so unless -0.0 and 0.0 make it doubtful."""
        orders = {order["order-id"]: order["fields"] for order in self.metadata["sort-orders"]}
        assert orders.get(0, []) == [] and self.metadata["default-sort-order-id"] in {0, *orders}
        if not file["sort_order_id"]:
            return
        self.sorted_files += 1
        for field in orders[file["sort_order_id"]]:
            assert physical_kind(facts, field["source-id"], self.kinds[field["source-id"]]) not in ("float", "double")
        keys = [self.sort_keys(field, facts) for field in orders[file["sort_order_id"]]]
        rows = list(zip(*keys))
        assert rows == sorted(rows), (facts.path, "is not in its order", orders[file["sort_order_id"]])

    def sort_keys(self, field, facts):
        leaf = self.kinds[field["source-id"]]
        written_as = physical_kind(facts, leaf.id, leaf)
        nulls_first, descending = field["null-order"] == "nulls-first", field["direction"] == "desc"
        for value in facts.values(leaf.id):
            value = transformed(field["transform"], written_as, value)
            if value is None:
                yield not nulls_first, Key(0, descending)
            else:
                yield nulls_first, Key(value.encode() if isinstance(value, str) else value, descending)

    @staticmethod
    def check_delete_file(file, facts):
        table = facts.parquet.read()
        assert facts.chunks.keys() == {DELETE_PATH, DELETE_POSITION} and table.column_names == ["file_path", "pos"]
        rows = list(zip(table["file_path"].to_pylist(), table["pos"].to_pylist()))
        assert rows == sorted(set(rows)) and rows, facts.path
        assert {path for path, _ in rows} == {file["referenced_data_file"]}, "one delete file is for one data file"
        low, high = as_map(file["lower_bounds"]), as_map(file["upper_bounds"])
        assert low[DELETE_PATH] == high[DELETE_PATH] == rows[0][0].encode()
        assert (low[DELETE_POSITION], high[DELETE_POSITION]) == (to_bytes("long", rows[0][1]), to_bytes("long", rows[-1][1]))
        assert file["sort_order_id"] is None
        for column in (DELETE_PATH, DELETE_POSITION):
            assert as_map(file["value_counts"]) [column] == len(rows) and as_map(file["null_value_counts"])[column] == 0

    @staticmethod
    def check_deletes(live):
        data = {entry["data_file"]["file_path"]: entry for entry in live if entry["data_file"]["content"] == 0}
        deletes = [entry for entry in live if entry["data_file"]["content"] == 1]
        named = [entry["data_file"]["referenced_data_file"] for entry in deletes]
        assert len(named) == len(set(named)), "a data file has two delete files"
        for entry in deletes:
            file = entry["data_file"]
            target = data[file["referenced_data_file"]]  # a delete file goes with its data file
            assert target["sequence_number"] <= entry["sequence_number"]
            assert repr(target["data_file"]["partition"]) == repr(file["partition"])
            last = struct.unpack("<q", as_map(file["upper_bounds"])[DELETE_POSITION])[0]
            assert last < target["data_file"]["record_count"] and file["record_count"] < target["data_file"]["record_count"]

    def check_summary(self, snapshot, live, added, deleted):
        summary = snapshot["summary"]
        assert all(isinstance(value, str) for value in summary.values())
        assert summary["operation"] in ("append", "replace", "overwrite", "delete")
        if summary["operation"] == "append":
            assert not deleted and all(entry["data_file"]["content"] == 0 for entry in added)
        for entries, words in ((live, ("total-{}", "total-files-size")), (added, ("added-{}", "added-files-size")),
                               (deleted, ("deleted-{}", "removed-files-size"))):
            data = [entry["data_file"] for entry in entries if entry["data_file"]["content"] == 0]
            deletes = [entry["data_file"] for entry in entries if entry["data_file"]["content"] == 1]
            gone = words[0] == "deleted-{}"
            self.expect(summary, words[0].format("data-files"), len(data))
            self.expect(summary, words[0].format("records"), sum(f["record_count"] for f in data))
            self.expect(summary, "removed-delete-files" if gone else words[0].format("delete-files"), len(deletes))
            self.expect(summary, "removed-position-deletes" if gone else words[0].format("position-deletes"),
                        sum(f["record_count"] for f in deletes))
            self.expect(summary, words[1], sum(f["file_size_in_bytes"] for f in data + deletes))
        parts = {(entry["data_file"]["content"] >= 0, repr(entry["data_file"]["partition"])) for entry in added + deleted}
        assert int(summary["changed-partition-count"]) <= max(len(parts), 1) * max(len(self.specs), 1)

    @staticmethod
    def expect(summary, key, number):
        if key.startswith("total-") or number:
            assert summary.get(key) == str(number), (key, number, summary)
        else:
            assert summary.get(key, "0") == "0", (key, summary)


def physical_kind(facts, field_id, leaf):
    """The type by which the file was written: bounds of a column that was widened later keep their width."""
    chunk = facts.chunks[field_id][0]
    if leaf.kind == "long" and chunk.physical_type == "INT32":
        return "int"
    if leaf.kind == "double" and chunk.physical_type == "FLOAT":
        return "float"
    return leaf.kind


def check_table(location):
    """Raises AssertionError where the table at this metadata.json says something else than its files."""
    facts = TableFacts(location)
    facts.check()
    return facts
