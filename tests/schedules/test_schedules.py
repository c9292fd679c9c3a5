"""Goal: schedules fire under `tarn serve`, and can be listed, paused, run and backfilled by commands and the API; what
is wrong in their text is told by `tarn check`; a change is noticed without a restart. Method: real servers."""

import datetime as dt
import json
import time

import pytest

from tarn_server import Server

TABLE = "{{ config(materialized='table') }}\n"


@pytest.fixture
def home(tarn):
    tarn.write("models/a.sql", TABLE + "select 1 as id\n")
    tarn.write("models/b.sql", TABLE + "select id + 1 as id from {{ ref('a') }}\n")
    return tarn


@pytest.fixture
def serve(home):
    servers = []

    def start():
        servers.append(Server(home))
        return servers[-1]

    yield start
    for server in servers:
        if server.process.poll() is None:
            server.stop()


def write_schedules(tarn, text, more=""):
    tarn.write("tarn.yml", f"name: home\nallow_private_addresses: true\n{more}schedules:\n{text}")


def wait_until(look, seconds=30):
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def listed(server):
    return {one["name"]: one for one in server.json("/api/v1/schedules")["schedules"]}


def due_of(server, name):
    return server.json(f"/api/v1/schedules/{name}/due")["due"]


def test_a_schedule_fires_and_is_recorded(home, serve):
    write_schedules(home, "  often: {run: [a+], every: 1s}\n")
    server = serve()
    wait_until(lambda: sum(due["state"] == "done" for due in due_of(server, "often")) >= 2)
    one = listed(server)["often"]
    assert (one["file"], one["line"]) == ("tarn.yml", 4)
    assert one["run"] == ["a+"] and one["when"] == "every 1s" and one["time_zone"] == "UTC" and not one["paused"]
    assert one["next_at"] and one["last"]["state"] in ("done", "running")
    run = server.json("/api/v1/runs?limit=1")["runs"][0]
    assert run["schedule"] == "often" and run["selection"] == "a+" and run["due_at"].endswith("Z")
    rows = home.rows("select schedule, trigger, state, count from _tarn.due where state = 'done' order by due_at limit 1")
    assert rows[0]["schedule"] == "often" and rows[0]["trigger"] == "time" and rows[0]["state"] == "done"
    assert home.rows("select schedule from _tarn.runs where state = 'done' limit 1") == [{"schedule": "often"}]


def test_pause_resume_and_run(home, serve):
    write_schedules(home, "  nightly: {run: [a], cron: '0 3 * * *', time_zone: Europe/Amsterdam}\n  off: {run: [b], every: 1s, pause: true}\n")
    server = serve()
    assert "is paused" in home.run("schedules", "pause", "nightly").stdout
    assert listed(server)["nightly"]["paused"] and listed(server)["nightly"]["next_at"] is None
    assert listed(server)["off"]["paused_in_file"]
    assert "pause: true" in home.run("schedules", "resume", "off", check=2).stderr
    server.stop()
    server = serve()
    assert listed(server)["nightly"]["paused"], "it is kept over a restart"
    home.run("schedules", "resume", "nightly")
    assert listed(server)["nightly"]["next_at"]
    done = home.run("schedules", "run", "nightly")
    assert "1 done" in done.stderr, done.stderr
    wait_until(lambda: [(one["trigger"], one["state"]) for one in due_of(server, "nightly")] == [("hand", "done")])
    assert "did you mean 'nightly'?" in home.run("schedules", "run", "nigthly", check=2).stderr
    assert "which schedule?" in home.run("schedules", "pause", check=2).stderr
    assert server.request("/api/v1/schedules/none/run", {})[0] == 404
    assert server.request("/api/v1/schedules/nightly/fly", {})[0] == 404
    text = home.run("schedules").stdout
    assert "nightly" in text and "Europe/Amsterdam" in text and "03:00" in text
    assert json.loads(home.run("schedules", "--json").stdout)["schedules"][0]["name"] == "nightly"
    assert "next: nightly at " in home.run("status").stdout


def test_upcoming(home, serve):
    write_schedules(home, "  nightly: {run: [a], cron: '0 3 * * *'}\n  hourly: {run: [b], cron: '@hourly'}\n")
    server = serve()
    until = dt.datetime.now(dt.timezone.utc) + dt.timedelta(days=2)
    upcoming = server.json(f"/api/v1/upcoming?until={until:%Y-%m-%dT%H:%M:%SZ}&limit=1000")["upcoming"]
    assert [one["at"] for one in upcoming] == sorted(one["at"] for one in upcoming)
    assert sum(one["schedule"] == "hourly" for one in upcoming) == 48
    assert sum(one["schedule"] == "nightly" for one in upcoming) == 2
    assert server.request("/api/v1/upcoming?until=soon")[0] == 400
    assert server.request("/api/v1/upcoming?limit=0")[0] == 400


