"""What the Python tests share: the built program, projects in temporary folders, the demo's API server."""

import contextlib
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
DEPS = pathlib.Path(os.environ.get("TARN_DEPS") or os.path.expanduser("~/.cache/tarn/deps"))
BUILD = pathlib.Path(os.environ.get("TARN_BUILD") or ROOT / "build")
DATASETS = DEPS / "vega-datasets"


class Tarn:
    """Runs the program on one project."""

    def __init__(self, project, env=None):
        self.project = pathlib.Path(project)
        self.env = {**os.environ, **(env or {})}

    def command(self, *args):
        return [str(BUILD / "tarn"), "--project", str(self.project), *map(str, args)]

    def run(self, *args, check=0, timeout=120):
        """Runs a command; `check` is the exit code expected, None for any."""
        done = subprocess.run(self.command(*args), capture_output=True, text=True, env=self.env, timeout=timeout)
        if check is not None:
            assert done.returncode == check, f"tarn {args}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def start(self, *args, **kwargs):
        return subprocess.Popen(self.command(*args), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env=self.env, **kwargs)

    def rows(self, sql, *args):
        """The rows of a query as dicts."""
        return json.loads(self.run("sql", sql, "--format", "json", *args).stdout)

    def write(self, name, text):
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    @property
    def data(self):
        return self.project / ".tarn"

    def metadata_locations(self):
        """{(schema, table): location of the current metadata.json, file:///...}; none before a lake was made."""
        path = self.data / "control.sqlite"
        if not path.exists():
            return {}
        if not path.with_name("control.sqlite-journal").exists():
            return current_tables(f"file:{path}?mode=ro")
        # The power was cut while the file was made. To look would mend it, which is the program's own task.
        with tempfile.TemporaryDirectory() as folder:
            for name in ("control.sqlite", "control.sqlite-journal"):
                shutil.copy(self.data / name, folder)
            return current_tables(f"file:{folder}/control.sqlite")


def current_tables(uri):
    with contextlib.closing(sqlite3.connect(uri, uri=True)) as db:
        if not db.execute("select 1 from sqlite_master where name = 'current_tables'").fetchone():
            return {}
        rows = db.execute("select namespace, name, metadata_location from current_tables")
        return {(namespace, name): location for namespace, name, location in rows}


@pytest.fixture
def tarn(tmp_path):
    """A Tarn on an empty project."""
    project = tmp_path / "home"
    project.mkdir()
    (project / "tarn.yml").write_text("name: home\nallow_private_addresses: true\n", encoding="utf-8")
    return Tarn(project)


def start_server(script, *args, folder):
    """Starts a Python server that writes its port to --port-file; returns (process, port)."""
    port_file = pathlib.Path(folder) / f"{pathlib.Path(script).stem}.port"
    port_file.unlink(missing_ok=True)
    process = subprocess.Popen([sys.executable, str(script), "--port", "0", "--port-file", str(port_file), *map(str, args)])
    deadline = time.monotonic() + 20
    while not port_file.exists():
        assert process.poll() is None and time.monotonic() < deadline, f"{script} did not start"
        time.sleep(0.02)
    return process, int(port_file.read_text())


@pytest.fixture(scope="session")
def api(tmp_path_factory):
    """URL of the demo's API server, with its 429s and 500s."""
    process, port = start_server(ROOT / "demo" / "api_server.py", "--data", DATASETS, folder=tmp_path_factory.mktemp("api"))
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait()


def copy_demo(target, api):
    """The demo's project, pointed at the API server."""
    shutil.copytree(ROOT / "demo" / "project", target, ignore=shutil.ignore_patterns(".tarn"))
    config = target / "tarn.yml"
    text = config.read_text(encoding="utf-8")
    assert "http://127.0.0.1:7171" in text
    config.write_text(text.replace("http://127.0.0.1:7171", api), encoding="utf-8")
    return Tarn(target)


@pytest.fixture(scope="session")
def demo(tmp_path_factory, api):
    """The demo's project after one run."""
    project = copy_demo(tmp_path_factory.mktemp("demo") / "project", api)
    project.run("run")
    return project
