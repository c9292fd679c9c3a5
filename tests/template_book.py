"""A person's workbook, as the tests of templates fill it: a table with a formula and a line of totals below it, a range with a
name, a chart, conditional formats, validations, merged cells, comments, print set-up, and a sheet that nobody touches."""

import openpyxl
from openpyxl.chart import LineChart, Reference
from openpyxl.comments import Comment
from openpyxl.formatting.rule import CellIsRule, FormulaRule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.table import Table, TableColumn, TableStyleInfo

BLUE = PatternFill("solid", fgColor="BDD7EE")
BOLD = Font(bold=True, color="1F4E78")


def make(path):
    book = openpyxl.Workbook()
    fill_report(book.active)
    fill_lines(book)
    notes = book.create_sheet("Notes")
    notes["A1"] = "Sum of the report"
    notes["B1"] = "=Report!C10+SUM(Report!C6:C7)"
    static = book.create_sheet("Static & still")
    static["A1"] = "nobody touches this"
    static["A1"].font = BOLD
    static.column_dimensions["A"].width = 40
    book.defined_names["Shares"] = DefinedName("Shares", attr_text="Report!$A$6:$A$7")
    book.save(path)
    return path


def fill_report(sheet):
    sheet.title = "Report"
    sheet["A1"] = "Prices of shares"
    sheet["A1"].font = Font(size=18, bold=True)
    sheet.merge_cells("A1:C1")
    sheet["D1"] = "as of"
    sheet["E1"].number_format = "dd.mm.yyyy"
    sheet["A3"] = "above the table"
    headers = ["Symbol", "Day", "Close", "Pieces", "Amount"]
    for column, header in enumerate(headers, 1):
        sheet.cell(5, column, header).font = BOLD
    for row, values in ((6, ["SAMPLE", None, 1.5, 10]), (7, ["SAMPLE2", None, 2.5, 20])):
        for column, value in enumerate(values, 1):
            sheet.cell(row, column, value)
        sheet.cell(row, 5, f"=C{row}*D{row}")
        sheet.cell(row, 3).number_format = '#,##0.00 "EUR"'
        sheet.cell(row, 3).fill = BLUE
        sheet.cell(row, 7, "=C%d/SUM($C$6:$C$7)" % row)
    sheet.row_dimensions[6].height = 22
    table = Table(displayName="Prices", ref="A5:E7")
    table.tableStyleInfo = TableStyleInfo(name="TableStyleMedium9", showRowStripes=True)
    table._initialise_columns()
    for column, header in zip(table.tableColumns, headers):
        column.name = header
    sheet.add_table(table)
    sheet["A10"] = "Sum"
    sheet["C10"] = "=SUM(C6:C7)"
    sheet["E10"] = "=SUM(Prices[Amount])"
    for cell in sheet[10]:
        cell.border = Border(top=Side("thin"))
    sheet["A12"] = "a line below"
    sheet.merge_cells("A12:C12")
    sheet["A12"].alignment = Alignment(horizontal="center")
    sheet["A13"].comment = Comment("look here", "reader")
    sheet["B13"] = "=HYPERLINK(\"http://example.org\",A12)"
    sheet.conditional_formatting.add("C6:C7", CellIsRule(operator="lessThan", formula=["$C$10"], fill=BLUE))
    sheet.conditional_formatting.add("A12:C12", FormulaRule(formula=["$C$10>0"], fill=BLUE))
    choices = DataValidation(type="list", formula1="$A$20:$A$22")
    choices.add("A6:A7")
    choices.add("A13")
    sheet.add_data_validation(choices)
    for row, value in enumerate(("x", "y", "z"), 20):
        sheet.cell(row, 1, value)
    chart = LineChart()
    chart.add_data(Reference(sheet, min_col=3, min_row=5, max_row=7), titles_from_data=True)
    chart.set_categories(Reference(sheet, min_col=1, min_row=6, max_row=7))
    sheet.add_chart(chart, "G15")
    sheet.print_area = "A1:E13"
    sheet.print_title_rows = "5:5"
    sheet.page_setup.orientation = "landscape"
    sheet.oddFooter.center.text = "Page &P"
    sheet.freeze_panes = "A6"


def fill_lines(book):
    sheet = book.create_sheet("My lines")
    for column, text in enumerate(("City", "Degrees", "Half", "Running"), 1):
        sheet.cell(2, column, text).font = BOLD
    sheet["A3"], sheet["B3"], sheet["C3"], sheet["D3"] = "sample", 1, "=B3/2", "=SUM(B$3:B3)"
    sheet["B3"].number_format = "0.0"
    sheet["A4"] = "Mean"
    sheet["B4"] = "=AVERAGE(B3:B3)"
    book.defined_names["Lines"] = DefinedName("Lines", attr_text="'My lines'!$A$3:$D$3")
    book.defined_names["Title"] = DefinedName("Title", attr_text="'My lines'!$A$1")
