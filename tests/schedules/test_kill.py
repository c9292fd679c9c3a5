"""Goal: under schedules of every few seconds, kill -9 at any moment loses no due time and does none twice.
Method: a server is killed again and again at random moments; at the end each due time is in exactly one record, each
record that ran has exactly one run that is done, and each such run exactly its rows."""

import contextlib
import http.server
import json
import os
import random
import sqlite3
import threading
import time

import pytest

from tarn_server import Server

KILLS = int(os.environ.get("TARN_KILLS", "20"))
SECOND = 1_000_000

PROJECT = """name: home
allow_private_addresses: true
schedules:
  every_second: {run: [ticks+], every: 1s}
  each_one: {run: [tocks], every: 3s, catch_up: all}
"""


@pytest.fixture
def counter():
    """URL of a server whose answers are numbered."""
    lock, count = threading.Lock(), [0]

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            with lock:
                count[0] += 1
                body = json.dumps([{"n": count[0]}, {"n": -count[0]}]).encode()
            with contextlib.suppress(OSError):
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def due_rows(tarn, schedule):
    with contextlib.closing(sqlite3.connect(f"file:{tarn.data}/control.sqlite?mode=ro", uri=True)) as db:
        db.row_factory = sqlite3.Row
        return [dict(row) for row in db.execute("select * from due where schedule = ? order by due_at", (schedule,))]


def check_schedule(tarn, schedule, every, source):
    rows = due_rows(tarn, schedule)
    while rows[-1]["state"] == "waiting" and rows[-1]["tries"] == 0:
        rows.pop()  # the pause at the end came before its turn
    for before, row in zip(rows, rows[1:], strict=False):
        assert row["first_due_at"] == before["due_at"] + every * SECOND, "a due time is missing or twice"
    for row in rows:
        assert row["state"] == "done", row
        assert row["count"] == (row["due_at"] - row["first_due_at"]) // (every * SECOND) + 1, row
    runs = tarn.rows(f"select run, state from _tarn.runs where schedule = '{schedule}'")
    assert sorted(run["run"] for run in runs) == sorted(row["run_id"] for row in rows)
    assert {run["state"] for run in runs} == {"done"}
    loaded = tarn.rows(f"select _tarn_run as run, count(*) as rows, sum(n)::bigint as n from {source} group by 1")
    assert {row["run"]: (row["rows"], row["n"]) for row in loaded} == {run["run"]: (2, 0) for run in runs}
    assert tarn.rows(f"select count(*) - count(distinct n) as twice from {source}") == [{"twice": 0}]
    return rows


def settle(server):
    """Pauses the schedules and waits until nothing of them is open."""
    for name in ("every_second", "each_one"):
        server.json(f"/api/v1/schedules/{name}/pause", {})
    deadline = time.monotonic() + 60
    while True:
        listed = server.json("/api/v1/schedules")["schedules"]
        if not any(due["state"] == "running" for one in listed for due in one["open"]):
            return
        assert time.monotonic() < deadline, listed
        time.sleep(0.05)


def test_kills_under_schedules(tarn, counter):
    seed = int(os.environ.get("TARN_SEED", random.randrange(1 << 30)))
    print(f"seed: {seed}")
    dice = random.Random(seed)
    tarn.write("tarn.yml", PROJECT)
    for source in ("ticks", "tocks"):
        tarn.write(f"sources/{source}.yml", f"kind: http\nurl: {counter}/{source}\nmode: append\ncolumns: {{n: bigint}}\n")
    tarn.write("models/total.sql", "{{ config(materialized='table') }}\nselect count(*) as n from {{ source('ticks') }}\n")
    for _ in range(KILLS):
        server = Server(tarn)
        time.sleep(dice.uniform(0.0, 1.6))
        server.process.kill()
        server.process.communicate()
        (tarn.data / "server.json").unlink(missing_ok=True)
    server = Server(tarn)
    deadline = time.monotonic() + 120
    # All that was missed, and some that nobody disturbed.
    while True:
        listed = {one["name"]: one for one in server.json("/api/v1/schedules")["schedules"]}
        if all(len(one["open"]) <= 1 and one["last"] for one in listed.values()) and \
                sum(row["state"] == "done" for row in due_rows(tarn, "each_one")) >= 3:
            break
        assert time.monotonic() < deadline, listed
        time.sleep(0.1)
    settle(server)
    assert server.stop()[0] == 0
    ticks = check_schedule(tarn, "every_second", 1, "ticks")
    tocks = check_schedule(tarn, "each_one", 3, "tocks")
    assert all(row["count"] == 1 for row in tocks)
    assert tarn.rows("select n from total") == [{"n": 2 * len(ticks)}]
    print(f"{KILLS} kills, {len(ticks)} + {len(tocks)} runs, {sum(row['count'] for row in ticks)} due times of the first")
