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


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
def test_the_unit_is_valid(tmp_path):
    text = (ROOT / "deploy/tarn.service").read_text().replace("/usr/local/bin/tarn", "/bin/true")
    (tmp_path / "tarn.service").write_text(text)
    found = subprocess.run(["systemd-analyze", "verify", tmp_path / "tarn.service"], capture_output=True, text=True)
    assert "tarn.service:" not in found.stderr, found.stderr
