"""Goal: every room works in a real browser on the demo's data, with what went wrong in it, too. Method: a server on the
demo's project with a broken model and a quarantined row; rooms.test.mjs drives Debian's Chromium through it. The
pictures are kept in build/ui-pictures: look at them."""

import email
import email.policy
import http.server
import io
import json
import os
import pathlib
import socket
import subprocess
import threading

import openpyxl
import pytest
from aiosmtpd.controller import Controller

from conftest import BUILD, ROOT
from tarn_server import Server

# A part of a test's name: only those, while somebody works on them.
ONLY = [f"--test-name-pattern={os.environ['TARN_UI_ONLY']}"] if os.environ.get("TARN_UI_ONLY") else []
PICTURES = pathlib.Path(os.environ.get("TARN_PICTURES") or BUILD / "ui-pictures")

READINGS = """kind: files
description: What the meter in the hall said.
path: in/*.csv
format: {type: csv}
columns:
  at: {type: timestamp, required: true}
  kwh: {type: double, check: kwh >= 0}
freshness: {warn_after: 26h}
"""


MAILED = """title: Closes
description: The last close of each share.
parameters:
  symbols: {type: list, label: Shares, choices: "select symbol, name from {{ ref('symbols') }} order by symbol", default: [AAPL]}
  one: {type: choice, label: One, choices: [{value: a, label: Apples}, {value: b, label: Pears}], default: a}
  from: {type: date, label: From, default: start of month - 10 years, description: Nothing before it.}
sheets:
  - {name: Closes, query: "select symbol, day, close from {{ ref('mart_prices') }} where list_contains($symbols, symbol) and day >= $from and $one <> ''"}
mail: {to: [Ada <ada@example.org>, bob@example.org], subject: "{title} from {from}"}
"""


# What can be chosen of one parameter depends on the other.
CHOSEN = """title: Days of a share
parameters:
  day: {type: choice, label: Day, choices: "select symbol || ' ' || day from {{ ref('mart_prices') }} where symbol = $share order by day desc limit 5"}
  share: {type: choice, label: Share, choices: "select symbol from {{ ref('symbols') }} order by 1", default: AAPL}
sheets: [{name: Day, query: "select $day as day, $share as share"}]
"""

# Of its first mail nobody knows whether it arrived.
LOST = """title: Lost letter
sheets: [{name: Closes, query: "select symbol from {{ ref('symbols') }}"}]
mail: {to: [Ada <ada@example.org>], subject: A lost letter}
"""

ALERTS = """
alerts:
  hook: {webhook: "http://127.0.0.1:PORT/hook", events: [failure, recovery, test]}
  phone: {ntfy: "http://127.0.0.1:PORT/topic", events: [failure, quarantine], of: [raw_meter, mart_broken]}
  deaf: {webhook: "http://127.0.0.1:1/nobody", first_delay: 20m}
"""


class Inbox:
    """Breaks the connection in the middle of the first two lost letters: they may have arrived."""

    def __init__(self):
        self.mails, self.lost = [], 2

    async def handle_DATA(self, server, session, envelope):
        if b"A lost letter" in envelope.content and self.lost:
            self.lost -= 1
            server.transport.abort()
            return "451 gone"
        self.mails.append(envelope)
        return "250 taken"


@pytest.fixture(scope="session")
def hooks():
    """A real receiver of webhooks on loopback, which breaks the connection of the first message to /hook."""
    class Handler(http.server.BaseHTTPRequestHandler):
        broken = False

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/hook" and not Handler.broken:
                Handler.broken = True
                self.connection.close()
                return
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def inbox():
    """A real mail server on loopback."""
    inbox = Inbox()
    controller = Controller(inbox, hostname="127.0.0.1", port=0)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        controller.port = inbox.port = probe.getsockname()[1]
    controller.start()
    yield inbox
    controller.stop()


@pytest.fixture(scope="session")
def server(demo, inbox, hooks):
    settings = (demo.project / "tarn.yml").read_text()
    demo.write("tarn.yml", settings.replace("  nightly:\n", "  letters: {run: [\"mail:closes\"], cron: \"0 7 * * mon\"}\n  nightly:\n")
               + f"\ntime_zone: Europe/Amsterdam\nmail: {{host: 127.0.0.1, port: {inbox.port}, tls: none, from: Home <home@example.org>}}\n"
               + ALERTS.replace("PORT", str(hooks))
               + "attach:\n  exchange: {kind: files, tables: {rates: rates.csv}}\n")
    demo.write("rates.csv", "day,rate\n2026-01-01,1.1\n")
    demo.write("reports/lost.yml", LOST)
    demo.write("reports/chosen.yml", CHOSEN)
    demo.write("reports/closes.yml", MAILED)
    demo.write("tests/no_cheap_share.sql", "{{ config(severity='warn') }}\nselect * from {{ ref('mart_price_summary') }} where last_close < 100\n")
    demo.write("sources/raw_meter.yml", READINGS)
    demo.write("in/meter.csv", "at,kwh\n2026-01-01 00:00:00,1.5\n2026-01-01 01:00:00,-2\nnoon,3\n")
    demo.write("models/weather/mart_broken.sql", "{{ config(materialized='table') }}\n"
               "select city, temperature_max / nothing_of_that_name as ratio from {{ ref('stg_weather') }}, exchange.rates\n")
    demo.write("flows/failing.yml", "title: One that fails\ntasks:\n  look: {sql: select 7 as n}\n"
               "  fail: {shell: 'echo the first line; exit 3', after: look}\n  never: {sql: select 1, after: fail}\n")
    server = Server(demo)
    server.run(selection=["raw_meter"])
    for _ in range(6):
        server.run(selection=["mart_price_summary"])
    server.run(selection=["mart_broken", "mart_prices"])
    yield server
    server.stop()


def test_rooms(server, inbox, demo):
    status = subprocess.run(
        ["node", "--test", "--test-reporter=spec", *ONLY, str(ROOT / "tests" / "ui" / "rooms.test.mjs")],
        env={**os.environ, "TARN_URL": server.url, "TARN_TOKEN": server.token, "TARN_PICTURES": str(PICTURES),
             "TARN_ROOT": str(ROOT), "TARN_PROJECT": str(demo.project), "TARN_RUNS": json.dumps([run["id"] for run in server.json("/api/v1/runs")["runs"]])},
        capture_output=True, text=True, timeout=400)
    assert status.returncode == 0, status.stdout[-12_000:] + status.stderr[-4_000:]
    print(status.stdout)
    if ONLY:
        return
    # What the page sent is what the form said.
    lost, sent = sorted(inbox.mails, key=lambda mail: b"A lost letter" not in mail.content)
    assert b"A lost letter" in lost.content
    message = email.message_from_bytes(sent.content, policy=email.policy.default)
    assert sent.rcpt_tos == ["ada@example.org", "bob@example.org"]
    assert message["subject"].startswith("Closes from 2005-01-01")
    book = openpyxl.load_workbook(io.BytesIO(next(message.iter_attachments()).get_content()))
    assert {row[0].value for row in book["Closes"].iter_rows(min_row=2)} == {"AAPL", "IBM"}
