"""Goal: a PostgreSQL that goes away in the middle of a scan, comes back or answers slowly costs one statement one sentence; who stops
waiting, by Ctrl-C or by hanging up, leaves nothing running there. Method: a real server with a view that takes its time."""

import http.client
import json
import signal
import time

import pytest

from postgres_server import Postgres
from tarn_server import Server

SECRET = "secret-78"
SLOW = "select count(*) as n, sum(a)::bigint as s from shop.slow"


@pytest.fixture(scope="module")
def postgres():
    server = Postgres()
    server.run("create database shop")
    server.run(f"""create role reader login password '{SECRET}';
        create view slow as select i as id, case when pg_sleep(0.005) is null then 1 else 2 end as a from generate_series(1, 20000) i;
        create table quick as select i as id from generate_series(1, 1000) i;
        grant select on slow, quick to reader""", "shop")
    yield server
    server.close()


@pytest.fixture
def shop(tarn, postgres):
    tarn.env["SHOP_PASSWORD"] = SECRET
    tarn.write("tarn.yml", f"""name: home
attach:
  shop: {{kind: postgres, host: 127.0.0.1, port: {postgres.port}, database: shop, user: reader, password: '${{env:SHOP_PASSWORD}}'}}
""")
    return tarn


def busy(postgres):
    """Statements of Tarn that run there."""
    asked = postgres.run("copy (select count(*) from pg_stat_activity where application_name like 'tarn-%' and state = 'active') to stdout")
    return int(asked.strip())


def wait_until(what, seconds=20):
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_one_that_goes_away_in_the_middle(shop, postgres):
    server = Server(shop)
    try:
        ask = lambda sql: server.request("/api/v1/sql", {"sql": sql, "format": "json"})
        assert json.loads(ask("select count(*) as n from shop.quick")[1]) == [{"n": 1000}]
        asked = shop.start("sql", SLOW)
        wait_until(lambda: busy(postgres) == 1)
        postgres.stop()
        began = time.monotonic()
        out, error = asked.communicate(timeout=30)
        assert asked.returncode == 4 and "attachment shop" in error and error.count("\n") == 1, (asked.returncode, error)
        assert time.monotonic() - began < 15 and SECRET not in error
        assert ask("select count(*) as n from shop.quick")[0] >= 400
        assert json.loads(ask("select 1 as a")[1]) == [{"a": 1}]
        postgres.start()
        wait_until(lambda: ask("select count(*) as n from shop.quick")[0] == 200)
    finally:
        server.stop()


def test_ctrl_c_stops_it_there_too(shop, postgres):
    asked = shop.start("sql", SLOW)
    wait_until(lambda: busy(postgres) == 1)
    began = time.monotonic()
    asked.send_signal(signal.SIGINT)
    asked.communicate(timeout=20)
    assert asked.returncode == 130 and time.monotonic() - began < 4
    wait_until(lambda: busy(postgres) == 0)


def test_who_hangs_up_leaves_nothing_running(shop, postgres):
    server = Server(shop)
    try:
        host, port = server.url.removeprefix("http://").split(":")
        client = http.client.HTTPConnection(host, int(port))
        client.request("POST", "/api/v1/sql", json.dumps({"sql": SLOW}), {"Authorization": f"Bearer {server.token}"})
        wait_until(lambda: busy(postgres) == 1)
        client.close()
        wait_until(lambda: busy(postgres) == 0)
    finally:
        server.stop()
