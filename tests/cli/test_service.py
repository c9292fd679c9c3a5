"""Goal: `tarn serve` runs as a service: a manager hears of its start and end, and whether it is well can be asked."""

import json
import pathlib
import shutil
import socket
import subprocess

import pytest

from tarn_server import Server

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_health(tarn):
    missing = tarn.run("health", check=4)
    assert "tarn serve" in missing.stderr
    server = Server(tarn)
    assert "is well" in tarn.run("health").stdout
    assert json.loads(tarn.run("health", "--json").stdout) == {"serving": server.url.removeprefix("http://")}
    server.stop()
    tarn.run("health", check=4)


def test_a_service_manager_hears_of_start_and_end(tarn, tmp_path):
    path = str(tmp_path / "notify")
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(path)
    manager.settimeout(20)
    tarn.env = {**tarn.env, "NOTIFY_SOCKET": path}
    server = Server(tarn)
    assert manager.recv(1000).decode() == f"READY=1\nSTATUS=serving {server.url}"
    server.stop()
    assert manager.recv(1000) == b"STOPPING=1"


def lines_of(errors):
    return [json.loads(line) for line in errors.splitlines()]


def test_the_log_is_json_without_secrets(tarn):
    tarn.write("models/a.sql", "select 1 as id")
    tarn.write("models/b.sql", "{{ config(materialized='table') }}\nselect error('no luck') as id from {{ ref('a') }}")
    tarn.env = {**tarn.env, "TARN_LOG": "error"}
    server = Server(tarn, "--log", "json,debug")
    run, _ = server.run()
    server.request("/api/v1/status?token=hush", headers={"X-Request-Id": "my-id.1"})
    server.request(f"/login?token={server.token}")
    server.request(f"/nothing/{server.token}/x")
    _, out, errors = server.stop()
    lines = lines_of(errors)
    assert server.token not in out + errors and "hush" not in errors and not out
    assert all(line["time"].endswith("Z") and line["level"] in ("debug", "info", "warning", "error") and line["message"] for line in lines)
    by_message = {line["message"]: line for line in lines}
    assert by_message["GET /api/v1/status 200"]["request"] == "my-id.1" and by_message["GET /api/v1/status 200"]["duration_ms"] > 0
    assert any(message.startswith("GET /nothing/…/x 404") for message in by_message)
    failed = [line for line in lines if line["level"] == "error" and line.get("task") == "b"]
    assert failed and failed[0]["run"] == run and "no luck" in failed[0]["message"]
    assert any(line["message"].startswith("run of everything: failed") and line["run"] == run and line["duration_ms"] > 0 for line in lines)
    assert "stopping: no run is under way" in by_message and lines[-1]["message"] == "stopped"


def test_a_graceful_stop_says_what_it_waits_for(tarn):
    tarn.write("models/a.sql", "{{ config(materialized='table') }}\nselect count(*) as n from range(100000) a, range(100000) b where a.range * b.range % 7 = 3")
    tarn.env = {**tarn.env, "TARN_LOG": "json"}
    server = Server(tarn)
    run = server.json("/api/v1/runs", {})["id"]
    _, _, errors = server.stop()
    messages = [line["message"] for line in lines_of(errors)]
    assert any("for 1 run," in message and run in message for message in messages), messages
    assert "stopped" in messages


def test_a_log_that_is_none(tarn):
    assert "no log 'jsno'" in tarn.run("serve", "--log", "jsno", check=2).stderr


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
def test_the_unit_is_valid(tmp_path):
    text = (ROOT / "deploy/tarn.service").read_text().replace("/usr/local/bin/tarn", "/bin/true")
    (tmp_path / "tarn.service").write_text(text)
    found = subprocess.run(["systemd-analyze", "verify", tmp_path / "tarn.service"], capture_output=True, text=True)
    assert "tarn.service:" not in found.stderr, found.stderr
