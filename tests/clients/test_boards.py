"""Goal: a page asks only for what changed, sees the rows behind a number, and changes a board's file without destroying
what another wrote. Method: a real server, its API, the files on the disk."""

import concurrent.futures
import json
import time

import pytest

from tarn_server import Server

BOARD = """\
title: Sales
filters:
  city:
    type: list
    choices: select distinct city from {{ ref('big') }} order by 1
    default: [Delft, Gouda]
  least: {type: number, default: 0}
tiles:
  # how much
  - type: number
    title: Sum
    query: select sum(amount) as sum from {{ ref('big') }} where list_contains($city, city) and amount >= $least
    value: sum
  - type: bar
    title: By city
    query: |
      select city, sum(amount) as sum, count(*) as n from sales
      where list_contains($city, city)
      group by city order by city
    x: city
    y: sum
  - type: table
    title: Other
    query: select * from other
  - type: table
    title: Clock
    query: select now() as now
"""


@pytest.fixture
def home(tarn):
    tarn.write("tarn.yml", "name: home\n")
    tarn.write("models/big.sql", "{{ config(materialized='view') }}\nselect * from sales where amount > 1\n")
    tarn.write("boards/sales.yml", BOARD)
    tarn.run("sql", "create table sales as select * from (values ('Delft', 1), ('Delft', 5), ('Gouda', 7), ('Breda', 9)) t(city, amount);"
                    "create table other as select 1 as a")
    tarn.run("run")
    server = Server(tarn)
    yield tarn, server
    server.stop()


def ask(server, filters=None, known=None, board="sales"):
    """As a page does: what is of a moment ago is asked for again."""
    while True:
        status, body = server.request(f"/api/v1/boards/{board}/data", {"filters": filters or {}, "known": known or {}})
        assert status == 200, body
        head, *lines = [json.loads(line) for line in body.splitlines()]
        again_in_ms = max(line.get("again_in_ms", 0) for line in lines)
        if not again_in_ms:
            break
        time.sleep(again_in_ms / 1000)
    kinds = {("tile:" if "tile" in line else "filter:") + (line.get("tile") or line["filter"]): line for line in lines}
    return head, kinds


def test_only_what_changed_is_asked_for(home):
    _, server = home
    head, first = ask(server)
    assert head["filters"] == {"city": ["Delft", "Gouda"], "least": ["0"]}
    assert first["tile:sum"]["rows"] == [["12"]]
    assert first["tile:by-city"]["rows"] == [["Delft", "6", "2"], ["Gouda", "7", "1"]]
    assert first["filter:city"]["rows"] == [["Breda"], ["Delft"], ["Gouda"]]
    assert [read["table"] for read in first["tile:sum"]["reads"]] == ["public.sales"], "through the view"
    known = {key: line["etag"] for key, line in first.items()}
    _, same = ask(server, known=known)
    assert all(line.get("unchanged") for line in same.values()), same

    server.request("/api/v1/sql", {"sql": "insert into other values (2)"})
    _, after = ask(server, known=known)
    assert {key for key, line in after.items() if "rows" in line} == {"tile:other"}
    server.request("/api/v1/sql", {"sql": "insert into sales values ('Gouda', 3)"})
    _, after = ask(server, known={**known, "tile:other": after["tile:other"]["etag"]})
    assert {key for key, line in after.items() if "rows" in line} == {"tile:sum", "tile:by-city", "filter:city"}
    assert after["tile:sum"]["rows"] == [["15"]]

    # A filter concerns the tiles that name it.
    _, before = ask(server)
    _, changed = ask(server, {"least": 6}, {key: line["etag"] for key, line in before.items()})
    assert {key for key, line in changed.items() if "rows" in line} == {"tile:sum"}
    assert changed["tile:sum"]["rows"] == [["7"]]


def test_many_pages_at_once(home):
    _, server = home
    with concurrent.futures.ThreadPoolExecutor(200) as pool:
        answers = list(pool.map(lambda _: ask(server)[1]["tile:sum"]["rows"], range(200)))
    assert answers == [[["12"]]] * 200


def test_rows_behind_a_number(home):
    _, server = home

    def behind(tile, where):
        status, body = server.request("/api/v1/boards/sales/rows", {"tile": tile, "where": where})
        assert status == 200, body
        head, line = [json.loads(one) for one in body.splitlines()]
        return line, head["sql"]

    line, sql = behind("by-city", {"city": "Delft"})
    assert sorted(line["rows"]) == [["Delft", "1"], ["Delft", "5"]]
    assert "GROUP BY" not in sql
    assert sorted(behind("sum", {})[0]["rows"]) == [["Delft", "5"], ["Gouda", "7"]]
    assert behind("other", {"a": "1"})[0]["rows"] == [["1"]]
    assert behind("by-city", {"city": "' or true --"})[0]["rows"] == []
    assert "nowhere" in behind("other", {"nowhere": "1"})[0]["error"]["message"]


