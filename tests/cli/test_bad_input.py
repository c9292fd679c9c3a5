"""Goal: bad input gives one clear sentence with place and remedy, a non-zero exit, and nothing half-written."""

import fcntl
import os
import sqlite3
import subprocess
import time

import pytest

GOOD_MODEL = "select 1 as id\n"


def one_sentence(done, *wanted):
    text = done.stderr.strip()
    assert text and "Traceback" not in text and "terminate called" not in text
    for word in wanted:
        assert word in text, f"'{word}' is not in: {text}"


@pytest.mark.parametrize("file, text, place, wanted", [
    ("tarn.yml", "name: [home\n", "tarn.yml:", ""),
    ("tarn.yml", "name: home\nthreds: 2\n", "tarn.yml:2:1", "threads"),
    ("sources/a.yml", "kind: files\npath: x.csv\nformat: csv\nmoed: append\n", "sources/a.yml:4:1", "mode"),
    ("sources/a.yml", "kind: ftp\npath: x.csv\n", "sources/a.yml:1:7", "http"),
    ("models/a.sql", "select * from {{ ref('nothere') }}\n", "models/a.sql:1:", "nothere"),
    ("models/a.sql", "select {% if %} 1\n", "models/a.sql:1:", ""),
    ("models/a.sql", "selec 1\n", "models/a.sql:1:1", ""),
    ("models/schema.yml", "models:\n  - name: a\n    columns:\n      - nam: id\n", "models/schema.yml:4:", "name"),
])
def test_check_names_the_place(tarn, file, text, place, wanted):
    tarn.write(file, text)
    done = tarn.run("check", check=2)
    assert place in done.stderr + done.stdout
    assert wanted in done.stderr + done.stdout


def test_cycle(tarn):
    tarn.write("models/a.sql", "select * from {{ ref('b') }}\n")
    tarn.write("models/b.sql", "select * from {{ ref('a') }}\n")
    done = tarn.run("run", check=2)
    one_sentence(done, "a", "b", "models/")


def test_no_project(tarn):
    (tarn.project / "tarn.yml").unlink()
    one_sentence(tarn.run("run", check=2), "tarn.yml", "tarn init")


def test_wrong_column_points_into_the_model(tarn):
    tarn.write("models/a.sql", "select 1 as id\n")
    tarn.write("models/b.sql", "select\n    id,\n    nmae\nfrom {{ ref('a') }}\n")
    done = tarn.run("run", check=None)
    assert done.returncode in (1, 2)
    one_sentence(done, "models/b.sql:3:5")


def test_sql_error(tarn):
    one_sentence(tarn.run("sql", "select 1 +", check=2), "1:")
    one_sentence(tarn.run("sql", "select * from nothere", check=2), "nothere")


@pytest.mark.parametrize("statement", [
    "select * from read_csv('/etc/passwd')", "select * from '/x.parquet'", "select * from glob('/*')", "select * from read_text('/etc/passwd')",
    "select getenv('HOME')", "select * from iceberg_scan('/x')", "copy (select 1) to '/tmp/x'", "attach '/tmp/x.db'", "install httpfs", "load httpfs",
    "pragma database_list", "set memory_limit = '1GB'", "select * from query('select 1')",
    "with x as (select * from read_csv('/etc/passwd')) select * from x", "create view v as select * from read_text('/etc/passwd')",
    "create macro m() as getenv('HOME')", "prepare p as select getenv('HOME')", "create table t as select * from range((select length(getenv('HOME'))))",
])
def test_refused_statements(tarn, statement):
    done = tarn.run("sql", statement, check=2)
    one_sentence(done)
    assert "root:" not in done.stdout


def test_second_process_is_told(tarn):
    tarn.write("models/a.sql", GOOD_MODEL)
    tarn.run("run")
    with open(tarn.data / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        one_sentence(tarn.run("run", check=3), "locked")


def test_newer_data_folder(tarn):
    tarn.write("models/a.sql", GOOD_MODEL)
    tarn.run("run")
    (tarn.data / "format").write_text("999\n", encoding="utf-8")
    one_sentence(tarn.run("run", check=3), "999")


def test_unreachable_server(tarn):
    tarn.write("sources/a.yml", "kind: http\nurl: http://127.0.0.1:1/x\nformat: json\nretry: {attempts: 1}\n")
    one_sentence(tarn.run("run", check=4), "127.0.0.1")
    assert tarn.run("status", check=None).stdout


def test_bad_row_far_down_is_quarantined_with_its_number(tarn):
    rows = 1_000_000
    path = tarn.project / "big.ndjson"
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(f'{{"id": {i}, "v": 1}}\n' for i in range(1, rows))
        f.write('{"id": 1000000, "v": oops}\n')
        f.write('{"id": 1000001, "v": 1}\n')
    tarn.write("sources/big.yml", "kind: files\npath: big.ndjson\nformat: ndjson\nmode: append\ncolumns:\n  id: bigint\n  v: integer\n")
    tarn.run("run", timeout=300)
    assert tarn.rows("select count(*) as n from big") == [{"n": rows}]
    bad = tarn.rows("select row_number, reason, raw from _tarn.quarantine")
    assert [b["row_number"] for b in bad] == [rows]
    assert "oops" in bad[0]["raw"]


def test_a_failed_test_keeps_the_former_version(tarn):
    tarn.write("models/a.sql", "select 1 as id\n")
    tarn.write("models/schema.yml", "models:\n  - name: a\n    columns:\n      - name: id\n        data_tests: [unique]\n")
    tarn.run("run")
    tarn.write("models/a.sql", "select 2 as id union all select 2\n")
    done = tarn.run("run", check=1)
    one_sentence(done, "unique", "id")
    assert tarn.rows("select id from a") == [{"id": 1}]


def small_disk(folder, megabytes):
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], capture_output=True)
    if done.returncode != 0:
        pytest.skip("mounting a small disk is not allowed here")


def test_full_disk(tarn, tmp_path):
    disk = tmp_path / "disk"
    small_disk(disk, 24)
    try:
        settings = f"name: home\ndata: {disk}/data\n"
        tarn.write("tarn.yml", settings)
        tarn.write("models/a.sql", "select 1 as id\n")
        one_sentence(tarn.run("run", "a", check=1), "are kept for Tarn's own records")
        tarn.write("tarn.yml", settings + "disk_reserve: 0\n")
        tarn.write("models/a.sql", "select 1 as id\n")
        tarn.run("run", "a")
        tarn.write("models/b.sql", "{{ config(materialized='table') }}\nselect hash(i) as id, hash(i + 1) as other from range(10000000) r(i)\n")
        done = tarn.run("run", "b", check=1)
        one_sentence(done, "space")
        assert tarn.rows("select id from a") == [{"id": 1}]
        assert tarn.run("sql", "select * from b", check=2)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_killed_server_leaves_no_lock(tarn):
    server = tarn.start("serve", "--http", "127.0.0.1:0")
    deadline = time.monotonic() + 20
    while not (tarn.data / "server.json").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(server.pid, 9)
    server.communicate()
    assert tarn.rows("select 1 as one") == [{"one": 1}]
    with sqlite3.connect(tarn.data / "control.sqlite") as db:
        assert db.execute("pragma integrity_check").fetchone() == ("ok",)
