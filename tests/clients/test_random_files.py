"""Goal: whatever a file holds, each of its rows is either in the table, value by value, or in quarantine with its line; none is
lost, doubled or changed. Method: random files of each format under random contracts, some values and lines broken on purpose;
Python knows what must come out. The seed is printed. TARN_FILES says how many."""

import csv
import datetime
import decimal
import gzip
import io
import json
import os
import random
import re

import pyarrow as pa
import pyarrow.parquet as pq

FILES = int(os.environ.get("TARN_FILES", "24"))
SEED = int(os.environ.get("TARN_SEED", random.randrange(1 << 30)))
TEXTS = ["a", "Ünï", "it's", 'say "x"', "x" * 300, "tab\there", "line\nbreak", "a,b;c", "\U0001F600", " spaces ", "null", "-", "\\n", "{}"]
BROKEN = {  # what no reading of the type allows
    "bigint": ["abc", "1.5", "9223372036854775808", "12x"],
    "integer": ["abc", "1.5", "2147483648", "-2147483649"],
    "double": ["abc", "1,5", "1.2.3"],
    "boolean": ["maybe", "2020"],
    "date": ["2024-02-30", "yesterday", "2024-13-01"],
    "timestamp": ["2024-02-30 10:00:00", "noon", "2024-01-01 25:00:00"],
    "decimal(12,2)": ["abc", "12345678901.00"],
}


def good(dice, kind):
    """A value as Python has it."""
    if kind == "varchar":
        return dice.choice(TEXTS) + str(dice.randrange(100))
    if kind in ("bigint", "integer"):
        top = 2**63 if kind == "bigint" else 2**31
        return dice.choice([0, 1, -1, top - 1, -top, dice.randrange(-top, top), dice.randrange(-1000, 1000)])
    if kind == "double":
        return dice.choice([0.5, -1e300, 1e-300, 2.0**53, dice.gauss(0, 1e6), 3.0])
    if kind == "boolean":
        return dice.random() < 0.5
    if kind == "date":
        return datetime.date(1900, 1, 1) + datetime.timedelta(days=dice.randrange(70000))
    if kind == "timestamp":
        return datetime.datetime(1950, 1, 1) + datetime.timedelta(seconds=dice.randrange(3 * 10**9),
                                                                   microseconds=dice.choice([0, 500000, 123456]))
    return f"{dice.randrange(-10**9, 10**9)}.{dice.randrange(100):02}"


