"""One chart over 5 million rows, computed anew each time: a tile of a board beside Superset's chart on the same rows in DuckDB.

    ./dev bench superset     (fetches Superset the first time, 1 GB; takes some minutes)

Superset runs as its own documents say for one machine: gunicorn with one worker of 8 threads, its records in SQLite.
"""

import contextlib
import json
import os
import pathlib
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from measure import DEPS, TARN, machine, median, show

ROWS = 5_000_000
REPEATS = 15
PEER = DEPS / "bench-superset-venv" / "bin"
MAKE_ROWS = f"select i as minute, 'S' || (i % 50) as symbol, 100 + (i * 7919 % 1000) / 100.0::double as close, " \
    f"(i * 104729 % 10000)::bigint as volume from range({ROWS}) r(i)"
BOARD = """title: B
filters: {least: {type: number, default: 0}}
tiles:
  - type: table
    title: T
    query: >
      select symbol, max(close), min(close), sum(volume), avg(close) from bars where volume >= $least group by symbol
"""
CONFIG = """SECRET_KEY = "of a benchmark, not a secret: 0123456789abcdef"
SQLALCHEMY_DATABASE_URI = "sqlite:///{0}/superset.db"
WTF_CSRF_ENABLED = False
TALISMAN_ENABLED = False
PREVENT_UNSAFE_DB_CONNECTIONS = False
"""


def request(url, body=None, headers=None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, {"Content-Type": "application/json", **(headers or {})})) as answer:
        return answer.read()


def median_ms(ask):
    took = []
    for repeat in range(REPEATS):
        began = time.perf_counter()
        ask(repeat)
        took.append((time.perf_counter() - began) * 1000)
    return median(took)


@contextlib.contextmanager
def running(command, env, url):
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 300
        while True:
            try:
                request(url)
                break
            except urllib.error.URLError:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise
                time.sleep(0.2)
        yield
    finally:
        process.terminate()
        process.wait()


def tarn_ms(folder):
    home = folder / "home"
    (home / "boards").mkdir(parents=True)
    (home / "tarn.yml").write_text("name: home\n")
    (home / "boards/b.yml").write_text(BOARD)
    subprocess.run([TARN, "--project", home, "sql", f"create table bars as {MAKE_ROWS}"], check=True, capture_output=True)
    server = subprocess.Popen([TARN, "--project", home, "serve", "--http", "127.0.0.1:0"], stdout=subprocess.DEVNULL)
    try:
        while not (home / ".tarn/server.json").exists():
            time.sleep(0.02)
        time.sleep(0.3)
        url = json.loads((home / ".tarn/server.json").read_text())["url"]
        headers = {"Authorization": f"Bearer {(home / '.tarn/token').read_text().strip()}"}

        def ask(repeat):  # another value each time: no answer is kept
            lines = request(f"{url}/api/v1/boards/b/data", {"filters": {"least": repeat - REPEATS}}, headers).splitlines()
            assert len(json.loads(lines[1])["rows"]) == 50, lines

        return median_ms(ask)
    finally:
        server.terminate()
        server.wait()


def superset_ms(folder):
    home = folder / "superset"
    home.mkdir()
    (home / "superset_config.py").write_text(CONFIG.format(home))
    env = {**os.environ, "SUPERSET_CONFIG_PATH": str(home / "superset_config.py"), "FLASK_APP": "superset", "SUPERSET_HOME": str(home)}
    subprocess.run([PEER / "python", "-c", f"import duckdb; duckdb.connect({str(home / 't.duckdb')!r}).execute({'create table bars as ' + MAKE_ROWS!r})"],
                   check=True)
    for command in (["db", "upgrade"], ["fab", "create-admin", "--username", "a", "--firstname", "a", "--lastname", "a", "--email", "a@example.org",
                                        "--password", "admin"], ["init"]):
        subprocess.run([PEER / "superset", *command], env=env, check=True, capture_output=True)
    serve = [PEER / "gunicorn", "-w", "1", "-k", "gthread", "--threads", "8", "--timeout", "120", "-b", "127.0.0.1:18088", "superset.app:create_app()"]
    with running(serve, env, "http://127.0.0.1:18088/health"):
        api = "http://127.0.0.1:18088/api/v1"
        login = json.loads(request(f"{api}/security/login", {"username": "a", "password": "admin", "provider": "db", "refresh": True}))
        headers = {"Authorization": f"Bearer {login['access_token']}"}
        database = json.loads(request(f"{api}/database/", {"database_name": "d", "sqlalchemy_uri": f"duckdb:///{home}/t.duckdb"}, headers))["id"]
        dataset = json.loads(request(f"{api}/dataset/", {"database": database, "schema": "main", "table_name": "bars"}, headers))["id"]

        def metric(column, function):
            return {"expressionType": "SIMPLE", "column": {"column_name": column}, "aggregate": function, "label": f"{function}_{column}"}

        chart = {"datasource": {"id": dataset, "type": "table"}, "force": True, "result_format": "json", "result_type": "full", "queries": [{
            "columns": ["symbol"], "row_limit": 1000, "orderby": [],
            "metrics": [metric("close", "MAX"), metric("close", "MIN"), metric("volume", "SUM"), metric("close", "AVG")]}]}

        def ask(repeat):
            assert json.loads(request(f"{api}/chart/data", chart, headers))["result"][0]["rowcount"] == 50

        return median_ms(ask)


def main():
    machine()
    with tempfile.TemporaryDirectory() as text:
        folder = pathlib.Path(text)
        ours = tarn_ms(folder)
        show("a chart of 5 million rows", ours, superset_ms(folder), "ms")


if __name__ == "__main__":
    main()
