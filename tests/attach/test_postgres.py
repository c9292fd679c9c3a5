"""Goal: tables of a PostgreSQL server are read where they are, joined with the lake, by every part of Tarn; nothing is
written there; a server that is away, hangs or refuses the password is one sentence and nobody else's trouble; no secret
gets out. Method: a real server of Debian's package on loopback."""

import json
import time

import pytest

from postgres_server import Postgres, free_port
from tarn_server import Server

SECRET = "reader-secret-0815"


@pytest.fixture(scope="module")
def postgres():
    server = Postgres()
    server.run("create database shop")
    server.run("""
        create table customers(id int primary key, name text not null, joined timestamptz, score numeric(10,2), tags text[],
                               born date, flag boolean, code uuid, raw bytea);
        insert into customers select i, 'name' || i, timestamptz '2024-05-06 07:08:09+00' + i * interval '1 hour', i * 1.5,
               array['a', 'b' || i], date '2000-01-01' + i, i % 2 = 0, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '\\x00ff'
        from generate_series(1, 5000) i;
        insert into customers(id, name) values (5001, 'it''s "quoted"; drop table x');
        create schema "Other";
        create view "Other"."Best" as select id, score from customers where score > 7000;
        create table hidden(a int);
        create role reader login password '""" + SECRET + """';
        grant select on customers to reader;
        grant usage on schema "Other" to reader;
        grant select on "Other"."Best" to reader;
        analyze;
    """, "shop")
    yield server
    server.close()


def attach(tarn, port, password="${env:SHOP_PASSWORD}", more=""):
    tarn.write("tarn.yml", f"""name: home
allow_private_addresses: true
attach:
  shop:
    kind: postgres
    host: 127.0.0.1
    port: {port}
    database: shop
    user: reader
    password: {password}
    timeout_seconds: 5
{more}""")
    tarn.env["SHOP_PASSWORD"] = SECRET
    return tarn


@pytest.fixture
def shop(tarn, postgres):
    return attach(tarn, postgres.port)


def error(tarn, sql, code=None, **kwargs):
    done = tarn.run("sql", sql, check=None, **kwargs)
    assert done.returncode != 0, done.stdout
    if code is not None:
        assert done.returncode == code, done.stderr
    assert SECRET not in done.stdout + done.stderr
    return done.stderr.strip()


def test_joined_with_the_lake(shop):
    shop.run("sql", "create table orders as select i as id, 1 + i % 100 as customer, i * 2 as amount from range(1000) r(i)")
    rows = shop.rows("""select c.name, sum(o.amount)::bigint as total from orders o join shop.public.customers c on c.id = o.customer
                        where c.score < 10 group by all order by 1""")
    expected = {}
    for i in range(1000):
        customer = 1 + i % 100
        if customer * 1.5 < 10:
            expected[f"name{customer}"] = expected.get(f"name{customer}", 0) + i * 2
    assert {row["name"]: int(row["total"]) for row in rows} == expected


def test_values_are_those_of_the_server(shop):
    assert shop.rows("select * from shop.customers where id = 3")[0] == {
        "id": 3, "name": "name3", "joined": "2024-05-06 10:08:09+00", "score": 4.5, "tags": ["a", "b3"],
        "born": "2000-01-04", "flag": False, "code": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        "raw": shop.rows("select '\\x00\\xFF'::blob as raw")[0]["raw"]}
    assert shop.rows("select count(*) as n, count(joined) as m from shop.customers") == [{"n": 5001, "m": 5000}]
    assert shop.rows("select name from shop.customers where joined is null") == [{"name": 'it\'s "quoted"; drop table x'}]
    assert shop.rows("""select id from shop.customers where name = 'it''s "quoted"; drop table x'""") == [{"id": 5001}]
    assert shop.rows('select count(*) as n from shop."Other"."Best"') == [{"n": 334}]
    assert shop.rows("select count(*) as n from shop.other.best") == [{"n": 334}]


