"""Goal: `tarn serve` answers its API, and commands find it and say the same as without it. Method: a real server."""

import json
import os
import signal
import stat
import time

import pyarrow.parquet as pq
import pytest

from tarn_server import Server

SLOW = "select count(*) as n from range(1000000000000) r(i) where hash(i) = 1"


@pytest.fixture
def server(tarn):
    tarn.write("models/a.sql", "{{ config(materialized='table') }}\nselect 1 as id, 'x' as name\n")
    tarn.write("models/b.sql", "select id + 1 as id from {{ ref('a') }}\n")
    server = Server(tarn)
    yield server
    if server.process.poll() is None:
        server.stop()


def test_token_host_and_origin(server):
    assert server.request("/healthz", headers={"Authorization": ""}) == (200, b"ok\n")
    for path in ("/metrics", "/api/v1/status", "/api/v1/openapi.json", "/nothing"):
        assert server.request(path, headers={"Authorization": "Bearer wrong"})[0] == 401
    assert server.request("/api/v1/status", headers={"Host": "evil.example"})[0] == 421
    assert server.request("/api/v1/status", headers={"Origin": "http://evil.example"})[0] == 403
    assert stat.S_IMODE(os.stat(server.tarn.data / "token").st_mode) == 0o600


def test_the_start_prints_the_token_and_a_stop_is_clean(server):
    code, out, errors = server.stop()
    assert code == 0, errors
    assert server.token in out and server.url in out
    assert not (server.tarn.data / "server.json").exists()
    assert server.tarn.rows("select 1 as one") == [{"one": 1}]


def test_token_from_the_environment(tarn):
    tarn.env["TARN_TOKEN"] = "from-the-environment"
    server = Server(tarn)
    try:
        assert server.token == "from-the-environment"
        assert server.request("/api/v1/status")[0] == 200
    finally:
        server.stop()


def test_sql_takes_values_and_names_beside_the_text(server):
    def ask(**body):
        return server.json("/api/v1/sql", body)

    evil = "x'; drop table t; --"
    ask(sql='create table "a ""b"" c" as select * from (values (1, \'x\'), (2, NULL)) t(n, s)')
    assert ask(sql="select $v as v, $n + 1 as n, $t as t, $z is null as z, list_contains($l, 'b') as l",
               parameters={"v": evil, "n": 2, "t": True, "z": None, "l": ["a", "b"]}) == [{"v": evil, "n": 3, "t": True, "z": True, "l": True}]
    # Those of a script go to its last statement; what the text does not name is no mistake.
    assert ask(sql="create temp table u as select 1 as x; select $a as a, x from u", parameters={"a": "1", "b": "2"}) == [{"a": "1", "x": 1}]
    assert ask(table={"schema": "public", "name": 'a "b" c'}, limit=1) == [{"n": 1, "s": "x"}]
    assert len(ask(table={"schema": "public", "name": 'a "b" c'})) == 2
    for body in ({"sql": "select 1", "parameters": [1]}, {"sql": "select 1", "parameters": {"a": {}}}, {"sql": "select $a"},
                 {"sql": "select 1", "table": {"schema": "public", "name": "t"}}, {"table": {"schema": "public"}}, {}):
        assert server.request("/api/v1/sql", body)[0] == 400, body
    assert server.request("/api/v1/sql", {"table": {"schema": "public", "name": "none; select 1"}})[0] in (400, 404)
    assert server.request("/api/v1/sql", {"sql": "select $a", "parameters": {"a": 1}, "format": "parquet"})[0] >= 400


def test_sql_in_every_format(server, tmp_path):
    sql = "select i as id, 'n' || i as name, [i, null] as list from range(3) r(i)"
    assert server.json("/api/v1/sql", {"sql": sql})[2] == {"id": 2, "name": "n2", "list": [2, None]}
    lines = server.request("/api/v1/sql", {"sql": sql, "format": "ndjson"})[1].splitlines()
    assert [json.loads(line)["id"] for line in lines] == [0, 1, 2]
    assert server.request("/api/v1/sql", {"sql": sql, "format": "csv"})[1].startswith(b"id,name,list\n0,n0,")
    (tmp_path / "x.parquet").write_bytes(server.request("/api/v1/sql", {"sql": sql, "format": "parquet"})[1])
    assert pq.read_table(tmp_path / "x.parquet").column("name").to_pylist() == ["n0", "n1", "n2"]
    assert server.request("/api/v1/sql", {"sql": sql, "format": "xml"})[0] == 400
    assert server.request("/api/v1/sql", {"sql": "selec"})[0] == 400
    assert server.request("/api/v1/sql", {"sql": "select * from nothere"})[0] in (400, 404)
    status, body = server.request("/api/v1/sql", {"sql": "select * from read_text('/etc/passwd')"})
    assert status == 403 and b"root:" not in body
    assert server.request("/api/v1/sql", {})[0] == 400


