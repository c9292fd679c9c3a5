"""Goal: a workbook holds what its queries say, in the types of Excel, alone and through a server. Method: workbooks are
read back with openpyxl and compared with tables whose values are the awkward ones."""

import datetime
import io
import json
import zipfile

import openpyxl
import pytest

from tarn_server import Server

AWKWARD = """
create table shares as select * from (values
  ('AAPL', date '2024-02-29', 182.50::decimal(10,2), 9007199254740993::bigint, '=1+1', true, timestamp '2024-02-29 18:30:00'),
  ('MSFT', date '2024-03-01', -0.25, 12, E'<b>&\\n"x"', false, timestamp '2024-03-01 00:00:00'),
  ('ABC', null, null, null, '', null, null)
) t(symbol, day, close, volume, note, listed, seen)
"""

SHARES = """
title: Shares of the house
parameters:
  symbols: {type: list, choices: select distinct symbol from shares order by 1, default: [AAPL, MSFT, ABC]}
  from: {type: date, default: 2000-01-01}
  least: {type: number, default: -100}
sheets:
  - name: All
    query: |
      select symbol, day, close, volume, note, listed, seen from shares
      where list_contains($symbols, symbol) and (day is null or day >= $from)
      order by day nulls last
    columns:
      day: {header: Day, format: dd.mm.yyyy, width: 14}
      close: number(1)
    totals: {close: sum, symbol: count}
    highlight:
      - {column: close, below: 0, color: red}
    freeze: {rows: 1, columns: 1}
  - name: Cheap
    query: select symbol from shares where close < $least
"""


@pytest.fixture
def shares(tarn):
    tarn.run("sql", AWKWARD)
    tarn.write("reports/shares.yml", SHARES)
    return tarn


def book_of(tarn, *args, name="shares"):
    path = tarn.project / "out.xlsx"
    tarn.run("report", name, "-o", path, *args)
    return openpyxl.load_workbook(path)


def cells(sheet):
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def test_values_have_their_types(shares):
    book = book_of(shares)
    assert book.sheetnames == ["All", "Cheap", "Info"]
    day = datetime.datetime
    assert cells(book["All"]) == [
        ["symbol", "Day", "close", "volume", "note", "listed", "seen"],
        ["AAPL", day(2024, 2, 29), 182.5, "9007199254740993", "=1+1", True, day(2024, 2, 29, 18, 30)],
        ["MSFT", day(2024, 3, 1), -0.25, 12, '<b>&\n"x"', False, day(2024, 3, 1)],
        ["ABC"] + [None] * 6,
        ["=SUBTOTAL(103,A2:A4)", None, "=SUBTOTAL(109,C2:C4)"] + [None] * 4,
    ]
    sheet = book["All"]
    assert sheet["E2"].data_type == "s"  # text, no formula
    assert sheet["B2"].number_format == "dd.mm.yyyy" and sheet["C2"].number_format == "#,##0.0"
    assert sheet.freeze_panes == "B2" and sheet.auto_filter.ref == "A1:G4"
    assert sheet.column_dimensions["B"].width > 13
    assert [str(one.sqref) for one in sheet.conditional_formatting] == ["C2:C4"]
    assert cells(book["Cheap"]) == [["symbol"]]
    info = {row[0]: row[1] for row in cells(book["Info"])}
    assert info["symbols"] == "AAPL, MSFT, ABC" and info["from"] == "2000-01-01"
    assert info["Lake version"].isdigit() and info["Project"] == "home"
    assert "numbers or dates that Excel cannot hold exactly" in str(cells(book["Info"]))


def test_parameters_are_bound_and_never_pasted(shares):
    book = book_of(shares, "--param", "symbols=MSFT", "--param", "symbols=ABC", "-p", "from=2024-03-01", "-p", "least=100")
    assert [row[0] for row in cells(book["All"])][1:3] == ["MSFT", "ABC"]
    assert cells(book["Cheap"])[1:] == [["MSFT"]]
    done = shares.run("report", "shares", "-p", "symbols=x') or 1=1 --", check=2)
    assert "is not among the choices: AAPL, ABC, MSFT" in done.stderr
    for text, words in (
        ("form=2024-01-01", "report shares has no parameter 'form': did you mean 'from'?"),
        ("from=soon", "parameter from: 'soon' is not a date: write 2026-11-21"),
        ("least=a", "parameter least: 'a' is not a number"),
        ("least", "--param 'least' is not name=value"),
    ):
        assert words in shares.run("report", "shares", "-p", text, check=2).stderr
    assert not (shares.project / "shares.xlsx").exists()