def test_conditions_are_asked_for_there(shop):
    plan = shop.run("sql", "explain select name from shop.customers where id between 10 and 12 and name <> 'name11'").stdout
    assert "Asked for" in plan and '"id" >= 10' in plan and "name11" in plan
    assert [row["id"] for row in shop.rows("select id from shop.customers where id in (7, 9) or id > 5000 order by 1")] == [7, 9, 5001]
    assert shop.rows("select count(*) as n from shop.customers where not (score > 3) or score is null") == [{"n": 3}]


@pytest.mark.parametrize("statement", [
    "insert into shop.public.customers(id, name) values (1, 'x')",
    "update shop.public.customers set name = 'x'",
    "delete from shop.customers",
    "drop table shop.public.customers",
    "create table shop.public.mine(a int)",
    "create table shop.mine as select 1 as a",
    "create view shop.mine as select 1 as a",
    "alter table shop.customers add column a int",
    "truncate shop.customers",
    "create schema shop.mine",
    "merge into shop.customers c using (select 1 as id) s on c.id = s.id when matched then delete",
    "comment on table shop.customers is 'x'",
    "create index i on shop.customers(id)",
    "drop schema shop.public cascade",
    "detach shop",
    "use shop",
    "use shop.public",
])
def test_nothing_is_written(shop, postgres, statement):
    before = postgres.run("select count(*), min(name) from customers", "shop")
    message = error(shop, statement).splitlines()[0]
    assert "attachment shop is read-only" in message or "not allowed" in message or "shop" in message
    assert postgres.run("select count(*), min(name) from customers", "shop") == before
    assert "mine" not in postgres.run("select relname from pg_class where relname = 'mine'", "shop")


@pytest.mark.parametrize("statement", [
    "select * from postgres_query('shop', 'select 1')",
    "select * from postgres_scan('host=127.0.0.1', 'public', 'customers')",
    "call postgres_execute('shop', 'drop table customers')",
    "select * from iceberg_scan('/etc')",
    "select * from delta_scan('/etc')",
    "select * from read_parquet('/etc/passwd')",
    "select * from duckdb_secrets()",
    "attach 'host=127.0.0.1' as other (type postgres)",
    "load postgres_scanner",
    "create secret (type postgres, host '127.0.0.1')",
    "set pg_debug_show_queries = true",
    "select current_setting('pg_connection_limit')",
    "copy (select 1) to 's3://x/y.parquet'",
])
def test_the_extension_opens_no_other_door(shop, statement):
    assert shop.rows("select count(*) as n from shop.customers") == [{"n": 5001}]
    error(shop, f"select 1 from shop.customers limit 1; {statement}")


def test_a_view_that_writes_cannot(shop, postgres):
    postgres.run("""create table marks(a int); grant insert on marks to reader;
                    create function mark() returns int language sql as 'insert into marks values (1) returning a';
                    create view sly as select mark() as a; grant select on sly to reader""", "shop")
    assert "read-only transaction" in error(shop, "select * from shop.sly")
    assert postgres.run("select count(*) from marks", "shop").split()[2] == "0"


def test_no_secret_can_be_seen(shop):
    for sql in ("select * from duckdb_databases()", "select * from _tarn.statements", "select * from information_schema.tables",
                "select * from duckdb_functions()", "explain select * from shop.customers", "explain analyze select * from shop.customers"):
        done = shop.run("sql", f"select 1 from shop.customers limit 1; {sql}", check=None)
        assert SECRET not in done.stdout + done.stderr, sql
    for path in shop.data.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path


def test_lists_show_the_tables(shop):
    rows = shop.rows("""select table_schema, table_name from information_schema.tables where table_catalog = 'shop' order by all""")
    assert {"table_schema": "public", "table_name": "customers"} in rows and {"table_schema": "Other", "table_name": "Best"} in rows
    columns = shop.rows("select column_name, data_type from information_schema.columns where table_catalog = 'shop' and table_name = 'Best'")
    assert columns == [{"column_name": "id", "data_type": "INTEGER"}, {"column_name": "score", "data_type": "DECIMAL(10,2)"}]
    assert shop.rows("describe shop.customers")[1]["column_name"] == "name"


