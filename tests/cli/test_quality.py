"""Goal: what data tests said is kept with the rows that failed, also when the model was not published; and what is usual
for a table's numbers is what docs/quality.md says. Method: real runs, records of sixty days put beside them, and the
bands computed again here, from `_tarn.tasks` and `_tarn.table_history` alone."""

import datetime
import json
import random
import sqlite3
import statistics
import zoneinfo

import pytest

ZONE = zoneinfo.ZoneInfo("Europe/Amsterdam")

SCHEMA = """
models:
  - name: orders
    columns:
      - name: id
        tests: [unique, {not_null: {severity: warn}}]
  - name: lines
    columns:
      - name: order_id
        tests: [{relationships: {to: ref('orders'), field: id}}]
"""


@pytest.fixture
def home(tarn):
    tarn.write("tarn.yml", "name: home\ntime_zone: Europe/Amsterdam\nvars: {n: 10}\n")
    tarn.write("models/schema.yml", SCHEMA)
    tarn.write("models/orders.sql", "{{ config(materialized='table') }}\n"
               "select case when i = 3 then null else i end as id, 'order ' || i as name from range({{ var('n') }}) r(i)\n")
    tarn.write("models/lines.sql", "{{ config(materialized='table') }}\nselect 1 as order_id\n")
    tarn.write("tests/few.sql", "select * from {{ ref('orders') }} where id > 1000\n")
    return tarn


def test_what_tests_said_is_kept(home):
    home.run("run")
    said = {row["test"]: row for row in home.rows("select * from _tarn.tests")}
    assert {name: row["state"] for name, row in said.items()} == {
        "unique_orders_id": "passed", "not_null_orders_id": "warned", "relationships_lines_order_id__ref__orders____id": "passed",
        "few": "passed"}
    warned = said["not_null_orders_id"]
    assert (warned["failures"], warned["severity"], warned["kind"], warned["table_name"], warned["column_name"], warned["task"]) == (
        1, "warn", "not_null", "public.orders", "id", "orders")
    assert json.loads(warned["sample"]) == [{"id": None, "name": "order 3"}]
    assert "is null" in warned["sql"] and said["unique_orders_id"]["sql"] is None
    assert said["few"]["table_name"] is None and said["few"]["task"] == "orders"


def test_failing_rows_are_kept_of_a_model_that_was_not_published(home):
    home.run("run")
    home.write("models/orders.sql", "{{ config(materialized='table') }}\n"
               "select i % 40 as id, repeat('x', 1000) as name from range(100) r(i)\n")
    home.run("run", "orders", check=1)
    newest = home.rows("select * from _tarn.tests where test = 'unique_orders_id' order by tested_at desc")
    assert [row["state"] for row in newest] == ["failed", "passed"]
    failed = newest[0]
    sample = json.loads(failed["sample"])
    assert failed["failures"] == 40 and len(sample) == 20 and set(sample[0]) == {"unique_field", "n_records"}
    assert home.rows("select count(*) as n from orders")[0]["n"] == 10  # the former version


def test_a_test_that_cannot_be_run_is_told_as_such(home):
    home.write("tests/few.sql", "select * from {{ ref('orders') }} where cast(name as integer) > 0\n")
    home.run("run", "orders", check=1)
    assert home.rows("select state, message from _tarn.tests where test = 'few'")[0]["state"] == "error"


def test_cells_of_failing_rows_are_cut(home):
    home.write("models/orders.sql", "{{ config(materialized='table') }}\nselect null::int as id, repeat('é', 1000) as name\n")
    home.run("run", "orders")
    sample = json.loads(home.rows("select sample from _tarn.tests where test = 'not_null_orders_id'")[0]["sample"])
    assert len(sample[0]["name"]) < 210


# The rules again, from docs/quality.md, in other words than the program's.

def usual(before, at, floor, share):
    """(median, reach, points, basis) of what came before, or None; before: [(time, value)], oldest first"""
    wall = lambda time: time.astimezone(ZONE).replace(tzinfo=None)
    basis, values = "newest", [value for _, value in before[-20:]]
    gaps = [(wall(b[0]) - wall(a[0])).total_seconds() / 3600 for a, b in zip(before[-21:], before[-20:])] if len(before) > 20 else [
        (wall(b[0]) - wall(a[0])).total_seconds() / 3600 for a, b in zip(before, before[1:])]
    if gaps and 20 <= statistics.median(gaps) <= 28:
        same = [value for time, value in before if wall(time).weekday() == wall(at).weekday()][-8:]
        if len(same) >= 5:
            basis, values = "same weekday", same
    if len(values) < 5:
        return None
    median = statistics.median(values)
    mad = statistics.median([abs(value - median) for value in values])
    return median, max(4 * 1.4826 * mad, floor, share * abs(median)), len(values), basis


def expect(row, before, at, value, judged, base, floor, share, only_high=False):
    band = usual(before, at, floor, share)
    assert row["value"] == pytest.approx(value, abs=1e-6)
    if band is None:
        assert (row["expected"], row["low"], row["high"], row["points"], row["state"]) == (None, None, None, 0, "few")
        return
    median, reach, points, basis = band
    low = 0 if only_high else max(0, base + median - reach)
    high = base + median + reach
    assert row["expected"] == pytest.approx(base + median) and row["low"] == pytest.approx(low)
    assert row["high"] == pytest.approx(high) and (row["points"], row["basis"]) == (points, basis)
    assert row["state"] == ("high" if value > high + 1e-9 else "low" if value < low - 1e-9 else "ok")


