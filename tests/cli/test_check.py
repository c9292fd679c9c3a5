"""Goal: `tarn check` tells a beginner every mistake at once, at its place, with what to write instead.
Method: one row a mistake: the files of a small project that are written over, and all that check must say, whole."""

import json

import pytest
from tarn_server import Server

GOOD = {
    "sources/w.yml": "kind: files\npath: in/*.csv\nformat: csv\n",
    "in/a.csv": "city,temp\nEde,3\nUrk,4\n",
    "seeds/rooms.csv": "room,floor\nkitchen,1\n",
    "models/stg.sql": "select city, temp from {{ source('w') }}\n",
    "models/mart.sql": "{{ config(materialized='table') }}\nselect city, max(temp) as top from {{ ref('stg') }} group by city\n",
    "models/schema.yml": "models:\n  - name: mart\n    columns:\n      - name: city\n        data_tests: [unique]\n",
}


@pytest.fixture
def home(tarn):
    for name, text in GOOD.items():
        tarn.write(name, text)
    tarn.run("run")
    return tarn


def check(tarn, code=2):
    """What check says, as 'file:line:column: message'."""
    done = tarn.run("check", "--json", check=code)
    lines = []
    for one in json.loads(done.stdout):
        place = ":".join(str(one[key]) for key in ("file", "line", "column") if one.get(key))
        lines.append(f"{place}: {one['message']}")
    return lines


