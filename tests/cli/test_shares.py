"""Goal: whoever has a link sees its board and nothing else. Method: a real server; with the secret of a link every path
of the API's own description is tried, in every way a secret can be sent, and what the link's own paths answer is
searched for what it must not hold."""

import gzip
import json
import re
import sqlite3
import time
import urllib.error
import urllib.request

import pytest

from tarn_server import Server

BOARD = """
title: Sales
description: By city.
filters:
  city: {type: choice, label: City, choices: select distinct city from sales order by 1, default: Delft}
  from: {type: date, label: From, default: 2020-01-01}
tiles:
  - type: number
    title: Sold
    query: select sum(amount) as sold from sales where city = $city and day >= $from
    value: sold
  - type: table
    title: Broken
    query: select error('the secret reason of ' || city) as x from sales where city = $city
"""
OTHER = "title: Wages\ntiles:\n  - {type: table, title: Wages, query: select * from wages}\n"


@pytest.fixture
def server(tarn):
    tarn.run("sql", "create table sales as select * from (values ('Delft', date '2026-01-01', 5), "
                    "('Delft', date '2026-01-02', 7), ('Leiden', date '2026-01-01', 1000)) t(city, day, amount)")
    tarn.run("sql", "create table wages as select 'Ada' as name, 123456 as wage")
    tarn.write("boards/sales.yml", BOARD)
    tarn.write("boards/wages.yml", OTHER)
    server = Server(tarn)
    yield server
    server.stop()


