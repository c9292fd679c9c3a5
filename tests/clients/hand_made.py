"""Iceberg tables of other writers, made by hand: pyarrow writes the Parquet files, fastavro the manifests, Python the metadata. Each
part may be left out, be of format version 1, or be wrong."""

import gzip
import json
import pathlib
import uuid

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq

LONG_MAP = {"type": "array", "logicalType": "map"}


def optional(name, kind, field_id):
    return {"name": name, "type": ["null", kind], "default": None, "field-id": field_id}


def int_map(key_id, value_id, kind):
    fields = [{"name": "key", "type": "int", "field-id": key_id}, {"name": "value", "type": kind, "field-id": value_id}]
    return {**LONG_MAP, "items": {"type": "record", "name": f"k{key_id}_v{value_id}", "fields": fields}}


OPTIONAL_FIELDS = {
    "column_sizes": (108, int_map(117, 118, "long")),
    "value_counts": (109, int_map(119, 120, "long")),
    "null_value_counts": (110, int_map(121, 122, "long")),
    "nan_value_counts": (137, int_map(138, 139, "long")),
    "lower_bounds": (125, int_map(126, 127, "bytes")),
    "upper_bounds": (128, int_map(129, 130, "bytes")),
    "split_offsets": (132, {"type": "array", "items": "long", "element-id": 133}),
    "equality_ids": (135, {"type": "array", "items": "int", "element-id": 136}),
    "sort_order_id": (140, "int"),
    "referenced_data_file": (143, "string"),
}


def entry_schema(version, partition, members):
    file = [] if version == 1 else [{"name": "content", "type": "int", "field-id": 134}]
    file += [{"name": "file_path", "type": "string", "field-id": 100}, {"name": "file_format", "type": "string", "field-id": 101},
             {"name": "partition", "type": {"type": "record", "name": "r102", "fields": partition}, "field-id": 102},
             {"name": "record_count", "type": "long", "field-id": 103}, {"name": "file_size_in_bytes", "type": "long", "field-id": 104}]
    if version == 1:
        file.append({"name": "block_size_in_bytes", "type": "long", "field-id": 105})
    file += [optional(name, kind, field_id) for name, (field_id, kind) in OPTIONAL_FIELDS.items() if name in members]
    fields = [{"name": "status", "type": "int", "field-id": 0}]
    fields.append({"name": "snapshot_id", "type": "long", "field-id": 1} if version == 1 else optional("snapshot_id", "long", 1))
    if version == 2:
        fields += [optional("sequence_number", "long", 3), optional("file_sequence_number", "long", 4)]
    fields.append({"name": "data_file", "type": {"type": "record", "name": "r2", "fields": file}, "field-id": 2})
    return {"type": "record", "name": "manifest_entry", "fields": fields}


SUMMARY = {"type": "record", "name": "r508", "fields": [
    {"name": "contains_null", "type": "boolean", "field-id": 509}, optional("contains_nan", "boolean", 518),
    optional("lower_bound", "bytes", 510), optional("upper_bound", "bytes", 511)]}


def list_schema(version, counts):
    long, whole = "long", "int"
    fields = [("manifest_path", 500, "string"), ("manifest_length", 501, long), ("partition_spec_id", 502, whole)]
    if version == 2:
        fields += [("content", 517, whole), ("sequence_number", 515, long), ("min_sequence_number", 516, long)]
    fields.append(("added_snapshot_id", 503, long))
    schema = [{"name": name, "type": kind, "field-id": field_id} for name, field_id, kind in fields]
    if counts:
        for name, field_id, kind in [("added_files_count", 504, whole), ("existing_files_count", 505, whole),
                                     ("deleted_files_count", 506, whole), ("added_rows_count", 512, long),
                                     ("existing_rows_count", 513, long), ("deleted_rows_count", 514, long)]:
            schema.append({"name": name, "type": kind, "field-id": field_id} if version == 2 else optional(name, kind, field_id))
        schema.append(optional("partitions", {"type": "array", "items": SUMMARY, "element-id": 508}, 507))
    return {"type": "record", "name": "manifest_file", "fields": schema}


def with_ids(table, ids):
    """The Arrow table with field ids; `ids` by name of the column, nested fields by name within."""
    def field(old, known):
        kind, own = old.type, known if isinstance(known, int) else known[""]
        if pa.types.is_struct(kind):
            kind = pa.struct([field(kind.field(i), known[kind.field(i).name]) for i in range(kind.num_fields)])
        elif pa.types.is_list(kind):
            kind = pa.list_(field(kind.value_field, known["element"]))
        return pa.field(old.name, kind, old.nullable, {b"PARQUET:field_id": str(own).encode()})
    return table.cast(pa.schema([field(old, ids[old.name]) for old in table.schema]))


