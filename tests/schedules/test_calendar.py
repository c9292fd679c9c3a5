"""Goal: the calendar says what ran and what comes, by days of the project's zone, and how far each backfill is. Method: a real
server with schedules; what it answers is compared with days counted here."""

import datetime
import json
import time
import zoneinfo

import pytest

from tarn_server import Server

ZONE = zoneinfo.ZoneInfo("Europe/Amsterdam")


@pytest.fixture
def server(tarn):
    tarn.write("tarn.yml", "name: home\ntime_zone: Europe/Amsterdam\nvars: {from: '2026-01-01', to: '2026-01-02'}\nschedules:\n"
                           "  nightly: {run: [days], cron: '0 3 * * *'}\n  often: {run: [days], every: 5m}\n")
    tarn.write("models/days.sql", "{{ config(materialized='table') }}\nselect '{{ var('from') }}' as day\n")
    server = Server(tarn)
    yield server
    server.stop()


def calendar(server, **query):
    return server.json("/api/v1/calendar?" + "&".join(f"{key}={value}" for key, value in query.items()))


def of(found, schedule, state):
    return [cell for cell in found["cells"] if (cell["schedule"], cell["state"]) == (schedule, state)]


def test_what_comes_stands_on_its_day(server):
    tomorrow = datetime.datetime.now(ZONE).date() + datetime.timedelta(days=1)
    found = calendar(server, days=7, **{"from": tomorrow})
    assert (found["time_zone"], found["from"], found["cut"]) == ("Europe/Amsterdam", str(tomorrow), False)
    days = [str(tomorrow + datetime.timedelta(days=i)) for i in range(7)]
    nightly = of(found, "nightly", "due")
    assert [cell["at"] for cell in nightly] == days and {cell["count"] for cell in nightly} == {1}
    for cell in nightly:
        at = datetime.datetime.fromisoformat(cell["first_at"].replace("Z", "+00:00")).astimezone(ZONE)
        assert (at.hour, at.minute) == (3, 0) and str(at.date()) == cell["at"]
    # A schedule of every five minutes is one line a day, not 288: counted by the hours that the day has.
    often = of(found, "often", "due")
    for cell in often:
        day = datetime.date.fromisoformat(cell["at"])
        begin = datetime.datetime.combine(day, datetime.time(), ZONE)
        end = datetime.datetime.combine(day + datetime.timedelta(days=1), datetime.time(), ZONE)
        hours = (end.astimezone(datetime.timezone.utc) - begin.astimezone(datetime.timezone.utc)).total_seconds() / 3600
        assert cell["count"] == hours * 12
    by_hour = of(calendar(server, days=1, by="hour", **{"from": tomorrow}), "nightly", "due")
    assert [cell["at"] for cell in by_hour] == [f"{tomorrow}T03:00"]


def test_what_ran_by_hand_stands_there_with_its_run(server):
    run = server.json("/api/v1/schedules/nightly/run", {})["id"]
    for _ in range(200):
        done = of(calendar(server, days=1), "nightly", "done")
        if done:
            break
        time.sleep(0.05)
    assert [(cell["run"], cell["count"]) for cell in done] == [(run, 1)]
    assert server.request("/api/v1/schedules/nightly/pause", {})[0] == 200
    assert not of(calendar(server, days=7), "nightly", "due")


@pytest.mark.parametrize("query, words", [("days=0", "days"), ("days=43", "42"), ("from=someday", "date"),
                                          ("from=2026-13-40", "from")])
def test_nonsense_is_refused(server, query, words):
    status, answer = server.request(f"/api/v1/calendar?{query}")
    assert status == 400 and json.loads(answer)["error"]["message"]


def test_how_far_backfills_are(server):
    asked = {"selection": ["days"], "from": "2026-03-01", "to": "2026-03-04"}
    steps = server.json("/api/v1/backfill", {**asked, "dry_run": True})["steps"]
    assert [step["from"] for step in steps] == ["2026-03-01", "2026-03-02", "2026-03-03"]
    assert server.json("/api/v1/backfill")["backfills"] == []  # a dry run leaves nothing
    started = server.json("/api/v1/backfill", asked)["id"]
    for _ in range(400):
        [found] = server.json("/api/v1/backfill")["backfills"]
        assert found["total"] == 3 == sum(found["steps"].values())
        if found["finished_at"]:
            break
        time.sleep(0.05)
    assert (found["id"], found["steps"], found["selection"], found["step"]) == (started, {"done": 3}, ["days"], "day")
    # Its steps stand on no day: their days are those of the data.
    assert not [cell for cell in calendar(server, days=5, **{"from": "2026-03-01"})["cells"]]
    long = server.json("/api/v1/backfill", {**asked, "to": "2028-03-01", "step": "day"})["id"]
    assert server.request(f"/api/v1/backfill/{long}/cancel", {})[0] == 202
    for _ in range(200):
        newest = server.json("/api/v1/backfill")["backfills"][0]
        if newest["finished_at"]:
            break
        time.sleep(0.05)
    assert newest["id"] == long and newest["total"] == 731 and newest["steps"]["cancelled"] > 700