def call(server, path, method="GET", headers=None, body=None):
    """(status, headers, text) without the server's own token"""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(server.url + path, data=data, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            bytes_ = answer.read()
            packed = answer.headers.get("Content-Encoding") == "gzip"
            return answer.status, answer.headers, (gzip.decompress(bytes_) if packed else bytes_).decode(errors="replace")
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode(errors="replace")


def share(server, **more):
    status, answer = server.request("/api/v1/shares", {"board": "sales", "days": 7, **more})
    assert status == 201, answer
    made = json.loads(answer)
    return made, made["path"].removeprefix("/share/")


def data(server, secret, body=None):
    status, _, text = call(server, "/api/v1/shared/data", "POST", {"X-Tarn-Share": secret}, body or {})
    return status, [json.loads(line) for line in text.splitlines()]


def sold(lines):
    return next(line["rows"] for line in lines if line.get("tile") == "sold")


def test_a_link_shows_its_board_with_its_filters(server):
    made, secret = share(server)
    assert len(secret) == 64
    status, headers, page = call(server, made["path"])
    assert status == 200 and headers["Referrer-Policy"] == "no-referrer" and "<script" in page
    status, _, text = call(server, "/api/v1/shared", headers={"X-Tarn-Share": secret})
    shown = json.loads(text)
    assert status == 200 and shown["board"]["title"] == "Sales"
    assert [tile["title"] for tile in shown["board"]["tiles"]] == ["Sold", "Broken"]
    status, lines = data(server, secret)
    assert status == 200 and sold(lines) == [["12"]]
    # What it is made of is not told: queries, files, tables, choices, why a query failed.
    told = text + json.dumps(lines)
    for hidden in ("select", "boards/", "sales.yml", "public", "Leiden", "secret reason"):
        assert hidden not in told, hidden
    assert "cannot be shown" in told
    # A fixed filter stays what it is.
    _, lines = data(server, secret, {"filters": {"city": "Leiden"}})
    assert sold(lines) == [["12"]] and lines[0]["filters"]["city"] == ["Delft"]
    assert call(server, "/api/v1/shared/rows", "POST", {"X-Tarn-Share": secret}, {"tile": "sold"})[0] == 404
    live = server.json("/api/v1/shares?board=sales")["shares"]
    assert [one["uses"] for one in live] == [1] and secret not in json.dumps(live)


def test_a_link_may_let_filters_be_changed_and_rows_be_seen(server):
    _, secret = share(server, filters={"city": "Leiden"}, may_filter=True, may_see_rows=True)
    assert sold(data(server, secret)[1]) == [["1000"]]
    assert sold(data(server, secret, {"filters": {"city": "Delft"}})[1]) == [["12"]]
    # Values are bound, never text of the query.
    for attack in ("' or true --", "Delft' union select wage from wages --", "$from", "x'; drop table sales; --"):
        assert sold(data(server, secret, {"filters": {"city": attack}})[1]) == [[None]]
    assert data(server, secret, {"filters": {"from": "1; drop table sales"}})[0] == 400
    assert data(server, secret, {"filters": {"nothing": "1"}})[0] == 400
    status, _, text = call(server, "/api/v1/shared/rows", "POST", {"X-Tarn-Share": secret},
                           {"tile": "sold", "filters": {"city": "Delft"}, "where": {}})
    lines = [json.loads(line) for line in text.splitlines()]
    assert status == 200 and len(lines[1]["rows"]) == 2 and lines[0]["sql"] == "" and "select" not in text
    for where in ({"city": "x' or true --"}, {"1=1; select wage from wages --": "1"}, {"wage": "1"}):
        _, _, text = call(server, "/api/v1/shared/rows", "POST", {"X-Tarn-Share": secret},
                          {"tile": "sold", "where": where})
        assert "123456" not in text and "Ada" not in text
    assert server.json("/api/v1/sql", {"sql": "select count(*) as n from sales"}) == [{"n": 3}]


def test_a_link_opens_nothing_else(server):
    _, secret = share(server, may_filter=True, may_see_rows=True)
    port = server.url.rsplit(":", 1)[1]
    ways = [{"X-Tarn-Share": secret}, {"Authorization": f"Bearer {secret}"},
            {"Cookie": f"tarn_{port}={secret}", "X-Tarn-Page": "1", "Sec-Fetch-Site": "same-origin"}]
    own = {"/api/v1/shared", "/api/v1/shared/data", "/api/v1/shared/rows", "/healthz"}
    tried = 0
    for path, methods in server.json("/api/v1/openapi.json")["paths"].items():
        if path in own:
            continue
        there = re.sub(r"\{(name|board)\}", "wages", path).replace("{schema}", "public").replace("{id}", "x")
        there = re.sub(r"\{\w+\}", "1", there)
        for method in methods:
            for way in ways:
                for body in ({"X-Tarn-Share": secret, "board": "wages", "sql": "select * from wages", "days": 1},):
                    status, _, text = call(server, there, method.upper(), way,
                                           None if method == "get" else body)
                    assert status in (401, 403, 404), f"{method} {there} {way}: {status} {text[:200]}"
                    assert "123456" not in text
                    tried += 1
            status, _, _ = call(server, f"{there}?token={secret}&share={secret}", method.upper(), {},
                                None if method == "get" else {})
            assert status in (401, 403, 404), there
    assert tried > 100
    for path in ("/metrics", "/api/v1/shared/../boards/wages", "/api/v1/shared/%2e%2e/boards/wages",
                 "/api/v1/shared/data/../../sql", "/api/v1/shared/try", "/api/v1/shared/tiles",
                 "/api/v1/shared?board=wages", "/api/v1/boards/sales", "/api/v1/boards/sales/data"):
        for method in ("GET", "POST"):
            status, _, text = call(server, path, method, {"X-Tarn-Share": secret}, {} if method == "POST" else None)
            assert (status in (401, 403, 404) or path.startswith("/api/v1/shared?")), f"{method} {path}: {status}"
            assert "123456" not in text and "Wages" not in text
    # The board of the link is what the link says, whatever is asked.
    _, lines = data(server, secret, {"board": "wages", "name": "wages"})
    assert sold(lines) == [["12"]]
    # A page of another site, or another host's name, is refused as everywhere.
    assert call(server, "/api/v1/shared", headers={"X-Tarn-Share": secret, "Origin": "https://evil.example"})[0] == 403
    assert call(server, "/api/v1/shared", headers={"X-Tarn-Share": secret, "Host": "evil.example"})[0] == 421


def test_a_link_ends(server):
    made, secret = share(server)
    assert server.request(f"/api/v1/shares/{made['id']}", method="DELETE")[0] == 200
    assert server.request(f"/api/v1/shares/{made['id']}", method="DELETE")[0] == 404
    short, brief = share(server, days=1.5 / 86400)
    assert data(server, brief)[0] == 200
    time.sleep(1.6)
    for path, one in ((made["path"], secret), (short["path"], brief), ("/share/", ""), ("/share/" + "0" * 64, "0" * 64)):
        status, headers, page = call(server, path)
        assert status == 404 and headers["Content-Type"].startswith("text/html"), path
        assert "does not work any more" in page and "<script" not in page and "Sales" not in page
        assert headers["Referrer-Policy"] == "no-referrer"
        assert call(server, "/api/v1/shared", headers={"X-Tarn-Share": one})[0] == 404
        assert data(server, one)[0] == 404
    assert server.json("/api/v1/shares")["shares"] == []


def test_secrets_are_kept_as_hashes_and_links_outlive_the_server(server, tarn):
    _, secret = share(server)
    server.stop()
    with sqlite3.connect(f"file:{tarn.data}/control.sqlite?mode=ro", uri=True) as db:
        assert secret not in str(db.execute("select * from shares").fetchall())
    again = Server(tarn)
    try:
        assert sold(data(again, secret)[1]) == [["12"]]
    finally:
        again.stop()


def test_too_many_requests_are_refused_for_a_while(server):
    _, secret = share(server)
    answers = [call(server, "/api/v1/shared", headers={"X-Tarn-Share": secret}) for _ in range(90)]
    refused = [headers for status, headers, _ in answers if status == 429]
    assert answers[0][0] == 200 and refused and all(headers["Retry-After"] for headers in refused)
    _, other = share(server)
    assert call(server, "/api/v1/shared", headers={"X-Tarn-Share": other})[0] == 200


@pytest.mark.parametrize("wrong, words", [({"days": 0}, "days"), ({"days": 366}, "365"), ({"days": "7"}, "days"),
                                          ({"board": "nothing"}, "nothing"), ({"filters": {"town": "x"}}, "town"),
                                          ({"filters": {"from": "someday"}}, "someday")])
def test_a_link_of_nonsense_is_refused(server, wrong, words):
    status, answer = server.request("/api/v1/shares", {"board": "sales", "days": 7, **wrong})
    assert status in (400, 404) and words in json.loads(answer)["error"]["message"]
