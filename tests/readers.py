"""What every test that lets others read Tarn's tables shares: values made comparable, and Tarn's own answer."""

import datetime
import decimal
import glob
import pathlib
import uuid

import duckdb
import pyarrow.parquet as pq

from conftest import DEPS


def plain(value):
    """A value in one form for all readers: exact numbers, UTC, maps as sorted pairs."""
    if isinstance(value, datetime.datetime):
        return (value.astimezone(datetime.timezone.utc) if value.tzinfo else value).isoformat(sep=" ")
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return int(value) if value.as_tuple().exponent == 0 else format(value, "f")
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list) and value and all(isinstance(v, tuple) for v in value):
        return sorted(([plain(k), plain(v)] for k, v in value), key=repr)  # a map
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


def sorted_rows(rows):
    """Rows (dicts) as texts in one order."""
    return sorted(repr(plain(row)) for row in rows)


def tarn_answer(tarn, sql, folder):
    """(columns, sorted rows) of a query, with every value as its type has it."""
    target = folder / "answer.parquet"
    target.unlink(missing_ok=True)
    tarn.run("sql", sql, "--format", "parquet", "-o", target)
    table = pq.read_table(target)
    return table.column_names, sorted_rows(table.to_pylist())


def duckdb_with_iceberg():
    connection = duckdb.connect()
    for extension in ("avro", "httpfs", "iceberg"):
        path = glob.glob(str(DEPS / "venv/lib/python3*/site-packages" / f"**/{extension}.duckdb_extension"), recursive=True)[0]
        connection.execute(f"LOAD '{path}'")
    return connection


def extension_folder(folder):
    """A folder from which a bare `LOAD iceberg` works: the pinned extensions, where DuckDB looks for installed ones."""
    target = pathlib.Path(folder) / f"v{duckdb.__version__}/linux_amd64"
    target.mkdir(parents=True, exist_ok=True)
    for name in ("avro", "httpfs", "iceberg"):
        file = next((DEPS / "venv").glob(f"lib/python3*/site-packages/**/{name}.duckdb_extension"))
        (target / file.name).symlink_to(file)
    return folder
