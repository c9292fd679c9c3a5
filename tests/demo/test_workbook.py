"""Goal: the numbers of the demo's workbook are the data's. Method: the workbook is read back, and what it shows is computed again
from the data files, without Tarn."""

import csv
import datetime

import openpyxl

from conftest import DATASETS


def test_prices(demo, tmp_path):
    path = tmp_path / "prices.xlsx"
    demo.run("report", "prices", "-p", "symbols=IBM", "-p", "symbols=AAPL", "-p", "from=2009-06-01", "-o", path)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["Summary", "Bars", "Info"]
    closes = {}
    with open(DATASETS / "stocks.csv", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            day = datetime.datetime.strptime(row["date"], "%b %d %Y")
            closes.setdefault(row["symbol"], {})[day] = float(row["price"])
    expected = [(symbol, day, close) for symbol in ("AAPL", "IBM") for day, close in sorted(closes[symbol].items())
                if day >= datetime.datetime(2009, 6, 1)]
    bars = [row[:3] for row in book["Bars"].iter_rows(min_row=2, values_only=True)]
    assert bars == expected
    rows = {row[0]: row for row in book["Summary"].iter_rows(min_row=2, values_only=True)}
    assert sorted(rows) == ["Apple", "IBM", "Total"]
    for name, symbol in (("Apple", "AAPL"), ("IBM", "IBM")):
        days = sorted(closes[symbol])
        first, last = closes[symbol][days[0]], closes[symbol][days[-1]]
        assert rows[name][1:5] == (len(days), days[0], days[-1], last)
        assert abs(rows[name][5] - (last / first - 1)) < 0.00051  # shown to a tenth of a percent
