"""Goal: the SQL shell behaves on a terminal as its help says, alone and through a server. Method: the program in a
pty; every wait is for text, with a deadline."""

import os
import re
import stat
import subprocess
import termios

import pytest

from terminal import Terminal, cells
from test_server import SLOW, Server

DEAF = "select len(list_reverse_sort(range(12000000)))"  # looks at no interrupt while it is planned


@pytest.fixture(params=["alone", "server"])
def home(request, tarn):
    """A project with one table, and the shells opened on it."""
    tarn.run("sql", "create table readings as select 'attic' as room, 21.5 as temperature")
    server = Server(tarn) if request.param == "server" else None
    tarn.terminals = []

    def shell(*args, **kwargs):
        terminal = Terminal(tarn.command("sql", *args), env=kwargs.pop("env", None), **kwargs)
        tarn.terminals.append(terminal)
        terminal.expect("tarn> ")
        return terminal

    tarn.shell = shell
    yield tarn
    for terminal in tarn.terminals:
        terminal.close()
    if server:
        server.stop()


def table_lines(text):
    return [line for line in text.splitlines() if line and line[0] in "┌│├└"]


def press_ctrl_c(shell, sql):
    """Starts an endless statement and presses Ctrl-C once it is a signal."""
    shell.send(sql + ";\n")
    shell.expect(";\n")
    shell.signals()
    shell.send("\x03")
    shell.expect("the statement was cancelled")
    shell.prompt()


def test_statements_and_leaving(home):
    shell = home.shell()
    answer = shell.ask("select 1 as one, null as n,\n 'x' as t;")
    assert "│   1 │ null │ x │" in answer
    assert re.search(r"1 row, \d+ ms", answer)
    answer = shell.ask("select 2 as b; create table made(a int); insert into made values (1), (2);")
    assert "│ 2 │" in answer and "done, " in answer and "2 rows changed, " in answer
    assert re.search(r"public │ made +│ table", shell.ask(".tables"))
    assert "│ room        │ VARCHAR" in shell.ask("\\d readings")
    assert "there is no .nothing" in shell.ask(".nothing")
    assert "no number of rows" in shell.ask(".rows many")
    shell.send("\x04")
    assert shell.wait() == 0


def test_a_transaction_and_temporary_tables_last(home):
    shell = home.shell()
    shell.ask("create temp table mine as select 7 as v;")
    shell.ask("begin;")
    shell.ask("create table half as select v from mine;")
    assert "│ 7 │" in shell.ask("select v from half;")
    shell.ask("rollback;")
    assert "half" in shell.ask("select * from half;") and "│ 7 │" in shell.ask("select v from mine;")
    shell.ask("begin; create table whole as select v + 1 as v from mine; commit;")
    shell.send("\x04")
    assert shell.wait() == 0
    assert home.rows("select v from whole") == [{"v": 8}]


def test_ctrl_c(home):
    shell = home.shell()
    shell.send("select 'half typed")
    shell.expect("half typed")
    shell.send("\x03")
    shell.expect("tarn> ")
    assert "│ 1 │" in shell.ask("select 1 as a;")
    shell.send("select 2,\n")
    shell.expect("... ")
    shell.send("\x03")
    shell.expect("tarn> ")
    assert "│ 3 │" in shell.ask("select 3 as a;")
    for endless in (SLOW, DEAF):
        press_ctrl_c(shell, endless)
        assert "│ 4 │" in shell.ask("select 4 as a;")
    shell.send("\x04")
    assert shell.wait() == 0


def test_a_cancelled_statement_fails_its_transaction(home):
    shell = home.shell()
    shell.ask("begin;")
    shell.ask("insert into readings values ('cellar', 9.0);")
    press_ctrl_c(shell, SLOW)
    assert "accepts only ROLLBACK" in shell.ask("select 5 as a;")
    assert "nothing was committed" in shell.ask("commit;")
    assert "│ 1 │" in shell.ask("select count(*) as n from readings;")


@pytest.mark.parametrize("home", ["alone"], indirect=True)  # a server reads `attach:` when it starts
def test_attachments_in_the_shell(home):
    home.write("rates.csv", "day,price\n2026-01-01,1.1\n")
    home.write("tarn.yml", "name: home\nattach:\n  exchange: {kind: files, tables: {rates: rates.csv}}\n")
    shell = home.shell()
    assert re.search(r"exchange.*rates.*outside", shell.ask(".tables"))
    shell.send("select * from exch\t")
    shell.expect("exchange ")
    shell.send("\x03select * from exchange.pub\t")
    shell.expect("exchange.public ")
    shell.send("\x03select * from exchange.public.ra\t")
    shell.expect("exchange.public.rates ")
    shell.send("where exchange.public.rates.pri\t")
    shell.expect("exchange.public.rates.price ")
    shell.send("> 1;\n")
    shell.expect("1.1")
    shell.prompt()


