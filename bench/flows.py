"""What a flow's task costs beside its own work: flows of ten tasks in a row that do nothing, under `tarn serve`.

    ./dev bench flows

Promise: at most 5 ms a task beside its own work. A shell that does nothing is two processes and a shell; an HTTP call is
its server: these are shown without the promise.
"""

import contextlib
import datetime
import http.server
import json
import pathlib
import subprocess
import tempfile
import threading
import time
import urllib.request

from measure import TARN, machine, median, show_limit

REPEATS = 11
TASKS = 10
KINDS = {
    "left out by a condition": "{shell: 'true', when: 1 = 2, if_before: ended}",
    "an HTTP call": "{http: '%s'}",
    "a shell that does nothing": "{shell: ':'}",
    "a SELECT": "{sql: select 1 as n}",
}

WORK = ("an HTTP call", "a shell that does nothing")


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        with contextlib.suppress(OSError):
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

    def log_message(self, *args):
        pass


def ask(project, path, body=None):
    info = json.loads((project / ".tarn/server.json").read_text(encoding="utf-8"))
    token = (project / ".tarn/token").read_text(encoding="utf-8").strip()
    request = urllib.request.Request(info["url"] + path, data=None if body is None else json.dumps(body).encode(),
                                     headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request) as answer:
        return answer.read()


def milliseconds(project, flow):
    run = json.loads(ask(project, f"/api/v1/flows/{flow}/run", {}))["id"]
    ask(project, f"/api/v1/runs/{run}/events")
    record = json.loads(ask(project, f"/api/v1/runs/{run}"))
    assert record["state"] == "done" and len(record["tasks"]) == TASKS, record
    begin, end = (datetime.datetime.fromisoformat(record[key]) for key in ("started_at", "finished_at"))
    return (end - begin).total_seconds() * 1000


def main():
    machine()
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as scratch:
        project = pathlib.Path(scratch)
        (project / "tarn.yml").write_text("name: bench\nallow_private_addresses: true\n", encoding="utf-8")
        (project / "flows").mkdir()
        for number, task in enumerate(KINDS.values()):
            task = task % f"http://127.0.0.1:{web.server_port}/" if "%s" in task else task
            rows = [f"  t{i}: {task if i or 'if_before' not in task else task.replace(', if_before: ended', '')}\n" for i in range(TASKS)]
            (project / f"flows/f{number}.yml").write_text("in_sequence: true\ntasks:\n" + "".join(rows), encoding="utf-8")
        server = subprocess.Popen([str(TARN), "--project", str(project), "serve", "--http", "127.0.0.1:0"], stdout=subprocess.DEVNULL)
        while not (project / ".tarn/server.json").exists():
            time.sleep(0.01)
        for number, name in enumerate(KINDS):
            all_of = [milliseconds(project, f"f{number}") for _ in range(REPEATS)]
            each = f"ten tasks in a row, each {name}: {median(all_of):.1f} ms; a task"
            if name in WORK:
                print(f"{each}: {median(all_of) / TASKS:,.4g} ms", flush=True)
            else:
                show_limit(each, median(all_of) / TASKS, 5, "ms")
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
