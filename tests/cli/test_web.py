"""Goal: pages get in by login only, other sites gain nothing, events reach every page, and what rooms ask for is what
the lake and the records say. Method: a real server, raw HTTP as browsers and attackers send it."""

import gzip
import http.client
import json
import re
import socket
import time

import pytest

from tarn_server import Server

PAGE = {"X-Tarn-Page": "1", "Sec-Fetch-Site": "same-origin"}


class Browser:
    """Sends what a browser would; keeps its cookie."""

    def __init__(self, server):
        self.address = server.url.removeprefix("http://")
        self.cookie = ""

    def ask(self, method, path, headers=None, body=None):
        """(status, headers, bytes)"""
        connection = http.client.HTTPConnection(self.address, timeout=20)
        sent = {**({"Cookie": self.cookie} if self.cookie else {}), **(headers or {})}
        connection.request(method, path, body=body and json.dumps(body), headers=sent)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def log_in(self, server):
        status, headers, _ = self.ask("GET", f"/login?token={server.token}")
        assert status == 303 and headers["Location"] == "/"
        self.cookie = headers["Set-Cookie"].split(";")[0]
        return headers["Set-Cookie"]

    def events(self, path="/api/v1/events", last=None):
        return Events(self, path, last)


class Events:
    """A page's stream of server-sent events."""

    def __init__(self, browser, path, last):
        host, port = browser.address.split(":")
        self.socket = socket.create_connection((host, int(port)), timeout=20)
        again = f"Last-Event-ID: {last}\r\n" if last else ""
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: {browser.address}\r\nCookie: {browser.cookie}\r\n"
                            f"Accept: text/event-stream\r\n{again}\r\n".encode())
        self.text = ""

    def until(self, kind):
        """Reads on until an event of that kind; returns (id, data) of it, and drops what came before."""
        deadline = time.monotonic() + 20  # the heartbeats alone keep a stream alive
        pattern = re.compile(r"(?:id: (\S+)\n)?event: " + kind + r"\ndata: (.*)\n\n")
        while not (found := pattern.search(self.text)):
            piece = self.socket.recv(65536)
            assert piece and time.monotonic() < deadline, f"the stream ended before '{kind}': {self.text[-400:]}"
            self.text = re.sub(r"\r\n[0-9a-f]+\r\n", "", self.text + piece.decode())
        self.text = self.text[found.end():]
        return found.group(1), json.loads(found.group(2))

    def close(self):
        self.socket.close()


@pytest.fixture
def server(tarn):
    tarn.write("models/a.sql", "{{ config(materialized='table') }}\nselect 1 as id, 'x' as name\n")
    tarn.write("models/b.sql", "select id + 1 as id from {{ ref('a') }}\n")
    server = Server(tarn)
    yield server
    if server.process.poll() is None:
        server.stop()


@pytest.fixture
def browser(server):
    browser = Browser(server)
    browser.log_in(server)
    return browser


def test_the_link_logs_in_and_the_token_does_not_stay(server):
    browser = Browser(server)
    assert browser.ask("GET", "/api/v1/status")[0] == 401
    cookie = browser.log_in(server)
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and server.token not in cookie
    assert browser.ask("GET", "/api/v1/status")[0] == 200
    assert Browser(server).ask("GET", "/login?token=wrong")[1]["Location"] == "/login?refused=1"
    assert "Set-Cookie" not in Browser(server).ask("GET", "/login?token=wrong")[1]


def test_a_form_logs_in_too_and_logout_ends_it(server):
    browser = Browser(server)
    assert browser.ask("POST", "/api/v1/login", PAGE, {"token": "wrong"})[0] == 403
    assert browser.ask("POST", "/api/v1/login", {}, {"token": server.token})[0] == 403  # not from our page
    assert browser.ask("POST", "/api/v1/login", {**PAGE, "Origin": "http://evil.example"}, {"token": server.token})[0] == 403
    status, headers, _ = browser.ask("POST", "/api/v1/login", PAGE, {"token": server.token})
    assert status == 200
    browser.cookie = stolen = headers["Set-Cookie"].split(";")[0]
    assert browser.ask("GET", "/api/v1/overview")[0] == 200
    assert browser.ask("POST", "/api/v1/logout", PAGE)[0] == 200
    browser.cookie = stolen
    assert browser.ask("GET", "/api/v1/overview")[0] == 401


def test_other_sites_gain_nothing_by_the_cookie(server, browser):
    run = {"selection": ["a"]}
    for headers in ({}, {"X-Tarn-Page": "1"}, {"Sec-Fetch-Site": "same-origin"}, {**PAGE, "Sec-Fetch-Site": "cross-site"},
                    {**PAGE, "Sec-Fetch-Site": "same-site"}, {**PAGE, "Origin": "http://127.0.0.1:1"}, {**PAGE, "Origin": "null"}):
        assert browser.ask("POST", "/api/v1/runs", headers, run)[0] == 403, headers
    assert browser.ask("GET", "/api/v1/tables", {"Sec-Fetch-Site": "cross-site"})[0] == 403
    assert browser.ask("GET", "/api/v1/tables", {"Host": "evil.example"})[0] == 421
    assert browser.ask("GET", f"/login?token={server.token}", {"Host": "evil.example"})[0] == 421
    assert server.json("/api/v1/runs")["runs"] == []
    assert browser.ask("POST", "/api/v1/runs", PAGE, run)[0] == 202


