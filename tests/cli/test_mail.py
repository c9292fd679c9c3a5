"""Goal: a report is mailed once, whole and readable, and the log says what became of it, whatever the server does. Method: a real
SMTP server (aiosmtpd) on loopback with TLS and passwords; mails are parsed with Python's own library."""

import contextlib
import email
import email.policy
import io
import json
import os
import pathlib
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time

import openpyxl
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from tarn_server import Server

REPORT = """
title: Prices & more
parameters:
  least: {type: number, default: 0}
sheets:
  - {name: All, query: "select * from prices where price >= $least order by price"}
mail:
  to: [Ada Löve <ada@example.org>, bob@example.org]
  cc: carl@example.org
  bcc: dora@example.org
  subject: "{title} ab {least}: Übersicht €"
  text: "For you,\\nfrom {least} up."
  table: select name, price from prices where price >= $least order by price
  table_rows: 2
  first_delay: 0s
"""


class Inbox:
    """What the server got; `answers` are given, one a mail, before it takes any."""

    def __init__(self):
        self.mails, self.answers, self.hang = [], [], None

    async def handle_DATA(self, server, session, envelope):
        if self.answers:
            return self.answers.pop(0)
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return "250 taken"

    def message(self, i=-1):
        return email.message_from_bytes(self.mails[i][2], policy=email.policy.default)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
                   check=True, capture_output=True)
    return folder


@contextlib.contextmanager
def smtp(certificate, implicit=False, tls=True):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    inbox = Inbox()

    def authenticate(server, session, envelope, mechanism, data):
        return AuthResult(success=data.login == b"ada" and data.password == b"s3cr3t \xc3\xa4", handled=False)

    options = {"authenticator": authenticate, "auth_required": True, "auth_require_tls": tls and not implicit}
    if tls and not implicit:
        options |= {"tls_context": context, "require_starttls": True}
    controller = Controller(inbox, hostname="127.0.0.1", port=0, ssl_context=context if implicit else None, **options)
    # Its own start() asks a fixed port; port 0 is known only afterwards.
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        controller.port = probe.getsockname()[1]
    controller.start()
    try:
        yield controller, inbox
    finally:
        controller.stop()


def set_up(tarn, port, tls="starttls", more="", certificate=None):
    tarn.env["TARN_TEST_MAIL"] = "s3cr3t ä"
    lines = f"mail: {{host: localhost, port: {port}, tls: {tls}, user: ada, password: '${{env:TARN_TEST_MAIL}}', from: Tarn <tarn@example.org>"
    ca = f", ca: {certificate / 'cert.pem'}" if certificate else ""
    tarn.write("tarn.yml", f"name: home\n{lines}{ca}{more}}}\n")
    tarn.run("sql", "create table if not exists prices as select * from (values ('a<b>', 1.5), ('=c', 2.5), ('d', 3.5)) t(name, price)")
    tarn.write("reports/prices.yml", REPORT)
    return tarn


def send(tarn, *args, check=0):
    return tarn.run("report", "prices", "--send", *args, check=check)