def test_mistakes_have_their_place(home):
    tarn, server = home
    tarn.write("boards/bad.yml", "tiles:\n  - type: line\n    query: |\n      select city,\n        amout from sales\n    x: city\n    y: amout\n"
                                 "  - type: number\n    query: select city from sales where city = $town\n    value: city\n"
                                 "  - type: bar\n    query: select city, amount from sales\n    x: cty\n    y: city\n")
    found = tarn.run("check", check=2)
    text = found.stdout + found.stderr
    for wanted in ['boards/bad.yml:5:9: there is no column "amout": did you mean "amount"?',
                   "boards/bad.yml:9:48: $town is not declared: declare it under filters",
                   "boards/bad.yml:13:8: tile bar has no column 'cty': did you mean 'city'?",
                   "boards/bad.yml:14:8: y needs numbers, and column 'city' is of type VARCHAR: cast it in the query"]:
        assert wanted in text, text
    _, lines = ask(server, board="bad")
    assert "amout" in lines["tile:line"]["error"]["message"]
    tarn.write("boards/broken.yml", "tiles:\n  - type: lin\n")
    tarn.run("run")  # a board's mistake stops no run
    status, body = server.request("/api/v1/boards/broken")
    assert status == 422 or status == 400, body
    assert "boards/broken.yml:2" in json.loads(body)["error"]["message"]
    assert server.request("/api/v1/boards/sals")[0] == 404


def test_a_change_keeps_the_rest_and_tells_the_later_editor(home):
    tarn, server = home
    file = tarn.project / "boards/sales.yml"
    stamp = server.json("/api/v1/boards/sales")["stamp"]
    tile = {"type": "line", "title": "New: one", "query": "select 1 as a, 2 as b -- :\n", "channels": {"x": ["a"], "y": ["b"]}}
    status, body = server.request("/api/v1/boards/sales/tiles", {"stamp": stamp, "tile": tile})
    assert status == 200, body
    board = json.loads(body)
    assert file.read_text().startswith(BOARD)
    assert ask(server)[1]["tile:new-one"]["rows"] == [["1", "2"]]

    # Somebody else was faster: nothing is overwritten.
    status, body = server.request("/api/v1/boards/sales/layout", {"stamp": stamp, "boxes": {"sum": [0, 0, 12, 2]}}, method="PUT")
    assert status == 409 and "changed by somebody else" in json.loads(body)["error"]["message"]
    file.write_text(file.read_text() + "# by hand\n")
    status, _ = server.request("/api/v1/boards/sales/tiles/sum", {"stamp": board["stamp"]}, method="DELETE")
    assert status == 409
    stamp = server.json("/api/v1/boards/sales")["stamp"]
    status, _ = server.request("/api/v1/boards/sales/tiles/sum", {"stamp": stamp}, method="DELETE")
    assert status == 200
    text = file.read_text()
    assert "# how much" in text and "# by hand" in text and "title: Sum" not in text

    status, body = server.request("/api/v1/boards", {"title": "../../x"})
    assert status == 200 and json.loads(body)["path"] == "boards/x.yml"
    assert server.request("/api/v1/boards", {"title": "x"})[0] == 409


def test_a_query_that_is_not_saved_can_be_tried(home):
    _, server = home

    def attempt(query):
        status, body = server.request("/api/v1/boards/sales/try", {"query": query})
        assert status == 200, body
        return json.loads(body.splitlines()[1])

    assert attempt("select city from sales where list_contains($city, city) limit 1")["rows"] == [["Delft"]]
    assert attempt("select cty from sales")["error"]["message"].startswith('1:8: there is no column "cty"')
    for refused in ["delete from sales", "select 1; select 2", "select * from read_csv('/etc/passwd')", "copy sales to 'x'"]:
        assert "error" in attempt(refused), refused


def test_long_answers_are_cut(home):
    tarn, server = home
    tarn.write("boards/long.yml", "tiles:\n  - {type: table, title: Long, query: select i from range(100000) r(i)}\n")
    line = ask(server, board="long")[1]["tile:long"]
    assert line["cut"] and len(line["rows"]) == 20_000