def add_history(tarn, seed):
    """Sixty nights of the model `orders`: week-ends are thin, some nights are odd, one is missing."""
    random.seed(seed)
    print("seed", seed)
    with sqlite3.connect(tarn.data / "control.sqlite") as db:
        start = datetime.datetime.now(datetime.timezone.utc).replace(hour=2, minute=0) - datetime.timedelta(days=62)
        for day in range(60):
            if day == 33:
                continue
            at = start + datetime.timedelta(days=day, minutes=random.randrange(20))
            rows = (100 if at.weekday() >= 5 else 10_000) + random.randrange(200)
            rows = {45: 200_000, 50: 0}.get(day, rows)
            micros = int(at.timestamp() * 1e6)
            run = f"{at:%Y%m%dT%H%M%S}-{day:06x}"
            db.execute("insert into tasks (run_id, name, kind, path, position, state, resumes, attempts, started_at, finished_at, "
                       "rows_written, rows_quarantined) values (?, 'orders', 'model', 'x', 0, 'done', '', 1, ?, ?, ?, ?)",
                       (run, micros, micros + 1, rows, 7 if day == 52 else 0))


def test_bands_are_what_the_rules_say(home):
    for n in (10, 12, 11, 12, 10, 13, 12, 90, 0):
        home.run("run", "orders", "--vars", json.dumps({"n": n}))
    add_history(home, seed=20261129)
    time = lambda text: datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    utc = "strftime({0} at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')"
    rows = home.rows("select *, " + utc.format("measured_at") + " as at_utc from _tarn.measures "
                     "where table_name = 'public.orders'")
    of = lambda measure: [row for row in rows if row["measure"] == measure]
    done = home.rows("select " + utc.format("finished_at") + " as at_utc, rows_written, rows_quarantined from _tarn.tasks "
                     "where task = 'orders' and state = 'done' order by finished_at")
    assert len(done) == len(of("written")) == len(of("quarantined")) == 68 == len(of("gap"))
    before = []
    for row, one in zip(of("written"), done):
        expect(row, before, time(one["at_utc"]), one["rows_written"], one["rows_written"], 0, 1, 0.1)
        before.append((time(one["at_utc"]), one["rows_written"]))
    before = []
    for row, one in zip(of("quarantined"), done):
        expect(row, before, time(one["at_utc"]), one["rows_quarantined"], one["rows_quarantined"], 0, 1, 0.1, only_high=True)
        before.append((time(one["at_utc"]), one["rows_quarantined"]))
    before = []
    for row, last, one in zip(of("gap"), done, done[1:]):
        hours = (time(one["at_utc"]) - time(last["at_utc"])).total_seconds() / 3600
        expect(row, before, time(one["at_utc"]), hours, hours, 0, 1, 0.25, only_high=True)
        before.append((time(one["at_utc"]), hours))
    assert of("gap")[-1]["run"] is None  # the one that is open now
    loads = home.rows("select " + utc.format("changed_at") + " as at_utc, rows, rows_added - rows_deleted as change from _tarn.table_history "
                      "where table_name = 'public.orders'")
    assert [one["rows"] for one in loads] == [10, 12, 11, 12, 10, 13, 12, 90, 0]
    before = []
    for row, one in zip(of("rows"), loads):
        base = one["rows"] - one["change"]
        expect(row, before, time(one["at_utc"]), one["rows"], one["change"], base, max(1, 0.05 * base), 0)
        before.append((time(one["at_utc"]), one["change"]))
    # And they find what is odd: both odd nights, the missing one, the refused rows, the jump; a week-end is not odd.
    odd = {(row["measure"], row["value"]) for row in rows if row["state"] in ("high", "low")}
    assert {("written", 200_000), ("written", 0), ("quarantined", 7), ("rows", 90)} <= odd
    assert any(measure == "gap" and 47 < value < 49 for measure, value in odd)
    weekends = [row for row in of("written")[42:59] if row["value"] < 400 and row["value"] > 0]
    assert weekends and all(row["state"] == "ok" and row["basis"] == "same weekday" for row in weekends)


def test_a_table_that_is_gone_has_no_numbers(home):
    home.run("run")
    of = lambda: {row["table_name"] for row in home.rows("select distinct table_name from _tarn.measures")}
    assert of() == {"public.orders", "public.lines"}
    home.run("sql", "drop table lines")
    assert of() == {"public.orders"}


def test_results_of_long_ago_go(home):
    home.run("run")
    with sqlite3.connect(home.data / "control.sqlite") as db:
        assert db.execute("update test_results set run_id = 'long ago', at = at - 401 * 86400000000 where test = 'few'").rowcount == 1
    home.run("run", "orders")
    home.run("clean")  # as long as runs are kept, and no longer
    assert "long ago" not in {row["run"] for row in home.rows("select run from _tarn.tests")}