def sent(tarn):
    return tarn.rows("select * from _tarn.sent")


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_a_report_is_mailed(tarn, certificate, tls):
    with smtp(certificate, implicit=tls == "implicit") as (server, inbox):
        set_up(tarn, server.port, tls, certificate=certificate)
        assert "mailed" in send(tarn).stdout
        sender, recipients, _ = inbox.mails[0]
        assert sender == "tarn@example.org"
        assert recipients == ["ada@example.org", "bob@example.org", "carl@example.org", "dora@example.org"]
        mail = inbox.message()
        assert mail["subject"] == "Prices & more ab 0: Übersicht €"
        assert mail["to"] == "Ada Löve <ada@example.org>, bob@example.org" and mail["cc"] == "carl@example.org"
        assert mail["bcc"] is None and b"dora@" not in inbox.mails[0][2]
        assert abs(mail["date"].datetime.timestamp() - time.time()) < 120
        html = mail.get_body(("html",)).get_content()
        assert "<td" in html and "a&lt;b&gt;" in html and "a<b>" not in html and "2 of 3 rows" in html
        text = mail.get_body(("plain",)).get_content()
        assert "For you,\nfrom 0 up." in text and "a<b> | 1.5" in text
        (book,) = mail.iter_attachments()
        assert book.get_filename() == "prices.xlsx"
        sheet = openpyxl.load_workbook(io.BytesIO(book.get_content()))["All"]
        assert [[c.value for c in row] for row in sheet.iter_rows(min_row=2)] == [["a<b>", 1.5], ["=c", 2.5], ["d", 3.5]]
        (record,) = sent(tarn)
        assert record["state"] == "sent" and record["attempts"] == 1 and record["report"] == "prices"
        assert mail["message-id"] == f"<{record['id']}>" and "dora@example.org" in record["recipients"]
        assert record["bytes"] == len(book.get_content())
        everything = "".join(tarn.run("sql", f"select * from _tarn.{t}", "--format", "csv").stdout for t in ("sent", "tasks", "task_log"))
        assert "s3cr3t" not in everything


def test_a_chart_is_shown_in_the_mail(tarn, certificate):
    with smtp(certificate) as (server, inbox):
        set_up(tarn, server.port, certificate=certificate)
        tarn.run("sql", "create table closes as select date '2026-01-01' + i::int as day, s as symbol, case when i between 40 and 55 and s = 'AAPL' then null "
                 "else 100 + 30 * sin(i / 9.0) + 40 * (s = 'MSFT')::int end as close from range(90) r(i), (values ('AAPL'), ('MSFT')) t(s)")
        chart = '  chart: {type: line, query: "select * from closes", x: day, y: close, series: symbol, title: "Closes <of> shares", unit: USD}\n'
        tarn.write("reports/prices.yml", REPORT + chart)
        assert "no mistakes" in tarn.run("check").stdout
        send(tarn)
        mail = inbox.message()
        assert mail.get_content_type() == "multipart/mixed"
        related = mail.get_body(("related",))
        assert related.get_content_type() == "multipart/related" and related.get_param("type") == "text/html"
        html, picture = related.iter_parts()
        assert picture.get_content_type() == "image/png" and picture.get_content_disposition() == "inline"
        assert f"cid:{picture['content-id'].strip('<>')}" in html.get_content()
        words = "Closes &lt;of&gt; shares in USD: line of AAPL, MSFT, from 2026-01-01 to 2026-03-31; last"
        assert words in html.get_content() and "<table" in html.get_content()
        assert "Closes <of> shares in USD" in mail.get_body(("plain",)).get_content()
        png = picture.get_content()
        assert png[:8] == b"\x89PNG\r\n\x1a\n" and struct.unpack(">II", png[16:24]) == (1280, 680) and len(png) < 200_000
        if os.environ.get("TARN_KEEP_PICTURES"):
            (pathlib.Path(os.environ["TARN_KEEP_PICTURES"]) / "mail-line.png").write_bytes(png)
        assert [part.get_filename() for part in mail.iter_attachments()] == ["prices.xlsx"]
        tarn.write("reports/prices.yml", REPORT + chart.replace("y: close", "y: clos"))
        assert "did you mean 'close'" in tarn.run("check", check=2).stderr


def test_an_occasion_is_mailed_once(tarn, certificate):
    with smtp(certificate) as (server, inbox):
        set_up(tarn, server.port, certificate=certificate)
        for _ in range(3):
            send(tarn, "--key", "nightly 2026-11-21T06:00")
        send(tarn, "--key", "nightly 2026-11-22T06:00")
        assert len(inbox.mails) == 2 and len(sent(tarn)) == 2