def test_list_form_and_records(shares):
    assert "shares" in shares.run("report").stdout
    listed = json.loads(shares.run("report", "--list", "--json").stdout)
    assert [one["name"] for one in listed] == ["shares"]
    form = json.loads(shares.run("report", "shares", "--list", "--json").stdout)
    symbols = next(one for one in form["parameters"] if one["name"] == "symbols")
    assert [one["value"] for one in symbols["choices"]] == ["AAPL", "ABC", "MSFT"]
    assert "there is no report 'share': did you mean 'shares'?" in shares.run("report", "share", check=2).stderr
    book_of(shares)
    assert shares.rows("select kind, task as name, state, rows_in from _tarn.tasks") == [
        {"kind": "report", "name": "report:shares", "state": "done", "rows_in": 3}]


def test_as_of_shows_what_was(shares):
    then = shares.rows("select strftime(now() at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ') as t")[0]["t"]
    shares.run("sql", "insert into shares (symbol) values ('NEW')")
    both = ["-p", "symbols=AAPL", "-p", "symbols=NEW"]
    assert [row[0] for row in cells(book_of(shares, *both)["All"])][1:-1] == ["AAPL", "NEW"]
    # The choices, too, are those of that time.
    assert "'NEW' is not among the choices" in shares.run("report", "shares", *both, "--as-of", then, check=2).stderr
    book = book_of(shares, "-p", "symbols=AAPL", "--as-of", then)
    assert [row[0] for row in cells(book["All"])][1:-1] == ["AAPL"]
    assert "Data as of" in [row[0] for row in cells(book["Info"])]


def test_through_a_server_it_is_the_same(shares, tmp_path):
    server = Server(shares)
    try:
        forms = server.json("/api/v1/reports")["reports"]
        assert [one["name"] for one in forms] == ["shares"] and not forms[0]["has_template"]
        form = server.json("/api/v1/reports/shares")
        assert form["parameters"][1] == {"name": "from", "type": "date", "label": "from", "description": "", "required": False,
                                         "default": ["2000-01-01"], "written": ["2000-01-01"], "needs": [], "choices": []}
        status, body = server.request("/api/v1/reports/shares", {"parameters": {"symbols": ["AAPL"], "least": 0}})
        assert status == 200
        book = openpyxl.load_workbook(io.BytesIO(body))
        assert [row[0] for row in cells(book["All"])][1:2] == ["AAPL"] and cells(book["Cheap"])[1:] == [["MSFT"]]
        status, body = server.request("/api/v1/reports/shares", {"parameters": {"least": "x"}})
        assert status == 400 and "is not a number" in json.loads(body)["error"]["message"]
        assert server.request("/api/v1/reports/none", {})[0] == 404
        assert server.request("/api/v1/reports/shares", {"parameters": [1]})[0] == 400
        assert cells(book_of(shares, "-p", "symbols=MSFT")["All"])[1][0] == "MSFT"  # the command asks the server
        assert not list((shares.data / "spill").glob("report-*"))
    finally:
        server.stop()


def test_check_tells_each_mistake_at_its_place(shares):
    shares.write("reports/bad.yml", """title: Bad
parameters:
  from: {type: date}
sheets:
  - name: A
    query: select symbol from shares where day > $form
  - name: B
    query: select symbl from shares
  - name: C
    query: select symbol, close from shares
    columns: {clos: number}
    totals: {close: sum}
  - name: D
    query: delete from shares
""")
    shares.write("reports/worse.yml", "sheets:\n  - {name: 'a/b', query: select 1}\n  - nme: x\n")
    shares.write("reports/tied.yml", """parameters:
  one: {type: choice, choices: "select symbol from shares where symbol > $two"}
  two: {type: choice, choices: "select symbol from shares where symbol < $one"}
  self: {type: list, choices: "select symbol from shares where list_contains($self, symbol)"}
  none: {type: choice, choices: "select symbol from shares where symbol < $nobody"}
sheets: [{name: A, query: select 1 as n}]
""")
    text = shares.run("check", check=2).stderr + shares.run("check", check=2).stdout
    for words in ("bad.yml:6:", "$form is not declared: did you mean 'from'?", "bad.yml:8:", "symbl",
                  "bad.yml:11:15: sheet C has no column 'clos': did you mean 'close'?", "bad.yml:14:12: a query must be exactly one SELECT",
                  "worse.yml:2:12: 'a/b' cannot be a sheet's name", "worse.yml:3:", "tied.yml:3:74: choices depend on each other in a circle (one on two on one)",
                  "tied.yml:4:78: the choices of self depend on self itself", "tied.yml:5:", "$nobody is not declared"):
        assert words in text, words
    assert "depend on each other in a circle: see tarn check" in shares.run("report", "tied", check=2).stderr
    assert "worse.yml:2:12: 'a/b' cannot be a sheet's name" in shares.run("report", "worse", check=2).stderr


