"""Goal: a reader's own workbook is filled and otherwise stays as it was. Method: a template made by template_book.py; the
filled workbook is read with openpyxl and part by part."""

import datetime
import zipfile

import openpyxl
import pytest

import template_book

FILL = """
title: Own layout
template: reports/own.xlsx
parameters:
  rows: {type: number, default: 4}
fill:
  - {cell: Report!E1, query: "select date '2026-11-21'"}
  - table: prices
    query: |
      select 'S' || range as symbol, 100 + range as close, range as pieces, date '2026-01-01' + range::int as day
      from range($rows::bigint) order by range
  - name: Lines
    query: select * from (values ('Delft', 10.5), ('=Utrecht', 11.5), (null, 12)) t(city, degrees)
  - {name: Title, rows: overwrite, query: "select 'All the lines'"}
"""


def make_own(tarn):
    (tarn.project / "reports").mkdir()
    template_book.make(tarn.project / "reports" / "own.xlsx")
    tarn.write("reports/own.yml", FILL)
    return tarn


@pytest.fixture
def own(tarn):
    return make_own(tarn)


def fill(tarn, *args):
    path = tarn.project / "filled.xlsx"
    tarn.run("report", "own", "-o", path, *args)
    return openpyxl.load_workbook(path)


def cells(sheet, area):
    return [[cell.value for cell in row] for row in sheet[area]]


def test_a_table_grows_and_what_is_below_moves(own):
    sheet = fill(own)["Report"]
    day = datetime.datetime
    assert cells(sheet, "A5:E10") == [
        ["Symbol", "Day", "Close", "Pieces", "Amount"],
        ["S0", day(2026, 1, 1), 100, 0, "=C6*D6"],
        ["S1", day(2026, 1, 2), 101, 1, "=C7*D7"],
        ["S2", day(2026, 1, 3), 102, 2, "=C8*D8"],
        ["S3", day(2026, 1, 4), 103, 3, "=C9*D9"],
        [None] * 5,
    ]
    assert sheet["E1"].value == day(2026, 11, 21) and sheet["E1"].number_format == "dd.mm.yyyy"
    assert cells(sheet, "A12:E12") == [["Sum", None, "=SUM(C6:C9)", None, "=SUM(Prices[Amount])"]]
    assert sheet["A14"].value == "a line below" and sheet["A22"].value == "x"
    assert sheet["B15"].value == '=HYPERLINK("http://example.org",A14)'
    # The table's own rows are repeated; beside it only the template's rows have something.
    assert [sheet.cell(row, 7).value for row in range(6, 11)] == [
        "=C6/SUM($C$6:$C$9)", "=C7/SUM($C$6:$C$9)", None, None, None]


def test_what_refers_to_moved_rows_follows(own):
    book = fill(own)
    sheet = book["Report"]
    assert sheet.tables["Prices"].ref == "A5:E9" and sheet.tables["Prices"].autoFilter.ref == "A5:E9"
    assert {str(one) for one in sheet.merged_cells.ranges} == {"A1:C1", "A14:C14"}
    formats = {str(one.sqref): one.rules[0].formula for one in sheet.conditional_formatting}
    assert formats == {"C6:C9": ["$C$12"], "A14:C14": ["$C$12>0"]}
    rule = sheet.data_validations.dataValidation[0]
    assert str(rule.sqref) == "A6:A9 A15" and rule.formula1 == "$A$22:$A$24"
    assert sheet["A15"].comment.text == "look here"
    assert book["Notes"]["B1"].value == "=Report!C12+SUM(Report!C6:C9)"
    assert book.defined_names["Shares"].attr_text == "Report!$A$6:$A$9"
    assert sheet.print_area == "'Report'!$A$1:$E$15" and sheet.print_title_rows == "$5:$5"
    with zipfile.ZipFile(own.project / "filled.xlsx") as parts:
        chart = parts.read("xl/charts/chart1.xml").decode()
        assert "'Report'!$C$6:$C$9" in chart and "'Report'!$A$6:$A$9" in chart and "'Report'!C5" in chart
        drawing = parts.read("xl/drawings/drawing1.xml").decode()
        assert "row>16</" in drawing
        assert 'fullCalcOnLoad="1"' in parts.read("xl/workbook.xml").decode()


def test_styles_of_the_template_row_are_used_for_all(own):
    sheet = fill(own)["Report"]
    for row in range(6, 10):
        assert sheet.cell(row, 3).number_format == '#,##0.00 "EUR"' and sheet.cell(row, 3).fill.fgColor.rgb == "00BDD7EE"
        assert sheet.cell(row, 2).number_format == "yyyy-mm-dd"  # it was General
    assert sheet.row_dimensions[6].height == 22 and sheet.row_dimensions[9].height == 22
    assert sheet["A12"].border.top.style == "thin" and sheet["A14"].alignment.horizontal == "center"
    assert sheet.page_setup.orientation == "landscape" and sheet.oddFooter.center.text == "Page &P"


def test_a_named_range_grows_with_its_formulas(own):
    book = fill(own)
    sheet = book["My lines"]
    assert cells(sheet, "A1:D7") == [
        ["All the lines", None, None, None],
        ["City", "Degrees", "Half", "Running"],
        ["Delft", 10.5, "=B3/2", "=SUM(B$3:B3)"],
        ["=Utrecht", 11.5, "=B4/2", "=SUM(B$3:B4)"],
        [None, 12, "=B5/2", "=SUM(B$3:B5)"],
        ["Mean", "=AVERAGE(B3:B5)", None, None],
        [None] * 4,
    ]
    assert sheet["A4"].data_type == "s" and sheet["B5"].number_format == "0.0"
    assert book.defined_names["Lines"].attr_text == "'My lines'!$A$3:$D$5"


