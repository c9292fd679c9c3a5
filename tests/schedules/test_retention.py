"""Goal: `tarn clean` takes out what is old and nothing that is needed, also when it is killed at any moment. Method: a real project whose
records are made old; every call of files and records fails in turn; the newest run is replayed afterwards."""

import contextlib
import json
import os
import sqlite3
import subprocess

import pytest

from conftest import BUILD
from tarn_server import Server

DAY = 86_400_000_000
CALLS = int(os.environ.get("TARN_FAULT_CALLS", "12"))


def make(tarn):
    tarn.write("tarn.yml", "name: home\nretention: {raw: 30d, logs: 10d}\n")
    tarn.write("sources/s.yml", "kind: files\npath: in/*.csv\nformat: csv\ncolumns: {n: integer}\n")
    for i in range(3):
        tarn.write(f"in/{i}.csv", f"n\n{i}\nx{i}\n")
        tarn.run("run")
    return tarn


def age(tarn, days):
    with contextlib.closing(sqlite3.connect(tarn.data / "control.sqlite")) as db, db:
        for table, columns in {"runs": ("started_at", "finished_at"), "tasks": ("started_at", "finished_at"), "fetches": ("started", "finished")}.items():
            for column in columns:
                db.execute(f"update {table} set {column} = {column} - {days * DAY}")
    for folder in (tarn.data / "raw/s").iterdir():
        old = folder.stat().st_mtime - days * 86_400
        os.utime(folder, (old, old))


def newest_run(tarn):
    return tarn.rows("select run from _tarn.fetches order by finished_at desc limit 1")[0]["run"]


def consistent(tarn):
    """Every path that a record names is there, and the newest run can be replayed."""
    for row in tarn.rows("select path from _tarn.fetches where path is not null"):
        assert (tarn.data / row["path"]).exists(), row
    tarn.run("replay", "s", newest_run(tarn))
    assert [row["n"] for row in tarn.rows("select n from s order by n")] == [0, 1, 2]


def raw_folders(tarn):
    return len(list((tarn.data / "raw/s").iterdir()))


def test_clean(tarn):
    make(tarn)
    age(tarn, 40)
    dry = json.loads(tarn.run("clean", "--dry-run", "--json").stdout)
    counts = {one["what"]: one["count"] for one in dry["removed"]}
    assert dry["dry_run"] and counts["raw"] == 2 and counts["runs"] == 0 and raw_folders(tarn) == 3
    assert "2  files as fetched" in tarn.run("clean").stdout
    assert raw_folders(tarn) == 1
    consistent(tarn)
    oldest = tarn.rows("select run from _tarn.fetches order by finished_at limit 1")[0]["run"]
    done = tarn.run("replay", "s", oldest, check=1)
    assert "nothing is kept of run" in done.stdout + done.stderr
    tarn.run("run")
    assert [row["n"] for row in tarn.rows("select n from s order by n")] == [0, 1, 2]  # the files are known still


def test_a_server_cleans_too(tarn):
    make(tarn)
    age(tarn, 40)
    server = Server(tarn)
    try:
        assert "2  files as fetched" in tarn.run("clean", "--dry-run").stdout and raw_folders(tarn) == 3
        done = server.json("/api/v1/clean", {})
        assert {one["what"]: one["count"] for one in done["removed"]}["raw"] == 2 and raw_folders(tarn) == 1
        consistent(tarn)
    finally:
        server.stop()


def test_mistakes(tarn):
    make(tarn)
    tarn.write("tarn.yml", "name: home\nretention: {raw: 5m, longs: 3d}\n")
    done = tarn.run("check", check=2).stderr
    assert "tarn.yml:2:18: raw is a time of at least a day" in done and "did you mean 'logs'" in done
    tarn.run("clean", check=2)
    tarn.run("run")  # stops no run


def test_below_the_reserve_writers_are_refused_and_readers_go_on(tarn):
    make(tarn)
    text = (tarn.project / "tarn.yml").read_text()
    tarn.write("tarn.yml", text + "disk_reserve: 900000TB\n")
    tarn.write("in/9.csv", "n\n9\n")
    tarn.write("flows/f.yml", "tasks:\n  a: {shell: 'touch ran'}\n")
    for command in (("run",), ("flow", "f")):
        done = tarn.run(*command, check=None)
        assert done.returncode != 0 and "are kept for Tarn's own records" in done.stdout + done.stderr
    assert "kept for Tarn's own records" in tarn.run("sql", "insert into s (n) values (5)", check=None).stderr
    assert [row["n"] for row in tarn.rows("select n from s order by n")] == [0, 1, 2]
    tarn.run("clean")
    tarn.write("tarn.yml", text)
    tarn.run("run")
    assert [row["n"] for row in tarn.rows("select n from s order by n")] == [0, 1, 2, 9]


@pytest.mark.parametrize("mode", ["crash", "torn", "error"])
def test_killed_at_any_call(tarn, mode):
    make(tarn)
    age(tarn, 40)
    report = tarn.project / "report.json"
    for call in range(1, 400, max(1, 200 // CALLS)):
        env = {**tarn.env, "TARN_FAULT": f"*:{call}:{mode}", "TARN_FAULT_REPORT": str(report)}
        done = subprocess.run([str(BUILD / "tests/tarn_faulty"), "--project", str(tarn.project), "clean"], capture_output=True, text=True, env=env)
        assert done.returncode in (0, 1, 2, 3, 137), done
        for row in tarn.rows("select path from _tarn.fetches where path is not null"):
            assert (tarn.data / row["path"]).exists(), (call, row)
        if done.returncode == 0:
            break
    tarn.run("clean")
    assert raw_folders(tarn) == 1
    consistent(tarn)
