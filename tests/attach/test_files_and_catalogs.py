"""Goal: another Iceberg catalog, Delta tables, and files on a disk and on the web are read where they are, as their own writers
made them, and whoever serves them can make Tarn read nothing else. Method: a second Tarn whose tables pyiceberg made, the
Delta library's writer, a web server with range requests, all on loopback."""

import http.server
import json
import os
import pathlib
import subprocess
import threading
import time

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from pyiceberg.catalog import load_catalog

from conftest import BUILD, DEPS, Tarn
from tarn_server import Server

TOKEN = "bearer-secret-2323"


def attach(tarn, text):
    tarn.write("tarn.yml", "name: home\nattach:\n" + text)
    return tarn


def failure(tarn, sql, *args):
    done = tarn.run("sql", sql, *args, check=None)
    assert done.returncode != 0, done.stdout
    return done.stderr.strip()


@pytest.fixture
def partner(tmp_path):
    """A second Tarn, with a table that pyiceberg made."""
    project = tmp_path / "partner"
    project.mkdir()
    (project / "tarn.yml").write_text("name: partner\n")
    server = Server(Tarn(project))
    catalog = load_catalog("x", type="rest", uri=server.url + "/iceberg", token=server.token)
    catalog.create_namespace("shop")
    rows = pa.table({"id": pa.array(range(5000), pa.int64()), "name": [f"n{i}" for i in range(5000)]})
    table = catalog.create_table("shop.people", schema=rows.schema)
    table.append(rows)
    yield server, catalog
    server.stop()


def iceberg(server, more="", locations=True, token="${file:partner_token}"):
    place = f"    locations: [{server.tarn.data}/lake]\n" if locations else ""
    return f"""  partner:
    kind: iceberg
    url: {server.url}/iceberg
    warehouse: lake
    token: {token}
    schema: shop
    timeout_seconds: 10
{place}{more}"""


def test_an_iceberg_catalog(tarn, partner):
    server, catalog = partner
    attach(tarn, iceberg(server))
    tarn.write("partner_token", server.token + "\n")
    assert tarn.rows("select count(*) as n, sum(id)::bigint as s from partner.people where id >= 10") == [{"n": 4990, "s": sum(range(10, 5000))}]
    tarn.run("sql", "create table mine as select i as id from range(0, 100, 7) r(i)")
    assert tarn.rows("select count(p.name) as n from mine join partner.shop.people p using (id)") == [{"n": 15}]
    # What its writers do afterwards is seen: rows, deletes, columns, tables.
    table = catalog.load_table("shop.people")
    table.delete("id < 1000")
    assert tarn.rows("select count(*) as n from partner.people") == [{"n": 4000}]
    server.request("/api/v1/sql", {"sql": "alter table shop.people add column more int; delete from shop.people where id < 2000"})
    assert tarn.rows("select count(*) as n, count(more) as m from partner.people") == [{"n": 3000, "m": 0}]
    assert "partner is read-only" in failure(tarn, "insert into partner.shop.people values (1, 'x', 1)")
    assert server.json("/api/v1/tables/shop/people")["name"] == "people"


def test_a_server_sees_new_tables_of_a_catalog(tarn, partner):
    server, catalog = partner
    attach(tarn, iceberg(server))
    tarn.write("partner_token", server.token + "\n")
    mine = Server(tarn)
    try:
        ask = lambda sql: mine.request("/api/v1/sql", {"sql": sql, "format": "json"})
        assert json.loads(ask("select count(*) as n from partner.people")[1]) == [{"n": 5000}]
        server.request("/api/v1/sql", {"sql": "create table shop.fresh as select 1 as a"})
        server.request("/api/v1/sql", {"sql": "insert into shop.people values (9999, 'new')"})
        deadline = time.monotonic() + 20
        while ask("select a from partner.fresh")[0] != 200:
            assert time.monotonic() < deadline
            time.sleep(0.3)
        assert json.loads(ask("select count(*) as n from partner.people")[1]) == [{"n": 5001}]
    finally:
        mine.stop()


