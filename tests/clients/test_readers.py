"""Goal: other people's Iceberg readers see what Tarn sees. Method: every table of the demo, and one of every type,
read by pyiceberg and by DuckDB's own iceberg extension, compared with `tarn sql`."""

import datetime
import decimal
import glob
import uuid

import duckdb
import pyarrow as pa
import pytest
from pyiceberg.table import StaticTable

from conftest import DEPS


def plain(value):
    """A value as JSON would show it, so that three readers can be compared."""
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat(sep=" ") if isinstance(value, datetime.datetime) else value.isoformat()
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, float):
        return round(value, 9)
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


def sorted_rows(table: pa.Table):
    return sorted((repr(plain(row)) for row in table.to_pylist()))


def tarn_table(tarn, name, folder):
    import pyarrow.parquet as pq

    target = folder / "out.parquet"
    target.unlink(missing_ok=True)
    tarn.run("sql", f"select * from {name}", "--format", "parquet", "-o", target)
    return pq.read_table(target)


@pytest.fixture(scope="module")
def duck():
    connection = duckdb.connect()
    for extension in ("avro", "httpfs", "iceberg"):
        path = glob.glob(str(DEPS / "venv/lib/python3*/site-packages" / f"**/{extension}.duckdb_extension"), recursive=True)[0]
        connection.execute(f"LOAD '{path}'")
    return connection


def check_all_tables(tarn, duck, folder):
    tables = tarn.metadata_locations()
    assert tables
    for (schema, name), location in tables.items():
        expected = tarn_table(tarn, f'"{schema}"."{name}"', folder)
        by_pyiceberg = StaticTable.from_metadata(location).scan().to_arrow()
        assert by_pyiceberg.column_names == expected.column_names, name
        assert sorted_rows(by_pyiceberg) == sorted_rows(expected), f"{schema}.{name} by pyiceberg"
        path = location.removeprefix("file://")
        by_duckdb = duck.execute(f"select * from iceberg_scan('{path}')").to_arrow_table()
        assert sorted_rows(by_duckdb) == sorted_rows(expected), f"{schema}.{name} by DuckDB's iceberg extension"


def test_every_table_of_the_demo(demo, duck, tmp_path):
    check_all_tables(demo, duck, tmp_path)


def test_schema_changes_and_types(tarn, duck, tmp_path):
    statements = [
        """create table t (b boolean, i integer, l bigint, f float, d double, n decimal(12,3), day date, s varchar,
           u uuid, x blob, ts timestamp, tz timestamptz, list integer[], st struct(a integer, b varchar),
           m map(varchar, integer))""",
        """insert into t select true, 1, 2, 1.5, '-0.0'::double, 12.345, date '1969-07-20', 'héllo', 'f79c3e09-677c-4bbd-a479-3f349cb785e7',
           'ab'::blob, timestamp '1969-07-20 20:17:40.123456', timestamptz '2026-03-29 01:30:00+01', [1, null, 3],
           {'a': 1, 'b': 'x'}, map {'k': 1}""",
        "insert into t (b) values (null)",
        "alter table t add column later varchar",
        "alter table t rename column s to text",
        "alter table t alter column i type bigint",
        "alter table t drop column f",
        "insert into t (i, later, text) values (5000000000, 'new', 'x')",
        "create table p (k varchar, day date, v integer) partitioned by (k, day)",
        "insert into p select 'k' || (i % 3), date '2026-01-01' + (i % 2)::integer, i from range(30) r(i)",
    ]
    for statement in statements:
        tarn.run("sql", statement)
    check_all_tables(tarn, duck, tmp_path)
