"""TPC-H at scale factor 1: DuckDB's own generator writes the Parquet files, bench/tpch_bench.cc asks the 22 queries.

    ./dev bench tpch

Promise: all queries on lake tables take at most 1.1 times DuckDB's on its own files; the answers are compared.
"""

import os
import pathlib
import subprocess
import sys

import duckdb
from measure import machine

SCALE = 1
TABLES = ["lineitem", "orders", "customer", "part", "partsupp", "supplier", "nation", "region"]


def generate(folder):
    """Files and queries, made once."""
    if (folder / "complete").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    peers = pathlib.Path(os.environ["TARN_DEPS"]) / "bench-venv"
    extension = next(peers.glob("lib/python3*/site-packages/duckdb_extension_tpch/**/tpch.duckdb_extension"))
    with duckdb.connect() as connection:
        connection.execute(f"load '{extension}'")
        connection.execute(f"call dbgen(sf = {SCALE})")
        for table in TABLES:
            connection.execute(f"copy {table} to '{folder / table}.parquet' (format parquet)")
        for number, text in connection.sql("select query_nr, query from tpch_queries()").fetchall():
            (folder / f"{number:02}.sql").write_text(text, encoding="utf-8")
    (folder / "complete").touch()


def main():
    build = pathlib.Path(os.environ["TARN_BUILD"])
    folder = build / f"tpch-{SCALE}"
    generate(folder)
    machine()
    sys.exit(subprocess.run([build / "bench/tpch_bench", folder], check=False, cwd=build).returncode)


if __name__ == "__main__":
    main()
