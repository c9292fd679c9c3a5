"""A board of 12 tiles over a table of 5 million rows, and 200 pages that show it while the table changes.

    ./dev bench boards

Promises: cold at most 1.5 s, 100 ms when nothing changed; 200 open boards with one version change a second cost at most one core.
"""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import tempfile
import time
import urllib.request

from measure import TARN, machine, show_limit

PAGES = 200
CHANGES = 10

TILES = [f"""  - type: bar
    title: T{i}
    query: |
      select symbol, {agg} as v from bars where minute >= {i * 1000} group by symbol order by symbol
    x: symbol
    y: v
""" for i, agg in enumerate(["sum(volume)", "avg(close)", "max(close)", "min(close)", "count(*)", "stddev(close)", "sum(volume * close)",
                             "max(volume)", "min(volume)", "avg(volume)", "count(distinct minute % 1000)", "median(close)"])]


def main():
    machine()
    with tempfile.TemporaryDirectory() as folder:
        home = pathlib.Path(folder)
        (home / "tarn.yml").write_text("name: home\n")
        (home / "boards").mkdir()
        (home / "boards/b.yml").write_text("title: B\ntiles:\n" + "".join(TILES))
        subprocess.run([TARN, "--project", home, "sql", "create table bars as select i as minute, 'S' || (i % 50) as symbol, "
                        "100 + (i * 7919 % 1000) / 100.0::double as close, (i * 104729 % 10000)::bigint as volume from range(5000000) r(i)"],
                       check=True, capture_output=True)
        server = subprocess.Popen([TARN, "--project", home, "serve", "--http", "127.0.0.1:0"], stdout=subprocess.DEVNULL)
        try:
            measure(home, server)
        finally:
            server.terminate()
            server.wait()


def measure(home, server):
    while not (home / ".tarn/server.json").exists():
        time.sleep(0.02)
    time.sleep(0.3)
    url = json.loads((home / ".tarn/server.json").read_text())["url"]
    token = (home / ".tarn/token").read_text().strip()

    def post(path, body):
        request = urllib.request.Request(url + path, json.dumps(body).encode(), {"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request) as answer:
            return answer.read()

    def ask(known):
        lines = [json.loads(line) for line in post("/api/v1/boards/b/data", {"known": known}).splitlines()[1:]]
        assert len(lines) == len(TILES) and not any("error" in line for line in lines), lines
        return {"tile:" + line["tile"]: line["etag"] for line in lines}

    began = time.perf_counter()
    known = ask({})
    show_limit("cold, 12 tiles", (time.perf_counter() - began) * 1000, 1500, "ms")
    began = time.perf_counter()
    assert ask(known) == known
    show_limit("when nothing changed", (time.perf_counter() - began) * 1000, 100, "ms")
    began = time.perf_counter()
    ask({})
    show_limit("another page, when nothing changed", (time.perf_counter() - began) * 1000, 100, "ms")

    def cpu():
        fields = pathlib.Path(f"/proc/{server.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    states = [known] * PAGES
    used, began = cpu(), time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        for change in range(CHANGES):
            due = began + change
            time.sleep(max(0.0, due - time.perf_counter()))
            post("/api/v1/sql", {"sql": f"insert into bars values ({5000000 + change}, 'S1', 1.0, 1)"})
            states = list(pool.map(ask, states))
    took = max(time.perf_counter() - began, CHANGES)
    show_limit(f"{PAGES} pages, one version a second: share of a core", (cpu() - used) / took * 100, 100, "%")
    print(f"  {CHANGES} changes were shown on all pages in {took:.1f} s")


if __name__ == "__main__":
    main()
