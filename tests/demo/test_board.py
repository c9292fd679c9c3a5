"""Goal: the numbers on the demo's boards are the data's. Method: what a page gets is computed again from the data files,
without Tarn."""

import csv
import datetime
import json

import pytest

from conftest import DATASETS
from tarn_server import Server


def tiles(server, board, filters):
    status, body = server.request(f"/api/v1/boards/{board}/data", {"filters": filters})
    assert status == 200, body
    lines = [json.loads(line) for line in body.splitlines()]
    assert all("error" not in line for line in lines), lines
    return {line["tile"]: line["rows"] for line in lines if "tile" in line}


def closes():
    found = {}
    with open(DATASETS / "stocks.csv", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            day = datetime.datetime.strptime(row["date"], "%b %d %Y").date().isoformat()
            found.setdefault(row["symbol"], {})[day] = float(row["price"])
    return found


def test_shares(demo):
    server = Server(demo)
    try:
        shown = tiles(server, "shares", {"symbols": ["IBM", "AAPL"], "from": "2004-01-01", "to": "2008-12-31"})
    finally:
        server.stop()
    data = closes()
    names = {"AAPL": "Apple", "IBM": "IBM"}
    within = {symbol: {day: close for day, close in days.items() if "2004-01-01" <= day <= "2008-12-31"}
              for symbol, days in data.items() if symbol in names}
    expected = sorted([day, names[symbol], close] for symbol, days in within.items() for day, close in days.items())
    assert sorted([day, name, float(close)] for day, name, close in shown["close"]) == expected
    assert shown["bars-shown"] == [[str(len(expected))]]
    for symbol, days in within.items():
        for year in range(2004, 2009):
            mean = [close for day, close in days.items() if day.startswith(str(year))]
            cell = [float(close) for name, at, close in shown["average-close-by-year"] if (name, at) == (names[symbol], str(year))]
            assert cell == [pytest.approx(sum(mean) / len(mean), abs=0.0501)]
    falls = {}
    for symbol, days in data.items():
        highest = 0.0
        for day, close in sorted(days.items()):
            highest = max(highest, close)
            falls[names.get(symbol), day] = close / highest - 1
    for day, name, fall in shown["fall-from-the-highest-close"]:
        assert float(fall) == pytest.approx(falls[name, day], abs=0.0000051)
    best = max(names, key=lambda symbol: data[symbol][max(data[symbol])])
    assert float(shown["best-last-close"][0][0]) == data[best][max(data[best])]
