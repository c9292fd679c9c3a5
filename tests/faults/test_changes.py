"""Goal: a transaction that changes rows (UPDATE, DELETE, INSERT, over two tables) is there whole or not at all, whichever call
fails, wherever the power is cut and whenever the server is killed under several writers; what was acknowledged stays.
Method: money moves between accounts, and each move is a row of a log in the same transaction: the log must explain every
balance, in Tarn's answer and in pyiceberg's. Nth call as in test_nth_call.py; kill -9 of a server with two writers."""

import collections
import http.client
import json
import os
import random
import shutil
import signal
import subprocess
import threading
import time
import urllib.error

import pytest
from pyiceberg.table import StaticTable

from conftest import BUILD
from tarn_server import Server

ALL = os.environ.get("TARN_FAULT_ALL") == "1"
CALLS_TRIED = 4  # of each layer and mode, when not ALL
KILLS = int(os.environ.get("TARN_KILLS", "12"))
SEED = int(os.environ.get("TARN_SEED", random.randrange(1 << 30)))
ACCOUNTS, MONEY = 40, 1000
REASONS = ("injected fault", "disk I/O error", "unable to open database file", "database or disk is full")

SET_UP = f"""create table accounts as select i as id, {MONEY} as balance from range({ACCOUNTS}) r(i);
create table log (id varchar primary key, taken integer, given integer, amount integer)"""


def move(name, taken, given, amount):
    """One transaction; rows of accounts are updated, deleted and inserted."""
    return f"""begin;
        update accounts set balance = balance - {amount} where id = {taken};
        delete from accounts where id = {given};
        insert into accounts select {given}, {MONEY} + {amount}
          + coalesce((select sum(amount) from log where given = {given}), 0) - coalesce((select sum(amount) from log where taken = {given}), 0);
        insert into log values ('{name}', {taken}, {given}, {amount}){' on conflict do nothing' if amount % 2 else ''};
        commit"""


def rows_of(tarn, name):
    return StaticTable.from_metadata(tarn.metadata_locations()[("public", name)]).scan().to_arrow().to_pylist()


def check(tarn):
    """The moves that are there; fails if a balance is not what they make."""
    log, accounts = rows_of(tarn, "log"), rows_of(tarn, "accounts")
    balances = collections.Counter({i: MONEY for i in range(ACCOUNTS)})
    for row in log:
        balances[row["taken"]] -= row["amount"]
        balances[row["given"]] += row["amount"]
    assert sorted(row["id"] for row in accounts) == list(range(ACCOUNTS))
    assert {row["id"]: row["balance"] for row in accounts} == dict(balances)
    names = [row["id"] for row in log]
    assert len(names) == len(set(names))
    total = json.loads(tarn.run("sql", "select sum(balance) as s, count(*) as n from accounts", "--format", "json").stdout)
    assert [int(row["s"]) for row in total] == [ACCOUNTS * MONEY], total
    return set(names)


class Disturbed:
    """A lake with some moves in it, kept to begin again from."""

    def __init__(self, tarn, saved):
        self.tarn, self.saved = tarn, saved
        tarn.run("sql", SET_UP)
        for i in range(3):
            tarn.run("sql", move(f"before {i}", i, i + 5, 10 + i))
        self.before = check(tarn)
        shutil.copytree(tarn.project, saved)

    def run(self, fault):
        shutil.rmtree(self.tarn.project)
        shutil.copytree(self.saved, self.tarn.project)
        report = self.saved.parent / "report.json"
        report.unlink(missing_ok=True)
        env = {**self.tarn.env, "TARN_FAULT_REPORT": str(report), **({"TARN_FAULT": fault} if fault else {})}
        command = [str(BUILD / "tests" / "tarn_faulty"), *self.tarn.command("sql", move("disturbed", 1, 7, 100))[1:]]
        done = subprocess.run(command, env=env, timeout=120, capture_output=True, text=True)
        assert report.exists(), f"{fault}: died without a word, exit {done.returncode}: {done.stderr}"
        return done, json.loads(report.read_text())


@pytest.fixture
def disturbed(tarn, tmp_path):
    return Disturbed(tarn, tmp_path / "saved")


@pytest.mark.parametrize("mode", ("error", "full", "crash", "torn"))
def test_nth_call(disturbed, mode, capsys):
    calls = disturbed.run("")[1]["calls"]
    for layer in ("files", "sqlite", "duckdb"):
        stride = 1 if ALL else max(1, calls[layer] // CALLS_TRIED)
        n, fired, tried = random.Random(f"{SEED} {layer} {mode}").randrange(stride) + 1, True, 0
        while n <= calls[layer] or fired:
            fault = f"{layer}:{n}:{mode}"
            done, report = disturbed.run(fault)
            fired = report["fired"]
            found = check(disturbed.tarn)
            assert found in (disturbed.before, disturbed.before | {"disturbed"}), fault
            if done.returncode == 0:
                assert "disturbed" in found, f"{fault}: it said success\n{done.stderr}"
            elif mode in ("error", "full"):
                assert fired and any(reason in done.stderr for reason in REASONS), f"{fault}: {done.stderr}"
            disturbed.tarn.run("sql", move("after", 2, 8, 1))
            assert check(disturbed.tarn) == found | {"after"}
            n, tried = n + stride, tried + 1
        with capsys.disabled():
            print(f"\n{calls[layer]} calls reached in layer {layer}; {mode} at {tried}, seed {SEED}", end="", flush=True)


class Writer(threading.Thread):
    """Moves money until the server is gone; knows what was acknowledged."""

    def __init__(self, server, name, dice):
        super().__init__()
        self.server, self.name, self.dice = server, name, dice
        self.acknowledged, self.conflicts, self.failures = set(), 0, []

    def run(self):
        for i in range(100_000):
            taken, given = self.dice.sample(range(ACCOUNTS), 2)
            name = f"{self.name} {i}"
            try:
                status, answer = self.server.request("/api/v1/sql", {"sql": move(name, taken, given, self.dice.randrange(1, 50))})
            except (urllib.error.URLError, http.client.HTTPException, OSError):
                return
            if status == 200:
                self.acknowledged.add(name)
            elif b"40001" in answer or b"conflict" in answer:
                self.conflicts += 1
            else:
                self.failures.append(answer)
                return


def test_kills_under_two_writers(tarn, capsys):
    dice = random.Random(SEED)
    tarn.run("sql", SET_UP)
    acknowledged, conflicts = set(), 0
    for kill in range(KILLS):
        server = Server(tarn)
        writers = [Writer(server, f"{kill} {w}", random.Random(dice.random())) for w in range(2)]
        for writer in writers:
            writer.start()
        time.sleep(dice.uniform(0.1, 1.5))
        server.process.send_signal(signal.SIGKILL)
        server.process.communicate()
        for writer in writers:
            writer.join()
            assert not writer.failures, writer.failures
            acknowledged |= writer.acknowledged
            conflicts += writer.conflicts
        (tarn.data / "server.json").unlink(missing_ok=True)
        there = check(tarn)
        assert acknowledged <= there, acknowledged - there
    assert len(acknowledged) > KILLS
    with capsys.disabled():
        print(f"\n{KILLS} kills under two writers, {len(acknowledged)} moves acknowledged, {conflicts} conflicts, seed {SEED}", end="",
              flush=True)