def test_fewer_rows_than_the_template_and_none(own):
    sheet = fill(own, "-p", "rows=1")["Report"]
    assert sheet.tables["Prices"].ref == "A5:E6" and sheet["C9"].value == "=SUM(C6:C6)"
    assert sheet["A11"].value == "a line below"
    sheet = fill(own, "-p", "rows=0")["Report"]
    assert sheet.tables["Prices"].ref == "A5:E6" and cells(sheet, "A6:E6") == [[None] * 5]


def test_untouched_parts_are_the_same_bytes(own):
    fill(own)
    with zipfile.ZipFile(own.project / "reports" / "own.xlsx") as before, zipfile.ZipFile(own.project / "filled.xlsx") as after:
        assert after.testzip() is None
        assert sorted(before.namelist()) == sorted(after.namelist())
        same = [name for name in before.namelist() if before.read(name) == after.read(name)]
    for name in ("xl/worksheets/sheet4.xml", "xl/theme/theme1.xml", "docProps/app.xml", "docProps/core.xml",
                 "[Content_Types].xml", "_rels/.rels", "xl/_rels/workbook.xml.rels"):
        assert name in same, same


def test_text_that_xml_cannot_hold(own):
    own.write("reports/own.yml", one("cell: Notes!C3", "select 'a' || chr(1) || chr(13) || chr(10) || ' _x0041_ <&>' || chr(9) || ' '"))
    fill(own)
    with zipfile.ZipFile(own.project / "filled.xlsx") as parts:
        assert b'>a_x0001_&#13;\n _x005F_x0041_ &lt;&amp;&gt;\t </t>' in parts.read("xl/worksheets/sheet3.xml")


def test_many_rows(own):
    book = fill(own, "-p", "rows=20000")
    sheet = book["Report"]
    assert sheet["A20005"].value == "S19999" and sheet["E20005"].value == "=C20005*D20005"
    assert sheet["C20008"].value == "=SUM(C6:C20005)"


def check(tarn, text, template=None):
    tarn.write("reports/own.yml", text)
    done = tarn.run("check", check=2)
    return done.stdout + done.stderr


def one(target, query="select 1 as symbol", more=""):
    return f"template: reports/own.xlsx\nfill:\n  - {{{target}, query: \"{query}\"{more}}}\n"


def test_check_finds_what_does_not_fit(own):
    for text, words in (
        (one("table: price"), "own.yml:3:13: reports/own.xlsx has no table 'price': did you mean 'Prices'?"),
        (one("table: Prices", "select 1 as symbl"), "table Prices has no column 'symbl': did you mean 'Symbol'?"),
        (one("table: Prices", "select 1 as amount"), "the formula in E6 of sheet Report would be overwritten"),
        (one("name: Line"), "has no name 'Line': did you mean 'Lines'?"),
        (one("name: Lines", "select 1, 2, 3, 4, 5"), "the query has 5 columns, the range has 4"),
        (one("name: Lines", "select 1, 2, 3"), "the formula in C3 of sheet My lines would be overwritten"),
        (one("cell: Reports!A1"), "has no sheet 'Reports': did you mean 'Report'?"),
        (one("cell: Report!1A"), "is no cell: write Sheet1!B3"),
        (one("cell: Report!B1"), "cells A1:C1 of sheet Report are merged"),
        (one("cell: Report!C10"), "the formula in C10 of sheet Report would be overwritten"),
        (one("table: Prices") + "  - {cell: Report!G7, query: select 1}\n", "stand in the same rows of sheet Report"),
        (one("cell: Notes!C3", "select 1, 2") + "  - {cell: Notes!D3, query: select 1}\n", "fill the same cells of sheet Notes"),
        (one("table: Prices", "select nothing"), "nothing"),
        ("template: reports/no.xlsx\nfill: [{cell: A1, query: select 1}]\n", "reports/no.xlsx does not exist"),
        ("template: ../own.xlsx\nfill: [{cell: A1, query: select 1}]\n", "template is a file in the project"),
    ):
        assert words in check(own, text), words


def test_templates_that_are_refused(own):
    path = own.project / "reports" / "own.xlsx"
    good = path.read_bytes()

    def refused(bytes_):
        path.write_bytes(bytes_)
        return check(own, FILL)

    assert "is no .xlsx, or is damaged" in refused(b"hello")
    assert "is no .xlsx, or is damaged" in refused(good[:-50])
    assert "is encrypted, or of the old .xls kind" in refused(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    for part, data, words in (
        ("xl/vbaProject.bin", b"x", "has macros"),
        ("xl/worksheets/sheet1.xml", b"<a", "is not well-formed XML"),
        ("xl/workbook.xml", b'<!DOCTYPE w [<!ENTITY a "b">]><workbook>&a;</workbook>', "document type"),
        ("xl/worksheets/sheet1.xml", bytes(70_000_000), "is too large for a template"),
        ("xl/workbook.xml", None, "is no .xlsx: it has no workbook in it"),
    ):
        path.write_bytes(good)
        other = own.project / "reports" / "other.zip"
        with zipfile.ZipFile(path) as before, zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as after:
            for name in before.namelist():
                if name != part:
                    after.writestr(name, before.read(name))
            if data is not None:
                after.writestr(part, data)
        assert words in refused(other.read_bytes()), words
        assert words in own.run("report", "own", "-o", own.project / "x.xlsx", check=2).stderr
    assert not (own.project / "x.xlsx").exists() and not list((own.data / "spill").glob("report-*"))
