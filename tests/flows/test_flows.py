"""Goal: a flow's tasks run in their order with parameters, results, rows and conditions; every mistake in its file has
a place; what it does is recorded. Method: the real program, a real HTTP server on loopback."""

import json

import pytest

from hook_server import hook  # noqa: F401 (a fixture)
from tarn_server import Server

TABLE = "{{ config(materialized='table') }}\n"


def tasks_of(tarn, run=None):
    """{task: row of _tarn.tasks} of the newest run of a flow, or of `run`."""
    of = f"'{run}'" if run else "(select run from _tarn.runs where selection like 'flow:%' order by started_at desc limit 1)"
    return {row["task"]: row for row in tarn.rows(f"select * from _tarn.tasks where run = {of}")}


def results(tarn):
    return {task: json.loads(row["result"]) for task, row in tasks_of(tarn).items() if row["result"]}


def test_parameters_results_conditions_and_rows(tarn, hook):
    tarn.write("models/sales.sql", TABLE + "select 'north' as region, 3 as n union all select 'south', 0 union all select 'east', 5")
    tarn.write("scripts/fit.py", "import json, os, sys\nasked = json.load(sys.stdin)\nprint('fits', asked['row']['region'])\n"
               "json.dump({'score': asked['row']['n'] * 2, 'day': asked['parameters']['day']}, open(os.environ['TARN_RESULT'], 'w'))\n")
    tarn.write("flows/night.yml", f"""
title: The night
parameters: {{day: {{type: date, default: "2026-11-21"}}, least: {{type: number, default: 1}}}}
tasks:
  build: {{run: [sales]}}
  count: {{sql: "select count(*)::int as regions, sum(n)::bigint as n, $day as day from {{{{ ref('sales') }}}} where n >= $least", after: build}}
  none: {{sql: select 1, after: count, when: $count.n > 100}}
  below_none: {{sql: select 1, after: none}}
  fit:
    script: scripts/fit.py
    for_each: select region, n from sales where n >= $least order by region
    after: count
    when: $count.regions = 2
  joined: {{sql: "select $count.n + 1 as n, $fit.rows as fitted", after: [fit, below_none]}}
  tell:
    http:
      url: {hook.url}/tell?day=${{day}}
      json: {{n: "${{joined.n}}", fitted: "${{joined.fitted}}", text: "n is ${{joined.n}}"}}
    after: joined
  read: {{sql: "select $tell.json.id as id, $tell.status as status", after: tell}}
  keep: {{sql: "create table if not exists kept (run text, n bigint); insert into kept values ($run.id, $joined.n)", after: read}}
""")
    tarn.run("check")
    tarn.run("flow", "night", "-p", "least=2")
    states = {task.removeprefix("night/"): row["state"] for task, row in tasks_of(tarn).items()}
    assert states == {"build": "done", "count": "done", "none": "skipped", "below_none": "skipped", "fit": "done", "fit[1]": "done",
                      "fit[2]": "done", "joined": "done", "tell": "done", "read": "done", "keep": "done"}
    found = {task.removeprefix("night/"): result for task, result in results(tarn).items()}
    assert found["count"] == {"regions": 2, "n": 8, "day": "2026-11-21"}
    assert found["fit"] == {"rows": 2}
    assert found["fit[1]"] == {"score": 10, "day": "2026-11-21"}
    assert found["joined"] == {"n": 9, "fitted": 2}
    assert found["read"] == {"id": 1, "status": 200}
    assert tarn.rows("select n from kept") == [{"n": 9}]
    (call,) = hook.calls
    run = tarn.rows("select run from _tarn.runs where selection = 'flow:night'")[0]["run"]
    assert call["key"] == f"{run}/night/tell" and call["path"] == "/tell?day=2026-11-21"
    assert call["body"] == {"n": 9, "fitted": 2, "text": "n is 9"}
    part = tarn.rows("select run, part_of, state from _tarn.runs where part_of is not null")
    assert part == [{"run": f"{run}.build", "part_of": f"{run}/night/build", "state": "done"}]
    assert tasks_of(tarn)["night/fit[1]"]["input"] == '{"n":5,"region":"east"}'
    lines = tarn.rows(f"select text from _tarn.task_log where run = '{run}' and task = 'night/fit[2]'")
    assert "fits north" in [line["text"] for line in lines]
    # What the parts built is known as such.
    assert json.loads(tarn.run("status", "--json").stdout)[0]["state"] == "fresh"


