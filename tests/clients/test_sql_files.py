"""Goal: SQL behaves through the server as tests/sql/*.test say. Method: the same files that session_test runs in process, each
statement a request of its own; a file is left where it needs a session that lasts (a transaction, temporary tables, PREPARE, USE)."""

import csv
import io
import json
import re

import pytest

from conftest import ROOT
from tarn_server import Server

FILES = sorted((ROOT / "tests/sql").glob("*.test"))
LASTING = re.compile(r"\b(begin|temp|temporary|prepare|use|rollback)\b", re.I)


def steps_of(path):
    """(line, header, SQL, expected lines)"""
    steps, step, in_rows = [], None, False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if step is None and line.startswith(("statement ", "query ")):
            step, in_rows = (number, line, [], []), False
            steps.append(step)
        elif not line:
            step = None
        elif line == "----" and step is not None:
            in_rows = True
        elif step is not None:
            step[3 if in_rows else 2].append(line)
    return steps


def cells(answer):
    """Rows as the files write them; CSV has no word for NULL, which stands as an empty cell on both sides."""
    return ["\t".join(row) for row in list(csv.reader(io.StringIO(answer)))[1:]]


def expected_cells(lines):
    return ["\t".join("" if cell == "NULL" else cell for cell in line.split("\t")) for line in lines]


@pytest.fixture
def server(tarn):
    server = Server(tarn)
    yield server
    server.stop()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file(path, server):
    ran = 0
    for line, header, sql, expected in steps_of(path):
        text = "\n".join(sql)
        if LASTING.search(text):
            break
        status, answer = server.request("/api/v1/sql", {"sql": text, "format": "csv"})
        answer = answer.decode()
        where = f"{path.name}:{line}: {text}: {answer}"
        if header == "statement ok":
            assert status == 200, where
        elif header == "statement error":
            assert status != 200, where
            part = expected[0] if expected else ""
            error = json.loads(answer)["error"]
            assert part in f"{error['code']}: {error['message']}", where
        else:
            assert status == 200, where
            rows = cells(answer)
            wanted = expected_cells(expected)
            if header.endswith("rowsort"):
                rows, wanted = sorted(rows), sorted(wanted)
            assert rows == wanted, where
        ran += 1
    assert ran or path.stem in ("temporary", "transactions"), f"nothing of {path.name} was run"