def test_a_changed_text_is_noticed_and_a_broken_one_changes_nothing(home, serve):
    server = serve()
    assert listed(server) == {}
    write_schedules(home, "  first: {run: [a], every: 1s}\n")
    wait_until(lambda: any(due["state"] == "done" for due in due_of(server, "first")))
    write_schedules(home, "  first: {run: [a], evry: 1s}\n")
    problem = wait_until(lambda: server.json("/api/v1/schedules")["problem"])
    assert "schedules of before stay" in problem and "tarn.yml:4" in problem
    assert "first" in listed(server)
    assert "schedules of before stay" in home.run("schedules").stderr
    write_schedules(home, "  second: {run: [b], cron: '@daily'}\n")
    wait_until(lambda: set(listed(server)) == {"second"})
    assert server.json("/api/v1/schedules")["problem"] == ""


def test_after_a_table_and_a_task(home, serve):
    write_schedules(home, "  then: {run: [b], after: [public.a]}\n  last: {run: [c], after: [b]}\n")
    home.write("models/c.sql", "select id from {{ ref('b') }}\n")
    server = serve()
    wait_until(lambda: "then" in listed(server))
    server.run(selection=["a"])
    wait_until(lambda: [due["state"] for due in due_of(server, "last")] == ["done"])
    assert [(due["trigger"], due["state"]) for due in due_of(server, "then")] == [("after", "done")]
    assert home.rows("select id from c") == [{"id": 2}]


def test_check_tells_every_mistake_with_its_place(home):
    write_schedules(home, """  bad: {run: [a], cron: '0 25 * * *'}
  never: {run: [a], cron: '0 0 30 2 *'}
  nozone: {run: [a], every: 1h, time_zone: Amsterdam}
  nothing: {run: [tag:none], every: 1h}
  unknown: {run: [a], after: [bb]}
  circle: {run: [a, b], after: [c]}
  other: {run: [c], after: [b]}
""")
    home.write("models/c.sql", "select id from {{ ref('b') }}\n")
    told = home.run("check", check=2).stdout + home.run("check", check=2).stderr
    for place, words in ((":4:", "'25' is not a hour"), (":5:", "never comes"), (":6:", "did you mean 'Europe/Amsterdam'"),
                         (":7:", "tag:none"), (":8:", "there is no task or table 'bb'")):
        assert any(f"tarn.yml{place}" in line and words in line for line in told.splitlines()), (place, told)
    write_schedules(home, "  circle: {run: [a, b], after: [c]}\n  other: {run: [c], after: [b]}\n")
    told = home.run("check", check=2)
    assert "for ever" in told.stdout + told.stderr


def test_a_sources_schedule_runs_what_depends_on_it(home, serve):
    home.write("inbox/x.csv", "id\n1\n2\n")
    home.write("sources/readings.yml", "kind: files\npath: inbox/*.csv\nformat: csv\ncolumns: {id: integer}\nschedule: {every: 1s}\n")
    home.write("models/m.sql", TABLE + "select count(*) as n from {{ source('readings') }}\n")
    server = serve()
    wait_until(lambda: any(due["state"] == "done" for due in due_of(server, "readings")))
    assert listed(server)["readings"]["run"] == ["readings+"]
    assert listed(server)["readings"]["file"] == "sources/readings.yml"
    assert home.rows("select n from m") == [{"n": 2}]


def backfill_project(home):
    home.write("tarn.yml", "name: home\nallow_private_addresses: true\nvars: {from: '1970-01-01', to: '1970-01-02'}\n")
    home.write("models/days.sql", "{{ config(materialized='incremental', unique_key='day') }}\n"
               "select date '{{ var(\"from\") }}' as day, date '{{ var(\"to\") }}' as until\n")


@pytest.mark.parametrize("with_server", [True, False])
def test_backfill(home, serve, with_server):
    backfill_project(home)
    server = serve() if with_server else None
    args = ["backfill", "days", "--from", "2026-01-30", "--to", "2026-02-02"]
    dry = home.run(*args, "--dry-run").stdout
    assert dry.splitlines() == ["2026-01-30 to 2026-01-31", "2026-01-31 to 2026-02-01", "2026-02-01 to 2026-02-02"]
    assert home.rows("select count(*) as n from _tarn.runs") == [{"n": 0}]
    plan = json.loads(home.run(*args, "--json").stdout)
    if server:
        wait_until(lambda: all(one["state"] == "done" for one in server.json(f"/api/v1/backfill/{plan['id']}")["steps"]))
    assert home.rows("select day::varchar as day, until::varchar as until from days order by day") == [
        {"day": "2026-01-30", "until": "2026-01-31"}, {"day": "2026-01-31", "until": "2026-02-01"},
        {"day": "2026-02-01", "until": "2026-02-02"}]
    runs = home.rows("select run, schedule from _tarn.runs order by started_at")
    assert [run["run"] for run in runs] == [step["run"] for step in plan["steps"]]
    assert {run["schedule"] for run in runs} == {f"backfill {plan['id']}"}
    assert "is not after from" in home.run("backfill", "days", "--from", "2026-02-02", "--to", "2026-01-01", check=2).stderr
    assert "nothere" in home.run("backfill", "nothere", "--from", "2026-01-01", "--to", "2026-01-02", check=2).stderr


