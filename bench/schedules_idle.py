"""`tarn serve` with 1,000 schedules of which none is due: processor time, memory, and the start.

    ./dev bench schedules_idle [SECONDS]

Promise: under 1 % of a core.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import time

from measure import TARN, machine, show_limit

COUNT = 1000


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def write_project(project, when):
    (project / "models").mkdir()
    for i in range(100):
        (project / f"models/m{i}.sql").write_text(f"select {i} as id\n", encoding="utf-8")
    schedules = "".join(f"  s{i}: {{run: [m{i % 100}], {when(i)}}}\n" for i in range(COUNT))
    (project / "tarn.yml").write_text(f"name: bench\nschedules:\n{schedules}", encoding="utf-8")


def measure(name, when, seconds):
    with tempfile.TemporaryDirectory() as scratch:
        project = pathlib.Path(scratch)
        write_project(project, when)
        server = subprocess.Popen([str(TARN), "--project", str(project), "serve", "--http", "127.0.0.1:0"], stdout=subprocess.DEVNULL)
        time.sleep(5)
        before, start = cpu_seconds(server.pid), time.monotonic()
        time.sleep(seconds)
        share = (cpu_seconds(server.pid) - before) / (time.monotonic() - start)
        status = pathlib.Path(f"/proc/{server.pid}/status").read_text(encoding="utf-8")
        resident = next(int(l.split()[1]) for l in status.splitlines() if l.startswith("VmRSS")) / 1024
        server.terminate()
        server.wait()
        show_limit(f"{COUNT} {name}, idle", share * 100, 1, "% of a core")
        show_limit("resident memory", resident, 150, "MB")


def main():
    machine()
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 30
    # In the month that is half a year away: none is due.
    month = (time.localtime().tm_mon + 5) % 12 + 1
    measure("cron schedules", lambda i: f"cron: '{i % 60} {i % 24} {i % 28 + 1} {month} *', time_zone: Europe/Amsterdam", seconds)
    measure("schedules after a task", lambda i: f"after: [m{(i + 1) % 100}]" if i % 100 < 50 and i % 100 % 2 == 0 else "every: 100000h", seconds)


if __name__ == "__main__":
    main()