MISTAKES = [
    ("settings key", {"tarn.yml": "name: home\ntimezone: UTC\nthreads: many\n"},
     ["tarn.yml:2:1: unknown key 'timezone': did you mean 'time_zone'?",
      "tarn.yml:3:10: 'threads' must be a whole number, not 'many'"]),
    ("settings and a model", {"tarn.yml": "name: home\nthreds: 2\n", "models/stg.sql": "selec 1\n"},
     ["models/stg.sql:1:1: syntax error at or near \"selec\": did you mean SELECT instead of selec?",
      "tarn.yml:2:1: unknown key 'threds': did you mean 'threads'?"]),
    ("settings not yaml", {"tarn.yml": "name: home\n\tthreads: 2\n"},
     ["tarn.yml:2:1: a tab in front of the text; indent with blanks"]),
    ("yaml tab", {"sources/w.yml": "kind: files\npath: in/*.csv\nformat:\n\ttype: csv\n"},
     ["sources/w.yml:4:1: a tab in front of the text; indent with blanks"]),
    ("yaml bad quote", {"sources/w.yml": "kind: files\npath: 'in/*.csv\nformat: csv\n"},
     ["sources/w.yml:2:7: this quote is never closed"]),
    ("yaml colon", {"sources/w.yml": "kind: files\npath: in/*.csv\ndescription: note: this\n"},
     ["sources/w.yml:3:18: not valid YAML: illegal map value; put quotes around a text that holds a colon and a blank"]),
    ("yaml key twice", {"sources/w.yml": "kind: files\npath: in/*.csv\nformat: csv\nkind: http\n"},
     ["sources/w.yml:4:1: key 'kind' stands here twice; keep one of them"]),
    ("schema.yml indentation", {"models/schema.yml": "models:\n  - name: mart\n   columns:\n      - name: city\n"},
     ["models/schema.yml:3:4: not valid YAML: end of sequence not found; this line's indentation fits to none above"]),
    ("bom and crlf", {"sources/w.yml": b'\xef\xbb\xbfkind: files\r\npath: in/*.csv\r\nformat: csv\r\n', "models/stg.sql": b"\xef\xbb\xbfselect city,\r\n  tmp\r\nfrom {{ source('w') }}\r\n"},
     ["models/stg.sql:2:1: there is no column \"tmp\": did you mean \"temp\"?"]),
    ("source key", {"sources/w.yml": "kind: files\npath: in/*.csv\nformat: csv\nmodus: append\n"},
     ["sources/w.yml:4:1: unknown key 'modus': did you mean 'mode'?"]),
    ("source kind", {"sources/w.yml": "kind: file\npath: in/*.csv\n"},
     ["sources/w.yml:1:7: 'kind' cannot be 'file': did you mean 'files'?"]),
    ("type", {"sources/w.yml": "kind: files\npath: in/*.csv\nformat: csv\ncolumns: {city: varchr, temp: int}\nmod: append\n"},
     ["sources/w.yml:4:17: column city: 'varchr' is not a type: did you mean 'varchar'?",
      "sources/w.yml:5:1: unknown key 'mod': did you mean 'mode'?"]),
    ("check", {"sources/w.yml": "kind: files\npath: in/*.csv\nformat: csv\ncolumns:\n  temp:\n    type: int\n    check: tmp > 0\n"},
     ["sources/w.yml:7:12: check: there is no column \"tmp\": did you mean \"temp\"?"]),
    ("check syntax", {"sources/w.yml": "kind: files\npath: in/*.csv\nformat: csv\ncolumns:\n  temp:\n    type: int\n    check: temp >\n"},
     ["sources/w.yml:7:18: check: the expression ends too early"]),
    ("select", {"sources/w.yml": "kind: files\npath: in/*.csv\nformat: csv\nselect: |\n  select city,\n    tempp\n  from input\n"},
     ["sources/w.yml:6:5: select: there is no column \"tempp\": did you mean \"temp\"?"]),
    ("select keyword", {"sources/w.yml": "kind: files\npath: in/*.csv\nformat: csv\nselect: selct * from input\n"},
     ["sources/w.yml:4:9: select: syntax error at or near \"selct\": did you mean SELECT instead of selct?"]),
    ("each", {"sources/h.yml": "kind: http\nurl: https://example.org/x\neach: select ciy from mart\n"},
     ["sources/h.yml:3:14: each: there is no column \"ciy\": did you mean \"city\"?"]),
    ("each table", {"sources/h.yml": "kind: http\nurl: https://example.org/x\neach: select city from mrat\n"},
     ["sources/h.yml:3:24: each: there is no table \"mrat\": did you mean \"mart\"?"]),
    ("since without column", {"sources/h.yml": "kind: http\nurl: https://example.org/x\nsince: {parameter: from}\n"},
     ["sources/h.yml:3:8: since lacks 'column'"]),
    ("secret in clear", {"sources/h.yml": "kind: http\nurl: https://example.org/x\nauth: {bearer: abc}\n"},
     ["sources/h.yml:3:16: a secret is never written here: write ${env:NAME} or ${file:path}"]),
    ("windows path", {"sources/w.yml": "kind: files\npath: C:\\data\\*.csv\nformat: csv\n"},
     ["sources/w.yml:2:7: a path is written with '/', not with '\\'"]),
    ("two yaml of one name", {"sources/w.yaml": "kind: files\npath: in/*.csv\nformat: csv\n"},
     ["sources/w.yaml: sources/w.yml has the same name: rename one of the two"]),
    ("names by case", {"sources/W.yml": "kind: files\npath: in/*.csv\nformat: csv\n"},
     ["sources/w.yml: sources/W.yml has the same name: rename one of the two"]),
    ("source file with dot", {"sources/my.w.yml": "kind: files\npath: in/*.csv\nformat: csv\n"},
     ["sources/my.w.yml: the file name 'my.w' is the source's name: use letters, digits and underscores only"]),
    ("models by case", {"models/Mart.sql": "select 1 as a\n"},
     ["models/mart.sql: writes the table public.mart, and so does models/Mart.sql; give one an alias"]),
    ("source named as model", {"models/w.sql": "select 1 as a\n"},
     ["models/w.sql: 'w' is the name of a source too (sources/w.yml); rename one of them"]),
    ("model named as seed", {"models/rooms.sql": "select 1 as a\n"},
     ["seeds/rooms.csv: 'rooms' exists already as models/rooms.sql; rename one of them"]),
    ("cycle", {"models/stg.sql": "select city, temp from {{ ref('mart') }}\n"},
     ["models/mart.sql: models read each other in a circle: mart -> stg -> mart; take one ref out"]),
    ("itself", {"models/stg.sql": "select * from {{ ref('stg') }}\n"},
     ["models/stg.sql: models read each other in a circle: stg -> stg; take one ref out"]),
    ("ref without quotes", {"models/mart.sql": "select * from {{ ref(stg) }}\n"},
     ["models/mart.sql:1:18: nothing is called 'stg' here; a name stands in quotes"]),
    ("brace open", {"models/mart.sql": "select * from {{ ref('stg')\n"},
     ["models/mart.sql:1:15: this tag is never closed; write '}}'"]),
    ("no braces", {"models/mart.sql": "select * from ref('stg')\n"},
     ["models/mart.sql:1:15: ref belongs into double braces: {{ ref(…) }}"]),
    ("ref of a source", {"models/stg.sql": "select * from {{ ref('w') }}\n"},
     ["models/stg.sql:1:18: 'w' is a table of source 'w', not a model; write source('w', 'w')"]),
    ("source as ref in quotes", {"models/stg.sql": "select * from {{ source('w', 'rooms') }}\n"},
     ["models/stg.sql:1:18: source 'w' has no table 'rooms'"]),
    ("model column", {"models/mart.sql": "select city, max(tmp) as top from {{ ref('stg') }} group by city\n"},
     ["models/mart.sql:1:18: there is no column \"tmp\": did you mean \"temp\"?"]),
    ("model group by", {"models/mart.sql": "select city, temp, max(temp) as top from {{ ref('stg') }} group by city\n"},
     ["models/mart.sql:1:14: column \"temp\" is neither grouped nor aggregated: add it to GROUP BY, or write any_value(temp) where any of its values will do"]),
    ("model empty", {"models/mart.sql": "\n-- nothing yet\n"},
     ["models/mart.sql: this model is empty; write a SELECT"]),
    ("model two statements", {"models/mart.sql": "select 1 as a;\nselect 2 as a\n"},
     ["models/mart.sql:2:1: a model must be one SELECT"]),
    ("model create", {"models/mart.sql": "create table x as select 1 as a\n"},
     ["models/mart.sql:1:1: a model must be one SELECT"]),
    ("materialized", {"models/mart.sql": "{{ config(materialised='tabel') }} select 1 as city\n"},
     ["models/mart.sql:1:24: 'materialized' cannot be 'tabel': did you mean 'table'?",
      "models/mart.sql:1:24: unknown configuration 'materialised': did you mean 'materialized'?"]),
    ("config unquoted", {"models/mart.sql": "{{ config(materialized=table) }} select 1 as city\n"},
     ["models/mart.sql:1:4: 'materialized': nothing is called 'table' here; a text stands in quotes"]),
    ("macro missing", {"models/mart.sql": "select {{ cents(1) }} as city, {{ var('nope') }} as b\n"},
     ["models/mart.sql:1:11: nothing is called 'cents' here",
      "models/mart.sql:1:35: there is no variable 'nope'; set it under 'vars:' in tarn.yml"]),
    ("if without end", {"models/mart.sql": "select 1 as city\n{% if true %}\n where 1 = 1\n"},
     ["models/mart.sql:2:1: this if is never closed; write {% endif %}"]),
    ("schema unknown model", {"models/schema.yml": "models:\n  - name: marts\n"},
     ["models/schema.yml:2:5: there is no model 'marts': did you mean 'mart'?"]),
    ("schema unknown test", {"models/schema.yml": "models:\n  - name: mart\n    columns:\n      - name: city\n        data_tests: [unik]\n"},
     ["models/schema.yml:5:22: there is no test 'unik'; known are unique, not_null, accepted_values, relationships; your own is a macro {% test unik(model, column_name) %} in tests/generic"]),
    ("schema unknown column", {"models/schema.yml": "models:\n  - name: mart\n    columns:\n      - name: town\n        data_tests: [unique]\n"},
     ["models/schema.yml:5:22: test unique_mart_town: there is no column \"town\": did you mean \"top\"?"]),
    ("schema not a list", {"models/schema.yml": "models:\n  name: mart\n"},
     ["models/schema.yml:2:3: 'models' must be a list; begin each member with '- name: …'"]),
    ("schema test without values", {"models/schema.yml": "models:\n  - name: mart\n    columns:\n      - name: city\n        data_tests: [accepted_values]\n"},
     ["models/schema.yml:5:22: the test 'accepted_values' needs 'values'"]),
    ("seed broken quotes", {"seeds/rooms.csv": "room,floor\n\"kit\"chen,1\nbath,2\n"},
     ["seeds/rooms.csv:2: line 2 has a quote that is never closed, or text behind a closed one: \"kit\"chen,1"]),
    ("seed open quote", {"seeds/rooms.csv": "room,floor\n\"kitchen,1\nbath,2\n"},
     ["seeds/rooms.csv:2: line 2 has a quote that is never closed, or text behind a closed one: \"kitchen,1 bath,2"]),
    ("seed ragged", {"seeds/rooms.csv": "room,floor\nkitchen,1\nbath,2,3\n"},
     ["seeds/rooms.csv:3: line 3 has 3 columns instead of 2: bath,2,3"]),
    ("seed names twice", {"seeds/rooms.csv": "room,room\nkitchen,1\n"},
     ["seeds/rooms.csv:1: two columns are called 'room'; rename one of them"]),
    ("seed empty", {"seeds/rooms.csv": ""},
     ["seeds/rooms.csv:1: the first line is empty; it names the columns"]),
    ("seed latin1", {"seeds/rooms.csv": b'room,floor\ncaf\xe9,1\n'},
     ["seeds/rooms.csv:2: line 2 is not UTF-8 text"]),
    ("python model", {"models/x.py": "def model(dbt, session): pass\n"},
     ["models/x.py: Python models are not supported; write the model in SQL"]),
]


