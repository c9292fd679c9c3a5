"""Goal: other people's Iceberg readers see what Tarn sees. Method: every table of the demo, and one of every type,
read by pyiceberg and by DuckDB's own iceberg extension, compared with `tarn sql`."""

import pytest
from pyiceberg.table import StaticTable

import peer_tables
from readers import duckdb_with_iceberg, sorted_rows, tarn_answer


@pytest.fixture(scope="module")
def duck():
    return duckdb_with_iceberg()


def check_all_tables(tarn, duck, folder):
    tables = tarn.metadata_locations()
    assert tables
    for (schema, name), location in tables.items():
        columns, rows = tarn_answer(tarn, peer_tables.select(schema, name), folder)
        by_pyiceberg = StaticTable.from_metadata(location).scan().to_arrow()
        assert by_pyiceberg.column_names == columns, name
        assert sorted_rows(by_pyiceberg.to_pylist()) == rows, f"{schema}.{name} by pyiceberg"
        path = location.removeprefix("file://")
        by_duckdb = duck.execute(f"select * from iceberg_scan('{path}')").to_arrow_table()
        assert sorted_rows(by_duckdb.to_pylist()) == rows, f"{schema}.{name} by DuckDB's iceberg extension"


def test_every_table_of_the_demo(demo, duck, tmp_path):
    check_all_tables(demo, duck, tmp_path)


@pytest.mark.parametrize("group", ["types", "clock", "nested", "partitioned", "evolved", "grown", "commits", "changed"])
def test_tables_of(group, tarn, duck, tmp_path):
    peer_tables.make(tarn, group)
    check_all_tables(tarn, duck, tmp_path)
