"""Goal: LibreOffice opens Tarn's workbooks as they are meant, and Tarn fills templates that LibreOffice saved. Method: it converts
workbooks to .xlsx, calculating them, and the cells are compared with the queries."""

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


def saved_anew(path, folder):
    """What LibreOffice makes of it, with results in the formulas' cells."""
    out = folder / "out"
    subprocess.run(["soffice", f"-env:UserInstallation=file://{folder / 'profile'}", "--headless", "--norestore", "--convert-to", "xlsx",
                    "--outdir", str(out), str(path)], check=True, capture_output=True, timeout=180)
    return out / path.name


def values(sheet, area):
    return [[round(c.value, 9) if isinstance(c.value, float) else c.value for c in row] for row in sheet[area]]


def test_sheets_are_what_the_query_says(tarn, tmp_path):
    tarn.run("sql", test_reports.AWKWARD)
    tarn.write("reports/shares.yml", test_reports.SHARES)
    book = tarn.project / "shares.xlsx"
    tarn.run("report", "shares", "-o", book)
    sheet = openpyxl.load_workbook(saved_anew(book, tmp_path), data_only=True)["All"]
    day = datetime.datetime
    assert values(sheet, "A1:G5") == [
        ["symbol", "Day", "close", "volume", "note", "listed", "seen"],
        ["AAPL", day(2024, 2, 29), 182.5, "9007199254740993", "=1+1", True, day(2024, 2, 29, 18, 30)],
        ["MSFT", day(2024, 3, 1), -0.25, 12, '<b>&\n"x"', False, day(2024, 3, 1)],
        ["ABC"] + [None] * 6,
        [3, None, 182.25] + [None] * 4,
    ]
    assert sheet.auto_filter.ref == "A1:G4"


def check_filled(book):
    sheet = book["Report"]
    assert values(sheet, "A6:E9") == [[f"S{i}", datetime.datetime(2026, 1, 1 + i), 100 + i, i, (100 + i) * i] for i in range(4)]
    total = sum(100 + i for i in range(4))
    assert values(sheet, "A12:E12") == [["Sum", None, total, None, sum((100 + i) * i for i in range(4))]]
    assert abs(sheet["G6"].value - 100 / total) < 1e-9
    assert book["Notes"]["B1"].value == 2 * total
    assert values(book["My lines"], "A3:D6") == [
        ["Delft", 10.5, 5.25, 10.5], ["=Utrecht", 11.5, 5.75, 22], [None, 12, 6, 34], ["Mean", round(34 / 3, 9), None, None]]
    assert sheet.tables["Prices"].ref == "A5:E9"


def test_a_filled_template_is_calculated(tarn, tmp_path):
    test_templates.make_own(tarn)
    book = tarn.project / "filled.xlsx"
    tarn.run("report", "own", "-o", book)
    check_filled(openpyxl.load_workbook(saved_anew(book, tmp_path), data_only=True))


def test_a_template_that_libreoffice_saved_is_filled(tarn, tmp_path):
    """It writes shared strings, shared formulas and its own idea of every part."""
    test_templates.make_own(tarn)
    template = tarn.project / "reports" / "own.xlsx"
    shutil.copy(saved_anew(template, tmp_path), template)
    book = tarn.project / "filled.xlsx"
    tarn.run("report", "own", "-o", book)
    check_filled(openpyxl.load_workbook(saved_anew(book, tmp_path), data_only=True))
    kept = openpyxl.load_workbook(book)
    assert kept.defined_names["Shares"].attr_text.replace("'", "") == "Report!$A$6:$A$9"
