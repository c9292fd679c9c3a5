"""Goal: each part of Tarn that runs SQL reads tables of an attachment: models, data tests, boards, workbooks, flows, alerts; what it
answers is never older than it says; the graph knows what is read there. Method: a real PostgreSQL whose rows change."""

import http.server
import json
import threading
import time

import openpyxl
import pytest

from postgres_server import Postgres, free_port
from tarn_server import Server

TABLE = "{{ config(materialized='table') }}\n"


@pytest.fixture(scope="module")
def postgres():
    server = Postgres()
    server.run("create database shop")
    server.run("create role reader login password 'secret-77'; create table other(a int); insert into other values (1)", "shop")
    yield server
    server.close()


@pytest.fixture
def shop(tarn, postgres):
    postgres.run("""drop table if exists orders;
        create table orders(id int primary key, customer text, amount int);
        insert into orders select i, 'c' || i % 3, i from generate_series(1, 9) i;
        grant select on orders, other to reader""", "shop")
    write(tarn, postgres.port)
    return tarn


def write(tarn, port, more=""):
    tarn.env["SHOP_PASSWORD"] = "secret-77"
    tarn.write("tarn.yml", f"""name: home
allow_private_addresses: true
attach:
  shop: {{kind: postgres, host: 127.0.0.1, port: {port}, database: shop, user: reader, password: '${{env:SHOP_PASSWORD}}', timeout_seconds: 5}}
{more}""")


BOARD = """title: Shop
filters:
  customer: {type: list, choices: select distinct customer from shop.orders order by 1, default: [c0, c1, c2]}
tiles:
  - {id: direct, type: number, query: select sum(amount) as n from shop.orders, value: n}
  - {id: view, type: number, query: select n from seen, value: n}
  - {id: macro, type: number, query: select total() as n, value: n}
  - {id: lake, type: number, query: select count(*) as n from mine, value: n}
  - {id: chosen, type: table, query: "select id from shop.public.orders where list_contains($customer, customer) order by id"}
"""


def ask(server, known=None):
    """As a page does: what is of a moment ago is asked for again."""
    while True:
        status, body = server.request("/api/v1/boards/shop/data", {"filters": {}, "known": known or {}})
        assert status == 200, body
        lines = [json.loads(line) for line in body.splitlines()][1:]
        again_in_ms = max(line.get("again_in_ms", 0) for line in lines)
        if not again_in_ms:
            break
        time.sleep(again_in_ms / 1000)
    return {line.get("tile") or line["filter"]: line for line in lines}


def test_boards(shop, postgres):
    shop.run("sql", "create table mine as select 1 as a; create view seen as select count(*) as n from shop.orders;"
                    "create macro total() as (select max(amount) from shop.public.orders)")
    shop.write("boards/shop.yml", BOARD)
    shop.run("check")
    server = Server(shop)
    try:
        first = ask(server)
        assert {name: line["rows"] for name, line in first.items()} == {
            "customer": [["c0"], ["c1"], ["c2"]], "direct": [["45"]], "view": [["9"]], "macro": [["9"]], "lake": [["1"]],
            "chosen": [[str(i)] for i in range(1, 10)]}
        assert first["direct"]["reads"] == [{"table": "shop.orders", "changed_at": None, "outside": True}]
        assert [read["table"] for read in first["view"]["reads"]] == ["shop.orders"]
        for name, line in first.items():
            assert (0 < line.get("good_for_ms", 0) <= 60_000) == (name != "lake"), line
        # What becomes of an answer when its time is over: serve/board/tile_answers_test.cc, by a clock of its own.
        known = {("filter:" if name == "customer" else "tile:") + name: line["etag"] for name, line in first.items()}
        assert ask(server, known)["lake"]["unchanged"]
    finally:
        server.stop()


def test_an_answer_through_a_macro_is_as_new_as_its_tables(tarn):
    tarn.run("sql", "create table t as select 1 as a; create macro rows_of() as table select * from t; create view v as select * from rows_of();"
                    "create view clock as select now() as at")
    tarn.write("boards/shop.yml", "title: x\ntiles:\n  - {id: m, type: number, query: select count(*) as n from rows_of(), value: n}\n"
               "  - {id: v, type: number, query: select count(*) as n from v, value: n}\n  - {id: c, type: table, query: select * from clock}\n")
    server = Server(tarn)
    try:
        first = ask(server)
        assert [read["table"] for read in first["m"]["reads"]] == ["public.t"]
        assert "good_for_ms" in first["c"] and "good_for_ms" not in first["m"]
        assert server.request("/api/v1/sql", {"sql": "insert into t values (2)"})[0] == 200
        assert server.request("/api/v1/sql", {"sql": "create or replace macro unused() as 1"})[0] == 200
        after = ask(server)
        assert after["m"]["rows"] == [["2"]] and after["v"]["rows"] == [["2"]]
        assert server.request("/api/v1/sql", {"sql": "create or replace macro rows_of() as table select * from t where a = 1"})[0] == 200
        assert ask(server)["m"]["rows"] == [["1"]]
    finally:
        server.stop()