def test_pages_are_open_cached_and_locked_down(server):
    browser = Browser(server)
    status, headers, page = browser.ask("GET", "/")
    assert status == 200 and headers["Content-Encoding"] == "gzip" and headers["Cache-Control"] == "no-cache"
    policy = headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy and "frame-ancestors 'none'" in policy
    assert headers["X-Frame-Options"] == "DENY" and headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    page = gzip.decompress(page).decode()
    assert "<script>" not in page
    script = re.search(r'src="(/assets/[^"]+\.js)"', page).group(1)
    status, asset, _ = browser.ask("GET", script)
    assert status == 200 and "immutable" in asset["Cache-Control"]
    assert browser.ask("GET", "/", {"If-None-Match": headers["ETag"]})[0] == 304
    for room in ("/data/public/a", "/flow/runs", "/sql", "/settings", "/login"):
        assert browser.ask("GET", room)[0] == 200, room
    for path in ("/datax", "/assets/none.js", "/../tarn.yml", "/assets/../../tarn.yml", "/.tarn/token"):
        assert browser.ask("GET", path)[0] in (400, 401), path
    assert browser.ask("POST", "/")[0] == 401


def test_events_tell_of_runs_tables_and_what_was_missed(server, browser):
    events = browser.events()
    events.until("hello")
    browser.ask("POST", "/api/v1/runs", PAGE, {})
    first, run = events.until("run")
    assert run["state"] == "running"
    assert events.until("task")[1]["name"] == "a"
    assert "public.a" in events.until("lake")[1]["tables"]
    events.close()
    again = browser.events(last=first)
    last, ended = again.until("run")
    assert ended["id"] == run["id"] and ended["state"] == "done"
    again.close()
    unknown = browser.events(last="0-1")
    unknown.until("refresh")
    unknown.close()


def test_many_open_pages_hold_no_thread(server, browser):
    pages = []
    for _ in range(300):
        pages.append(browser.events())
        pages[-1].until("hello")
    started = time.monotonic()
    browser.ask("POST", "/api/v1/runs", PAGE, {"selection": ["a"]})
    for page in pages:
        page.until("run")
    assert browser.ask("GET", "/api/v1/overview")[0] == 200
    assert time.monotonic() - started < 15
    for page in pages:
        page.close()
    assert server.stop()[0] == 0


def test_the_log_of_a_run_comes_by_pages_and_live(server, browser):
    run, _ = server.run()
    page = server.json(f"/api/v1/runs/{run}/lines?limit=1")
    assert page["live"] is False and len(page["lines"]) == min(1, page["total"])
    assert server.request("/api/v1/runs/nothing/lines")[0] == 404
    detail = server.json(f"/api/v1/runs/{run}/detail")
    task = next(task for task in detail["tasks"] if task["name"] == "b")
    assert task["reads"] == ["public.a"] and task["wrote"] == ["public.b"]
    assert "id + 1" in task["compiled_sql"] and task["tries"][0]["state"] == "done"


def test_overview_and_tables_say_what_is(server):
    overview = server.json("/api/v1/overview")
    assert {task["name"]: task["state"] for task in overview["tasks"]} == {"a": "never run", "b": "never run"}
    server.run()
    overview = server.json("/api/v1/overview")
    b = next(task for task in overview["tasks"] if task["name"] == "b")
    assert b["state"] == "fresh" and b["upstream"] == ["a"] and b["writes"] == ["public.b"]
    server.json("/api/v1/sql", {"sql": "comment on column a.name is 'What it is called'"})
    server.json("/api/v1/sql", {"sql": "insert into a values (2, 'y'), (3, null)"})
    table = server.json("/api/v1/tables/public/a")
    assert table["rows"] == 3 and table["file_count"] == 2
    assert [column["comment"] for column in table["columns"]] == ["", "What it is called"]
    assert table["written_by"][0]["task"] == "a" and table["read_by"][0]["task"] == "b"
    newest, before = table["versions"][0], table["versions"][-1]
    assert newest["operation"] == "append" and newest["rows_added"] == 2 and newest["rows"] == 3
    then = server.json(f"/api/v1/tables/public/a?as_of={before['at']}")
    assert then["rows"] == 1 and [column["comment"] for column in then["columns"]] == ["", ""]
    assert then["versions"] == table["versions"]
    assert server.json("/api/v1/tables/public/b")["sql"]
    assert server.request("/api/v1/tables/public/nothing")[0] == 404
    assert server.request("/api/v1/tables/public/a?as_of=noon")[0] == 400


def test_raw_bytes_are_text_and_never_a_page(tarn):
    (tarn.project / "in").mkdir()
    (tarn.project / "in" / "x.csv").write_text("id,n\n1,<script>alert(1)</script>\nx,2\n", encoding="utf-8")
    tarn.write("sources/s.yml", "kind: files\npath: in/*.csv\ncolumns: {id: bigint, n: varchar}\n")
    server = Server(tarn)
    try:
        server.run()
        rows = server.json("/api/v1/sql", {"sql": "select source, fetch_id from _tarn.quarantine"})
        browser = Browser(server)
        browser.log_in(server)
        status, headers, body = browser.ask("GET", f"/api/v1/raw/{rows[0]['source']}/{rows[0]['fetch_id']}")
        assert status == 200 and b"<script>" in body
        assert headers["Content-Type"].startswith("text/plain") and headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in headers["Content-Security-Policy"]
        assert browser.ask("GET", f"/api/v1/raw/s/{rows[0]['fetch_id'].split('/')[0]}/99")[0] == 404
        assert browser.ask("GET", "/api/v1/raw/s/..%2F..%2Ftoken/0")[0] == 404
    finally:
        server.stop()