def test_a_backfill_that_was_killed_goes_on(home, serve):
    backfill_project(home)
    home.write("models/days.sql", "{{ config(materialized='incremental', unique_key='day') }}\n"
               "select date '{{ var(\"from\") }}' as day, count(*) as n from range(20000000) r(i) where hash(i) % 7 = 1\n")
    server = serve()
    plan = server.json("/api/v1/backfill", {"selection": ["days"], "from": "2026-01-01", "to": "2026-01-09"})
    wait_until(lambda: any(one["state"] == "done" for one in server.json(f"/api/v1/backfill/{plan['id']}")["steps"]))
    server.process.kill()
    server.process.communicate()
    (home.data / "server.json").unlink(missing_ok=True)
    server = serve()
    wait_until(lambda: all(one["state"] == "done" for one in server.json(f"/api/v1/backfill/{plan['id']}")["steps"]), 60)
    assert home.rows("select count(*) as n, count(distinct day) as days from days") == [{"n": 8, "days": 8}]
    assert home.rows("select count(*) as n from _tarn.runs") == [{"n": 8}]


def test_a_backfill_reaches_the_requests_of_a_source(home, serve, api):
    home.write("tarn.yml", f"name: home\nallow_private_addresses: true\nvars: {{api: '{api}', from: '2000-01-01', to: '2000-01-02'}}\n")
    home.write("sources/bars.yml", "kind: http\nurl: ${var:api}/v2/bars\nquery: {symbol: SPX, limit: 3, start: '${var:from}'}\n"
               "format: {type: json, records: $.bars}\nretry: {attempts: 8, first_delay: 50ms}\n")
    plan = json.loads(home.run("backfill", "bars", "--from", "2001-02-01", "--to", "2001-04-01", "--step", "month", "--json").stdout)
    urls = home.rows("select distinct url from _tarn.fetches order by url")
    assert [step["from"] for step in plan["steps"]] == ["2001-02-01", "2001-03-01"]
    assert any("start=2001-02-01" in row["url"] for row in urls) and any("start=2001-03-01" in row["url"] for row in urls)


def test_a_stop_in_the_middle_of_a_run_goes_on_at_the_next_start(home, serve):
    home.write("models/slow.sql", TABLE + "select count(*) as n from range(3000000000) r(i) where hash(i) = 1\n")
    home.write("models/after.sql", TABLE + "select n from {{ ref('slow') }}\n")
    write_schedules(home, "  long: {run: [slow+], cron: '@yearly'}\n")
    server = serve()
    run = server.json("/api/v1/schedules/long/run", {})["id"]
    wait_until(lambda: server.json(f"/api/v1/runs/{run}")["state"] == "running")
    assert server.stop()[0] == 0
    home.write("models/slow.sql", TABLE + "select 5 as n\n")
    server = serve()
    wait_until(lambda: [(due["run"], due["state"]) for due in due_of(server, "long")] == [(run, "done")])
    assert home.rows("select n from after") == [{"n": 5}]


def test_time_outs(home, serve):
    slow = TABLE + "select count(*) as n from range(1000000000000) r(i) where hash(i) = 1\n"
    home.write("models/slow.sql", slow)
    write_schedules(home, "  short: {run: [slow], cron: '@yearly', timeout: 1s}\n  task: {run: [slow], cron: '@yearly', task_timeout: 1s}\n")
    server = serve()
    for name, words in (("short", "stopped after 1.0 s (timeout)"), ("task", "stopped after 1.0 s (task_timeout)")):
        server.json(f"/api/v1/schedules/{name}/run", {})
        wait_until(lambda: [due["state"] for due in due_of(server, name)] == ["failed"])
        assert words in due_of(server, name)[0]["reason"]


def test_runs_queue_where_their_tasks_meet(home, serve):
    home.write("models/slow.sql", TABLE + "select count(*) as n from range(1000000000000) r(i) where hash(i) = 1\n")
    server = serve()
    first = server.json("/api/v1/runs", {"selection": ["slow"]})
    assert first["waits_for"] == ""
    second = server.json("/api/v1/runs", {"selection": ["slow", "a"]})
    assert f"waits for run {first['id']}, which works on slow" in second["waits_for"]
    # Nothing in common with either, so it need not wait.
    home.write("models/other.sql", TABLE + "select 3 as id\n")
    _, events = server.run(selection=["other"])
    assert events[-1]["run"]["state"] == "done"
    assert server.json(f"/api/v1/runs/{second['id']}")["state"] == "waiting"
    assert b"tarn_runs_waiting 1" in server.request("/metrics")[1]
    server.json(f"/api/v1/runs/{first['id']}/cancel", {})
    wait_until(lambda: server.json(f"/api/v1/runs/{second['id']}")["state"] == "running")
    server.json(f"/api/v1/runs/{second['id']}/cancel", {})
    wait_until(lambda: server.json(f"/api/v1/runs/{second['id']}")["state"] == "cancelled")
