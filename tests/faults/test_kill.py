"""Goal: kill -9 at any moment of `tarn run` doubles nothing and forgets nothing.
Method: a project's run is killed at random moments until one ends by itself; after every kill pyiceberg reads every
table, and the run that ends gives exactly the rows of a project that was never killed. Then another project begins."""

import os
import random
import signal
import subprocess
import time

from pyiceberg.table import StaticTable

from conftest import copy_demo

KILLS = int(os.environ.get("TARN_KILLS", "50"))


def content(tarn):
    """The rows of every table, as pyiceberg reads them; a table that cannot be read fails the test."""
    result = {}
    for (_, name), location in tarn.metadata_locations().items():
        rows = StaticTable.from_metadata(location).scan().to_arrow().to_pylist()
        result[name] = sorted(repr(sorted(i for i in row.items() if not i[0].startswith("_tarn_"))) for row in rows)
    return result


def test_fifty_kills(tmp_path, api):
    seed = int(os.environ.get("TARN_SEED", random.randrange(1 << 30)))
    print(f"seed: {seed}")
    dice = random.Random(seed)
    undisturbed = copy_demo(tmp_path / "undisturbed", api)
    started = time.monotonic()
    undisturbed.run("run")
    seconds = time.monotonic() - started
    wanted = content(undisturbed)
    assert len(wanted) > 6 and all(wanted[name] for name in ("raw_weather", "stg_weather", "raw_bars", "mart_prices"))
    killed, projects, victim = 0, 0, None
    while killed < KILLS:
        if victim is None:
            projects += 1
            victim = copy_demo(tmp_path / f"victim-{projects}", api)
        process = victim.start("run")
        try:
            _, words = process.communicate(timeout=dice.uniform(0.01, 0.8 * seconds))
            assert process.returncode == 0, words
            assert content(victim) == wanted
            victim = None  # there is little left to disturb: begin another one
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            killed += 1
            content(victim)
    print(f"killed {killed} runs while they worked, in {projects} projects")
    if victim is not None:
        victim.run("run")
        assert content(victim) == wanted
