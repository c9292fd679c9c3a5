"""`tarn serve`: time from start to the first answer of a query, and memory while idle.

    ./dev bench serve_start

Promises: first answer within 1 s; idle at most 150 MB.
"""

import json
import pathlib
import subprocess
import tempfile
import time
import urllib.request

from measure import TARN, machine, median, show_limit, timed

REPEATS = 5


def first_answer(project):
    info = project / ".tarn/server.json"
    info.unlink(missing_ok=True)
    start = time.perf_counter()
    server = subprocess.Popen([str(TARN), "--project", str(project), "serve", "--http", "127.0.0.1:0"], stdout=subprocess.DEVNULL)
    while not info.exists() and time.perf_counter() - start < 10:
        time.sleep(0.002)
    url = json.loads(info.read_text(encoding="utf-8"))["url"]
    token = (project / ".tarn/token").read_text(encoding="utf-8").strip()
    request = urllib.request.Request(f"{url}/api/v1/sql", data=json.dumps({"sql": "select count(*) as n from t", "format": "json"}).encode(),
                                     headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200
        answer.read()
    seconds = time.perf_counter() - start
    time.sleep(2)
    status = pathlib.Path(f"/proc/{server.pid}/status").read_text(encoding="utf-8")
    resident = next(int(l.split()[1]) for l in status.splitlines() if l.startswith("VmRSS")) / 1024
    server.terminate()
    server.wait()
    return seconds, resident


def main():
    machine()
    with tempfile.TemporaryDirectory() as scratch:
        project = pathlib.Path(scratch)
        (project / "tarn.yml").write_text("name: bench\n", encoding="utf-8")
        timed([TARN, "--project", project, "sql", "create table t as select 1 as id"])
        results = [first_answer(project) for _ in range(REPEATS)]
        show_limit("first answer after the start", median([r[0] for r in results]) * 1000, 1000, "ms")
        show_limit("idle memory", max(r[1] for r in results), 150, "MB")


if __name__ == "__main__":
    main()
