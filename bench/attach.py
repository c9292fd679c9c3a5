"""Attachments: an aggregate and a selective filter over 5 million rows in PostgreSQL, and over the same rows in a folder of Parquet
files, through `attach:` of a running server beside plain DuckDB with the same extension. Both sides are warm; medians of five.

    ./dev bench attach
"""

import pathlib
import shutil
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))

import duckdb  # noqa: E402
from conftest import DEPS, Tarn  # noqa: E402
from measure import machine, median, show  # noqa: E402
from postgres_server import Postgres  # noqa: E402
from tarn_server import Server  # noqa: E402

ROWS = 5_000_000
RUNS = 5
QUERIES = {
    "aggregate": "select customer % 10 as c, count(*) as n, sum(amount) as s from {} group by all order by 1",
    "selective filter": "select count(*) as n, sum(amount) as s from {} where id between 1000000 and 1001000",
}


def take(ask, sql):
    times, answer = [], None
    ask(sql)
    for _ in range(RUNS):
        began = time.perf_counter()
        answer = ask(sql)
        times.append(time.perf_counter() - began)
    return median(times), answer


def fill(postgres):
    postgres.run("create database shop")
    postgres.run("create table orders(id int primary key, customer int, amount int, note text)", "shop")
    for first in range(0, ROWS, 500_000):
        postgres.run(f"insert into orders select i, i % 1000, i % 77, 'order ' || i from generate_series({first + 1}, {first + 500_000}) i",
                     "shop")
    postgres.run("analyze orders", "shop")


def main():
    machine()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tarn-attach-"))
    postgres = Postgres()
    try:
        fill(postgres)
        peer = duckdb.connect(config={"allow_unsigned_extensions": "false"})
        peer.load_extension(str(DEPS / "extensions" / "postgres_scanner.duckdb_extension"))
        peer.execute(f"attach 'host=127.0.0.1 port={postgres.port} dbname=shop user=owner password={postgres.password}' as shop (type postgres, read_only)")
        (folder / "orders").mkdir()
        for part in range(5):
            peer.execute(f"copy (select * from shop.orders where id % 5 = {part}) to '{folder}/orders/{part}.parquet' (format parquet)")
        (folder / "password").write_text(postgres.password)
        (folder / "tarn.yml").write_text(f"""name: home
attach:
  shop: {{kind: postgres, host: 127.0.0.1, port: {postgres.port}, database: shop, user: owner, password: "${{file:password}}"}}
  here: {{kind: files, tables: {{orders: orders/*.parquet}}}}
""")
        server = Server(Tarn(folder))
        try:
            for what, ours, theirs in (("PostgreSQL", "shop.orders", "shop.public.orders"),
                                       ("Parquet", "here.orders", f"'{folder}/orders/*.parquet'")):
                for name, sql in QUERIES.items():
                    mine, _ = take(lambda text: server.json("/api/v1/sql", {"sql": text}), sql.format(ours))
                    other, rows = take(lambda text: peer.execute(text).fetchall(), sql.format(theirs))
                    assert rows
                    show(f"{what}, {name}", mine, other, "s")
        finally:
            server.stop()
    finally:
        postgres.close()
        shutil.rmtree(folder, ignore_errors=True)


main()
