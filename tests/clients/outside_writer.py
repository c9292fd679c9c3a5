"""pyiceberg beside two sessions: it appends rows of any type to lake tables, and tells what is in them."""

import datetime
import uuid

import pyarrow as pa

from pyiceberg.catalog import load_catalog
from pyiceberg.exceptions import CommitFailedException
from readers import sorted_rows

# How a type is kept in the table that others see.
KEPT = {"tinyint": "integer", "utinyint": "integer", "smallint": "integer", "uinteger": "bigint", "ubigint": "decimal(20,0)",
        "hugeint": "decimal(38,0)", "interval": "varchar", "json": "varchar", "bit": "varchar", "timestamp_s": "timestamp",
        "timestamp_ms": "timestamp"}


def as_kept(columns):
    """A list for SELECT that gives values as others see them."""
    return ", ".join(f"{name}::{KEPT[kind]} as {name}" if kind in KEPT else name for name, kind in columns)


def for_arrow(value, kind):
    """A value that DuckDB's client gave as one that pyarrow takes for an Iceberg type."""
    if value is None:
        return None
    if isinstance(kind, pa.UuidType) or pa.types.is_fixed_size_binary(kind):
        return uuid.UUID(str(value)).bytes
    if pa.types.is_map(kind):
        return list(value.items()) if isinstance(value, dict) else value
    if pa.types.is_struct(kind):
        return {field.name: for_arrow(value[field.name], field.type) for field in kind}
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return [for_arrow(item, kind.value_type) for item in value]
    return value


def without_null_lists(value):
    """pyiceberg reads a NULL list of structs as an empty one (apache/iceberg-python#3833)."""
    return [] if value is None else value


class OutsideWriter:
    def __init__(self, server):
        self.catalog = load_catalog("tarn", type="rest", uri=server.url + "/iceberg", token=server.token)

    def append(self, name, rows, columns):
        """`rows`: dicts of the columns in their kept form. Repeats what lost against another writer; returns how often."""
        for lost in range(50):
            table = self.catalog.load_table(("public", name))
            schema = table.schema().as_arrow()
            values = [{name: for_arrow(row[name], schema.field(name).type) for name, _ in columns} for row in rows]
            try:
                table.append(pa.Table.from_pylist(values, schema=schema))
                return lost
            except CommitFailedException:
                continue
        raise AssertionError("lost 50 times")

    def rows(self, name, columns):
        found = self.catalog.load_table(("public", name)).scan().to_arrow()
        assert found.column_names == [column for column, _ in columns]
        return sorted_rows(comparable(found.to_pylist(), columns))


def struct_lists(columns):
    return [name for name, kind in columns if kind.startswith("struct") and kind.endswith("[]")]


def comparable(rows, columns):
    """Rows in which what pyiceberg cannot tell apart is alike."""
    lists = struct_lists(columns)
    maps = [name for name, kind in columns if kind.startswith("map")]
    for row in rows:
        for name in lists:
            row[name] = without_null_lists(row[name])
        for name in maps:
            if isinstance(row[name], dict):
                row[name] = list(row[name].items())
        for name, value in row.items():
            if isinstance(value, uuid.UUID):
                row[name] = str(value)
            elif isinstance(value, datetime.datetime) and value.tzinfo:
                row[name] = value.astimezone(datetime.timezone.utc)
    return rows