def test_workbooks(shop):
    shop.write("reports/orders.yml", "title: Orders\nparameters:\n  customer: {type: choice, choices: select distinct customer from shop.orders order by 1, default: c1}\n"
               "sheets:\n  - {name: All, query: \"select id, amount from shop.orders where customer = $customer order by id\"}\n")
    shop.run("check")
    book = shop.project / "orders.xlsx"
    shop.run("report", "orders", "-o", str(book))
    assert [row[0] for row in openpyxl.load_workbook(book)["All"].iter_rows(min_row=2, values_only=True)][:3] == [1, 4, 7]
    then = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60))
    shop.run("sql", "create table t as select 1 as a")
    done = shop.run("report", "orders", "-o", str(book), "--as-of", then, check=None)
    assert done.returncode != 0 and "attachment shop has no past" in done.stderr, done.stderr


def test_flows(shop):
    shop.write("flows/night.yml", """title: The night
tasks:
  count: {sql: select count(*)::int as n from shop.orders}
  copy: {sql: "create or replace table big as select * from shop.orders where amount > 5", after: count, when: $count.n > 3}
  each: {sql: "select $row.customer as c", for_each: select distinct customer from shop.public.orders order by 1, after: copy}
""")
    shop.run("check")
    shop.run("flow", "night")
    assert shop.rows("select count(*) as n from big") == [{"n": 4}]
    states = shop.rows("select task, state from _tarn.tasks where task like 'night/each[%' order by 1")
    assert [row["state"] for row in states] == ["done"] * 3, states


def test_a_data_test_that_fails_there_is_told(shop, postgres):
    got = []

    class Hook(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

    hook = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    write(shop, postgres.port, f"alerts: {{all: {{webhook: 'http://127.0.0.1:{hook.server_address[1]}/'}}}}\n")
    shop.write("tests/few.sql", "select id from shop.orders where amount > 8")
    shop.write("models/erp.yml", "sources:\n  - name: erp\n    database: shop\n    tables:\n      - {name: orders, columns: [{name: id, data_tests: [unique, not_null]}]}\n")
    shop.write("models/last.sql", TABLE + "select max(id) as id from {{ source('erp', 'orders') }}\n")
    shop.run("check")
    server = Server(shop)
    try:
        _, events = server.run(selection=[])
        assert any("few" in json.dumps(event) for event in events)
        tests = {row["test"]: row["state"] for row in json.loads(server.request(
            "/api/v1/sql", {"sql": "select test, state from _tarn.tests", "format": "json"})[1])}
        assert tests == {"few": "failed", "unique_source_orders_id": "passed", "not_null_source_orders_id": "passed"}
        deadline = time.monotonic() + 20
        while not any(alert["task"] == "few" for body in got for alert in body["alerts"]):
            assert time.monotonic() < deadline, got
            time.sleep(0.05)
        assert json.loads(server.request("/api/v1/sql", {"sql": "select id from last", "format": "json"})[1]) == [{"id": 9}]
    finally:
        server.stop()
        hook.shutdown()


def test_the_graph_knows_what_is_read_there(shop):
    shop.run("sql", "create macro late() as table select id from shop.orders where amount > 3; create view seen as select * from late();"
                    "create table base as select 1 as id; create macro of_base() as table select id from base")
    shop.write("models/base.sql", TABLE + "select 5 as id\n")
    shop.write("models/a.sql", TABLE + "select id from seen\n")
    shop.write("models/b.sql", TABLE + "select id from of_base()\n")
    server = Server(shop)
    try:
        tasks = {task["name"]: task for task in server.json("/api/v1/overview")["tasks"]}
        assert tasks["a"]["outside"] == ["shop.public.orders"] and tasks["a"]["upstream"] == []
        assert tasks["b"]["upstream"] == ["base"] and tasks["b"]["outside"] == []
    finally:
        server.stop()
    shop.run("run")
    assert shop.rows("select (select count(*) from a) as a, (select id from b) as b") == [{"a": 6, "b": 5}]


def test_pages_of_a_server_that_is_away_say_so_and_come_back(shop, postgres):
    write(shop, free_port())
    shop.write("boards/shop.yml", "title: x\ntiles:\n  - {id: n, type: number, query: select count(*) as n from shop.orders, value: n}\n")
    server = Server(shop)
    try:
        line = ask(server)["n"]
        assert "attachment shop" in line["error"]["message"] and 0 < line["good_for_ms"] <= 60_000
        assert "secret-77" not in json.dumps(line)
    finally:
        server.stop()
