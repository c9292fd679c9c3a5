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
        """What the page shows now, and in how many seconds it asks again by itself (0: it has the newest)."""
        lines = [json.loads(line) for line in post("/api/v1/boards/b/data", {"known": known}).splitlines()[1:]]
        assert len(lines) == len(TILES) and not any("error" in line for line in lines), lines
        again = [line["again_in_ms"] / 1000 for line in lines if "again_in_ms" in line]
        return {"tile:" + line["tile"]: line["etag"] for line in lines}, min(again, default=0)

    began = time.perf_counter()
    known, _ = ask({})
    show_limit("cold, 12 tiles", (time.perf_counter() - began) * 1000, 1500, "ms")
    began = time.perf_counter()
    assert ask(known) == (known, 0)
    show_limit("when nothing changed", (time.perf_counter() - began) * 1000, 100, "ms")
    began = time.perf_counter()
    ask({})
    show_limit("another page, when nothing changed", (time.perf_counter() - began) * 1000, 100, "ms")

    def cpu():
        fields = pathlib.Path(f"/proc/{server.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def live(change_at):
        """A page: asks at each change, and again when it was told that something newer can be had then."""
        mine, now = known, time.perf_counter
        for change in change_at + [None]:
            again_at = now() if change is None else change
            while True:
                time.sleep(max(0.0, again_at - now()))
                mine, again = ask(mine)
                again_at = now() + again
                if not again or (change is not None and again_at > change + 1):
                    break
        return mine, now()

    used, began = cpu(), time.perf_counter()
    changes = [began + 0.5 + i for i in range(CHANGES)]
    with concurrent.futures.ThreadPoolExecutor(PAGES) as pool:
        pages = [pool.submit(live, [change + 0.1 for change in changes]) for _ in range(PAGES)]
        for i, due in enumerate(changes):
            time.sleep(max(0.0, due - time.perf_counter()))
            post("/api/v1/sql", {"sql": f"insert into bars values ({5000000 + i}, 'S1', 1.0, 1)"})
        ends = [page.result() for page in pages]
    took = time.perf_counter() - began
    newest, _ = ask({})
    assert all(mine == newest for mine, _ in ends), "a page does not show the newest version"
    show_limit(f"{PAGES} pages, one version a second: share of a core", (cpu() - used) / took * 100, 100, "%")
    print(f"  the last of {CHANGES} changes was shown on all pages {max(end for _, end in ends) - changes[-1]:.1f} s after it was made")


if __name__ == "__main__":
    main()
