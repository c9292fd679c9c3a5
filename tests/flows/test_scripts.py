"""Goal: a script sees only what it is given, is bounded in memory, processor time, processes, output and files, and
nothing of it outlives its task, however it or Tarn ends. Method: scripts that misbehave, under the real program."""

import json
import os
import signal
import subprocess
import time

import pytest

from tarn_server import Server


def flow(tarn, tasks, name="f"):
    tarn.write(f"flows/{name}.yml", "tasks:\n" + "".join(f"  {line}\n" for line in tasks.strip("\n").splitlines()))


def tasks_of(tarn):
    return {row["task"].split("/")[1]: row for row in tarn.rows(
        "select * from _tarn.tasks where run = (select run from _tarn.runs order by started_at desc limit 1)")}


def lines_of(tarn, task):
    return [row["text"] for row in tarn.rows(
        f"select text from _tarn.task_log where task = 'f/{task}' and run = (select max(run) from _tarn.runs) order by attempt, line")]


def alive(marker):
    """Processes whose command line or environment has `marker`."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as command, open(f"/proc/{pid}/environ", "rb") as environ:
                text = command.read() + environ.read()
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
                zombie = stat.read().rsplit(")", 1)[1].split()[0] == "Z"
        except OSError:
            continue
        if marker.encode() in text and int(pid) != os.getpid() and not zombie:
            found.append(int(pid))
    return found


def wait_until(look, seconds=20):
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


@pytest.fixture
def marker(tmp_path):
    """Stands in the command line of every process that a test's script starts; none may be left."""
    text = f"tarn-marker-{os.getpid()}-{tmp_path.name}"
    yield text
    wait_until(lambda: not alive(text))


def test_a_script_sees_only_what_it_is_given(tarn, monkeypatch):
    tarn.env.update({"TARN_TOKEN": "hush-1", "AWS_SECRET_ACCESS_KEY": "hush-2", "GIVEN": "hush-3"})
    tarn.write("scripts/look.py", "import json, os, sys\njson.dump({'env': dict(os.environ), 'args': sys.argv[1:], 'cwd': os.getcwd(),"
               " 'input': json.load(sys.stdin), 'fds': sorted(os.listdir('/proc/self/fd'))}, open(os.environ['TARN_RESULT'], 'w'))\n"
               "print('the key is', os.environ['KEY'])\n")
    flow(tarn, """
look:
  script: scripts/look.py
  arguments: ["a b", "${run.id}"]
  env: {KEY: "${env:GIVEN}", PLAIN: x}
""")
    tarn.run("flow", "f")
    row = tasks_of(tarn)["look"]
    found = json.loads(row["result"])
    assert set(found["env"]) == {"PATH", "HOME", "TMPDIR", "LANG", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "TARN_PROJECT", "TARN_FLOW",
                                 "TARN_TASK", "TARN_RUN", "TARN_RESULT", "KEY", "PLAIN"} | ({"LC_CTYPE"} & set(found["env"]))
    assert "hush-1" not in row["result"] and "hush-2" not in row["result"]
    assert found["args"] == ["a b", row["run"]]
    assert found["input"]["task"] == "look" and found["input"]["run"]["id"] == row["run"]
    assert set(found["fds"]) <= {"0", "1", "2", "3", "4"}  # 3 and 4: of listing and of the result itself
    assert not os.path.exists(found["cwd"])
    assert "the key is ***" in lines_of(tarn, "look")  # secrets are not logged


def test_results_that_are_none(tarn):
    flow(tarn, """
none: {shell: "true"}
list: {shell: "echo '[1]' > $TARN_RESULT"}
huge: {shell: "head -c 2000000 /dev/zero > $TARN_RESULT"}
link: {shell: "ln -s /etc/passwd $TARN_RESULT"}
""")
    tarn.run("flow", "f", check=1)
    rows = tasks_of(tarn)
    assert rows["none"]["state"] == "done" and rows["none"]["result"] == "{}"
    assert "is not a JSON object" in rows["list"]["error"]
    assert "at most 1 MB" in rows["huge"]["error"] and "at most 1 MB" in rows["link"]["error"]


