"""Goal: files, Iceberg and Delta tables that lie on S3 are read with the keys that tarn.yml names by reference, and with nothing
else: no key gets out, a wrong one is one sentence, no statement of a person reaches another place of the store.
Method: moto as a store that checks signatures and policies; files of pyarrow, tables of pyiceberg and the Delta library."""

import json
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.catalog import load_catalog

from conftest import DEPS
from s3_server import REGION, S3, Catalog
from tarn_server import Server

ROWS = pa.table({"id": pa.array(range(1000), pa.int64()), "city": [f"c{i % 10}" for i in range(1000)]})


@pytest.fixture(scope="module")
def s3():
    store = S3()
    for day in range(3):
        pq.write_table(ROWS.slice(day * 300, 300), f"shop/trips/day={day}/part.parquet", filesystem=store.files)
    store.put("shop/plain/stations.csv", b"a,b\n1,x\n2,y\n")
    store.put("shop/plain/secret.csv", b"a\n1\n")
    store.put("other/hidden.csv", b"a\n1\n")
    yield store
    store.close()


def settings(s3, indent="    "):
    return (f"{indent}s3: {{key_id: {s3.reader['key']}, secret: '${{env:SHOP_S3}}', region: {REGION}, endpoint: '{s3.endpoint}', "
            "url_style: path, tls: false}\n")


def attach(tarn, s3, text, secret=None):
    tarn.write("tarn.yml", "name: home\nattach:\n" + text)
    tarn.env.update(SHOP_S3=secret or s3.reader["secret"], no_proxy="127.0.0.1", NO_PROXY="127.0.0.1")
    # Those of whoever started Tarn, which open the store as well, are never taken.
    tarn.env.update(AWS_ACCESS_KEY_ID=s3.owner["key"], AWS_SECRET_ACCESS_KEY=s3.owner["secret"], AWS_REGION=REGION)
    return tarn


def files(tarn, s3, secret=None, keys=True):
    return attach(tarn, s3, f"""  open:
    kind: files
    timeout_seconds: 10
    tables:
      trips: s3://shop/trips/*/*.parquet
      stations: s3://shop/plain/stations.csv
      gone: s3://shop/plain/gone.csv
""" + (settings(s3) if keys else settings(s3).replace(f"key_id: {s3.reader['key']}, secret: '${{env:SHOP_S3}}', ", "")), secret)


def failure(tarn, sql, code=None):
    done = tarn.run("sql", sql, check=code)
    assert done.returncode != 0, done.stdout
    return done.stderr.strip()


def no_secret_in(tarn, s3, *texts):
    secrets = [s3.reader["secret"], s3.owner["secret"]]
    for text in texts:
        assert not any(secret in text for secret in secrets), text
    for path in tarn.data.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(secret.encode() in content for secret in secrets), path


def test_files(tarn, s3):
    files(tarn, s3)
    assert tarn.rows("select count(*) as n, sum(id)::bigint as s from open.trips") == [{"n": 900, "s": sum(range(900))}]
    assert tarn.rows("select city, count(*) as n from open.trips where id >= 890 group by all order by 1 limit 2") == [
        {"city": "c0", "n": 1}, {"city": "c1", "n": 1}]
    assert tarn.rows("select * from open.stations order by a") == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
    message = failure(tarn, "select * from open.gone", 4)
    assert "attachment open" in message and "404" in message
    no_secret_in(tarn, s3, message)


def test_a_wrong_key_is_one_sentence(tarn, s3):
    files(tarn, s3, secret="wrong-secret-31")
    for table in ("trips", "stations"):
        message = failure(tarn, f"select * from open.{table}", 4)
        assert "attachment open" in message and "403" in message and "wrong-secret-31" not in message and "\n" not in message, message
    files(tarn, s3, keys=False)  # none at all, though the environment has some (moto answers 500 to who is nobody)
    message = failure(tarn, "select * from open.stations", 4)
    assert "attachment open" in message and "HTTP" in message, message
    files(tarn, s3).env.pop("SHOP_S3")
    assert "SHOP_S3" in failure(tarn, "select * from open.stations", 2)