@pytest.mark.parametrize("files, said", [pytest.param(m[1], m[2], id=m[0]) for m in MISTAKES])
def test_a_beginners_mistakes(home, files, said):
    for name, text in files.items():
        path = home.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert check(home) == said


def test_what_only_looks_wrong(home):
    home.write("models/stg.sql", "\ufeffselect city, temp from {{ source('w') }}\r\n")
    home.write("seeds/rooms.csv", "\ufeffroom,floor\r\nkitchen,1\r\n")
    home.write("models/my-own.sql", "select city, max(temp), max(temp) from {{ ref('stg') }} group by city\n")
    home.write("sources/h.yml", "kind: http\nurl: https://example.org/x\nauth: {bearer: \"${env:TARN_NOT_SET}\"}\n")
    assert check(home, code=0) == []


def test_every_stage_speaks_at_once(home):
    home.write("tarn.yml", "name: home\nthreds: 2\n")
    home.write("sources/w.yml", "kind: files\npath: in/*.csv\nformat: csv\nmoed: append\nselect: select ciy from input\n")
    home.write("models/other.sql", "select tmp from {{ ref('stg') }}\n")
    home.write("models/below.sql", "select anything from {{ ref('other') }}\n")
    home.write("seeds/rooms.csv", "room,floor\nkitchen\n")
    assert check(home) == [
        'models/other.sql:1:8: there is no column "tmp": did you mean "temp"?',
        "seeds/rooms.csv:2: line 2 has 1 columns instead of 2: kitchen",
        "sources/w.yml:4:1: unknown key 'moed': did you mean 'mode'?",
        'sources/w.yml:5:16: select: there is no column "ciy": did you mean "city"?',
        "tarn.yml:2:1: unknown key 'threds': did you mean 'threads'?",
    ]