def text_of(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ")
    return repr(value) if isinstance(value, float) else str(value)


class Broken(str):
    """A value that must not arrive."""


class File:
    """One source's file: its rows as they must arrive, and the numbers of the lines that must not."""

    def __init__(self, dice, number):
        self.dice = dice
        self.name = f"s{number}"
        self.format = dice.choice(["csv", "ndjson", "json", "parquet"])
        self.columns = [(f"c{i}", dice.choice(["varchar", *BROKEN])) for i in range(dice.randint(1, 6))]
        self.required = {name for name, _ in self.columns if dice.random() < 0.3}
        self.rows, self.expected, self.bad = [], [], 0
        broken_share = dice.choice([0, 0, 0.02, 0.3])
        for _ in range(dice.choice([0, 1, 7, 3000])):
            self.add_row(broken_share)

    def add_row(self, broken_share):
        dice = self.dice
        row = {name: None if dice.random() < 0.1 and name not in self.required else good(dice, kind)
               for name, kind in self.columns}
        breakable = [(name, kind) for name, kind in self.columns if kind in BROKEN and self.format != "parquet"]
        ok = True
        if dice.random() < broken_share:
            if self.required and dice.random() < 0.5:
                row[dice.choice(sorted(self.required))] = None
                ok = False
            elif breakable:
                name, kind = dice.choice(breakable)
                row[name] = Broken(dice.choice(BROKEN[kind]))
                ok = False
        self.rows.append(row)
        if ok and len(self.columns) == 1 and self.format == "csv" and row[self.columns[0][0]] is None:
            row[self.columns[0][0]] = good(dice, self.columns[0][1])  # an empty line is no row
        if ok:
            self.expected.append(tuple(row[name] for name, _ in self.columns))
        else:
            self.bad += 1

    def yaml(self):
        lines = [f"kind: files\npath: in/{self.name}.*\nformat: {self.format}\ncolumns:"]
        lines += [f"  {name}: {{type: '{kind}', required: {str(name in self.required).lower()}}}" for name, kind in self.columns]
        return "\n".join(lines) + "\n"

    def content(self):
        """(ending, bytes)"""
        if self.format == "parquet":
            return "parquet", self.parquet()
        if self.format == "csv":
            out = io.StringIO()
            writer = csv.writer(out, lineterminator=self.dice.choice(["\n", "\r\n"]))
            writer.writerow([name for name, _ in self.columns])
            for row in self.rows:
                writer.writerow(["" if row[name] is None else text_of(row[name]) for name, _ in self.columns])
            data = out.getvalue()
        else:
            records = [self.record(row) for row in self.rows]
            data = "".join(r + "\n" for r in records) if self.format == "ndjson" else "[" + ",\n".join(records) + "]"
        data = data.encode()
        return (self.format + ".gz", gzip.compress(data)) if self.dice.random() < 0.3 else (self.format, data)

    def record(self, row):
        parts = []
        for name, kind in self.columns:
            value = row[name]
            if value is None and self.dice.random() < 0.5:
                continue  # a missing key is a null
            if isinstance(value, (datetime.date, datetime.datetime)):
                value = text_of(value)
            if isinstance(value, Broken):
                text = json.dumps(str(value))
            elif kind.startswith("decimal") and value is not None:
                text = value
            else:
                text = json.dumps(value, ensure_ascii=self.dice.random() < 0.5)
            parts.append(f"{json.dumps(name)}: {text}")
        self.dice.shuffle(parts)
        return "{" + ", ".join(parts) + "}"

    def parquet(self):
        kinds = {"varchar": pa.string(), "bigint": pa.int64(), "integer": pa.int32(), "double": pa.float64(), "boolean": pa.bool_(),
                 "date": pa.date32(), "timestamp": pa.timestamp("us"), "decimal(12,2)": pa.decimal128(12, 2)}
        columns = {}
        for name, kind in self.columns:
            values = [row[name] for row in self.rows]
            if kind.startswith("decimal"):
                values = [None if v is None else decimal.Decimal(v) for v in values]
            columns[name] = pa.array(values, kinds[kind])
        sink = io.BytesIO()
        pq.write_table(pa.table(columns), sink)
        return sink.getvalue()


def test_random_files(tarn, capsys):
    dice = random.Random(SEED)
    with capsys.disabled():
        print(f"\n{FILES} random files, seed {SEED}", flush=True)
    files = [File(dice, i) for i in range(FILES)]
    for file in files:
        tarn.write(f"sources/{file.name}.yml", file.yaml())
        ending, data = file.content()
        path = tarn.project / "in" / f"{file.name}.{ending}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    tarn.run("run")
    wrong = tarn.rows("select source, count(*) as n from _tarn.quarantine group by 1") if any(f.bad for f in files) else []
    wrong = {row["source"]: row["n"] for row in wrong}
    for file in files:
        if not file.rows:
            continue
        names = ", ".join(f"cast({name} as varchar) as {name}" for name, _ in file.columns)
        found = [tuple(row.values()) for row in tarn.rows(f"select {names} from {file.name}")]
        expected = [tuple(None if value is None else as_tarn(value, kind) for value, (_, kind) in zip(row, file.columns))
                    for row in file.expected]
        assert wrong.get(file.name, 0) == file.bad, f"{file.name} ({file.format}, {file.columns}, seed {SEED}): quarantined"
        assert sorted(map(repr, found)) == sorted(map(repr, expected)), f"{file.name} ({file.format}, {file.columns}, seed {SEED})"


def as_tarn(value, kind):
    if kind == "double":
        return repr(float(value)) if "e" not in repr(float(value)) else re.sub(r"e([+-]?)(\d)$", r"e\g<1>0\2", repr(float(value)))
    if kind == "timestamp":
        text = value.isoformat(sep=" ")
        return text.rstrip("0") if "." in text else text
    return text_of(value)
