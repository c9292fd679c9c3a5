"""5 million minute bars from CSV, NDJSON and Parquet files into a lake table, against DuckDB's COPY to snappy Parquet.

    ./dev bench load_bars [ROWS]

Tarn does more: it keeps the raw bytes, checks a typed contract, writes an Iceberg commit and syncs everything.
Promises: at least 0.8 of DuckDB's speed; peak memory at most 1 GB.
"""

import multiprocessing
import pathlib
import shutil
import sys
import tempfile

import duckdb

from measure import DEPS, TARN, machine, median, show, show_limit, timed

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
REPEATS = 3
SYMBOLS = 50

COLUMNS = {"symbol": "varchar", "ts": "timestamp", "open": "double", "high": "double", "low": "double", "close": "double", "volume": "bigint"}

READ = {
    "csv": "read_csv('{path}', header = true, columns = {columns})",
    "ndjson": "read_json('{path}', format = 'newline_delimited', columns = {columns})",
    "parquet": "read_parquet('{path}')",
}

COPY = """
import duckdb
c = duckdb.connect()
c.execute("set threads = 2")
c.execute("COPY (select * from {read}) TO '{target}' (FORMAT parquet, COMPRESSION snappy)")
"""


def make_inputs(folder):
    c = duckdb.connect()
    c.execute(f"""create table bars as
        select 'S' || lpad((i % {SYMBOLS})::varchar, 3, '0') as symbol, timestamp '2026-01-02 09:30:00' + to_minutes(i // {SYMBOLS}) as ts,
               round(100 + 10 * sin(i / 1e4) + (hash(i) % 100) / 100.0, 2)::double as open, open + (hash(i + 1) % 50) / 100.0 as high,
               open - (hash(i + 2) % 50) / 100.0 as low, round((high + low) / 2, 4) as close, (hash(i + 3) % 100000)::bigint as volume
        from range({ROWS}) r(i)""")
    for name, options in (("csv", "FORMAT csv, HEADER"), ("ndjson", "FORMAT json"), ("parquet", "FORMAT parquet")):
        c.execute(f"COPY bars TO '{folder}/bars.{name}' ({options})")


def make_project(folder, inputs, kind):
    (folder / "sources").mkdir(parents=True)
    (folder / "tarn.yml").write_text("name: bench\nmemory: 700MB\n", encoding="utf-8")
    columns = "".join(f"  {name}: {{type: {type_}, required: true}}\n" for name, type_ in COLUMNS.items())
    (folder / "sources/bars.yml").write_text(
        f"kind: files\npath: {inputs}/bars.{kind}\nformat: {kind}\nmode: append\ncolumns:\n{columns}", encoding="utf-8")


def main():
    machine()
    print(f"rows: {ROWS:,}")
    with tempfile.TemporaryDirectory(dir=pathlib.Path.home()) as scratch:
        scratch = pathlib.Path(scratch)
        # In a process of its own: a child starts with its parent's peak memory.
        maker = multiprocessing.Process(target=make_inputs, args=(scratch,))
        maker.start()
        maker.join()
        columns = "{" + ", ".join(f"'{n}': '{t}'" for n, t in COLUMNS.items()) + "}"
        for kind in READ:
            ours, theirs, memory = [], [], []
            for _ in range(REPEATS):
                target = scratch / "peer.parquet"
                target.unlink(missing_ok=True)
                read = READ[kind].format(path=scratch / f"bars.{kind}", columns=columns)
                theirs.append(timed([DEPS / "venv/bin/python", "-c", COPY.format(read=read, target=target)])[0])
                project = scratch / "project"
                shutil.rmtree(project, ignore_errors=True)
                make_project(project, scratch, kind)
                seconds, peak = timed([TARN, "--project", project, "run"])
                ours.append(seconds)
                memory.append(peak)
            show(f"{kind}: rows a second", ROWS / median(ours), ROWS / median(theirs), "rows/s", bar=0.8, better="higher")
            show_limit(f"{kind}: peak memory", max(memory), 1024, "MB")


if __name__ == "__main__":
    main()