CITIES = """
parameters:
  city: {type: list, label: Cities, choices: "select city, upper(city) from places where country = $country and people >= $least order by 1"}
  least: {type: number, default: 0}
  country: {type: choice, choices: select distinct country from places order by 1, default: NL}
sheets: [{name: A, query: "select city from places where list_contains($city, city) order by 1"}]
"""


def test_choices_that_depend_on_other_parameters(tarn):
    tarn.run("sql", "create table places as select * from (values ('NL','Delft',1),('NL','Utrecht',4),('BE','Gent',3),('x''; drop','O''Hara',9)) t(country, city, people)")
    tarn.write("reports/cities.yml", CITIES)
    tarn.run("check")

    def listed(*args):
        fields = json.loads(tarn.run("report", "cities", "--list", "--json", *args).stdout)["parameters"]
        return [one["value"] for one in fields[0]["choices"]]

    assert listed() == ["Delft", "Utrecht"]
    assert listed("-p", "country=BE") == ["Gent"] and listed("-p", "least=2") == ["Utrecht"]
    assert listed("-p", "country=x'; drop") == ["O'Hara"]
    assert ", by least, country, one of Delft, Utrecht" in tarn.run("report", "cities", "--list").stdout
    book = book_of(tarn, "-p", "city=Gent", "-p", "country=BE", name="cities")
    assert cells(book["A"])[1:] == [["Gent"]]
    done = tarn.run("report", "cities", "-p", "city=Gent", check=2)
    assert "parameter city: 'Gent' is not among the choices: Delft, Utrecht" in done.stderr
    # What is wrong is told once: the choices that depend on it are open.
    server = Server(tarn)
    try:
        form = server.json("/api/v1/reports/cities")["parameters"]
        assert form[0]["needs"] == ["least", "country"] and form[1]["needs"] == []

        def ask(**given):
            return {one["name"]: one for one in server.json("/api/v1/reports/cities/values", {"parameters": given})["values"]}

        values = ask(country="BE", city=["Gent"])
        assert [one["value"] for one in values["city"]["choices"]] == ["Gent"] and values["city"]["problem"] == ""
        assert values["country"]["choices"] is None
        assert "not among the choices: Delft, Utrecht" in ask(city=["Gent"])["city"]["problem"]
        values = ask(country="XX", city=["Gent"])
        assert "'XX' is not among" in values["country"]["problem"] and (values["city"]["problem"], values["city"]["choices"]) == ("", [])
        assert server.request("/api/v1/reports/cities", {"parameters": {"country": "BE", "city": ["Gent"]}})[0] == 200
        assert listed("-p", "country=BE") == ["Gent"]  # the command asks the server
    finally:
        server.stop()


def test_a_project_of_reports_runs_in_spite_of_a_bad_one(shares):
    shares.write("reports/bad.yml", "sheets: 1\n")
    assert len(cells(book_of(shares)["All"])) == 5
    shares.run("run")