def test_failures_retries_and_what_comes_after(tarn, hook):
    tarn.write("flows/f.yml", f"""
tasks:
  flaky: {{http: {{url: "{hook.url}/fail/2", method: POST}}, retries: 3, retry_delay: 10ms}}
  refused: {{http: {{url: "{hook.url}/status/404", method: POST}}, after: flaky}}
  accepted: {{http: {{url: "{hook.url}/status/404", method: POST, accept: [404]}}, after: flaky}}
  after_refused: {{sql: select 1, after: refused}}
  on_failure: {{sql: select 1 as told, after: refused, if_before: failed}}
  at_last: {{sql: select 2 as done, after: [refused, accepted], if_before: ended}}
  shell: {{shell: "echo about to fail; exit 3"}}
""")
    done = tarn.run("flow", "f", check=1)
    rows = {task.removeprefix("f/"): row for task, row in tasks_of(tarn).items()}
    assert {task: row["state"] for task, row in rows.items()} == {
        "flaky": "done", "refused": "failed", "accepted": "done", "after_refused": "skipped", "on_failure": "done",
        "at_last": "done", "shell": "failed"}
    assert rows["flaky"]["attempts"] == 3
    assert rows["refused"]["error"].endswith("/status/404 answered 404: no")
    assert rows["shell"]["error"] == "it ended with exit code 3"
    assert "f/refused" in done.stderr
    effects = {row["task"]: row for row in tarn.rows("select * from _tarn.effects")}
    assert effects["f/flaky"]["state"] == "done" and effects["f/flaky"]["tries"] == 3
    assert effects["f/shell"]["state"] == "failed"


def test_an_answer_that_does_not_come_is_unknown_and_not_repeated(tarn, hook):
    tarn.write("flows/f.yml", f"""
tasks:
  once: {{http: {{url: "{hook.url}/hang", method: POST}}, timeout: 300ms, retries: 3, retry_delay: 10ms}}
  again: {{http: {{url: "{hook.url}/hang", method: POST}}, timeout: 300ms, retries: 1, retry_delay: 10ms, repeatable: true}}
  nobody: {{http: {{url: "http://127.0.0.1:1/", method: POST}}, retries: 2, retry_delay: 10ms}}
""")
    tarn.run("flow", "f", check=1)
    rows = {task.removeprefix("f/"): row for task, row in tasks_of(tarn).items()}
    assert rows["once"]["state"] == "unknown" and rows["once"]["attempts"] == 1
    assert "nobody knows whether it was done" in rows["once"]["error"]
    assert rows["again"]["state"] == "failed" and rows["again"]["attempts"] == 2
    assert rows["nobody"]["state"] == "failed" and rows["nobody"]["attempts"] == 3
    assert tarn.rows("select state from _tarn.effects where task = 'f/once'") == [{"state": "unknown"}]


def test_private_addresses_are_refused_unless_allowed(tarn, hook):
    tarn.write("tarn.yml", "name: home\n")
    tarn.write("flows/f.yml", f"tasks:\n  a: {{http: '{hook.url}'}}\n")
    tarn.run("flow", "f", check=1)
    assert "private address" in tasks_of(tarn)["f/a"]["error"]
    assert hook.calls == []


