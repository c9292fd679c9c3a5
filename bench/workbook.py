"""A workbook of one million rows: `tarn report` beside XlsxWriter in Python, both with constant memory, from the same values.

    ./dev bench workbook [ROWS]

Promises: at most 20 s and 300 MB for a million rows; the same rows into a template's table are shown beside it.
"""

import pathlib
import sys
import tempfile
import zipfile

from measure import DEPS, TARN, machine, show, show_limit, timed

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
COLUMNS = "range as id, 'station ' || range % 1000 as station, date '2020-01-01' + (range % 2000)::int as day, " \
          "(range * 37 % 100000) / 100 as value, round(range * 1.5, 2)::decimal(12,2) as amount"
PEER = """
import datetime, sys, xlsxwriter
book = xlsxwriter.Workbook(sys.argv[1], {"constant_memory": True})
sheet, rows = book.add_worksheet(), int(sys.argv[2])
day, money = book.add_format({"num_format": "yyyy-mm-dd"}), book.add_format({"num_format": "#,##0.00"})
start = datetime.date(2020, 1, 1)
for column, name in enumerate(("id", "station", "day", "value", "amount")):
    sheet.write_string(0, column, name)
for i in range(rows):
    sheet.write_number(i + 1, 0, i)
    sheet.write_string(i + 1, 1, f"station {i % 1000}")
    sheet.write_datetime(i + 1, 2, start + datetime.timedelta(i % 2000), day)
    sheet.write_number(i + 1, 3, (i * 37 % 100000) / 100)
    sheet.write_number(i + 1, 4, round(i * 1.5, 2), money)
book.close()
"""


def rows_in(path):
    """Counted piece by piece: a child's peak memory begins with that of this process."""
    count, rest = 0, b""
    with zipfile.ZipFile(path) as book:
        for name in book.namelist():
            if not name.startswith("xl/worksheets/sheet"):
                continue
            with book.open(name) as sheet:
                while piece := sheet.read(1 << 20):
                    text = rest + piece
                    count += text.count(b"<row ")
                    rest = text[-4:]
    return count


def main():
    machine()
    with tempfile.TemporaryDirectory() as scratch:
        project = pathlib.Path(scratch)
        (project / "tarn.yml").write_text("name: bench\nmemory: 200MB\n", encoding="utf-8")
        (project / "reports").mkdir()
        (project / "reports/big.yml").write_text(
            f"sheets:\n  - {{name: Big, query: \"select * from big\"}}\n", encoding="utf-8")
        timed([TARN, "--project", project, "sql", f"create table big as select {COLUMNS} from range({ROWS})"])
        ours, peer = project / "ours.xlsx", project / "peer.xlsx"
        seconds, memory = timed([TARN, "--project", project, "report", "big", "-o", ours])
        python = DEPS / "bench-venv/bin/python"
        peer_seconds, peer_memory = timed([python, "-c", PEER, peer, ROWS])
        assert rows_in(ours) >= ROWS and rows_in(peer) == ROWS + 1
        show_limit(f"workbook of {ROWS:,} rows", seconds, 20, "s")
        show_limit("memory", memory, 300, "MB")
        show("time beside XlsxWriter", seconds, peer_seconds, "s")
        show("memory beside XlsxWriter", memory, peer_memory, "MB")
        show("size of the file", ours.stat().st_size / 1e6, peer.stat().st_size / 1e6, "MB")
        fill_template(project, python)


def fill_template(project, python):
    (project / "make.py").write_text(
        "import sys, xlsxwriter\nbook = xlsxwriter.Workbook(sys.argv[1])\nsheet = book.add_worksheet('Big')\n"
        "sheet.add_table(0, 0, 1, 5, {'name': 'Big', 'columns': [{'header': h} for h in "
        "('id', 'station', 'day', 'value', 'amount')] + [{'header': 'twice', 'formula': '=Big[[#This Row],[value]]*2'}]})\n"
        "book.close()\n", encoding="utf-8")
    timed([python, project / "make.py", project / "reports/big.xlsx"])
    (project / "reports/own.yml").write_text(
        "template: reports/big.xlsx\nfill:\n  - {table: Big, query: \"select * from big\"}\n", encoding="utf-8")
    filled = project / "filled.xlsx"
    seconds, memory = timed([TARN, "--project", project, "report", "own", "-o", filled])
    assert rows_in(filled) == ROWS + 1
    print(f"into a template's table, with a formula in each row: {seconds:.1f} s, {memory:.0f} MB", flush=True)


if __name__ == "__main__":
    main()