def test_memory_is_bounded(tarn):
    flow(tarn, """
one: {shell: "exec python3 -c \\"x = bytearray(400_000_000)\\"", memory: 100MB}
many:
  shell: |
    for i in 1 2 3 4; do python3 -c "x = bytearray(80_000_000); import time; time.sleep(20)" & done; wait
  memory: 200MB
""")
    began = time.monotonic()
    tarn.run("flow", "f", check=1)
    assert time.monotonic() - began < 15
    rows = tasks_of(tarn)
    assert rows["one"]["state"] == rows["many"]["state"] == "failed"
    assert "exit code 1" in rows["one"]["error"] or "more than 100 MB" in rows["one"]["error"]
    assert rows["many"]["error"] == "it was stopped: its processes had more than 200 MB (memory)"


def test_processor_time_is_bounded(tarn):
    flow(tarn, "busy: {shell: 'exec python3 -c \"while True: pass\"', cpu_time: 1s}")
    tarn.run("flow", "f", check=1)
    assert "more than 1.0 s of processor time" in tasks_of(tarn)["busy"]["error"]


def test_files_are_bounded(tarn):
    flow(tarn, "big: {shell: 'exec head -c 100000000 /dev/zero > x', file_size: 20MB}")
    tarn.run("flow", "f", check=1)
    assert "a file of more than 20 MB" in tasks_of(tarn)["big"]["error"]
    assert list((tarn.data / "scripts").iterdir()) == []


def test_a_flood_of_output_is_cut(tarn):
    flow(tarn, """
lines: {shell: "seq 1 300000; echo the end"}
one_line: {shell: "head -c 60000000 /dev/zero | tr '\\\\0' x; echo; printf 'odd \\\\033[31m \\\\377\\n'"}
""")
    before = tarn.data.exists() and sum(path.stat().st_size for path in tarn.data.glob("control*")) or 0
    tarn.run("flow", "f")
    lines = lines_of(tarn, "lines")
    assert lines[:2] == ["1", "2"] and "the end" in lines and "300000" in lines
    assert "… 297801 lines are not kept …" in lines and len(lines) < 2300
    one = lines_of(tarn, "one_line")
    assert max(map(len, one)) < 4100 and one[0].startswith("xxxx") and "\x1b" not in "".join(one)
    assert sum(path.stat().st_size for path in tarn.data.glob("control*")) - before < 8_000_000


def test_children_end_with_the_script(tarn, marker):
    flow(tarn, f"""
plain: {{shell: "sleep 600 {'#'} {marker}", timeout: 400ms}}
left: {{shell: "sh -c 'sleep 601; : {marker}' & setsid sh -c 'sleep 602; : {marker}' & sleep 0.2"}}
""")
    tarn.run("flow", "f", check=1)
    rows = tasks_of(tarn)
    assert rows["plain"]["state"] == "unknown" and "it was stopped after" in rows["plain"]["error"]
    assert rows["left"]["state"] == "done"
    assert any("left" in line and "processes behind" in line for line in lines_of(tarn, "left"))
    assert not alive(marker)


ESCAPE = """
import os, sys, time
# Leaves group, session and parent, and its environment; ignores what asks nicely.
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork(): time.sleep(0.3); print("escaped", flush=True); time.sleep(600)
os.setsid()
if os.fork(): os._exit(0)
os.execve(sys.executable, [sys.executable, "-c", "import time, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)", MARKER], {})
"""


def test_what_leaves_the_group_and_the_session_is_killed(tarn, marker):
    tarn.write("scripts/escape.py", ESCAPE.replace("MARKER", repr(marker)))
    flow(tarn, "away: {script: scripts/escape.py, timeout: 1500ms}")
    tarn.run("flow", "f", check=1)
    assert "escaped" in lines_of(tarn, "away")
    assert not alive(marker)


def test_a_wild_forker_is_contained(tarn, marker):
    tarn.write("scripts/bomb.py", f"# {marker}\nimport os, time\nfor i in range(3000):\n    if os.fork() == 0:\n"
               "        if i % 2: os.setsid()\n        time.sleep(60); os._exit(0)\n    time.sleep(0.0005)\ntime.sleep(60)\n")
    flow(tarn, "bomb: {script: scripts/bomb.py, processes: 100}")
    began = time.monotonic()
    tarn.run("flow", "f", check=1)
    assert time.monotonic() - began < 30
    assert "more than 100 processes" in tasks_of(tarn)["bomb"]["error"]
    assert not alive(marker)