def test_completion(home):
    shell = home.shell()
    shell.send("qual\t")
    shell.expect("qualify ")
    shell.send("\x03select * from readi\t")
    shell.expect("readings ")
    shell.send("where readings.te\t")
    shell.expect("readings.temperature ")
    shell.send("> date_tr\t")
    shell.expect("date_trunc(")
    shell.send("\x03QUAL\t")
    shell.expect("QUALIFY ")
    shell.send("\x03select min\t")
    shell.expect("min_by(")
    shell.send("\x03.sch\t")
    shell.expect(".schema")


def test_history(home):
    shell = home.shell()
    shell.ask("select 'first' as a;")
    shell.ask("select 'second',\n 'line' as b;")
    shell.close()  # killed, it loses nothing
    shell = home.shell()
    shell.send("\x1b[A")
    shell.expect("select 'second', 'line' as b;")
    shell.send("\x1b[A")
    shell.expect("first")
    shell.send("\n")
    shell.expect("│ first │")
    shell.prompt()
    shell.send("\x12second")
    shell.send("\n")
    shell.expect("│ second")
    assert stat.S_IMODE(os.stat(home.data / "history").st_mode) == 0o600


def test_wide_and_long_results(home):
    shell = home.shell(width=60)
    columns = ", ".join(f"'{'x' * 30}' as column_{i}" for i in range(12))
    answer = shell.ask(f"select {columns};")
    assert table_lines(answer) and max(map(cells, table_lines(answer))) <= 60
    assert re.search(r"1 row, (\d+) of 12 columns shown", answer)
    shell.resize(300, 30)
    answer = shell.ask(f"select {columns};")
    assert 60 < max(map(cells, table_lines(answer))) <= 300 and "columns shown" not in answer
    answer = shell.ask("select i from range(1000) r(i);")
    assert "1,000 rows (40 shown; .rows 0 shows all)" in answer and len(table_lines(answer)) == 44
    shell.ask(".rows 0")
    assert len(table_lines(shell.ask("select i from range(100) r(i);"))) == 104


def test_wide_letters_keep_the_table_straight(home):
    shell = home.shell()
    answer = shell.ask("select '日本語' as a, '😀' as b, 'cafe\u0301' as c, 'line' || chr(10) || 'end' as d, -1.5 as e;")
    assert len({cells(line) for line in table_lines(answer)}) == 1, answer
    assert "line\\nend" in answer


def test_errors_show_their_place(home):
    shell = home.shell()
    answer = shell.ask("select room,\n  nope\nfrom readings;").splitlines()
    assert "2:3: " in answer[-4] or "2:3: " in "\n".join(answer)
    assert answer[-2].endswith("  nope") and answer[-1].index("^") == answer[-2].index("nope")
    answer = shell.ask("select 1; selec 2;")
    assert "syntax error" in answer and "│" not in answer
    assert "LAKE_SCAN" in shell.ask("explain select * from readings;")


def test_without_colours_and_cursor_codes(home):
    shell = home.shell(term="dumb")
    shell.ask("select null as a;")
    shell.ask("select nope;")
    assert "\x1b" not in shell.text
    shell.close()
    shell = home.shell(env={"NO_COLOR": "1"})
    start = len(shell.text)
    shell.ask("select null as a;")
    assert not re.search(r"\x1b\[[0-9;]*m", shell.text[start:])
    shell.close()
    done = subprocess.run(home.command("sql"), input="select null as a;", capture_output=True, text=True)
    assert "│ null │" in done.stdout and "\x1b" not in done.stdout + done.stderr
    assert "ms" not in done.stdout


def test_a_kill_ends_it_and_leaves_the_terminal_as_it_was(home):
    shell = home.shell()
    shell.ask("begin; create table half as select 1 as v;")
    shell.process.terminate()
    assert shell.wait(close=False) == 130
    assert termios.tcgetattr(shell.master)[3] & termios.ISIG
    os.close(shell.master)
    assert "half" in home.run("sql", "select * from half", check=2).stderr