MISTAKES = {
    "tasks:\n  a: {run: [nothing_here]}\n": "flows/f.yml:2:12: task a: the selection 'nothing_here' matches nothing",
    "tasks:\n  a: {sql: \"select * from {{ ref('one') }} where idd = 1\"}\n": "flows/f.yml:2:50: there is no column",
    "tasks:\n  a: {sql: select id from one}\n  b: {sql: select 1, after: a, when: $a.id = 1 and}\n": "flows/f.yml:3:",
    "tasks:\n  a: {sql: select id from one}\n  b: {sql: select 1, after: a, when: $a.id + 1}\n":
        "flows/f.yml:3:38: when is a condition, true or false, not BIGINT",
    "tasks:\n  a: {sql: select id from one}\n  b: {sql: select $a.ids, after: a}\n":
        "flows/f.yml:3:19: the result of a has no 'ids': did you mean 'id'?",
    "tasks:\n  a: {sql: 'insert into one values (1)', for_each: delete from one}\n": "for_each is exactly one SELECT",
    "tasks:\n  a: {http: 'https://x.org/${row.idd}', for_each: select id from one}\n":
        "flows/f.yml:2:28: for_each has no column 'idd': did you mean 'id'?",
    "tasks:\n  a: {script: scripts/none.sh}\n": "flows/f.yml:2:15: the script scripts/none.sh is not there",
    "tasks:\n  a: {script: scripts/plain.sh}\n": "flows/f.yml:2:15: scripts/plain.sh is not executable: chmod +x scripts/plain.sh",
    "tasks:\n  a: {report: dayly}\n": "flows/f.yml:2:15: there is no report 'dayly': did you mean 'daily'?",
    "tasks:\n  a: {report: daily, file: x.xlsx, parameters: {from: 2026-01-01}}\n": "report daily has no parameter 'from'",
    "tasks:\n  a: {http: '${var:hok}'}\n": "flows/f.yml:2:14: ${var:hok} is not among the vars of tarn.yml: did you mean 'hook'?",
    "tasks:\n  a: {sql: BEGIN; select 1}\n": "take BEGIN and COMMIT out",
    "tasks:\n  a: {sql: \"copy one to '/tmp/x.csv'\"}\n": None,  # told when it runs
}


def test_check_finds_every_mistake_with_its_place(tarn):
    tarn.write("tarn.yml", "name: home\nvars: {hook: 'https://x.org'}\n")
    tarn.write("models/one.sql", TABLE + "select 1::bigint as id\n")
    tarn.write("reports/daily.yml", "sheets: [{name: S, query: select 1 as n}]\n")
    tarn.write("scripts/plain.sh", "#!/bin/sh\n")
    for text, told in MISTAKES.items():
        tarn.write("flows/f.yml", text)
        done = tarn.run("check", check=None)
        assert (done.returncode == 2) == (told is not None), (text, done.stderr)
        assert told is None or told in done.stderr, (text, done.stderr)
    # A flow with mistakes stops no other run, and is not run itself.
    tarn.write("flows/f.yml", "tasks:\n  a: {sql: select 1, after: b}\n")
    tarn.run("run", "one")
    assert "flows/f.yml:2:29: there is no task 'b'" in tarn.run("flow", "f", check=2).stderr


def test_statements_are_gated_and_stay_inside(tarn):
    tarn.write("flows/f.yml", "tasks:\n  a: {sql: \"copy (select 1) to '/tmp/tarn_flow_out.csv'\"}\n")
    tarn.run("flow", "f", check=1)
    assert tasks_of(tarn)["f/a"]["state"] == "failed"
    assert "COPY" in tasks_of(tarn)["f/a"]["error"].upper()


def test_parameters_are_checked_and_listed(tarn):
    tarn.write("flows/f.yml", "parameters: {day: {type: date, required: true}, city: {type: choice, choices: [Utrecht, Delft], default: Delft}}\n"
               "tasks:\n  a: {sql: \"select $day as day, $city as city\"}\n")
    assert "parameter day: a value is needed" in tarn.run("flow", "f", check=2).stderr
    assert "did you mean 'city'?" in tarn.run("flow", "f", "-p", "day=2026-01-01", "-p", "cty=x", check=2).stderr
    assert "not among the choices" in tarn.run("flow", "f", "-p", "day=2026-01-01", "-p", "city=Paris", check=2).stderr
    tarn.run("flow", "f", "-p", "day=2026-01-01", "-p", "city=Utrecht")
    assert results(tarn)["f/a"] == {"day": "2026-01-01", "city": "Utrecht"}
    assert "f" in tarn.run("flow").stdout and "day*" in tarn.run("flow").stdout
    assert "-p city" in tarn.run("flow", "f", "--list").stdout
    tarn.run("run", "flow:f", "--vars", "day=2026-02-02")
    assert results(tarn)["f/a"] == {"day": "2026-02-02", "city": "Delft"}
    assert "stands alone" in tarn.run("run", "flow:f", "flow:f", check=2).stderr


