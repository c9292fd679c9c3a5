"""Goal: the commands of a first afternoon work as the README says. Method: the program in a new folder."""

import json
import signal
import subprocess
import time

import pyarrow.parquet as pq
import pytest

from conftest import BUILD, Tarn


@pytest.fixture
def home(tmp_path):
    """A project made by `tarn init`."""
    subprocess.run([str(BUILD / "tarn"), "init", "my-home"], cwd=tmp_path, check=True, capture_output=True)
    return Tarn(tmp_path / "my-home")


def test_init_check_run_sql(home):
    assert "no mistakes" in home.run("check").stdout
    done = home.run("run")
    assert "4 done" in done.stderr
    assert "no mistakes" in home.run("check").stdout  # now also bound by the engine
    rows = home.rows("select * from daily_climate order by day, room")
    assert len(rows) == 6
    assert rows[0] == {"day": "2026-11-19", "floor": 2, "room": "attic", "temperature_mean": 12.6, "temperature_min": 11.2,
                       "temperature_max": 14.0, "humidity_mean": 65.0, "comfortable": False}
    states = {t["name"]: t["state"] for t in json.loads(home.run("status", "--json").stdout)}
    assert set(states.values()) == {"fresh"} and len(states) == 4


def test_init_leaves_a_full_folder_alone(home):
    done = subprocess.run([str(BUILD / "tarn"), "init", str(home.project)], capture_output=True, text=True)
    assert done.returncode == 2 and "not empty" in done.stderr


def test_a_second_run_loads_nothing_twice(home):
    home.run("run")
    home.run("run")
    assert home.rows("select count(*) as n from readings") == [{"n": 18}]
    home.write("inbox/readings-2026-12.csv", "room,measured_at,temperature,humidity\nattic,2026-12-01 07:00:00,9.5,70\n")
    home.run("run")
    assert home.rows("select count(*) as n from readings") == [{"n": 19}]


def test_replay_gives_the_same_rows(home):
    home.run("run")
    before = home.rows("select * exclude (_tarn_fetch, _tarn_run) from readings order by all")
    run = home.rows("select run from _tarn.runs")[0]["run"]
    home.run("replay", "readings", run)
    assert home.rows("select * exclude (_tarn_fetch, _tarn_run) from readings order by all") == before
    assert "readings" in home.run("replay", "readings", "19990101T000000-000000", check=None).stderr


def test_selection_and_vars(home):
    home.run("run", "--vars", "comfortable_from=10")
    assert home.rows("select distinct comfortable from daily_climate") == [{"comfortable": True}]
    done = home.run("run", "daily_climate")
    assert "1 done" in done.stderr
    done = home.run("run", "+daily_climate", "--exclude", "readings")
    assert "3 done" in done.stderr
    assert home.run("run", "nothere", check=2).stderr


def test_formats(home, tmp_path):
    sql = "select i as id, case when i > 0 then 'n' || i end as name from range(3) r(i)"
    assert home.run("sql", sql, "--format", "csv").stdout == "id,name\n0,\n1,n1\n2,n2\n"
    assert json.loads(home.run("sql", sql, "--json").stdout)[0] == {"id": 0, "name": None}
    table = home.run("sql", sql).stdout
    assert "│  0 │ null │" in table and "3 rows" in table
    home.run("sql", sql, "-o", tmp_path / "x.parquet")
    assert pq.read_table(tmp_path / "x.parquet").num_rows == 3
    home.run("sql", sql, "-o", tmp_path / "x.csv")
    assert (tmp_path / "x.csv").read_text().startswith("id,name\n")
    assert "█" in home.run("sql", "select name, id from (" + sql + ")", "--format", "chart").stdout
    assert "label" in home.run("sql", sql, "--format", "chart", check=2).stderr
    for values, shown in (("('x', 5e-324)", "4.94e-324"), ("('x', 1.7e308), ('y', -1.7e308)", "█")):
        extreme = f"select k, v::double as v from (values {values}) t(k, v)"
        assert shown in home.run("sql", extreme, "--format", "chart").stdout
    many = "select i::varchar as k, case when i % 2 = 0 then 1.7e308 else -1.7e308 end as v from range(50) r(i)"
    assert "│" in home.run("sql", many, "--format", "chart").stdout
    assert "\\x9b" in home.run("sql", "select 'a' || chr(155) || '31m' as x").stdout
    assert "folder" in home.run("sql", sql, "-o", "/nothere/x.csv", check=2).stderr


def test_forty_rows_are_shown_and_all_are_counted(home):
    table = home.run("sql", "select i from range(1000) r(i)").stdout
    assert "1,000 rows (40 shown" in table
    assert len(table.splitlines()) == 45
    assert len(home.run("sql", "select i from range(1000) r(i)", "--rows", "0").stdout.splitlines()) == 1005


def test_a_script_on_the_standard_input(home):
    done = subprocess.run(home.command("sql", "--format", "json"), capture_output=True, text=True,
                          input="create table t as select 1 as id;\ninsert into t values (2);\nselect sum(id)::int as s from t;\n")
    assert json.loads(done.stdout) == [{"s": 3}], done.stderr


def test_as_of(home):
    home.run("sql", "create table t as select 1 as id")
    time.sleep(0.01)
    then = home.rows("select strftime(now() at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ') as t")[0]["t"]
    home.run("sql", "insert into t values (2)")
    assert home.rows("select count(*) as n from t") == [{"n": 2}]
    assert home.rows("select count(*) as n from t", "--as-of", then) == [{"n": 1}]
    assert home.run("sql", "insert into t values (3)", "--as-of", then, check=2).stderr
    assert home.run("sql", "select 1", "--as-of", "2001-01-01", check=2).stderr


def test_unsafe_reads_files(home):
    (home.project / "x.csv").write_text("a\n1\n")
    assert home.rows(f"select * from read_csv('{home.project}/x.csv')", "--unsafe") == [{"a": 1}]
    assert home.run("sql", f"select * from read_csv('{home.project}/x.csv')", check=2).stderr


def test_ctrl_c_cancels_a_run(home):
    home.write("models/slow.sql", "{{ config(materialized='table') }}\n"
               "select count(*) as n from range(1000000000000) r(i) where hash(i) = 1\n")
    process = home.start("run", "slow")
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 130, errors
    assert home.rows("select state from _tarn.runs") == [{"state": "cancelled"}]


def test_wrong_use(home):
    assert home.run("sql", "select 1", "--format", "xml", check=2).stderr
    assert home.run("frobnicate", check=2).stderr
    assert "0.1" in home.run("version").stdout
    assert "Usage" in home.run("--help").stdout
