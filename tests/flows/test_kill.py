"""Goal: under a schedule of flows, kill -9 at any moment loses no due time and does none twice: what SQL did is there
exactly once, what was done outside at most once, and where nobody can know it is told as unknown. Method: a server is
killed again and again at random moments; a real HTTP server counts by Idempotency-Key, scripts write to a file."""

import collections
import contextlib
import os
import random
import sqlite3
import time

from hook_server import hook  # noqa: F401 (a fixture)
from tarn_server import Server

KILLS = int(os.environ.get("TARN_KILLS", "12"))
SECOND = 1_000_000

FLOW = """
tasks:
  note: {{sql: "create table if not exists notes (run text); create table if not exists parts (run text, i bigint);
    insert into notes values ($run.id)"}}
  each: {{sql: "insert into parts values ($run.id, $row.i); select i from parts where run = $run.id and i = $row.i", for_each: from range(3) t(i), after: note}}
  tell: {{http: {{url: "{url}/slow/0.05", method: POST}}, after: note}}
  repeat: {{http: {{url: "{url}/repeat", method: POST}}, after: note, repeatable: true}}
  build: {{run: [sums], after: each}}
  write: {{shell: "echo start $TARN_RUN >> $TARN_PROJECT/seen; sleep 0.05; echo end $TARN_RUN >> $TARN_PROJECT/seen", after: each}}
  rows: {{http: {{url: "{url}/row/${{row.i}}", method: POST}}, for_each: from range(2) t(i), after: each}}
  last: {{sql: "insert into notes values ('last ' || $run.id)", after: [build, tell, repeat, write, rows], if_before: ended}}
"""


def due_rows(tarn):
    with contextlib.closing(sqlite3.connect(f"file:{tarn.data}/control.sqlite?mode=ro", uri=True)) as db:
        db.row_factory = sqlite3.Row
        return [dict(row) for row in db.execute("select * from due order by due_at")]


def settle(server):
    server.json("/api/v1/schedules/often/pause", {})
    deadline = time.monotonic() + 60
    while any(due["state"] == "running" for one in server.json("/api/v1/schedules")["schedules"] for due in one["open"]):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def check_outside(tarn, runs, tasks, hook):
    """Each task that is done was done once, any other at most once; those that may be repeated at least once."""
    calls = collections.Counter(call["key"] for call in hook.calls)
    seen = collections.Counter((tarn.project / "seen").read_text().splitlines())
    unknown = 0
    for run in runs:
        for task, state in tasks[run].items():
            unknown += state == "unknown"
            assert state in ("done", "unknown"), (run, task, state)
            if task in ("f/tell", "f/rows[1]", "f/rows[2]"):
                assert calls.pop(f"{run}/{task}", 0) in ((1,) if state == "done" else (0, 1)), (run, task, state)
            if task == "f/repeat":
                assert state == "done" and calls.pop(f"{run}/{task}") >= 1
            if task == "f/write":
                done = state == "done"
                assert seen.pop(f"start {run}", 0) in ((1,) if done else (0, 1)) and seen.pop(f"end {run}", 0) in ((1,) if done else (0, 1))
    assert not calls and not seen, "something was done that no task did"
    return unknown


def test_kills_under_flows(tarn, hook):
    seed = int(os.environ.get("TARN_SEED", random.randrange(1 << 30)))
    print(f"seed: {seed}")
    dice = random.Random(seed)
    tarn.write("tarn.yml", "name: home\nallow_private_addresses: true\nschedules:\n  often: {run: ['flow:f'], every: 1s, catch_up: all}\n")
    tarn.write("flows/f.yml", FLOW.format(url=hook.url))
    tarn.write("models/sums.sql", "{{ config(materialized='table') }}\nselect 1 as n\n")
    for _ in range(KILLS):
        server = Server(tarn)
        time.sleep(dice.uniform(0.0, 1.8))
        server.process.kill()
        server.process.communicate()
        (tarn.data / "server.json").unlink(missing_ok=True)
    server = Server(tarn)
    deadline = time.monotonic() + 120
    while sum(row["state"] == "done" for row in due_rows(tarn)) < 4:
        assert time.monotonic() < deadline, due_rows(tarn)[-3:]
        time.sleep(0.1)
    settle(server)
    assert server.stop()[0] == 0
    rows = due_rows(tarn)
    while rows[-1]["state"] == "waiting" and rows[-1]["tries"] == 0:
        rows.pop()  # the pause at the end came before its turn
    for before, row in zip(rows, rows[1:], strict=False):
        assert row["first_due_at"] == before["due_at"] + SECOND, "a due time is missing or twice"
    runs = [row["run_id"] for row in rows]
    assert len(set(runs)) == len(runs)
    tasks = collections.defaultdict(dict)
    for row in tarn.rows("select run, task, state from _tarn.tasks where task like 'f/%'"):
        tasks[row["run"]][row["task"]] = row["state"]
    unknown = check_outside(tarn, runs, tasks, hook)
    for row in rows:
        states = tasks[row["run_id"]]
        assert row["state"] == ("failed" if "unknown" in states.values() else "done"), (row, states)
    # SQL: exactly once each, whatever was killed.
    notes = collections.Counter(row["run"] for row in tarn.rows("select run from notes"))
    assert notes == collections.Counter(runs + [f"last {run}" for run in runs])
    parts = collections.Counter((row["run"], row["i"]) for row in tarn.rows("select run, i from parts"))
    assert parts == collections.Counter((run, i) for run in runs for i in range(3))
    # Results are those of what was committed.
    wrong = tarn.rows("select task, input, result from _tarn.tasks where task like 'f/each[%' and input <> result")
    assert wrong == []
    assert tarn.rows("select count(*) as n from _tarn.runs where part_of is not null and state <> 'done'") == [{"n": 0}]
    print(f"{KILLS} kills, {len(runs)} runs, {len(hook.calls)} calls, {unknown} unknown")