def test_processes_that_fork_all_the_time_are_killed(tarn, marker):
    """Each process forks a successor and ends, four at a time: no list of processes is ever right."""
    tarn.write("scripts/chain.py", f"# {marker}\nimport os, time\nfor _ in range(4):\n    if os.fork() == 0:\n        os.setsid()\n        end = time.time() + 20\n"
               "        while time.time() < end:\n            if os.fork(): os._exit(0)\n        os._exit(0)\ntime.sleep(60)\n")
    flow(tarn, "chain: {script: scripts/chain.py, timeout: 1s}")
    began = time.monotonic()
    tarn.run("flow", "f", check=1)
    assert time.monotonic() - began < 15
    assert not alive("chain.py")


def start_and_wait_for(tarn, marker):
    process = tarn.start("flow", "f")
    wait_until(lambda: alive(marker))
    return process


def test_ctrl_c_ends_the_script(tarn, marker):
    tarn.write("scripts/escape.py", ESCAPE.replace("MARKER", repr(marker)))
    flow(tarn, "away: {script: scripts/escape.py}")
    process = start_and_wait_for(tarn, marker)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130
    wait_until(lambda: not alive(marker) and not alive("escape.py"), 2)


def test_kill_9_of_tarn_ends_the_script_at_once(tarn, marker):
    tarn.write("scripts/escape.py", ESCAPE.replace("MARKER", repr(marker)))
    flow(tarn, "away: {script: scripts/escape.py}")
    process = start_and_wait_for(tarn, marker)
    process.kill()
    process.communicate()
    wait_until(lambda: not alive(marker) and not alive("escape.py"), 5)
    # Its effect is unknown, and it is told as such.
    assert tarn.rows("select state from _tarn.effects") == [{"state": "unknown"}]
    assert not (tarn.data / "scripts").exists()


def test_kill_9_of_the_keeper(tarn, marker):
    """The worst: what watches is killed by the script itself. The script's own process dies with it; others are found
    by the variable that names the result."""
    tarn.write("scripts/murder.sh", f"#!/bin/sh\n# {marker}\n(setsid sleep 603 </dev/null >/dev/null 2>&1 &)\nsleep 0.2\nkill -9 $PPID\nsleep 600\n").chmod(0o755)
    flow(tarn, "murder: {script: scripts/murder.sh}")
    done = tarn.run("flow", "f", check=1)
    assert "the script's keeper was killed" in done.stderr
    assert tasks_of(tarn)["murder"]["state"] == "unknown"
    assert not alive(f"{tarn.data}/scripts/")


def test_both_killed_is_cleared_by_the_next_start(tarn):
    flow(tarn, "sleep: {shell: 'setsid sleep 604 & wait'}")
    process = tarn.start("flow", "f")
    wait_until(lambda: len(alive(f"{tarn.data}/scripts/")) >= 3)  # keeper, shell, sleep
    keepers = [pid for pid in alive(f"{tarn.data}/scripts/") if open(f"/proc/{pid}/comm", encoding="utf-8").read() == "tarn_keeper\n"]
    os.kill(process.pid, signal.SIGSTOP)
    for pid in keepers:
        os.kill(pid, signal.SIGKILL)
    process.kill()
    process.communicate()
    assert alive(f"{tarn.data}/scripts/")
    tarn.run("status", check=None)
    assert not alive(f"{tarn.data}/scripts/")


def test_the_end_of_the_server_ends_scripts(tarn, marker):
    tarn.write("scripts/escape.py", ESCAPE.replace("MARKER", repr(marker)))
    flow(tarn, "away: {script: scripts/escape.py}")
    server = Server(tarn)
    server.json("/api/v1/flows/f/run", {})
    wait_until(lambda: alive(marker))
    assert server.stop()[0] == 0
    assert not alive(marker)


def test_a_script_that_cannot_be_started(tarn):
    tarn.write("scripts/odd.sh", "#!/no/such/shell\n").chmod(0o755)
    flow(tarn, "odd: {script: scripts/odd.sh}")
    tarn.run("flow", "f", check=1)
    assert "cannot be started" in tasks_of(tarn)["odd"]["error"]


def test_the_keeper_is_small_and_quick(tarn):
    """A promise of size, not of time: the program that each script starts is a static one of under 1 MB."""
    keeper = next(path for path in (tarn_build() / "src/flowfile").glob("tarn_keeper"))
    assert keeper.stat().st_size < 1_000_000
    assert "not a dynamic executable" in subprocess.run(["ldd", keeper], capture_output=True, text=True, check=False).stderr


def tarn_build():
    from conftest import BUILD
    return BUILD