def test_what_passes_by_itself_is_tried_again(tarn, certificate):
    with smtp(certificate) as (server, inbox):
        set_up(tarn, server.port, certificate=certificate)
        inbox.answers = ["451 busy", "451 busy"]
        send(tarn)
        (record,) = sent(tarn)
        assert record["attempts"] == 3 and record["state"] == "sent" and len(inbox.mails) == 1
        inbox.answers = ["451 busy"] * 9
        assert "it said 451 busy, 5 times" in send(tarn, "--key", "k", check=1).stderr
        assert sent(tarn)[0]["state"] == "not sent" and len(inbox.mails) == 1
        inbox.answers = []
        send(tarn, "--key", "k")  # not sent: the occasion may be tried again
        assert len(inbox.mails) == 2


def test_what_is_refused_is_not_repeated(tarn, certificate):
    with smtp(certificate) as (server, inbox):
        set_up(tarn, server.port, certificate=certificate)
        inbox.answers = ["552 too large"]
        assert "552 too large" in send(tarn, check=1).stderr
        assert sent(tarn)[0]["state"] == "refused" and sent(tarn)[0]["attempts"] == 1
        tarn.env["TARN_TEST_MAIL"] = "wrong"
        done = send(tarn, check=1)
        assert "wrong" not in done.stderr and sent(tarn)[0]["state"] == "refused"
        assert not inbox.mails


def test_certificates_are_looked_at(tarn, certificate):
    with smtp(certificate) as (server, inbox):
        set_up(tarn, server.port)
        assert "certificate" in send(tarn, check=1).stderr.lower()
        assert sent(tarn)[0]["state"] == "refused" and not inbox.mails


def test_starttls_is_not_left_out(tarn, certificate):
    """A server, or somebody between, that offers no TLS gets neither password nor mail."""
    with smtp(certificate, tls=False) as (server, inbox):
        set_up(tarn, server.port, certificate=certificate)
        send(tarn, check=1)
        assert not inbox.mails and sent(tarn)[0]["state"] == "refused"
        set_up(tarn, server.port, tls="none")
        send(tarn)
        assert len(inbox.mails) == 1


def test_only_if_rows(tarn, certificate):
    with smtp(certificate) as (server, inbox):
        set_up(tarn, server.port, certificate=certificate)
        tarn.write("reports/prices.yml", REPORT + "  only_if_rows: true\n")
        assert "no rows" in send(tarn, "-p", "least=100").stdout
        assert sent(tarn)[0]["state"] == "no rows" and not inbox.mails
        send(tarn)
        assert len(inbox.mails) == 1


class Silent:
    """A server that says nothing, or nothing after the mail, or goes away after it."""

    def __init__(self, mode):
        self.mode = mode
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.got = threading.Event()
        self.release = threading.Event()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.socket.accept()
                threading.Thread(target=self.talk, args=(client,), daemon=True).start()

    def talk(self, client):
        with contextlib.suppress(OSError), client, client.makefile("rwb") as stream:
            if self.mode == "silent":
                self.release.wait(60)
                return
            stream.write(b"220 hello\r\n")
            stream.flush()
            data = False
            for line in stream:
                if data:
                    if line == b".\r\n":
                        self.got.set()
                        if self.mode == "hold":
                            self.release.wait(60)
                        return  # no answer
                    continue
                data = line.upper().startswith(b"DATA")
                stream.write(b"354 go on\r\n" if data else b"250 fine\r\n")
                stream.flush()

    def close(self):
        self.release.set()
        self.socket.close()


def test_a_server_that_hangs_is_given_up(tarn):
    server = Silent("silent")
    set_up(tarn, server.port, tls="none", more=", timeout: 1s")
    tarn.write("reports/prices.yml", REPORT + "  attempts: 2\n")
    began = time.monotonic()
    assert "2 times" in send(tarn, check=1).stderr
    assert time.monotonic() - began < 20 and sent(tarn)[0]["state"] == "not sent"
    server.close()


def test_a_mail_that_may_have_been_taken_is_unknown(tarn):
    server = Silent("gone")
    set_up(tarn, server.port, tls="none")
    tarn.write("tarn.yml", (tarn.project / "tarn.yml").read_text().replace(", user: ada, password: '${env:TARN_TEST_MAIL}'", ""))
    assert "nobody knows whether it was sent" in send(tarn, "--key", "k", check=1).stderr
    assert [(one["state"], one["attempts"]) for one in sent(tarn)] == [("unknown", 1)]
    done = send(tarn, "--key", "k", check=1)
    assert "nobody knows whether the mail of k was sent" in done.stderr and len(sent(tarn)) == 1
    server.close()