class HandMade:
    def __init__(self, folder, schema, *, version=2, spec=(), partition=()):
        """`schema`: Iceberg fields; `spec`: partition fields; `partition`: their Avro fields."""
        self.folder = pathlib.Path(folder)
        self.version, self.schema, self.spec, self.partition = version, list(schema), list(spec), list(partition)
        self.data, self.metadata_folder = self.folder / "data", self.folder / "metadata"
        for made in (self.data, self.metadata_folder):
            made.mkdir(parents=True, exist_ok=True)
        self.location = f"file://{self.folder}"
        self.snapshots, self.lines = [], []
        self.extra = {}
        self.properties = {}

    def parquet(self, table, *, name=None, **options):
        """(path with scheme, bytes, rows)"""
        path = self.data / (name or f"{uuid.uuid4()}.parquet")
        path.parent.mkdir(exist_ok=True)
        pq.write_table(table, path, **options)
        return f"file://{path}", path.stat().st_size, table.num_rows

    def file(self, table, *, content=0, partition=None, name=None, how=None, **members):
        """A data_file of the rows; members are those that a writer may leave out, `how` are options of the Parquet writer."""
        path, size, rows = self.parquet(table, name=name, **(how or {}))
        made = {"file_path": path, "file_format": "PARQUET", "partition": partition or {}, "record_count": rows,
                "file_size_in_bytes": size, **members}
        return {**made, "block_size_in_bytes": 1 << 26} if self.version == 1 else {**made, "content": content}

    def manifest(self, files, *, deletes=False, sequence_number=1, snapshot_id=1, header=None, spec_id=0, status=1):
        """Writes a manifest; returns its line for a list."""
        members = {name for file in files for name in file}
        path = self.metadata_folder / f"{uuid.uuid4()}-m0.avro"
        entries = [{"status": status, "snapshot_id": snapshot_id, "sequence_number": None, "file_sequence_number": None,
                    "data_file": file} for file in files]
        about = {"schema": json.dumps({"type": "struct", "schema-id": 0, "fields": self.schema}),
                 "partition-spec": json.dumps(self.spec), "partition-spec-id": str(spec_id), "format-version": str(self.version)}
        if self.version == 2:
            about["content"] = "deletes" if deletes else "data"
        with open(path, "wb") as out:
            fastavro.writer(out, entry_schema(self.version, self.partition, members), entries, codec="deflate",
                            metadata=about if header is None else header)
        return {"manifest_path": f"file://{path}", "manifest_length": path.stat().st_size, "partition_spec_id": spec_id,
                "content": int(deletes), "sequence_number": sequence_number, "min_sequence_number": sequence_number,
                "added_snapshot_id": snapshot_id, "added_files_count": len(files), "existing_files_count": 0,
                "deleted_files_count": 0, "added_rows_count": sum(file["record_count"] for file in files),
                "existing_rows_count": 0, "deleted_rows_count": 0, "partitions": None}

    def list(self, lines, *, counts=True):
        path = self.metadata_folder / f"snap-{uuid.uuid4()}.avro"
        with open(path, "wb") as out:
            fastavro.writer(out, list_schema(self.version, counts), lines, codec="deflate")
        return f"file://{path}"

    def snapshot(self, lines, *, inline=False, counts=True, operation="append"):
        """Adds a snapshot of these manifests, those of earlier snapshots among them."""
        number = len(self.snapshots) + 1
        made = {"snapshot-id": number, "timestamp-ms": 1_700_000_000_000 + number, "summary": {"operation": operation}}
        if self.snapshots:
            made["parent-snapshot-id"] = number - 1
        if self.version == 2:
            made |= {"sequence-number": number, "schema-id": 0}
        if inline:
            made["manifests"] = [line["manifest_path"] for line in lines]
        else:
            made["manifest-list"] = self.list(lines, counts=counts)
        self.snapshots.append(made)
        return number

    def document(self):
        ids = [field["id"] for field in self.schema]
        document = {"format-version": self.version, "table-uuid": str(uuid.uuid4()), "location": self.location,
                    "last-updated-ms": 1_700_000_100_000, "last-column-id": max(ids) + 20, "properties": self.properties,
                    "snapshots": self.snapshots, "snapshot-log": [], "metadata-log": []}
        if self.snapshots:
            document["current-snapshot-id"] = self.snapshots[-1]["snapshot-id"]
        if self.version == 1:
            document |= {"schema": {"type": "struct", "fields": self.schema}, "partition-spec": self.spec}
        else:
            document |= {"last-sequence-number": len(self.snapshots), "current-schema-id": 0,
                         "schemas": [{"type": "struct", "schema-id": 0, "fields": self.schema}], "default-spec-id": 0,
                         "partition-specs": [{"spec-id": 0, "fields": self.spec}], "last-partition-id": 999 + max(1, len(self.spec)),
                         "default-sort-order-id": 0, "sort-orders": [{"order-id": 0, "fields": []}]}
        return document | self.extra

    def write(self, *, packed=False):
        """Writes the metadata; returns their location."""
        name = f"00000-{uuid.uuid4()}" + (".gz.metadata.json" if packed else ".metadata.json")
        text = json.dumps(self.document()).encode()
        (self.metadata_folder / name).write_bytes(gzip.compress(text) if packed else text)
        return f"file://{self.metadata_folder / name}"
