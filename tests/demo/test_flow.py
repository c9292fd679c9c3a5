"""Goal: the demo's flow says what the data says. Method: its results are computed again from the data file, without
Tarn; the workbook is opened."""

import csv
import datetime
import json
import zipfile

from conftest import DATASETS


def sentences():
    closes = {}
    with open(DATASETS / "stocks.csv", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            day = datetime.datetime.strptime(row["date"], "%b %d %Y").date()
            closes.setdefault(row["symbol"], {})[day] = float(row["price"])
    for symbol in sorted(closes):
        prices = [price for _, price in sorted(closes[symbol].items())]
        moves = [100 * (after / before - 1) for before, after in zip(prices, prices[1:], strict=False)]
        yield symbol, max(moves), min(moves)


def test_the_flow_of_the_demo(demo):
    demo.run("flow", "shares", "-p", "least=5")
    rows = {row["task"].removeprefix("shares/"): row for row in demo.rows(
        "select task, state, result from _tarn.tasks where task like 'shares/%'")}
    assert {row["state"] for row in rows.values()} == {"done"}
    told = [json.loads(rows[f"look[{i}]"]["result"])["sentence"] for i in range(1, 1 + json.loads(rows["look"]["result"])["rows"])]
    expected = list(sentences())
    of_symbol = {sentence.split()[0]: sentence for sentence in told}
    assert set(of_symbol) == {symbol for symbol, _, _ in expected} | {"SPX"}  # an index, from a file of its own
    for symbol, best, worst in expected:
        sentence = of_symbol[symbol]
        words = sentence.split()
        numbers = [float(word) for word in words if word.replace(".", "").isdigit()]
        assert abs(numbers[0] - best) < 0.1 and abs(numbers[1] + worst) < 0.1, (sentence, best, worst)
    assert "xl/workbook.xml" in zipfile.ZipFile(demo.project / "exports/moves.xlsx").namelist()