@pytest.mark.parametrize("statement", [
    "select * from read_csv('s3://shop/plain/secret.csv')",
    "select * from read_csv('s3://other/hidden.csv')",
    "select * from 's3://other/hidden.csv'",
    "select * from open.public.'s3://other/hidden.csv'",
    "select * from glob('s3://other/*')",
    "copy (select 1) to 's3://shop/plain/mine.csv'",
    "select * from duckdb_secrets()",
    "select * from which_secret('s3://shop/x', 's3')",
    "set s3_endpoint = 'example.org'",
    "create secret (type s3, key_id 'x', secret 'y')",
    "attach 's3://other/x.duckdb' as o",
])
def test_a_statement_reaches_nothing_else(tarn, s3, statement):
    files(tarn, s3)
    done = tarn.run("sql", f"select count(*) from open.stations; {statement}", check=None)
    assert done.returncode != 0, done.stdout
    no_secret_in(tarn, s3, done.stdout, done.stderr)


def test_an_iceberg_catalog_on_s3(tarn, s3):
    catalog = Catalog(s3)
    try:
        table = load_catalog("x", type="rest", uri=catalog.url, **s3.iceberg).create_table("shop.people", schema=ROWS.schema)
        table.append(ROWS)
        table.append(ROWS.slice(0, 10))
        iceberg = f"""  partner:
    kind: iceberg
    url: {catalog.url}
    warehouse: lake
    schema: shop
    timeout_seconds: 10
    locations: [PLACE]
"""
        attach(tarn, s3, iceberg.replace("PLACE", "s3://shop/lake/") + settings(s3))
        assert tarn.rows("select count(*) as n, max(id) as m from partner.people") == [{"n": 1010, "m": 999}]
        table.delete("id < 500")
        assert tarn.rows("select count(*) as n, min(city) as c from partner.shop.people where city <> 'c0'") == [{"n": 450, "c": "c1"}]
        # The store lets it; tarn.yml does not.
        attach(tarn, s3, iceberg.replace("PLACE", "s3://shop/elsewhere/") + settings(s3))
        message = failure(tarn, "select * from partner.people")
        assert "attachment partner" in message and "disabled" in message
        attach(tarn, s3, iceberg.replace("PLACE", "s3://shop/lake/") + settings(s3), "wrong-secret-32")
        message += failure(tarn, "select * from partner.people", 4)
        assert "403" in message and "wrong-secret-32" not in message, message
        no_secret_in(tarn, s3, message)
    finally:
        catalog.close()


def test_delta_tables_on_s3(tarn, s3, tmp_path):
    script = tmp_path / "make.py"
    script.write_text("""
import json, sys
import deltalake
from arro3.core import Array, DataType, Table
options = json.loads(sys.argv[1])
def rows(a, b):
    return Table.from_pydict({"id": Array(list(range(a, b)), type=DataType.int64())})
deltalake.write_deltalake("s3://shop/delta/orders", rows(0, 100), storage_options=options)
deltalake.write_deltalake("s3://shop/delta/orders", rows(100, 200), mode="append", storage_options=options)
deltalake.DeltaTable("s3://shop/delta/orders", storage_options=options).delete("id >= 150")
""")
    subprocess.run([DEPS / "delta-venv" / "bin" / "python", script, json.dumps(s3.delta)], check=True)
    delta = "  sales:\n    kind: delta\n    timeout_seconds: 10\n    tables: {orders: s3://shop/delta/orders, gone: s3://shop/delta/gone}\n"
    attach(tarn, s3, delta + settings(s3))
    assert tarn.rows("select count(*) as n, max(id) as m from sales.orders") == [{"n": 150, "m": 149}]
    message = failure(tarn, "select * from sales.gone")
    assert "attachment sales" in message
    attach(tarn, s3, delta + settings(s3), "wrong-secret-33")
    message += failure(tarn, "select * from sales.orders", 4)
    assert message.count("attachment sales") == 2 and "wrong-secret-33" not in message
    no_secret_in(tarn, s3, message)


def test_a_server_keeps_its_keys_to_itself(tarn, s3):
    files(tarn, s3)
    server = Server(tarn)
    try:
        asked = [server.request("/api/v1/sql", {"sql": sql})[1].decode() for sql in (
            "select count(*) from open.trips", "select * from open.gone", "explain analyze select * from open.trips",
            "select * from duckdb_settings()", "select * from duckdb_secrets()", "select * from _tarn.statements")]
        asked.append(server.request("/api/v1/attachments/open")[1].decode())
        assert '"problem":""' in asked[-1].replace(" ", "") and '"trips"' in asked[-1]
    finally:
        _, out, errors = server.stop()
    no_secret_in(tarn, s3, *asked, out, errors)
