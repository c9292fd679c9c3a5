"""Goal: whichever call of `tarn flow` fails, or wherever the power is cut, the run can be gone on with until it is done,
and then SQL did its work exactly once, what was done outside was done once, or is unknown and was done at most once.
Method: the Nth call of a layer fails: an error, no space, a power cut. TARN_FAULT_ALL=1 tries every N; otherwise every so
many from a random offset. The seed is printed."""

import collections
import json
import os
import random
import shutil
import subprocess

import pytest

from conftest import BUILD, Tarn

ALL = os.environ.get("TARN_FAULT_ALL") == "1"
CALLS_TRIED = 4
SEED = int(os.environ.get("TARN_SEED", random.randrange(1 << 30)))
CRASHED = 137

FLOW = """
tasks:
  note: {sql: "insert into notes values ($run.id, -1)"}
  each: {sql: "insert into notes values ($run.id, $row.i); select max(i) as i from notes where run = $run.id and i = $row.i",
    for_each: from range(2) t(i), after: note, at_once: 1}
  build: {run: [sums], after: each}
  write: {shell: "echo $TARN_RUN >> $TARN_PROJECT/seen", after: build}
  last: {sql: "insert into notes values ($run.id, 100)", after: write, if_before: ended}
"""


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    tarn = Tarn(tmp_path_factory.mktemp("flow") / "home")
    tarn.write("tarn.yml", "name: home\nthreads: 2\n")
    tarn.write("flows/f.yml", FLOW)
    tarn.write("models/sums.sql", "{{ config(materialized='table') }}\nselect 1 as n\n")
    tarn.run("sql", "create table notes (run text, i bigint)")
    saved = tarn.project.parent / "saved"
    shutil.copytree(tarn.project, saved)
    return tarn, saved, calls(tarn, "")[1]["calls"]


def calls(tarn, fault):
    report = tarn.project.parent / "report.json"
    report.unlink(missing_ok=True)
    done = subprocess.run([str(BUILD / "tests" / "tarn_faulty"), "--project", str(tarn.project), "flow", "f"], capture_output=True,
                          text=True, timeout=120, env={**os.environ, "TARN_FAULT": fault, "TARN_FAULT_REPORT": str(report)} if fault
                          else {**os.environ, "TARN_FAULT_REPORT": str(report)})
    return done, json.loads(report.read_text())


def check(tarn, fault):
    """Goes on until the run is done or unknown; then everything is there once."""
    runs = [row["run"] for row in tarn.rows("select run from _tarn.runs where selection = 'flow:f'")]
    if not runs:
        return
    (run,) = runs
    states = {}
    for _ in range(3):
        tarn.run("flow", "--resume", run, check=None)
        states = {row["task"]: row["state"] for row in tarn.rows(f"select task, state from _tarn.tasks where run = '{run}'")}
    notes = collections.Counter(row["i"] for row in tarn.rows("select i from notes"))
    seen = (tarn.project / "seen").read_text().splitlines() if (tarn.project / "seen").exists() else []
    assert notes == {-1: 1, 0: 1, 1: 1, 100: 1}, (fault, states, notes)
    unknown = states.pop("f/write") == "unknown"
    assert set(states.values()) == {"done"}, (fault, states)
    assert seen.count(run) in ((0, 1) if unknown else (1,)), (fault, seen)
    results = {row["task"]: json.loads(row["result"]) for row in tarn.rows(
        f"select task, result from _tarn.tasks where run = '{run}' and task like 'f/each[%'")}
    assert results == {"f/each[1]": {"i": 0}, "f/each[2]": {"i": 1}}, (fault, results)


@pytest.mark.parametrize("mode", ("error", "full", "crash"))
@pytest.mark.parametrize("layer", ("files", "sqlite", "duckdb"))
def test_each_call(start, layer, mode):
    tarn, saved, reached = start
    dice = random.Random(f"{SEED} {layer} {mode}")
    print(f"seed: {SEED}, calls: {reached}")
    step = 1 if ALL else max(1, reached[layer] // CALLS_TRIED)
    for number in range(dice.randint(1, step), reached[layer] + 1, step):
        shutil.rmtree(tarn.project)
        shutil.copytree(saved, tarn.project)
        fault = f"{layer}:{number}:{mode}"
        done, report = calls(tarn, fault)
        assert done.returncode in (0, 1, 2, 3, CRASHED), (fault, done.stderr)
        assert mode != "crash" or not report["fired"] or done.returncode == CRASHED, (fault, done.stderr)
        if done.returncode == 0:
            assert "done" in done.stderr
        check(tarn, fault)
