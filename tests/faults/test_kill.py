"""Goal: kill -9 at any moment of `tarn run` doubles nothing and forgets nothing.
Method: the same project is run to its end many times, each run killed at a random moment; after every kill pyiceberg
reads every table, and at the end one undisturbed run gives exactly the rows of a project that was never killed."""

import os
import random
import signal
import subprocess

from pyiceberg.table import StaticTable

from conftest import copy_demo

KILLS = int(os.environ.get("TARN_KILLS", "50"))
TABLES = ("raw_weather", "stg_weather", "mart_daily_weather_summary", "raw_bars", "stg_bars", "mart_prices")


def content(tarn):
    result = {}
    for table in TABLES:
        rows = tarn.rows(f"select * exclude (_tarn_run, _tarn_fetch) from {table}" if table.startswith("raw_") else f"select * from {table}")
        result[table] = sorted(repr(sorted(row.items())) for row in rows)
    return result


def test_fifty_kills(tmp_path, api):
    seed = int(os.environ.get("TARN_SEED", random.randrange(1 << 30)))
    print(f"seed: {seed}")
    dice = random.Random(seed)
    undisturbed = copy_demo(tmp_path / "undisturbed", api)
    undisturbed.run("run")
    victim = copy_demo(tmp_path / "victim", api)
    killed = 0
    for _ in range(KILLS):
        process = victim.start("run")
        try:
            process.wait(timeout=dice.uniform(0.02, 1.5))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.communicate()
        if (victim.data / "control.sqlite").exists():
            for location in victim.metadata_locations().values():
                StaticTable.from_metadata(location).scan().to_arrow()
    victim.run("run")
    print(f"killed {killed} of {KILLS} runs while they worked")
    assert killed > 0
    assert content(victim) == content(undisturbed)
