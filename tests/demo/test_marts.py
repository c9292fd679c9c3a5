"""Goal: the marts' numbers are right. Method: recompute them in plain Python from the raw bytes that Tarn kept."""

import collections
import json
import math
import statistics

import pytest


def landed(demo, source):
    """The bodies kept for a source, by the rows of `_tarn.fetches` (only good answers), in order of landing."""
    fetches = demo.rows(f"select path from _tarn.fetches where source = '{source}' and status = 200 order by run, number")
    assert fetches, f"nothing was landed for {source}"
    return [json.loads((demo.data / fetch["path"]).read_bytes()) for fetch in fetches]


def weather_days(demo):
    """{(nearest city, day): values} from the raw answers; a later one wins."""
    cities = {r["city"]: (r["latitude"], r["longitude"]) for r in demo.rows("select * from weather_cities")}
    days = {}
    for body in landed(demo, "raw_weather"):
        city = min(cities, key=lambda c: abs(cities[c][0] - body["latitude"]) + abs(cities[c][1] - body["longitude"]))
        daily = body["daily"]
        for i, day in enumerate(daily["time"]):
            days[city, day] = {name: values[i] for name, values in daily.items()}
    return days


def test_weather_summary(demo):
    by_city = collections.defaultdict(list)
    for (city, day), values in weather_days(demo).items():
        by_city[city].append(values)
    rows = demo.rows("select * from mart_daily_weather_summary order by city")
    assert [r["city"] for r in rows] == sorted(by_city)
    for row in rows:
        days = by_city[row["city"]]
        assert row["days"] == len(days) == 93
        assert row["first_day"] == min(d["time"] for d in days)
        assert row["last_day"] == max(d["time"] for d in days)
        assert row["temperature_min"] == min(d["temperature_2m_min"] for d in days)
        assert row["temperature_max"] == max(d["temperature_2m_max"] for d in days)
        means = [(d["temperature_2m_max"] + d["temperature_2m_min"]) / 2 for d in days]
        assert row["temperature_mean"] == pytest.approx(statistics.fmean(means), abs=0.0051)
        assert row["wind_max"] == max(d["wind_speed_10m_max"] for d in days)
        assert row["precipitation_sum"] == pytest.approx(sum(d["precipitation_sum"] for d in days), abs=0.051)


def bars(demo):
    by_symbol = collections.defaultdict(dict)
    for body in landed(demo, "raw_bars"):
        for bar in body["bars"]:
            by_symbol[body["symbol"]][bar["t"][:10]] = bar["c"]
    return {symbol: sorted(days.items()) for symbol, days in by_symbol.items()}


def test_prices(demo):
    expected = bars(demo)
    assert len(expected["SPX"]) == 5105
    rows = demo.rows("select * from mart_prices order by symbol, day")
    assert len(rows) == sum(len(days) for days in expected.values())
    position = 0
    for symbol in sorted(expected):
        closes, returns, highest = [], [], 0.0
        for day, close in expected[symbol]:
            row = rows[position]
            position += 1
            assert (row["symbol"], row["day"], row["close"]) == (symbol, day, close)
            highest = max(highest, close)
            if closes:
                returns.append(math.log(close / closes[-1]))
                assert row["return_percent"] == pytest.approx(100 * (close / closes[-1] - 1), abs=0.00051)
            else:
                assert row["return_percent"] is None
            closes.append(close)
            assert row["average_20"] == pytest.approx(statistics.fmean(closes[-20:]), abs=0.000051)
            assert row["average_50"] == pytest.approx(statistics.fmean(closes[-50:]), abs=0.000051)
            assert row["drawdown_percent"] == pytest.approx(100 * (close / highest - 1), abs=0.00051)
            window = returns[-20:] if len(closes) > 20 else returns
            if len(window) > 1:
                assert row["volatility_20"] == pytest.approx(100 * statistics.stdev(window), abs=0.000051)


def test_summary_agrees_with_prices(demo):
    expected = bars(demo)
    rows = demo.rows("select * from mart_price_summary order by symbol")
    assert [r["symbol"] for r in rows] == sorted(expected)
    for row in rows:
        days = expected[row["symbol"]]
        assert row["bars_count"] == len(days)
        assert (row["first_day"], row["last_day"]) == (days[0][0], days[-1][0])
        assert (row["first_close"], row["last_close"]) == (days[0][1], days[-1][1])


def test_second_run_changes_nothing_in_the_marts(demo):
    before = demo.rows("select * from mart_daily_weather_summary order by city"), demo.rows("select count(*) as n from mart_prices")
    demo.run("run")
    after = demo.rows("select * from mart_daily_weather_summary order by city"), demo.rows("select count(*) as n from mart_prices")
    assert before == after
    doubled = demo.rows("select city, day from raw_weather group by all having count(*) > 1")
    assert doubled == []
