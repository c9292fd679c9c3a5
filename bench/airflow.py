"""Ten tasks one after the other, each `true` in a shell: a flow beside Airflow's DAG.

    ./dev bench airflow      (fetches Airflow the first time; takes some minutes)

Airflow runs as `airflow standalone` does (LocalExecutor, SQLite). Both are asked to run by their command line; what is measured is
the run itself, from when it was queued to its end, by their own records.
"""

import contextlib
import datetime
import json
import os
import pathlib
import sqlite3
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from measure import DEPS, TARN, machine, median, show

TASKS = 10
REPEATS = 3
PEER = DEPS / "bench-airflow-venv" / "bin"
PORT = 18080
DAG = """import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG("chain", schedule=None, start_date=pendulum.datetime(2026, 1, 1), catchup=False):
    before = None
    for i in range({0}):
        task = BashOperator(task_id=f"t{{i:02d}}", bash_command="true")
        if before is not None:
            before >> task
        before = task
"""


def seconds_between(begin, end):
    parse = datetime.datetime.fromisoformat
    return (parse(end) - parse(begin)).total_seconds()


def tarn_seconds(folder):
    home = folder / "home"
    (home / "flows").mkdir(parents=True)
    (home / "tarn.yml").write_text("name: home\n")
    (home / "flows/chain.yml").write_text("in_sequence: true\ntasks:\n" + "".join(f"  t{i:02d}: {{shell: 'true'}}\n" for i in range(TASKS)))
    tarn = [TARN, "--project", home]
    server = subprocess.Popen([*tarn, "serve", "--http", "127.0.0.1:0"], stdout=subprocess.DEVNULL)
    try:
        while not (home / ".tarn/server.json").exists():
            time.sleep(0.02)
        time.sleep(0.3)
        for _ in range(REPEATS):
            subprocess.run([*tarn, "flow", "chain"], check=True, capture_output=True)
        rows = json.loads(subprocess.run([*tarn, "sql", "--json", "select started_at, finished_at from _tarn.runs where state = 'done'"], check=True,
                                         capture_output=True, text=True).stdout)
        assert len(rows) == REPEATS, rows
        return median([seconds_between(row["started_at"], row["finished_at"]) for row in rows])
    finally:
        server.terminate()
        server.wait()


def wait_until(what, seconds=300):
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "Airflow does not come so far"
        time.sleep(0.2)


def is_healthy():
    with contextlib.suppress(urllib.error.URLError, ConnectionError):
        return urllib.request.urlopen(f"http://127.0.0.1:{PORT}/api/v2/monitor/health").status == 200
    return False


def airflow_seconds(folder):
    home = folder / "airflow"
    (home / "dags").mkdir(parents=True)
    (home / "dags/chain.py").write_text(DAG.format(TASKS))
    env = {**os.environ, "AIRFLOW_HOME": str(home), "PATH": f"{PEER}:{os.environ['PATH']}", "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
           "AIRFLOW__CORE__EXECUTOR": "LocalExecutor", "AIRFLOW__API__PORT": str(PORT), "AIRFLOW__API__WORKERS": "1",
           "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{PORT}", "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
           "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{PORT}/execution/", "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5"}

    def ask(sql):
        with contextlib.closing(sqlite3.connect(home / "airflow.db", timeout=20)) as db, contextlib.suppress(sqlite3.OperationalError):
            return db.execute(sql).fetchall()
        return []

    subprocess.run([PEER / "airflow", "db", "migrate"], env=env, check=True, capture_output=True)
    server = subprocess.Popen([PEER / "airflow", "standalone"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_until(is_healthy)
        wait_until(lambda: ask("select 1 from dag where dag_id = 'chain'"))
        for repeat in range(REPEATS):
            subprocess.run([PEER / "airflow", "dags", "trigger", "chain", "-r", f"r{repeat}"], env=env, check=True, capture_output=True)
            wait_until(lambda repeat=repeat: ask(f"select 1 from dag_run where run_id = 'r{repeat}' and state in ('success', 'failed')"))
        rows = ask("select queued_at, end_date from dag_run where state = 'success'")
        assert len(rows) == REPEATS, rows
        return median([seconds_between(*row) for row in rows])
    finally:
        os.killpg(server.pid, 15)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, 9)


def main():
    machine()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as text:
        folder = pathlib.Path(text)
        ours = tarn_seconds(folder)
        show("ten tasks in a row", ours, airflow_seconds(folder), "s")


if __name__ == "__main__":
    main()