def test_rows_side_by_side_and_limits(tarn):
    tarn.write("flows/f.yml", "tasks:\n  a: {sql: select $row.i as i, for_each: from range(40) t(i), at_once: 2}\n"
               "  sum: {sql: select $a.rows as n, after: a}\n  no: {sql: select 1, for_each: select 1 as i where false}\n"
               "  after_no: {sql: select $no.rows as n, after: no}\n")
    tarn.run("flow", "f")
    found = results(tarn)
    assert found["f/sum"] == {"n": 40} and found["f/after_no"] == {"n": 0}
    assert sorted(found[f"f/a[{i}]"]["i"] for i in range(1, 41)) == list(range(40))
    tarn.write("flows/f.yml", "tasks:\n  a: {sql: select 1, for_each: from range(10001) t(i)}\n")
    tarn.run("flow", "f", check=1)
    assert "more than 10000 rows" in tasks_of(tarn)["f/a"]["error"]


def test_a_workbook_is_kept_and_cannot_leave_the_project(tarn):
    tarn.write("reports/daily.yml", "parameters: {region: text}\nsheets: [{name: S, query: select $region as region}]\n")
    tarn.write("flows/f.yml", "parameters: {name: {type: text, default: a}}\ntasks:\n  a:\n    report: daily\n    file: exports/${name}.xlsx\n"
               "    parameters: {region: \"${name}\"}\n")
    tarn.run("flow", "f", "-p", "name=north")
    assert (tarn.project / "exports/north.xlsx").read_bytes()[:2] == b"PK"
    tarn.run("flow", "f", "-p", "name=../../x", check=1)
    assert "is not in the project" in tasks_of(tarn)["f/a"]["error"]


@pytest.fixture
def server(tarn):
    started = []

    def start():
        started.append(Server(tarn))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.stop()


def test_the_api_lists_starts_and_shows_flows(tarn, server):
    tarn.write("models/one.sql", TABLE + "select 1 as id\n")
    tarn.write("flows/f.yml", "title: First\nparameters: {n: {type: number, default: 1}}\ntasks:\n  build: {run: one}\n"
               "  a: {sql: select $n + 1 as n, after: build}\n")
    tarn.write("flows/bad.yml", "tasks: {}\n")
    served = server()
    listed = {flow["name"]: flow for flow in served.json("/api/v1/flows")["flows"]}
    assert listed["f"]["title"] == "First" and listed["f"]["mistake"] == "" and listed["f"]["last"] is None
    assert "flows/bad.yml" in listed["bad"]["mistake"]
    assert served.request("/api/v1/flows/none")[0] == 404
    run = served.json("/api/v1/flows/f/run", {"parameters": {"n": 41}})["id"]
    served.request(f"/api/v1/runs/{run}/events")
    shown = served.json("/api/v1/flows/f")
    assert shown["runs"][0]["id"] == run and shown["runs"][0]["state"] == "done"
    detail = served.json(f"/api/v1/runs/{run}/detail")
    rows = {task["name"]: task for task in detail["tasks"]}
    assert json.loads(rows["f/a"]["result"]) == {"n": 42}
    assert rows["one"]["part_of"] == "f/build" and rows["one"]["run"] == f"{run}.build"
    assert rows["one"]["state"] == "done"
    # Commands go through the server, too.
    done = tarn.run("flow", "f", "-p", "n=1", "--json")
    assert json.loads(done.stdout)["state"] == "done"