def test_a_catalog_names_no_other_files(tarn, partner):
    server, _ = partner
    tarn.write("partner_token", server.token + "\n")
    attach(tarn, iceberg(server, locations=False))
    message = failure(tarn, "select * from partner.people")
    assert "attachment partner" in message and server.token not in message


def test_a_wrong_token(tarn, partner):
    server, _ = partner
    tarn.write("partner_token", "wrong-token-77\n")
    attach(tarn, iceberg(server))
    message = failure(tarn, "select * from partner.people")
    assert "attachment partner" in message and "nauthorized" in message and "wrong-token-77" not in message


def test_delta_tables(tarn, tmp_path):
    script = tmp_path / "make.py"
    script.write_text("""
import sys
import deltalake
from arro3.core import Array, DataType, Table
def rows(a, b):
    return Table.from_pydict({"id": Array(list(range(a, b)), type=DataType.int64()), "name": Array([f"n{i}" for i in range(a, b)], type=DataType.string())})
deltalake.write_deltalake(sys.argv[1], rows(0, 100))
deltalake.write_deltalake(sys.argv[1], rows(100, 200), mode="append")
deltalake.DeltaTable(sys.argv[1]).delete("id >= 150")
""")
    folder = tmp_path / "orders"
    subprocess.run([DEPS / "delta-venv" / "bin" / "python", script, folder], check=True)
    attach(tarn, f"  sales: {{kind: delta, tables: {{orders: {folder}, gone: {tmp_path}/gone}}}}\n")
    assert tarn.rows("select count(*) as n, max(id) as m, min(name) as a from sales.orders") == [{"n": 150, "m": 149, "a": "n0"}]
    assert tarn.rows("select name from sales.public.orders where id = 120") == [{"name": "n120"}]
    assert "attachment sales" in failure(tarn, "select * from sales.gone")
    assert "sales is read-only" in failure(tarn, "delete from sales.orders")


def test_files_of_a_folder(tarn, tmp_path):
    for i in range(3):
        pq.write_table(pa.table({"id": range(i * 10, i * 10 + 10)}), tarn.project / f"part{i}.parquet")
    pa.csv.write_csv(pa.table({"a": [1, 2], "b": ["x", "y"]}), tmp_path / "t.csv")
    tarn.write("rows.ndjson", '{"a": 1, "b": {"c": [1]}}\n{"a": 2}\n')
    attach(tarn, f"""  here:
    kind: files
    tables:
      parts: part*.parquet
      sheet: {tmp_path}/t.csv
      lines: rows.ndjson
      odd: {{location: "{tmp_path}/*.csv", format: csv}}
""")
    assert tarn.rows("select count(*) as n, sum(id)::bigint as s from here.parts") == [{"n": 30, "s": 435}]
    assert tarn.rows("select * from here.sheet order by a") == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
    assert tarn.rows("select a, b.c[1] as c from here.lines order by a") == [{"a": 1, "c": 1}, {"a": 2, "c": None}]
    assert tarn.rows("select count(*) as n from here.public.odd") == [{"n": 2}]


class RangeServer(http.server.SimpleHTTPRequestHandler):
    ranges = []
    tokens = set()

    def log_message(self, *args):
        pass

    def do_HEAD(self):
        self.answer(False)

    def do_GET(self):
        self.answer(True)

    def answer(self, has_body):
        RangeServer.tokens.add(self.headers.get("Authorization", ""))
        path = pathlib.Path(self.directory) / self.path.lstrip("/")
        if self.path.startswith("/hang"):
            time.sleep(8)
        if not path.is_file():
            self.send_error(404)
            return
        body = path.read_bytes()
        wanted = self.headers.get("Range")
        first, last = 0, len(body) - 1
        if wanted:
            RangeServer.ranges.append(wanted)
            a, b = wanted.removeprefix("bytes=").split("-")
            first, last = (len(body) - int(b), last) if not a else (int(a), min(int(b or last), last))
        self.send_response(206 if wanted else 200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(last - first + 1))
        if wanted:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(body)}")
        self.end_headers()
        if has_body:
            self.wfile.write(body[first:last + 1])