def test_what_is_unknown_is_settled_by_who_looked(tarn, certificate):
    server = Silent("gone")
    set_up(tarn, server.port, tls="none")
    plain = (tarn.project / "tarn.yml").read_text().replace(", user: ada, password: '${env:TARN_TEST_MAIL}'", "")
    tarn.write("tarn.yml", plain)
    tarn.write("flows/f.yml", "tasks:\n  letter: {report: prices, parameters: {least: 2}, mail: true}\n  after: {sql: select 1, after: letter}\n")
    for key in ("k1", "k2"):
        send(tarn, "--key", key, "--param", "least=2", check=1)
    tarn.run("flow", "f", check=1)
    server.close()
    run = tarn.rows("select run from _tarn.sent where key like '%/letter'")[0]["run"]
    # It arrived.
    assert "mailed at" in tarn.run("report", "--done", "k1").stdout
    assert tarn.rows("select state, answer from _tarn.sent where key = 'k1'") == [{"state": "sent", "answer": "somebody looked: it arrived"}]
    assert "is sent: only one of which nobody knows" in tarn.run("report", "--done", "k1", check=None).stderr
    assert "there is no mail 'k9'" in tarn.run("report", "--again", "k9", check=None).stderr
    # A flow's mail, by the command that settles its other effects; then the flow goes on.
    tarn.run("flow", "--resume", run, "--done", "f/letter")
    assert [row["state"] for row in tarn.rows("select state from _tarn.sent where run = '" + run + "'")] == ["sent"]
    # It did not: with the values that it had, under the same occasion.
    with smtp(certificate) as (good, inbox):
        set_up(tarn, good.port, certificate=certificate)
        mail = tarn.rows("select id from _tarn.sent where key = 'k2'")[0]["id"]
        assert "mailed at" in tarn.run("report", "--again", mail).stdout
        assert len(inbox.mails) == 1 and inbox.message()["subject"].startswith("Prices & more ab 2:")
        assert sorted(row["state"] for row in tarn.rows("select state from _tarn.sent where key = 'k2'")) == ["not sent", "sent"]
        server = Server(tarn)
        page = server.json("/api/v1/mails?state=sent&limit=1&sort=at&text=prices")
        assert page["total"] == 3 and page["mails"][0]["key"] == "k1" and page["mails"][0]["parameters"] == {"least": ["2"]}
        assert server.request("/api/v1/mails?sort=key")[0] == 400 and server.request("/api/v1/mails?limit=x")[0] == 400
        assert server.request("/api/v1/mails/settle", {"mail": "k1", "done": True})[0] == 409
        assert server.request("/api/v1/mails/settle", {"mail": "k1"})[0] == 400
        assert server.request("/api/v1/mails/again", {"mail": "k9"})[0] == 404
        server.stop()


def test_killed_while_it_sends_is_unknown_and_repeated_only_if_asked(tarn, certificate):
    server = Silent("hold")
    set_up(tarn, server.port, tls="none")
    tarn.write("tarn.yml", (tarn.project / "tarn.yml").read_text().replace(", user: ada, password: '${env:TARN_TEST_MAIL}'", ""))
    process = tarn.start("report", "prices", "--send", "--key", "k")
    assert server.got.wait(60)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    server.close()
    assert [one["state"] for one in sent(tarn)] == ["unknown"]
    with smtp(certificate) as (good, inbox):
        set_up(tarn, good.port, certificate=certificate)
        send(tarn, "--key", "k", check=1)
        assert not inbox.mails
        tarn.write("reports/prices.yml", REPORT + "  repeatable: true\n")
        send(tarn, "--key", "k")
        assert len(inbox.mails) == 1 and [one["state"] for one in sent(tarn)] == ["sent", "unknown"]


