"""Goal: whichever call of `tarn run` fails, or wherever the power is cut, each table is as it was before or as it is
after, what the program said is true, and the next run ends with exactly the right rows.
Method: the Nth call of a layer (raw landing and our own files; SQLite; DuckDB's files) fails, N = 1, 2, 3 ... until
the run passes: once, for lack of space, as a power cut that drops unsynced bytes and names, and as a torn write.
TARN_FAULT_ALL=1 tries every N; otherwise every so many, from a random offset. The seed is printed."""

import json
import os
import random
import shutil
import subprocess

import pytest
from pyiceberg.table import StaticTable

from conftest import BUILD, Tarn

ALL = os.environ.get("TARN_FAULT_ALL") == "1"
CALLS_TRIED = 3  # of each layer, mode and start, when not ALL
SEED = int(os.environ.get("TARN_SEED", random.randrange(1 << 30)))
LAYERS = ("files", "sqlite", "duckdb")
MODES = ("error", "full", "crash", "torn")
CRASHED = 137
REASONS = ("injected fault", "disk I/O error", "unable to open database file", "database or disk is full")

FILES = {
    "tarn.yml": "name: home\nthreads: 2\n",
    "sources/readings.yml": """kind: files
path: in/readings-*.csv
format: csv
columns:
  id: {type: bigint, required: true}
  day: date
  value: {type: double, check: value < 1000}
""",
    "sources/sensors.yml": """kind: files
path: in/sensors-*.csv
format: csv
mode: upsert
key: id
""",
    "models/stg_readings.sql": """{{ config(materialized='incremental', unique_key='id') }}
select r.id, r.day, r.value, s.room from {{ source('home', 'readings') }} r left join {{ source('home', 'sensors') }} s
on s.id = r.id % 3
{% if is_incremental() %} where r.day >= (select max(day) from {{ this }}) {% endif %}
""",
    "models/mart_rooms.sql": """{{ config(materialized='table') }}
select room, count(*) as readings, sum(value) as total from {{ ref('stg_readings') }} group by room
""",
    "models/rooms.sql": """{{ config(materialized='view') }}
select room, total / readings as mean from {{ ref('mart_rooms') }}
""",
    "models/schema.yml": """version: 2
sources:
  - name: home
    tables: [{name: readings}, {name: sensors}]
models:
  - name: stg_readings
    columns: [{name: id, data_tests: [unique, not_null]}]
  - name: mart_rooms
    columns: [{name: room, data_tests: [unique, not_null]}]
""",
    "in/readings-1.csv": "id,day,value\n1,2024-05-01,10.5\n2,2024-05-01,11\n3,2024-05-02,12\n",
    "in/sensors-1.csv": "id,room\n0,attic\n1,kitchen\n2,cellar\n",
}
# What arrives before the run that is disturbed: new rows, a row that breaks its contract, a changed sensor.
LATER_FILES = {
    "in/readings-2.csv": "id,day,value\n4,2024-05-02,13\n5,2024-05-03,14\n6,2024-05-03,2000\n",
    "in/sensors-2.csv": "id,room\n2,garage\n3,bath\n",
}
# What arrives before the run after it.
LAST_FILES = {"in/readings-3.csv": "id,day,value\n7,2024-05-04,16\n"}
# Incremental rows that were there already keep their room.
ROOMS = {"first": 3, "second": 4}


def content(tarn):
    """The rows of every table, as pyiceberg reads them; a table that cannot be read fails the test."""
    result = {}
    for (_, name), location in tarn.metadata_locations().items():
        rows = StaticTable.from_metadata(location).scan().to_arrow().to_pylist()
        shown = (lambda k: k == "reason") if name == "quarantine" else (lambda k: not k.startswith("_tarn_"))
        result[name] = sorted(repr(sorted((k, v) for k, v in row.items() if shown(k))) for row in rows)
    return result


