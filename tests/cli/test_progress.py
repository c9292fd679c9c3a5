"""Goal: `tarn run` on a terminal shows what works and leaves only what ended; Ctrl-C ends it, and nothing half-done is
published. Method: the program in a pty, whose screen is worked out from what was written; records and tables are read
afterwards."""

import re
import signal

import pytest

from terminal import Terminal, cells, plain
from test_server import SLOW

DEAF = "select len(list_reverse_sort(range(4000000))) as n"
TABLE = "{{ config(materialized='table') }}\n"


@pytest.fixture
def home(tarn):
    tarn.terminals = []

    def start(*args, **kwargs):
        terminal = Terminal(tarn.command(*args), **kwargs)
        tarn.terminals.append(terminal)
        return terminal

    tarn.terminal = start
    yield tarn
    for terminal in tarn.terminals:
        terminal.close()


def states(home):
    return {row["task"]: row["state"] for row in home.rows("select task, state from _tarn.tasks")}


def test_only_what_ended_stays(home):
    for i in range(12):
        home.write(f"models/model_{i:02}.sql", TABLE + f"select count(*) as n from range(20000000) r(i) where hash(i + {i}) = 1\n")
    terminal = home.terminal("run", width=50)
    terminal.expect("12 done in", timeout=120)
    assert terminal.wait() == 0
    screen = [plain(line).rstrip() for line in terminal.screen()]
    assert screen[0].startswith("run ") and screen[0].endswith(": 12 tasks")
    assert all(re.fullmatch(r" ?\d+/12 done   model  model_\d\d  1 row  [\d.]+ m?s", line) for line in screen[1:13]), screen
    assert screen[13].startswith("done: 12 done in ") and not any(screen[14:])
    live = re.findall(r"  [\d.]+ m?s  model_\d\d  model", plain(terminal.text))
    assert live, "each running task has a line"
    assert all(cells(line) < 50 for line in plain(terminal.text).splitlines() if line.startswith("  "))


def test_ctrl_c_on_a_terminal(home):
    home.write("models/first.sql", TABLE + "select 1 as id\n")
    home.write("models/slow.sql", TABLE + SLOW + " and i > (select id from {{ ref('first') }})\n")
    for i in range(20):
        home.write(f"models/later_{i}.sql", TABLE + "select n from {{ ref('slow') }}\n")
    terminal = home.terminal("run")
    terminal.expect("  slow  ")
    terminal.send("\x03")
    text = terminal.expect("not started")
    assert terminal.wait() == 130
    assert "cancelled: 1 cancelled, 1 done, 20 not started in" in text
    screen = [plain(line) for line in terminal.screen()]
    assert not any("later_" in line for line in screen)
    assert len([line for line in screen if "slow" in line]) == 1, "its live line is gone"
    after = states(home)
    assert after["first"] == "done" and after["slow"] == "cancelled" and after["later_7"] == "cancelled"
    assert [row["state"] for row in home.rows("select state from _tarn.runs")] == ["cancelled"]
    assert [row["n"] for row in home.rows("select table_name as n from information_schema.tables where table_schema = 'public'")] == ["first"]


@pytest.mark.parametrize("times", [1, 2])
def test_a_deaf_statement_does_not_keep_the_process(home, times):
    home.write("models/deaf.sql", TABLE + DEAF + "\n")
    terminal = home.terminal("run")
    terminal.expect("  deaf  ")
    for _ in range(times):
        terminal.send("\x03")
    assert terminal.wait() == 130
    # One that was left to itself, or a process that left at once: either way nothing was published.
    assert states(home)["deaf"] in ("cancelled", "interrupted")
    assert home.rows("select count(*) as n from information_schema.tables where table_name = 'deaf'") == [{"n": 0}]
    assert home.run("run", check=0).returncode == 0


def test_plain_lines_without_a_terminal(home):
    home.write("models/a.sql", TABLE + "select 1 as id\n")
    home.write("models/b.sql", TABLE + "select nope from {{ ref('a') }}\n")
    home.write("models/c.sql", TABLE + "select * from {{ ref('b') }}\n")
    done = home.run("run", check=1)
    assert "\x1b" not in done.stderr and done.stdout == ""
    lines = done.stderr.splitlines()
    assert lines[0].startswith("run ") and lines[1].startswith("1/3 done   model  a  1 row  ")
    assert lines[2].startswith("2/3 failed model  b: ") and any(line.startswith("3/3 skip   model  c: ") for line in lines)
    assert lines[-1].startswith("failed: 1 done, 1 failed, 1 skipped in ")
    home.write("models/b.sql", TABLE + SLOW + "\n")
    process = home.start("run", "b")
    while process.stderr.readline().startswith("run ") is False:
        pass
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130 and "second Ctrl-C" in errors and "\x1b" not in errors


def test_status_and_check_say_what_to_do(home):
    home.write("models/a.sql", TABLE + "select 1 as id\n")
    home.write("models/b.sql", "select * from {{ ref('a') }}\n")
    home.run("run")
    done = home.run("status")
    assert "2 fresh" in done.stdout
    home.write("models/a.sql", TABLE + "select error('broken')\n")
    home.run("run", check=1)
    out = home.run("status").stdout
    assert "1 failed, 1 late" in out and re.search(r"^failed a: .*broken", out, re.M) and "late b: upstream a is failed" in out
    home.write("models/slow.sql", TABLE + SLOW + "\n")
    terminal = home.terminal("run", "slow")
    terminal.expect("  slow  ")
    done = home.run("check")
    assert "no mistakes" in done.stdout and "only the text was checked" in done.stderr
    home.write("models/b.sql", "select * from {{ ref('nothere') }}\n")
    assert "models/b.sql:1:" in home.run("check", check=2).stderr
    assert "stop it first, or wait" in home.run("run", check=3).stderr
    terminal.send("\x03")
    assert terminal.wait() == 130
