"""Goal: what `tarn serve` and docs/iceberg.md say of connecting other engines works as it stands. Method: the printed texts are
run literally: pyiceberg's and DuckDB's here, Spark's and Trino's in ./dev interop."""

import duckdb
import pytest

from conftest import ROOT
from connect_blocks import connect_blocks
from readers import extension_folder
from tarn_server import Server


@pytest.fixture
def server(tarn):
    tarn.run("sql", "create table cities (name varchar); insert into cities values ('Oslo')")
    server = Server(tarn)
    yield server
    assert server.stop()[0] == 0


def test_printed_texts(server, tmp_path):
    blocks = connect_blocks(server)
    names = {}
    exec(blocks["pyiceberg"], names)
    assert names["catalog"].load_table("public.cities").scan().to_arrow().to_pylist() == [{"name": "Oslo"}]
    with duckdb.connect(config={"extension_directory": str(extension_folder(tmp_path))}) as connection:
        connection.execute(blocks["DuckDB"])
        assert connection.execute("select * from tarn.public.cities").fetchall() == [("Oslo",)]
    page = (ROOT / "docs/iceberg.md").read_text(encoding="utf-8")
    for engine, text in blocks.items():
        shown = text.replace(server.url, "http://127.0.0.1:7070").replace(server.token, "TOKEN")
        assert shown in page, f"docs/iceberg.md connects {engine} otherwise"