class Start:
    """A project at rest, before the run that is disturbed, kept to begin again from."""

    def __init__(self, folder, which):
        self.which = which
        self.tarn = Tarn(folder / "home")
        self.saved = folder / "saved"
        for name, text in FILES.items():
            self.tarn.write(name, text)
        if which == "second":
            self.tarn.run("run")
        for name, text in LATER_FILES.items():
            self.tarn.write(name, text)
        shutil.copytree(self.tarn.project, self.saved)
        self.before = content(self.tarn)
        self.reached = self.run_with_fault("")[1]["calls"]
        self.after = content(self.tarn)
        assert {name: len(rows) for name, rows in self.after.items()} == {
            "readings": 5, "sensors": 4, "stg_readings": 5, "mart_rooms": ROOMS[which], "quarantine": 1}, self.after
        self.run_last()
        self.last = content(self.tarn)
        assert len(self.last["stg_readings"]) == 6

    def reset(self):
        """Same place, same bytes: metadata holds absolute locations."""
        shutil.rmtree(self.tarn.project)
        shutil.copytree(self.saved, self.tarn.project)

    def run_last(self):
        """An undisturbed run, after more has arrived."""
        for name, text in LAST_FILES.items():
            self.tarn.write(name, text)
        return self.tarn.run("run", check=None)

    def run_with_fault(self, fault):
        report = self.saved.parent / "report.json"
        report.unlink(missing_ok=True)
        env = {**self.tarn.env, "TARN_FAULT_REPORT": str(report)}
        if fault:
            env["TARN_FAULT"] = fault
        done = subprocess.run([str(BUILD / "tests" / "tarn_faulty"), *self.tarn.command("run")[1:]], env=env, timeout=120,
                              capture_output=True, text=True)
        assert report.exists(), f"{fault}: died without a word, exit {done.returncode}: {done.stderr}"
        return done, json.loads(report.read_text())


@pytest.fixture(scope="module", params=["first", "second"])
def start(request, tmp_path_factory):
    """'first': the disturbed run makes the data folder; 'second': it adds to what a former run left."""
    return Start(tmp_path_factory.mktemp(request.param), request.param)


def check_said(done, report, fault):
    """Exit codes and words."""
    if "crash" in fault or "torn" in fault:
        assert done.returncode == (CRASHED if report["fired"] else 0), f"{fault}: {done.stderr}"
        return
    assert done.returncode in (0, 1, 2, 3), f"{fault}: exit {done.returncode}: {done.stderr}"
    if done.returncode != 0:
        assert report["fired"], f"{fault}: failed without a fault: {done.stderr}"
        words = done.stderr + done.stdout
        assert any(reason in words for reason in REASONS), f"{fault}: does not say why it failed: {words}"
        assert "terminate" not in words and "INTERNAL" not in words, f"{fault}: {words}"


def disturb(start, fault):
    """One run with the fault, and the one after it; whether the fault was reached."""
    start.reset()
    done, report = start.run_with_fault(fault)
    check_said(done, report, fault)
    found = content(start.tarn)
    for name, rows in found.items():
        states = [start.before.get(name, []), start.after[name]]
        assert rows in states, f"{fault}: {name} is half written: {rows}\n{done.stderr}"
    assert set(start.before) <= set(found), f"{fault}: tables are gone: {found.keys()}"
    if done.returncode == 0:
        assert found == start.after, f"{fault}: it said success\n{done.stderr}"
    again = start.run_last()
    assert again.returncode == 0, f"{fault}: the next run fails: {again.stderr}\nthe disturbed one: {done.stderr}"
    assert content(start.tarn) == start.last, f"{fault}: after the next run\n{done.stderr}\n{again.stderr}"
    return report["fired"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("layer", LAYERS)
def test_nth_call(start, layer, mode, capsys):
    reached = start.reached[layer]
    stride = 1 if ALL else max(1, reached // CALLS_TRIED)
    n, tried, fired = random.Random(f"{SEED} {layer} {mode}").randrange(stride) + 1, 0, True
    while n <= reached or fired:  # runs differ a little: the end is a run in which nothing failed
        fired = disturb(start, f"{layer}:{n}:{mode}")
        n, tried = n + stride, tried + 1
    with capsys.disabled():  # a test that passes says it, too
        print(f"\n{start.which} run: {reached} calls reached in layer {layer}; {mode} at {tried}, seed {SEED}", end="",
              flush=True)