def test_a_schedule_runs_a_flow_and_gives_its_parameters(tarn, server):
    tarn.write("tarn.yml", "name: home\nschedules:\n  often: {run: ['flow:f'], every: 1s, vars: {n: 5}}\n")
    tarn.write("flows/f.yml", "parameters: {n: {type: number, default: 1}}\ntasks:\n  a: {sql: \"select $n as n, $run.schedule as s, $run.due_at as at\"}\n")
    tarn.run("check")
    served = server()
    import time
    deadline = time.monotonic() + 20
    while not any(run["state"] == "done" for run in served.json("/api/v1/runs")["runs"]):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    served.stop()
    found = results(tarn)["f/a"]
    assert found["n"] == 5 and found["s"] == "often" and found["at"].endswith("Z")
    tarn.write("tarn.yml", "name: home\nschedules:\n  often: {run: ['flow:g'], every: 1s}\n")
    assert "there is no flow 'g'" in tarn.run("check", check=2).stderr


def test_a_backfill_gives_from_and_to(tarn):
    tarn.write("flows/f.yml", "parameters: {from: date, to: date}\ntasks:\n  a: {sql: \"create table if not exists days (d date, e date);"
               " insert into days values ($from, $to)\"}\n")
    tarn.run("backfill", "flow:f", "--from", "2026-01-01", "--to", "2026-01-04")
    assert tarn.rows("select d::text as d, (e - d)::int as n from days order by d") == [
        {"d": f"2026-01-0{i}", "n": 1} for i in (1, 2, 3)]


def test_a_run_goes_on_where_it_stopped_and_what_is_unknown_is_settled(tarn, hook):
    tarn.write("flows/f.yml", f"""
parameters: {{day: {{type: date, default: today}}}}
tasks:
  note: {{sql: "create table if not exists notes (d date); insert into notes values ($day)"}}
  tell: {{http: {{url: "{hook.url}/hang", method: POST, json: {{day: "${{day}}"}}}}, after: note, timeout: 300ms}}
  other: {{http: {{url: "{hook.url}/hang", method: POST}}, after: note, timeout: 300ms}}
  last: {{sql: "select $tell.status as status", after: [tell, other]}}
""")
    tarn.run("flow", "f", "-p", "day=2026-01-02", check=1)
    run = tarn.rows("select run from _tarn.runs")[0]["run"]
    # Without a word nothing unknown is repeated.
    tarn.run("flow", "--resume", run, check=1)
    assert len(hook.calls) == 2 and tasks_of(tarn)["f/tell"]["state"] == "unknown"
    assert "nothing is unknown" in tarn.run("flow", "--resume", run, "--done", "f/note", check=2).stderr
    tarn.write("flows/f.yml", (tarn.project / "flows/f.yml").read_text().replace("timeout: 300ms", "timeout: 30s"))
    tarn.run("flow", "--resume", run, "--done", "f/other", "--again", "f/tell")
    rows = tasks_of(tarn, run)
    assert {row["state"] for row in rows.values()} == {"done"}
    assert [call["body"] for call in hook.calls if call["key"] == f"{run}/f/tell"] == [{"day": "2026-01-02"}] * 2
    assert sum(call["key"] == f"{run}/f/other" for call in hook.calls) == 1
    assert json.loads(rows["f/last"]["result"]) == {"status": 200}
    assert tarn.rows("select d::text as d from notes") == [{"d": "2026-01-02"}]
    assert "nothing to go on with" in tarn.run("flow", "--resume", run, check=None).stderr
    assert "there is no run 'x'" in tarn.run("flow", "--resume", "x", check=None).stderr


def test_a_run_goes_on_through_the_server(tarn, hook, server):
    tarn.write("flows/f.yml", f"tasks:\n  a: {{shell: 'test -e $TARN_PROJECT/here'}}\n  b: {{http: '{hook.url}', after: a}}\n")
    served = server()
    run = served.json("/api/v1/flows/f/run", {})["id"]
    served.request(f"/api/v1/runs/{run}/events")
    tarn.write("here", "")
    tarn.run("flow", "--resume", run)
    assert served.json(f"/api/v1/runs/{run}")["state"] == "done" and len(hook.calls) == 1
    assert served.request(f"/api/v1/runs/{run}/resume", {})[0] == 409
    assert served.request(f"/api/v1/runs/{run}/settle", {"task": "f/b", "done": True})[0] == 404
    assert served.request(f"/api/v1/runs/{run}/settle", {})[0] == 400
