"""Goal: what comes through /iceberg is there whole or not at all, whichever call fails, wherever the power is cut, whenever the
server is killed and whichever answer is lost: no file that a table names is lost, no row doubled, and an answer says what is so.
Method: pyiceberg's own commits, sent by it and by hand; the Nth call of each layer fails; kill -9 under a REST writer and an SQL
writer of one table; a proxy that loses answers of what was done."""

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

import pyarrow as pa
import pytest
from pyiceberg.catalog import load_catalog
from pyiceberg.exceptions import CommitFailedException, CommitStateUnknownException, ServiceUnavailableError, ValidationException
from pyiceberg.table import StaticTable
from requests.exceptions import RequestException

from conftest import BUILD, Tarn
from lossy_proxy import LossyProxy
from sent_commit import commit_of
from tarn_server import Server

ALL = os.environ.get("TARN_FAULT_ALL") == "1"
CALLS_TRIED = 2  # of each layer and mode, when not ALL
KILLS = int(os.environ.get("TARN_KILLS", "6"))
SEED = int(os.environ.get("TARN_SEED", random.randrange(1 << 30)))
LAYERS = ("files", "sqlite")  # no row passes DuckDB here
IN_DOUBT = (500, 502, 504)


def names(*values):
    return pa.table({"id": pa.array(values, pa.string())})


def ids(tarn, table="notes"):
    """What pyiceberg reads, without the catalog."""
    location = tarn.metadata_locations()[("public", table)]
    return sorted(row["id"] for row in StaticTable.from_metadata(location).scan().to_arrow().to_pylist())


def ids_of_tarn(tarn, table="notes"):
    return sorted(row["id"] for row in tarn.rows(f"select id from {table}"))


def catalog_of(url, token):
    return load_catalog("tarn", type="rest", uri=url + "/iceberg", token=token)


class FaultyServer(Server):
    """`tarn_faulty serve`: a call of it fails as `fault` says."""

    def __init__(self, tarn, fault, report):
        self.report = report
        env = {**tarn.env, "TARN_FAULT": fault, "TARN_FAULT_REPORT": str(report)} if fault else {
            **tarn.env, "TARN_FAULT_REPORT": str(report)}
        faulty = Tarn(tarn.project, env)
        command = [str(BUILD / "tests" / "tarn_faulty"), *tarn.command("serve", "--http", "127.0.0.1:0")[1:]]
        faulty.start = lambda *_: subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
        super().__init__(faulty)


class Prepared:
    """A lake with a table of one row, and the commit of a second one, its files written; kept to begin again from."""

    def __init__(self, tarn, saved, make):
        self.tarn, self.saved = tarn, saved
        tarn.run("sql", "create table notes (id varchar); insert into notes values ('first')")
        server = Server(tarn)
        self.path, self.body = make(catalog_of(server.url, server.token))
        server.stop()
        shutil.copytree(tarn.project, saved)
        self.report = saved.parent / "report.json"

    def reset(self):
        shutil.rmtree(self.tarn.project)
        shutil.copytree(self.saved, self.tarn.project)
        self.report.unlink(missing_ok=True)

    def send(self, server):
        """The status of the answer, None when there is none."""
        try:
            return server.send(self.path, self.body, {"Content-Type": "application/json"})[0]
        except (urllib.error.URLError, http.client.HTTPException, OSError):
            return None

    def run(self, fault):
        """(status of the answer, whether the fault was met, calls reached before the commit and in all)"""
        self.reset()
        try:
            server = FaultyServer(self.tarn, fault, self.report)
        except AssertionError:  # it did not start
            assert self.report.exists(), f"{fault}: died without a word"
            return None, json.loads(self.report.read_text())
        status = self.send(server)
        server.process.terminate()
        server.process.communicate(timeout=30)
        (self.tarn.data / "server.json").unlink(missing_ok=True)
        return status, json.loads(self.report.read_text())


def append(catalog):
    return commit_of(catalog.load_table("public.notes"), lambda table: table.append(names("second")))


def overwrite(catalog):
    """Files go and come in one commit."""
    return commit_of(catalog.load_table("public.notes"), lambda table: table.overwrite(names("second", "third")))


AFTER = {append: ["first", "second"], overwrite: ["second", "third"]}