@pytest.fixture
def web(tmp_path):
    folder = tmp_path / "web"
    folder.mkdir()
    pq.write_table(pa.table({"id": range(200_000), "text": [os.urandom(8).hex() for _ in range(200_000)]}), folder / "big.parquet",
                   row_group_size=20_000)
    (folder / "t.csv").write_text("a,b\n1,x\n2,y\n")
    handler = lambda *args: RangeServer(*args, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    RangeServer.ranges.clear()
    RangeServer.tokens.clear()
    yield f"http://127.0.0.1:{server.server_address[1]}", folder
    server.shutdown()


def test_files_on_the_web(tarn, web):
    url, folder = web
    tarn.env.update(WEB_TOKEN=TOKEN, no_proxy="127.0.0.1", NO_PROXY="127.0.0.1")
    attach(tarn, f"""  site:
    kind: files
    timeout_seconds: 3
    bearer: ${{env:WEB_TOKEN}}
    tables:
      big: {url}/big.parquet
      sheet: {url}/t.csv
      gone: {url}/gone.parquet
      hang: {url}/hang.csv
""")
    assert tarn.rows("select * from site.sheet order by a") == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
    assert tarn.rows("select count(*) as n, min(id) as m from site.big where id >= 150000") == [{"n": 50_000, "m": 150_000}]
    assert RangeServer.ranges, "read by ranges"
    fetched = sum(int(b) - int(a) + 1 for a, b in (one.removeprefix("bytes=").split("-") for one in RangeServer.ranges) if a and b)
    assert fetched < (folder / "big.parquet").stat().st_size, "only what is needed"
    assert f"Bearer {TOKEN}" in RangeServer.tokens
    for table in ("gone", "hang"):
        began = time.monotonic()
        message = failure(tarn, f"select * from site.{table}")
        assert "attachment site" in message and TOKEN not in message
        assert time.monotonic() - began < 20


def test_a_wait_can_be_cancelled(tarn, web):
    url, _ = web
    attach(tarn, f"  site: {{kind: files, timeout_seconds: 60, tables: {{hang: {url}/hang.csv}}}}\n")
    tarn.env.update(no_proxy="127.0.0.1", NO_PROXY="127.0.0.1")
    process = tarn.start("sql", "select * from site.hang")
    time.sleep(1.5)
    began = time.monotonic()
    process.send_signal(2)
    process.communicate(timeout=20)
    assert process.returncode == 130
    assert time.monotonic() - began < 4


def test_an_installed_program_brings_its_extensions(tarn, tmp_path, web):
    url, _ = web
    prefix = tmp_path / "usr"
    subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix, "--component", "tarn"], check=True, stdout=subprocess.DEVNULL)
    attach(tarn, f"  site: {{kind: files, tables: {{sheet: {url}/t.csv}}}}\n  sales: {{kind: delta, tables: {{gone: {tmp_path}/gone}}}}\n"
           "  shop: {kind: postgres, host: 127.0.0.1, port: 1, database: d, user: u}\n"
           "  partner: {kind: iceberg, url: 'http://127.0.0.1:1', warehouse: w}\n")
    env = {**tarn.env, "no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}
    env.pop("TARN_EXTENSIONS", None)
    asked = lambda table: subprocess.run([prefix / "bin" / "tarn", "--project", tarn.project, "sql", f"select count(*) as n from {table}", "--format", "csv"],
                                         env=env, capture_output=True, text=True, timeout=60)
    assert asked("site.sheet").stdout.split() == ["n", "2"]
    for table in ("sales.gone", "shop.t", "partner.t"):
        done = asked(table)
        assert done.returncode != 0 and "attachment" in done.stderr and "needs DuckDB's extension" not in done.stderr, done.stderr