def test_more_rows_than_a_sheet_go_on(tarn):
    tarn.write("reports/long.yml", "sheets: [{name: Long, query: 'select range as n from range(1048600)', totals: {n: sum}}]\n")
    path = tarn.project / "long.xlsx"
    tarn.run("report", "long", "-o", path)
    with zipfile.ZipFile(path) as book:
        assert book.testzip() is None
        first = book.read("xl/worksheets/sheet1.xml")
        second = book.read("xl/worksheets/sheet2.xml")
        assert first.count(b"<row ") + second.count(b"<row ") == 1048600 + 2 + 1
        assert b"SUBTOTAL(109,'Long'!A2:A1048575,'Long (2)'!A2:A27)" in second
        assert str(1048599 * 1048600 // 2).encode() in second


def test_text_that_xml_cannot_hold(tarn):
    tarn.write("reports/odd.yml", "sheets: [{name: A, query: \"select 'a' || chr(1) || ' _x0041_ <&>' as t\"}]\n")
    path = tarn.project / "odd.xlsx"
    tarn.run("report", "odd", "-o", path)
    with zipfile.ZipFile(path) as parts:
        assert b">a_x0001_ _x005F_x0041_ &lt;&amp;&gt;</t>" in parts.read("xl/worksheets/sheet1.xml")


def test_a_choice_beyond_what_a_form_shows(tarn):
    tarn.write("reports/many.yml", """
parameters: {n: {type: choice, choices: "select range from range(20000)", required: true}}
sheets: [{name: A, query: "select $n as n"}]
""")
    assert len(json.loads(tarn.run("report", "many", "--list", "--json").stdout)["parameters"][0]["choices"]) == 10000
    assert cells(book_of(tarn, "-p", "n=19999", name="many")["A"]) == [["n"], ["19999"]]
    assert "is not among the choices" in tarn.run("report", "many", "-p", "n=20000", check=2).stderr


def test_odd_names_and_places(shares):
    shares.write("reports/odd.yml", """
sheets:
  - {name: "It's", query: select 1 as "a b", columns: {"a b": {header: "Über"}}}
  - {name: "info", query: select 'x' as c}
""")
    book = book_of(shares, name="odd")
    assert book.sheetnames == ["It's", "info", "Info (2)"]
    assert cells(book["It's"]) == [["Über"], [1]]
    assert "the folder" in shares.run("report", "odd", "-o", shares.project / "none" / "x.xlsx", check=2).stderr


def test_rows_of_sql_come_as_a_workbook(shares):
    server = Server(shares)
    try:
        status, body = server.request("/api/v1/sql", {"sql": "select * from shares order by day nulls last", "format": "xlsx"})
        assert status == 200
        book = openpyxl.load_workbook(io.BytesIO(body))
        assert book.sheetnames == ["Result", "Info"]
        rows = cells(book["Result"])
        assert rows[0] == ["symbol", "day", "close", "volume", "note", "listed", "seen"]
        assert rows[1] == ["AAPL", datetime.datetime(2024, 2, 29), 182.5, "9007199254740993", "=1+1", True,
                           datetime.datetime(2024, 2, 29, 18, 30)]
        assert book["Result"]["E2"].data_type == "s"
        assert any("select * from shares" in str(cell) for row in cells(book["Info"]) for cell in row)
        # In a session it sees what the session sees; an error is told before anything is sent.
        session = server.json("/api/v1/sessions", {})["id"]
        server.json("/api/v1/sql", {"sql": "create temp table mine as select 42 as n", "session": session})
        status, body = server.request("/api/v1/sql", {"sql": "from mine", "format": "xlsx", "session": session})
        assert cells(openpyxl.load_workbook(io.BytesIO(body))["Result"]) == [["n"], [42]]
        status, body = server.request("/api/v1/sql", {"sql": "select error('no ' || i) from range(9) r(i)", "format": "xlsx"})
        assert status == 400 and "no 0" in json.loads(body)["error"]["message"]
        assert not list((shares.data / "spill").glob("export-*"))
    finally:
        server.stop()


def test_what_values_mean_is_told_for_each_by_itself(shares):
    server = Server(shares)
    try:
        values = server.json("/api/v1/reports/shares/values", {"parameters": {"from": "start of year", "symbols": ["AAPL", "APPL"], "least": "x"}})["values"]
        meant = {one["name"]: one for one in values}
        year = datetime.datetime.now(datetime.timezone.utc).year
        assert meant["from"] == {"name": "from", "shown": f"{year}-01-01", "problem": "", "choices": None}
        assert "did you mean 'AAPL'" in meant["symbols"]["problem"] and "not a number" in meant["least"]["problem"]
        status, body = server.request("/api/v1/reports/shares/values", {"parameters": {"form": "1"}})
        assert status == 400 and "did you mean 'from'" in json.loads(body)["error"]["message"]
        assert shares.data and server.json("/api/v1/runs")["runs"] == []  # nothing was made
    finally:
        server.stop()