@pytest.mark.parametrize("make", AFTER)
@pytest.mark.parametrize("mode", ("error", "full", "crash", "torn"))
def test_nth_call(tarn, tmp_path, make, mode, capsys):
    prepared = Prepared(tarn, tmp_path / "saved", make)
    status, report = prepared.run("")
    assert status == 200 and ids(tarn) == AFTER[make]
    calls = report["calls"]
    for layer in LAYERS:
        stride = 1 if ALL else max(1, calls.get(layer, 0) // CALLS_TRIED)
        n, tried, seen = random.Random(f"{SEED} {layer} {mode}").randrange(stride) + 1, 0, set()
        while n <= calls.get(layer, 0):
            fault = f"{layer}:{n}:{mode}"
            status, report = prepared.run(fault)
            seen.add(status)
            found = ids(tarn)
            assert found in (["first"], AFTER[make]), fault
            if status == 200:
                assert found == AFTER[make], f"{fault}: it said success"
            elif status is not None and status not in IN_DOUBT:
                assert found == ["first"], f"{fault}: {status} says that nothing was done"
            # The client sends the same again, to a server that is well; then all go on as ever.
            server = Server(tarn)
            assert prepared.send(server) == 200, fault
            assert ids(tarn) == AFTER[make] == ids_of_tarn(tarn), fault
            catalog_of(server.url, server.token).load_table("public.notes").append(names("last"))
            server.stop()
            assert ids_of_tarn(tarn) == sorted([*AFTER[make], "last"]), fault
            n, tried = n + stride, tried + 1
        with capsys.disabled():
            print(f"\n{calls.get(layer, 0)} calls reached in layer {layer}; {mode} at {tried}, answers {seen}, seed {SEED}", end="", flush=True)


class Writer(threading.Thread):
    """Writes into `notes` until the server is gone; knows what was acknowledged, and what may have been done."""

    def __init__(self, server, name, dice):
        super().__init__()
        self.server, self.name, self.dice = server, name, dice
        self.added, self.gone, self.in_doubt, self.conflicts, self.failures = set(), set(), set(), 0, []

    def run(self):
        for i in range(100_000):
            try:
                if not self.write(i):
                    return
            except Exception as error:  # a test must hear of it
                self.failures.append(repr(error))
                return


class SqlWriter(Writer):
    def write(self, i):
        time.sleep(self.dice.uniform(0, 0.3))  # else pyiceberg, which tries five times, would never win
        id = f"{self.name} {i}"
        victim = self.dice.choice(sorted(self.added)) if self.added and i % 3 == 2 else None
        sql = f"delete from notes where id = '{victim}'" if victim else f"insert into notes values ('{id}')"
        try:
            status, answer = self.server.request("/api/v1/sql", {"sql": sql})
        except (urllib.error.URLError, http.client.HTTPException, OSError):
            self.in_doubt.add(victim or id)
            return False
        if status == 200:
            (self.gone if victim else self.added).add(victim or id)
            self.added.discard(victim)
        elif b"onflict" in answer:
            self.conflicts += 1
        else:
            self.failures.append(answer)
        return not self.failures


class RestWriter(Writer):
    def write(self, i):
        id = f"{self.name} {i}"
        victim = self.dice.choice(sorted(self.added)) if self.added and i % 4 == 3 else None
        touched = {victim} if victim else {id}
        try:
            table = catalog_of(self.server.url, self.server.token).load_table("public.notes")
            if victim:
                table.delete(f"id = '{victim}'")
            else:
                table.append(names(id))
        except (CommitFailedException, ValidationException):  # the other: of files that are gone by now
            self.conflicts += 1
            return True
        except (RequestException, CommitStateUnknownException, ServiceUnavailableError, OSError):
            self.in_doubt |= touched
            return False
        (self.gone if victim else self.added).update(touched)
        self.added -= {victim}
        return True


def test_kills_under_a_rest_and_an_sql_writer(tarn, capsys):
    dice = random.Random(SEED)
    tarn.run("sql", "create table notes (id varchar)")
    added, gone, in_doubt, conflicts, rest = set(), set(), set(), 0, 0
    for kill in range(KILLS):
        server = Server(tarn)
        writers = [kind(server, f"{kill} {kind.__name__}", random.Random(dice.random())) for kind in (SqlWriter, RestWriter)]
        for writer in writers:
            writer.start()
        time.sleep(dice.uniform(0.5, 2.5))
        server.process.send_signal(signal.SIGKILL)
        server.process.communicate()
        for writer in writers:
            writer.join()
            assert not writer.failures, writer.failures
            added |= writer.added
            gone |= writer.gone
            in_doubt |= writer.in_doubt
            conflicts += writer.conflicts
        rest += len(writers[1].added)
        (tarn.data / "server.json").unlink(missing_ok=True)
        found = ids(tarn)
        assert len(found) == len(set(found)), "a row is doubled"
        assert added - in_doubt <= set(found), added - in_doubt - set(found)
        assert not (gone - in_doubt) & set(found), (gone - in_doubt) & set(found)
        assert set(found) <= added | in_doubt, set(found) - added - in_doubt
        assert ids_of_tarn(tarn) == found
    assert rest > KILLS / 2
    with capsys.disabled():
        print(f"\n{KILLS} kills under a REST and an SQL writer, {len(added)} rows acknowledged ({rest} by REST), {conflicts} conflicts, "
              f"seed {SEED}", end="", flush=True)


@pytest.mark.parametrize("mode", ("503", "closed"))
def test_lost_answers(tarn, mode):
    """What pyiceberg was not told of was done once, all its files are there, and to send it again changes nothing."""
    server = Server(tarn)
    proxy = LossyProxy(server.url)
    try:
        catalog = catalog_of(proxy.url, server.token)
        catalog.create_namespace("s")
        catalog.create_table("s.notes", names().schema).append(names("first"))
        steps = {"append": lambda table: table.append(names("second")), "delete": lambda table: table.delete("id = 'first'"),
                 "overwrite": lambda table: table.overwrite(names("third", "fourth"))}
        after = {"append": ["first", "second"], "delete": ["second"], "overwrite": ["fourth", "third"]}
        for step, run in steps.items():
            table = catalog.load_table("s.notes")
            proxy.lose(mode, count=1)
            try:
                run(table)
            except (RequestException, CommitStateUnknownException, ServiceUnavailableError, CommitFailedException):
                pass
            assert len(proxy.lost) == 1 and proxy.lost[0][2] == 200, f"{step}: {proxy.lost}"
            read = catalog.load_table("s.notes").scan().to_arrow().to_pylist()
            assert sorted(row["id"] for row in read) == after[step], step
            assert ids_of_tarn(tarn, "s.notes") == after[step], step
    finally:
        proxy.stop()
        assert server.stop()[0] == 0
