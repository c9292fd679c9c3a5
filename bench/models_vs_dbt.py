"""A project of 12 models, 3 seeds and 12 data tests: Tarn against dbt-core with dbt-duckdb on the same files.

    ./dev bench models_vs_dbt [REPEATS]

Promises: the cold build at least 5 times faster than dbt; a run that changes nothing 900 ms alone, 150 ms with a server.
"""

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import pathlib

from measure import DEPS, TARN, machine, median, show, show_limit, timed

REPEATS = int(sys.argv[1]) if len(sys.argv) > 1 else 5
ROWS = 2000

STAGING = {
    "stg_symbols": "select symbol, sector from {{ ref('symbols') }}",
    "stg_ticks": "select id, symbol, cast(ts as timestamp) as ts, close, volume from {{ ref('ticks') }}",
    "stg_trades": "select id, symbol, cast(ts as timestamp) as ts, qty, price from {{ ref('trades') }}",
    "int_daily": "select symbol, date_trunc('day', ts) as day, max(close) as hi, min(close) as lo, sum(volume) as vol from {{ ref('stg_ticks') }} group by 1, 2",
    "int_trades": "select t.*, s.sector from {{ ref('stg_trades') }} t join {{ ref('stg_symbols') }} s using (symbol)",
    "int_vwap": "select symbol, date_trunc('day', ts) as day, sum(qty * price) / sum(qty) as vwap from {{ ref('stg_trades') }} group by 1, 2",
}
MARTS = {
    "fct_daily": """{{ config(materialized='incremental', unique_key=['symbol', 'day']) }}
select d.symbol, d.day, d.hi, d.lo, d.vol, v.vwap
from {{ ref('int_daily') }} d left join {{ ref('int_vwap') }} v on d.symbol = v.symbol and d.day = v.day
{% if is_incremental() %} where d.day >= (select max(day) from {{ this }}) {% endif %}""",
    "fct_trades": """{{ config(materialized='incremental', unique_key='id') }}
select * from {{ ref('int_trades') }} {% if is_incremental() %} where ts >= (select max(ts) from {{ this }}) {% endif %}""",
    "dim_symbols": "select symbol, sector, count(*) over (partition by sector) as n from {{ ref('stg_symbols') }}",
    "mart_sector": "select sector, sum(qty * price) as notional from {{ ref('fct_trades') }} group by 1",
    "mart_top": "select symbol, sum(vol) as vol from {{ ref('fct_daily') }} group by 1 order by 2 desc limit 10",
    "mart_summary": "select s.sector, count(*) as n, avg(f.vwap) as vwap from {{ ref('fct_daily') }} f join {{ ref('dim_symbols') }} s using (symbol) group by 1",
}
TESTED = {"stg_symbols": "symbol", "stg_ticks": "id", "stg_trades": "id", "fct_trades": "id", "dim_symbols": "symbol", "mart_sector": "sector"}


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def make_project(folder):
    dice = random.Random(1)
    symbols = [f"S{i:04d}" for i in range(100)]
    write(folder / "seeds/symbols.csv", "symbol,sector\n" + "".join(f"{s},sec{i % 10}\n" for i, s in enumerate(symbols)))
    write(folder / "seeds/ticks.csv", "id,symbol,ts,close,volume\n" + "".join(
        f"{i},{dice.choice(symbols)},2026-01-{1 + i % 28:02d} 10:00:00,{100 + dice.random() * 10:.2f},{dice.randint(1, 1000)}\n" for i in range(ROWS)))
    write(folder / "seeds/trades.csv", "id,symbol,ts,qty,price\n" + "".join(
        f"{i},{dice.choice(symbols)},2026-01-{1 + i % 28:02d} 11:00:00,{dice.randint(1, 100)},{100 + dice.random() * 10:.2f}\n" for i in range(ROWS)))
    for name, sql in STAGING.items():
        write(folder / f"models/staging/{name}.sql", sql + "\n")
    for name, sql in MARTS.items():
        write(folder / f"models/marts/{name}.sql", sql + "\n")
    write(folder / "models/schema.yml", "version: 2\nmodels:\n" + "".join(
        f"  - name: {m}\n    columns:\n      - name: {c}\n        data_tests: [unique, not_null]\n" for m, c in TESTED.items()))
    write(folder / "dbt_project.yml", "name: small\nversion: '1.0'\nconfig-version: 2\nprofile: p\nmodels:\n  small:\n"
          "    staging: {+materialized: view}\n    marts: {+materialized: table}\n")
    write(folder / "profiles.yml", f"p:\n  target: dev\n  outputs:\n    dev: {{type: duckdb, path: {folder}/db.duckdb, threads: 2}}\n")
    write(folder / "tarn.yml", "name: small\n")


def dbt(folder):
    env = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"}
    return timed([DEPS / "bench-venv/bin/dbt", "--no-use-colors", "build", "--profiles-dir", "."], cwd=folder, env=env)


def tarn(folder, *args):
    return timed([TARN, "--project", folder, *args])


def cold(folder, state, build):
    for name in state:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    return build()


def with_server(folder):
    server = subprocess.Popen([str(TARN), "--project", str(folder), "serve", "--http", "127.0.0.1:0"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while not (folder / ".tarn/server.json").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.5)
    times = [tarn(folder, "run")[0] for _ in range(REPEATS)]
    server.terminate()
    server.wait()
    return median(times)


def main():
    machine()
    with tempfile.TemporaryDirectory() as scratch:
        ours, theirs = pathlib.Path(scratch) / "tarn", pathlib.Path(scratch) / "dbt"
        make_project(ours)
        make_project(theirs)
        cold_ours, cold_theirs, again_ours, again_theirs = [], [], [], []
        for _ in range(REPEATS):
            cold_ours.append(cold(ours, [".tarn"], lambda: tarn(ours, "run"))[0])
            cold_theirs.append(cold(theirs, ["target", "db.duckdb"], lambda: dbt(theirs))[0])
            again_ours.append(tarn(ours, "run")[0])
            again_theirs.append(dbt(theirs)[0])
        show("cold build of 12 models", median(cold_ours), median(cold_theirs), "s", bar=0.2)
        show("the same again", median(again_ours), median(again_theirs), "s")
        show_limit("run again, alone", median(again_ours) * 1000, 900, "ms")
        show_limit("run again, with a server", with_server(ours) * 1000, 150, "ms")


if __name__ == "__main__":
    main()