def test_a_selection_names_mails(tarn, certificate):
    with smtp(certificate) as (server, inbox):
        set_up(tarn, server.port, certificate=certificate)
        tarn.write("models/dear.sql", "select * from prices where price > 2\n")
        tarn.write("models/broken.sql", "select cast(name as int) as name, price from prices\n")
        tarn.write("reports/prices.yml", REPORT.replace("from prices where", "from {{ ref('dear') }} where"))
        tarn.run("run", "dear")
        assert not inbox.mails
        done = tarn.run("run", "dear", "mail:prices")
        assert "2 done" in done.stderr and len(inbox.mails) == 1
        assert tarn.rows("select task, kind from _tarn.tasks where run = (select run from _tarn.runs order by started_at desc limit 1) order by started_at") == [
            {"task": "dear", "kind": "model"}, {"task": "mail:prices", "kind": "report"}]
        assert "did you mean 'prices'?" in tarn.run("run", "mail:price", check=2).stderr
        tarn.write("reports/prices.yml", REPORT.replace("from prices where", "from {{ ref('broken') }} where"))
        tarn.run("run", "broken", "mail:prices", check=1)  # what it reads has failed: nothing is mailed
        assert len(inbox.mails) == 1


def test_a_schedule_mails_each_due_time_once(tarn, certificate):
    with smtp(certificate) as (mail_server, inbox):
        set_up(tarn, mail_server.port, certificate=certificate)
        config = tarn.project / "tarn.yml"
        config.write_text(config.read_text() + "schedules:\n  often: {run: ['mail:prices'], every: 1s, catch_up: none}\n")
        assert "no mistakes" in tarn.run("check").stdout
        server = Server(tarn)
        try:
            deadline = time.monotonic() + 60
            while len(inbox.mails) < 3:
                assert time.monotonic() < deadline, inbox.mails
                time.sleep(0.05)
        finally:
            server.stop()
        keys = [one["key"] for one in sent(tarn)]
        assert len(set(keys)) == len(keys) == len(inbox.mails) and all(key.startswith("prices often 20") for key in keys)


def test_through_a_server(tarn, certificate):
    with smtp(certificate) as (mail_server, inbox):
        set_up(tarn, mail_server.port, certificate=certificate)
        server = Server(tarn)
        try:
            status, body = server.request("/api/v1/reports/prices/send", {"parameters": {"least": 3}, "key": "a"})
            assert status == 200, body
            answer = json.loads(body)
            assert answer["state"] == "sent" and answer["attempts"] == 1
            assert json.loads(server.request("/api/v1/reports/prices/send", {"key": "a"})[1])["id"] == answer["id"]
            assert "mailed" in send(tarn).stdout
            assert len(inbox.mails) == 2
        finally:
            server.stop()


def test_check_finds_mistakes_of_mail(tarn):
    tarn.write("tarn.yml", "name: home\nmail: {host: mail.example.org, tls: none, password: plain, from: nobody, port: 0}\n")
    tarn.run("sql", "create table prices as select 'a' as name, 1 as price")
    tarn.write("reports/prices.yml", REPORT.replace("{least}: Ü", "{leest}: Ü").replace("bob@example.org", "bob@@example.org")
               .replace("select name, price from prices where", "select nme from prices where"))
    done = tarn.run("check", check=2)
    text = done.stdout + done.stderr
    for words in ("without TLS mail may only go to this machine", "write the password as a reference", "'nobody' is no mail address",
                  "port 0 is not between 1 and 65535", "'bob@@example.org' is no mail address"):
        assert words in text, words
    tarn.write("tarn.yml", "name: home\n")
    for text, words in ((REPORT.replace("{least}: Ü", "{leest}: Ü"), "reports/prices.yml:11:12: there is no {leest} to put in: did you mean {least}?"),
                        (REPORT.replace("table: select name", "table: select nme"), "reports/prices.yml:13:17: ")):
        tarn.write("reports/prices.yml", text)
        done = tarn.run("check", check=2)
        assert words in done.stdout + done.stderr, words
    assert "tarn.yml has no mail" in send(tarn, check=2).stderr