def test_a_session_lasts_over_requests(server):
    session = server.json("/api/v1/sessions", {})["id"]

    def sql(text):
        return server.request("/api/v1/sql", {"sql": text, "session": session})

    assert sql("create temp table mine as select 7 as v")[0] == 200
    assert sql("begin")[0] == 200 and sql("create table half as select v from mine")[0] == 200
    assert json.loads(sql("select v from half")[1]) == [{"v": 7}]
    assert server.request("/api/v1/sql", {"sql": "select v from half"})[0] == 404
    assert server.request(f"/api/v1/sessions/{session}", method="DELETE")[0] == 200
    status, answer = sql("select v from half")
    assert status == 404 and b"holds no session" in answer
    assert server.json("/api/v1/sql", {"sql": "select count(*) as n from information_schema.tables where table_name = 'half'"}) \
        == [{"n": 0}]


def test_a_large_parquet_export_is_streamed(server, tmp_path):
    """Its size is many times what one piece of the stream holds; it appears whole or not at all."""
    target = tmp_path / "big.parquet"
    server.tarn.run("sql", "select i, hash(i) as h from range(1000000) r(i)", "-o", target)
    assert target.stat().st_size > 4_000_000
    table = pq.read_table(target)
    assert table.num_rows == 1000000 and table.column("i")[999999].as_py() == 999999
    done = server.tarn.run("sql", "select case when i = 900000 then error('broken') else i end as i from range(1000000) r(i)",
                           "-o", tmp_path / "bad.parquet", check=None)
    assert done.returncode != 0 and "broken" in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_file()) == ["big.parquet"]


def test_check_takes_vars_through_the_server(server):
    server.tarn.write("models/c.sql", "select {{ var('column') }} as id from {{ ref('a') }}\n")
    server.tarn.run("run", "a", "--vars", "column=id")
    assert "no mistakes" in server.tarn.run("check", "--vars", "column=id").stdout
    assert "nothere" in server.tarn.run("check", "--vars", "column=nothere", check=2).stderr


def test_unsafe_says_that_a_server_reads_no_files(server):
    (server.tarn.project / "x.csv").write_text("a\n1\n")
    done = server.tarn.run("sql", f"select * from read_csv('{server.tarn.project}/x.csv')", "--unsafe", check=None)
    assert done.returncode == 2 and "server" in done.stderr and "stop" in done.stderr, done.stderr


def test_many_rows_stream(server):
    body = server.request("/api/v1/sql", {"sql": "select i from range(300000) r(i)", "format": "csv"})[1]
    assert len(body.splitlines()) == 300001


def test_an_error_after_the_first_rows_is_seen(server):
    sql = "select case when i = 250000 then error('broken') else i end as i from range(300000) r(i)"
    with pytest.raises(Exception):  # the answer breaks off, or was an error from the start
        status, body = server.request("/api/v1/sql", {"sql": sql, "format": "csv"})
        raise Exception if status >= 400 else AssertionError(f"{len(body)} bytes looked like a whole answer")
    done = server.tarn.run("sql", sql, "--format", "csv", check=None)
    assert done.returncode != 0 and "broken" in done.stderr


def test_a_run_through_the_api(server):
    run, events = server.run()
    assert [e["event"] for e in events][0] == "run_started"
    assert events[-1]["event"] == "run_ended" and events[-1]["run"]["state"] == "done"
    assert {e["task"]["name"] for e in events if e["event"] == "task_ended"} == {"a", "b"}
    got = server.json(f"/api/v1/runs/{run}")
    assert got["state"] == "done" and [t["state"] for t in got["tasks"]] == ["done", "done"]
    assert server.json("/api/v1/runs")["runs"][0]["id"] == run
    assert server.json("/api/v1/sql", {"sql": "select id from b"}) == [{"id": 2}]
    assert {t["name"]: t["kind"] for t in server.json("/api/v1/tables")["tables"]}["a"] == "table"
    assert {t["name"]: t["state"] for t in server.json("/api/v1/status")["tasks"]} == {"a": "fresh", "b": "fresh"}
    assert server.request("/api/v1/runs/none")[0] == 404
    assert server.request(f"/api/v1/runs/{run}/log")[0] == 200
    assert server.request(f"/api/v1/runs/{run}/cancel", {})[0] == 404
    assert b"tarn_runs_done_total 1" in server.request("/metrics")[1]


