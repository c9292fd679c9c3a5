"""Goal: every room works in a real browser on the demo's data, with what went wrong in it, too. Method: a server on the
demo's project with a broken model and a quarantined row; rooms.test.mjs drives Debian's Chromium through it. The
pictures are kept in build/ui-pictures: look at them."""

import json
import os
import pathlib
import subprocess

import pytest

from conftest import BUILD, ROOT
from tarn_server import Server

PICTURES = pathlib.Path(os.environ.get("TARN_PICTURES") or BUILD / "ui-pictures")

READINGS = """kind: files
description: What the meter in the hall said.
path: in/*.csv
format: {type: csv}
columns:
  at: {type: timestamp, required: true}
  kwh: {type: double, check: kwh >= 0}
freshness: {warn_after: 26h}
"""


@pytest.fixture(scope="session")
def server(demo):
    demo.write("sources/raw_meter.yml", READINGS)
    demo.write("in/meter.csv", "at,kwh\n2026-01-01 00:00:00,1.5\n2026-01-01 01:00:00,-2\nnoon,3\n")
    demo.write("models/weather/mart_broken.sql", "{{ config(materialized='table') }}\n"
               "select city, temperature_max / nothing_of_that_name as ratio from {{ ref('stg_weather') }}\n")
    server = Server(demo)
    server.run(selection=["raw_meter"])
    server.run(selection=["mart_broken", "mart_prices"])
    yield server
    server.stop()


def test_rooms(server):
    status = subprocess.run(
        ["node", "--test", "--test-reporter=spec", str(ROOT / "tests" / "ui" / "rooms.test.mjs")],
        env={**os.environ, "TARN_URL": server.url, "TARN_TOKEN": server.token, "TARN_PICTURES": str(PICTURES),
             "TARN_ROOT": str(ROOT), "TARN_RUNS": json.dumps([run["id"] for run in server.json("/api/v1/runs")["runs"]])},
        capture_output=True, text=True, timeout=240)
    assert status.returncode == 0, status.stdout[-12_000:] + status.stderr[-4_000:]
    print(status.stdout)