def test_before_the_first_run(tarn):
    for name, text in GOOD.items():
        tarn.write(name, text)
    assert check(tarn, code=0) == []
    tarn.write("models/rooms2.sql", "select rom from {{ ref('rooms') }}\n")
    assert check(tarn) == ['models/rooms2.sql:1:8: there is no column "rom": did you mean "room"?']
    assert tarn.rows("select count(*) as n from information_schema.tables where table_catalog = 'lake' and table_schema = 'public'") == [{"n": 0}]


def test_through_a_server(home):
    home.write("models/stg.sql", "select ciy from {{ source('w') }}\n")
    alone = check(home)
    server = Server(home)
    try:
        assert check(home) == alone
    finally:
        server.stop()


def test_a_dbt_project(tarn):
    """The shape of jaffle_shop: dbt_project.yml, staging models, a macro, tests in YAML."""
    tarn.write("dbt_project.yml", "name: jaffle\nversion: '1.0'\nmodel-paths: [models]\nseed-paths: [seeds]\nmacro-paths: [macros]\n"
               "models:\n  jaffle:\n    +materialized: table\n    staging:\n      +materialized: view\n")
    tarn.write("seeds/raw_orders.csv", "id,user_id,status,cents\n1,1,placed,100\n2,1,shipped,250\n")
    tarn.write("macros/money.sql", "{% macro money(column) %}({{ column }} / 100)::decimal(16, 2){% endmacro %}\n")
    tarn.write("models/staging/stg_orders.sql", "with source as (\n  select * from {{ ref('raw_orders') }}\n)\n"
               "select id as order_id, user_id, status, {{ money('cents') }} as amount from source\n")
    tarn.write("models/orders.sql", "{% set statuses = ['placed', 'shipped'] %}\nselect user_id\n{% for s in statuses %}\n"
               ", sum(case when status = '{{ s }}' then amount end) as {{ s }}\n{% endfor %}\nfrom {{ ref('stg_orders') }} group by 1\n")
    tarn.write("models/schema.yml", "version: 2\nmodels:\n  - name: orders\n    columns:\n      - name: user_id\n        tests: [unique, not_null]\n")
    assert check(tarn, code=0) == []
    tarn.run("run")
    assert tarn.rows("select placed::varchar as placed, shipped::varchar as shipped from orders") == [{"placed": "1.00", "shipped": "2.50"}]
    assert check(tarn, code=0) == []
    tarn.write("macros/money.sql", "{% macro money(column) %}({{ column }} / 100)::decimel(16, 2){% endmacro %}\n")
    assert check(tarn) == ['models/staging/stg_orders.sql:4:41: there is no type "decimel": did you mean "decimal"? '
                           "(in what macro money at macros/money.sql:1:1 writes)"]