def test_a_selection_and_a_mistake(server):
    _, events = server.run(selection=["a"])
    assert {e["task"]["name"] for e in events if e["event"] == "task_ended"} == {"a"}
    server.tarn.write("models/a.sql", "select * from {{ ref('nothere') }}\n")
    assert [m["file"] for m in server.json("/api/v1/check")["mistakes"]] == ["models/a.sql"]
    status, answer = server.request("/api/v1/runs", {})
    assert status == 400 and b"models/a.sql:1:" in answer
    assert "models/a.sql:1:" in server.tarn.run("run", check=2).stderr


def test_a_body_nested_too_deep_is_refused(server):
    deep = '{"vars": {"x": ' + "[" * 200_000 + "]" * 200_000 + "}}"
    status, answer = server.send("/api/v1/runs", deep.encode())
    assert status == 400 and b"nested" in answer
    assert server.request("/healthz")[0] == 200


def test_cancel_a_run(server):
    server.tarn.write("models/slow.sql", "{{ config(materialized='table') }}\n" + SLOW + "\n")
    run = server.json("/api/v1/runs", {"selection": ["slow"]})["id"]
    deadline = time.monotonic() + 20
    while [t["state"] for t in server.json(f"/api/v1/runs/{run}").get("tasks", [])] != ["running"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    second = server.json("/api/v1/runs", {})
    assert f"waits for run {run}" in second["waits_for"]
    assert server.request(f"/api/v1/runs/{second['id']}/cancel", {})[0] == 202
    assert server.request(f"/api/v1/runs/{run}/cancel", {})[0] == 202
    events = [json.loads(line) for line in server.request(f"/api/v1/runs/{run}/events")[1].splitlines()]
    assert events[-1]["run"]["state"] == "cancelled"


def test_commands_use_the_server(server):
    tarn = server.tarn
    done = tarn.run("run")
    assert "2 done" in done.stderr
    assert tarn.rows("select id from b") == [{"id": 2}]
    assert "no mistakes" in tarn.run("check").stdout
    assert "fresh" in tarn.run("status").stdout
    assert {t["name"]: t["state"] for t in json.loads(tarn.run("status", "--json").stdout)} == {"a": "fresh", "b": "fresh"}
    tarn.run("sql", "select id from b", "-o", tarn.project / "x.parquet")
    assert pq.read_table(tarn.project / "x.parquet").column("id").to_pylist() == [2]
    assert "nothere" in tarn.run("sql", "select * from nothere", check=2).stderr
    tarn.run("sql", "create table made as select 5 as v; insert into made values (6)")
    assert tarn.rows("select sum(v)::bigint as s from made") == [{"s": 11}]


def test_ctrl_c_cancels_a_run_on_the_server(server):
    tarn = server.tarn
    tarn.write("models/slow.sql", "{{ config(materialized='table') }}\n" + SLOW + "\n")
    process = tarn.start("run", "slow")
    deadline = time.monotonic() + 20
    while not [r for r in server.json("/api/v1/runs")["runs"] if r["state"] == "running"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130


def test_a_client_that_leaves_stops_its_statement(server):
    process = server.tarn.start("sql", SLOW)
    time.sleep(0.5)
    process.kill()
    process.communicate()
    # A slot is free again and the stop does not wait for the statement.
    assert server.json("/api/v1/sql", {"sql": "select 1 as one"}) == [{"one": 1}]
    start = time.monotonic()
    assert server.stop()[0] == 0
    assert time.monotonic() - start < 10


def test_every_path_of_the_description_is_answered(server):
    document = server.json("/api/v1/openapi.json")
    for path, methods in document["paths"].items():
        if path == "/api/v1/events":
            continue  # it does not end; test_web.py reads it
        for method in methods:
            body = {} if method == "post" else None
            status, answer = server.request(path.replace("{id}", "none").replace("{name}", "none"), body, method=method.upper())
            assert b"there is no GET" not in answer and b"there is no POST" not in answer, path
            assert status < 500, (path, answer)


def test_a_public_address_needs_a_word(tarn):
    done = tarn.run("serve", "--http", "0.0.0.0:0", check=2)
    assert "--allow-public" in done.stderr