def test_mistakes_are_told(shop):
    assert 'there is no table "custmers"' in error(shop, "select * from shop.custmers")
    assert "permission denied" in error(shop, "select * from shop.hidden")
    assert "there is no column" in error(shop, "select nam from shop.customers")
    shop.run("sql", "create table t as select 1 as a")
    done = shop.run("sql", "select count(*) from shop.customers", "--as-of", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60)),
                    check=None)
    assert done.returncode != 0 and "attachment shop has no past" in done.stderr


def test_a_wrong_password(tarn, postgres):
    attach(tarn, postgres.port)
    tarn.env["SHOP_PASSWORD"] = "wrong-secret-99"
    message = error(tarn, "select * from shop.customers", 4)
    assert "attachment shop" in message and "password authentication failed" in message
    assert "wrong-secret-99" not in message and "\n" not in message
    del tarn.env["SHOP_PASSWORD"]
    assert "SHOP_PASSWORD" in error(tarn, "select * from shop.customers", 2)


def test_a_server_that_is_away_harms_nobody(tarn):
    attach(tarn, free_port())
    tarn.run("sql", "create table t as select 1 as a")
    assert tarn.rows("select * from t") == [{"a": 1}]
    assert tarn.run("check").returncode == 0
    began = time.monotonic()
    message = error(tarn, "select * from shop.customers", 4)
    assert "attachment shop" in message and "refused" in message and "\n" not in message
    assert time.monotonic() - began < 20
    names = tarn.rows("select table_name from information_schema.tables where table_catalog = 'lake' and table_schema = 'public'")
    assert names == [{"table_name": "t"}]
    began = time.monotonic()
    assert 'no table "tt"' in error(tarn, "select * from tt")
    assert time.monotonic() - began < 10


def test_a_server_that_hangs_is_left_alone(tarn, postgres):
    attach(tarn, postgres.port)
    tarn.write("tarn.yml", (tarn.project / "tarn.yml").read_text().replace("timeout_seconds: 5", "timeout_seconds: 2"))
    server = Server(tarn)
    try:
        ask = lambda sql: server.request("/api/v1/sql", {"sql": sql, "format": "json"})
        assert ask("create table t as select 1 as a")[0] == 200
        assert json.loads(ask("select count(*) as n from shop.customers")[1]) == [{"n": 5001}]
        postgres.pause()
        try:
            status, answer = ask("select count(*) as n from shop.customers where id > 0")
            assert status >= 400 and b"attachment shop" in answer, answer
            for _ in range(20):  # while it rests, all are answered at once, and the lake is as ever
                began = time.monotonic()
                status, answer = ask("select * from shop.customers")
                assert status >= 400 and b"attachment shop" in answer, answer
                assert json.loads(ask("select * from t")[1]) == [{"a": 1}]
                assert json.loads(ask("select count(*) as n from information_schema.tables where table_name = 't'")[1]) == [{"n": 1}]
                if time.monotonic() - began > 1.5:
                    break
        finally:
            postgres.pause(False)
        deadline = time.monotonic() + 20
        while ask("select count(*) as n from shop.customers")[0] != 200:
            assert time.monotonic() < deadline
            time.sleep(0.2)
    finally:
        server.stop()


def test_a_server_that_starts_again_is_found(tarn, postgres):
    server = Server(attach(tarn, postgres.port))
    try:
        ask = lambda sql: server.request("/api/v1/sql", {"sql": sql, "format": "json"})
        assert ask("select count(*) as n from shop.customers")[0] == 200
        postgres.stop()
        assert ask("select count(*) as n from shop.customers")[0] >= 400
        postgres.start()
        deadline = time.monotonic() + 20
        while ask("select count(*) as n from shop.customers")[0] != 200:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        # Columns that change there change here.
        postgres.run("create table fresh(a int); grant select on fresh to reader; insert into fresh values (1)", "shop")
        deadline = time.monotonic() + 20
        while ask("select a from shop.fresh")[0] != 200:
            assert time.monotonic() < deadline
            time.sleep(0.5)
        postgres.run("alter table fresh add column b text default 'x'", "shop")
        deadline = time.monotonic() + 20
        while json.loads(ask("select * from shop.fresh")[1]) != [{"a": 1, "b": "x"}]:
            assert time.monotonic() < deadline
            time.sleep(0.5)
    finally:
        server.stop()


