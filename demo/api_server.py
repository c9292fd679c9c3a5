"""The demo's data, served on loopback in the shapes of two public APIs, for machines without internet.

    python3 demo/api_server.py --data FOLDER [--port 7171] [--port-file FILE] [--calm]

FOLDER is the data folder of npm's vega-datasets: real measurements and prices, nothing is made up.

GET /v1/forecast  Open-Meteo's forecast API (daily variables): latitude, longitude, daily, past_days, timezone. The
                  cities are Seattle and New York (weather.csv, 2012 to 2015); "today" is the last day of the data.
GET /v2/bars      Bars of one symbol in Alpaca's shape: symbol, start, limit, page_token; answers
                  {"bars": [{"t","o","h","l","c","v"}], "next_page_token"}. Symbols: SPX (sp500-2000.csv, daily), and
                  AAPL, AMZN, GOOG, IBM, MSFT (stocks.csv, monthly closing prices: o, h, l and v are null).
                  start is inclusive, pages are in order of time.
GET /healthz      200.

Like the real ones it has bad moments, by counting, so that a run can be repeated: every 7th request is refused
with 429 and Retry-After, every 11th fails with 500. --calm leaves them out.
"""

import argparse
import csv
import datetime
import http.server
import json
import os
import threading
import urllib.parse

CITIES = {"Seattle": (47.6, -122.3), "New York": (40.7, -74.0)}
DAILY = {"temperature_2m_max": "temp_max", "temperature_2m_min": "temp_min",
         "precipitation_sum": "precipitation", "wind_speed_10m_max": "wind"}
UNITS = {"temperature_2m_max": "°C", "temperature_2m_min": "°C", "precipitation_sum": "mm", "wind_speed_10m_max": "m/s"}
MAX_LIMIT = 1000


class Problem(Exception):
    """Answered as {"error": true, "reason": ...} with status 400."""


def load_weather(folder):
    cities = {}
    with open(os.path.join(folder, "weather.csv"), encoding="utf-8") as f:
        for row in csv.DictReader(f):
            cities.setdefault(row["location"], []).append(row)
    return cities


def load_bars(folder):
    symbols = {"SPX": []}
    with open(os.path.join(folder, "sp500-2000.csv"), encoding="utf-8") as f:
        for row in csv.DictReader(f):
            symbols["SPX"].append({"t": row["date"] + "T00:00:00Z", "o": float(row["open"]), "h": float(row["high"]),
                                   "l": float(row["low"]), "c": float(row["close"]), "v": int(row["volume"])})
    with open(os.path.join(folder, "stocks.csv"), encoding="utf-8") as f:
        for row in csv.DictReader(f):
            day = datetime.datetime.strptime(row["date"], "%b %d %Y").date()
            symbols.setdefault(row["symbol"], []).append(
                {"t": f"{day}T00:00:00Z", "o": None, "h": None, "l": None, "c": float(row["price"]), "v": None})
    return symbols


def one(query, name, default=None):
    value = query.get(name, [default])[0]
    if value is None:
        raise Problem(f"Parameter '{name}' is missing")
    return value


def number(query, name, default, low, high):
    try:
        value = int(one(query, name, str(default)))
    except ValueError:
        raise Problem(f"Parameter '{name}' is not a number") from None
    if not low <= value <= high:
        raise Problem(f"Parameter '{name}' is out of allowed range from {low} to {high}. Given: {value}")
    return value


class Data:
    def __init__(self, folder):
        self.weather = load_weather(folder)
        self.bars = load_bars(folder)

    def forecast(self, query):
        latitude, longitude = float(one(query, "latitude")), float(one(query, "longitude"))
        city = min(CITIES, key=lambda c: abs(CITIES[c][0] - latitude) + abs(CITIES[c][1] - longitude))
        if abs(CITIES[city][0] - latitude) + abs(CITIES[city][1] - longitude) > 1:
            raise Problem("No data for this location: this loopback copy has Seattle and New York only")
        wanted = [v for part in query.get("daily", []) for v in part.split(",")]
        for name in wanted:
            if name not in DAILY:
                raise Problem(f"Data corrupted at path ''. Cannot initialize daily variable from invalid String value {name}.")
        rows = self.weather[city][-(number(query, "past_days", 0, 0, 1500) + 1):]
        daily = {"time": [row["date"] for row in rows]}
        for name in wanted:
            daily[name] = [float(row[DAILY[name]]) for row in rows]
        return {"latitude": latitude, "longitude": longitude, "utc_offset_seconds": 0, "timezone": "GMT",
                "daily_units": {"time": "iso8601", **{name: UNITS[name] for name in wanted}}, "daily": daily}

    def page_of_bars(self, query):
        symbol = one(query, "symbol")
        if symbol not in self.bars:
            raise Problem(f"unknown symbol: {symbol}")
        limit = number(query, "limit", 500, 1, MAX_LIMIT)
        start = one(query, "start", "")
        offset = number(query, "page_token", 0, 0, 1 << 30)
        bars = [bar for bar in self.bars[symbol] if bar["t"] >= start]
        more = offset + limit < len(bars)
        return {"symbol": symbol, "bars": bars[offset:offset + limit],
                "next_page_token": str(offset + limit) if more else None}


def make_handler(data, calm):
    lock = threading.Lock()
    counter = {"requests": 0}

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args):
            pass

        def answer(self, status, body, headers=()):
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(text)))
            for name, value in headers:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        def bad_moment(self):
            with lock:
                counter["requests"] += 1
                count = counter["requests"]
            if not calm and count % 7 == 0:
                self.answer(429, {"error": True, "reason": "Minutely API request limit exceeded."}, [("Retry-After", "1")])
                return True
            if not calm and count % 11 == 0:
                self.answer(500, {"error": True, "reason": "Internal Server Error"})
                return True
            return False

        def do_GET(self):
            url = urllib.parse.urlsplit(self.path)
            query = urllib.parse.parse_qs(url.query)
            routes = {"/v1/forecast": data.forecast, "/v2/bars": data.page_of_bars}
            if url.path == "/healthz":
                self.answer(200, {"ok": True})
            elif url.path not in routes:
                self.answer(404, {"error": True, "reason": "Not Found"})
            elif not self.bad_moment():
                try:
                    self.answer(200, routes[url.path](query))
                except (Problem, ValueError) as problem:
                    self.answer(400, {"error": True, "reason": str(problem)})

    return Handler


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--port", type=int, default=7171)
    parser.add_argument("--port-file", help="write the port here once the server listens")
    parser.add_argument("--calm", action="store_true", help="no 429 and 500")
    options = parser.parse_args()
    handler = make_handler(Data(options.data), options.calm)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", options.port), handler)
    if options.port_file:
        with open(options.port_file + ".new", "w", encoding="utf-8") as f:
            f.write(str(server.server_address[1]))
        os.rename(options.port_file + ".new", options.port_file)
    server.serve_forever()


if __name__ == "__main__":
    main()
