"""Goal: LibreOffice opens Tarn's workbooks and calculates the same. Method: it converts them to text and to .xlsx, and the cells
are compared with the queries and with what openpyxl read."""

import csv
import datetime
import pathlib
import shutil
import subprocess
import sys

import openpyxl
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
import test_reports
import test_templates

pytestmark = pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")


def convert(path, folder, kind):
    profile = folder / "profile"
    subprocess.run(["soffice", f"-env:UserInstallation=file://{profile}", "--headless", "--norestore", "--convert-to", kind,
                    "--outdir", str(folder), str(path)], check=True, capture_output=True, timeout=180)
    return folder / (path.stem + "." + kind.split(":")[0])


def make_shares(tarn):
    tarn.run("sql", test_reports.AWKWARD)
    tarn.write("reports/shares.yml", test_reports.SHARES)
    return tarn


def test_sheets_are_what_the_query_says(tarn, tmp_path):
    make_shares(tarn)
    book = tarn.project / "shares.xlsx"
    tarn.run("report", "shares", "-o", book)
    with open(convert(book, tmp_path, "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false"), encoding="utf-8") as text:
        rows = list(csv.reader(text))
    assert rows == [
        ["symbol", "Day", "close", "volume", "note", "listed", "seen"],
        ["AAPL", "29.02.2024", "182.5", "9007199254740993", "=1+1", "TRUE", "2024-02-29 18:30:00"],
        ["MSFT", "01.03.2024", "-0.3", "12", '<b>&\n"x"', "FALSE", "2024-03-01 00:00:00"],
        ["ABC", "", "", "", "", "", ""],
        ["3", "", "182.3", "", "", "", ""],
    ]


def test_a_filled_template_is_calculated(tarn, tmp_path):
    test_templates.make_own(tarn)
    book = tarn.project / "filled.xlsx"
    tarn.run("report", "own", "-o", book)
    done = openpyxl.load_workbook(convert(book, tmp_path, "xlsx"), data_only=True)
    sheet = done["Report"]
    rows = [[cell.value for cell in row] for row in sheet["A6:E9"]]
    assert rows == [[f"S{i}", datetime.datetime(2026, 1, 1 + i), 100 + i, i, (100 + i) * i] for i in range(4)]
    total, amount = sum(100 + i for i in range(4)), sum((100 + i) * i for i in range(4))
    assert sheet["C12"].value == total and sheet["E12"].value == amount
    assert abs(sheet["G6"].value - 100 / total) < 1e-9
    assert done["Notes"]["B1"].value == 2 * total
    lines = [[cell.value for cell in row] for row in done["My lines"]["A3:D6"]]
    assert lines == [["Delft", 10.5, 5.25, 10.5], ["=Utrecht", 11.5, 5.75, 22], [None, 12, 6, 34], ["Mean", 34 / 3, None, None]]
    assert sheet.tables["Prices"].ref == "A5:E9"