def test_models_checks_and_boards_read_it(shop):
    shop.write("models/totals.sql", "{{ config(materialized='table') }}\nselect count(*) as n, max(score) as top from shop.public.customers\n")
    shop.write("models/after.sql", "{{ config(materialized='table') }}\nselect t.n, c.name from {{ ref('totals') }} t join shop.customers c on c.score = t.top\n")
    shop.write("models/schema.yml", """version: 2
models:
  - name: after
    columns:
      - name: name
        data_tests: [not_null]
""")
    shop.run("check")
    shop.run("run")
    assert shop.rows("select * from after") == [{"n": 5001, "name": "name5000"}]
    shop.run("sql", "create view v as select id from shop.customers where id < 4")
    assert shop.rows("select count(*) as n from v") == [{"n": 3}]


def test_a_model_of_a_server_that_is_away_fails_alone(tarn):
    attach(tarn, free_port())
    tarn.write("models/a.sql", "{{ config(materialized='table') }}\nselect 1 as a\n")
    tarn.write("models/b.sql", "{{ config(materialized='table') }}\nselect * from shop.public.customers\n")
    tarn.run("check")
    done = tarn.run("run", check=None)
    assert done.returncode in (1, 4) and "attachment shop" in done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr
    assert tarn.rows("select * from a") == [{"a": 1}]


def test_a_missing_extension_says_what_to_do(shop, tmp_path):
    shop.env["TARN_EXTENSIONS"] = str(tmp_path / "nothing")
    message = error(shop, "select * from shop.customers", 4)
    assert "postgres_scanner" in message and "TARN_EXTENSIONS" in message
    # One that nobody signed is refused.
    (tmp_path / "nothing").mkdir()
    (tmp_path / "nothing" / "postgres_scanner.duckdb_extension").write_bytes(b"\x7fELF" + bytes(4096))
    assert "attachment shop" in error(shop, "select * from shop.customers", 4)


def test_check_finds_mistakes_in_the_text(tarn):
    tarn.write("tarn.yml", """name: home
attach:
  lake: {kind: postgres, host: h, database: d, user: u}
  Shop: {kind: postgres, host: h, database: d, user: u}
  a: {kind: postgres, host: h, database: d, user: u, password: plain}
  b: {kind: postgre, host: h}
  c: {kind: files, tables: {x: 'https://h/*.parquet', y: 'ftp://h/x.csv', z: /data/x}}
  d: {kind: delta}
  e: {kind: iceberg, url: catalog, warehouse: w, locations: [/]}
  f: {kind: postgres, host: h, database: d, user: u, tls: maybe, port: 0, pasword: x}
  g: 5
""")
    done = tarn.run("check", check=2)
    for line in ("tarn.yml:3:3: 'lake' already means something", "tarn.yml:4:3: 'Shop' cannot be the name",
                 "password is never written here", "tarn.yml:6:", "a web server has no list of its files",
                 "is no path, and no address", "does not say what it is", "kind delta needs tables", "url is an address",
                 "location '/' is not a folder", "port 0 is not between", "did you mean 'password'", "'g' must be a map"):
        assert line in done.stderr, (line, done.stderr)


def test_the_api_lists_attachments(shop, tarn):
    shop.write("tarn.yml", (shop.project / "tarn.yml").read_text() + f"""  away: {{kind: postgres, host: 127.0.0.1, port: {free_port()}, database: d, user: u}}
""")
    server = Server(shop)
    try:
        assert server.json("/api/v1/attachments") == {"attachments": [{"name": "shop", "kind": "postgres"}, {"name": "away", "kind": "postgres"}]}
        answer = server.json("/api/v1/attachments/shop")
        assert (answer["kind"], answer["read_only"], answer["problem"]) == ("postgres", True, "")
        best = next(table for table in answer["tables"] if table["name"] == "Best")
        assert best == {"schema": "Other", "name": "Best", "columns": [{"name": "id", "type": "INTEGER"}, {"name": "score", "type": "DECIMAL(10,2)"}]}
        away = server.json("/api/v1/attachments/away")
        assert away["tables"] == [] and "attachment away" in away["problem"]
        assert server.request("/api/v1/attachments/nothing")[0] == 404
    finally:
        server.stop()
