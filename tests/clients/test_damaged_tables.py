"""Goal: a table of which a file is damaged, missing or from elsewhere is refused with one sentence that names the table, the file and
what to do; no other table is affected, and the server lives. Method: tables made by hand (hand_made.py). First, each kind of damage
that has a name, done while the server is away; then single bits flipped at random places of each kind of file: whatever comes
is an answer or a sentence, soon. The seed is printed; TARN_FLIPS says how many."""

import collections
import json
import os
import pathlib
import random
import re
import time

import pyarrow as pa
import pytest

from hand_made import HandMade, with_ids
from tarn_server import Server
from test_foreign_tables import FIELDS, IDS, people, position_deletes

FLIPS = int(os.environ.get("TARN_FLIPS", "120"))
SEED = int(os.environ.get("TARN_SEED", random.randrange(1 << 30)))
ROWS = [{"id": i} for i in range(30) if i not in (0, 3, 9, 25)]
REMEDY = re.compile(r"restore the file from a backup|with the program that|copy the table here")


class Made:
    """A table of two data files and position deletes, and where each of its files is."""

    def __init__(self, folder, change=None, **options):
        self.made = HandMade(folder, FIELDS)
        files = [self.made.file(with_ids(people(0, 20), IDS)), self.made.file(with_ids(people(20, 30), IDS))]
        pairs = [(files[0]["file_path"], 0), (files[0]["file_path"], 3), (files[0]["file_path"], 9)]
        deletes = [self.made.file(position_deletes(pairs), content=1, referenced_data_file=files[0]["file_path"]),
                   self.made.file(position_deletes([(files[1]["file_path"], 5)]), content=1)]
        self.files = {"data": files[0]["file_path"], "deletes": deletes[0]["file_path"]}
        if change:
            change(files, deletes)
        data = self.made.manifest(files)
        gone = self.made.manifest(deletes, deletes=True)
        self.made.snapshot([data, gone])
        self.files |= {"manifest": data["manifest_path"], "deletes' manifest": gone["manifest_path"],
                       "manifest list": self.made.snapshots[0]["manifest-list"]}
        self.files["metadata"] = self.made.write()

    def path(self, kind):
        return pathlib.Path(self.files[kind].removeprefix("file://"))

    def document(self, change):
        document = json.loads(self.path("metadata").read_text())
        change(document)
        self.path("metadata").write_text(json.dumps(document))


def missing(kind):
    return kind, None, lambda made: made.path(kind).unlink()


def cut(kind, share):
    def damage(made):
        data = made.path(kind).read_bytes()
        made.path(kind).write_bytes(data[:int(len(data) * share)])
    return kind, None, damage


def overwritten(kind, data):
    return kind, None, lambda made: made.path(kind).write_bytes(data)


def document(change):
    return "metadata", None, lambda made: made.document(change)


def entry(kind, change):
    """Damage that the manifest says: nothing else is done."""
    return kind, change, lambda made: None


def of_first(**members):
    return lambda files, deletes: files[0].update(members)


CASES = {
    **{f"{kind} missing": missing(kind) for kind in ("metadata", "manifest list", "manifest", "deletes' manifest", "data", "deletes")},
    **{f"{kind} cut at {share}": cut(kind, share) for share in (0, 0.3, 0.97)
       for kind in ("metadata", "manifest list", "manifest", "deletes' manifest", "data", "deletes")},
    **{f"{kind} of other bytes": overwritten(kind, b"PAR1" + bytes(range(256)) * 30 + b"PAR1")
       for kind in ("metadata", "manifest list", "manifest", "deletes' manifest", "data", "deletes")},
    "version 3": document(lambda d: d.update({"format-version": 3, "next-row-id": 0})),
    "version 4": document(lambda d: d.update({"format-version": 4})),
    "no such type": document(lambda d: d["schemas"][0]["fields"][1].update(type="colour")),
    "a type of version 3": document(lambda d: d["schemas"][0]["fields"][1].update(type="variant")),
    "of another table": document(lambda d: d.update({"table-uuid": "d20125c8-7284-442c-9aea-15fee620737c"})),
    "no such schema": document(lambda d: d.update({"current-schema-id": 7})),
    "no such snapshot": document(lambda d: d.update({"current-snapshot-id": 77})),
    "rows that are not there": entry("data", of_first(record_count=21)),
    "rows that are left out": entry("data", of_first(record_count=1)),
    "another format": entry("data", of_first(file_format="AVRO")),
    "deletes as puffin": entry("deletes", lambda files, deletes: deletes[0].update(file_format="PUFFIN")),
    "more deletes than there are": entry("deletes", lambda files, deletes: deletes[0].update(record_count=4)),
}
# The catalog looks at these when the table comes; with `check_files: false` it does not.
ELSEWHERE = {
    "another scheme": of_first(file_path="s3://bucket/data.parquet"),
    "outside of the folders": of_first(file_path="file:///etc/hostname"),
    "up and away": lambda files, deletes: files[0].update(
        file_path=files[0]["file_path"].rsplit("/", 1)[0] + "/../../../../etc/hostname"),
}


class Lakes:
    def __init__(self, tarn, tmp_path, more=""):
        self.tarn, self.shared = tarn, tmp_path / "shared"
        self.shared.mkdir(exist_ok=True)
        tarn.write("tarn.yml", f"name: home\niceberg:\n  locations: [{self.shared}]\n{more}")
        self.start()
        assert self.server.request("/iceberg/v1/namespaces", {"namespace": ["f"]})[0] == 200

    def start(self):
        (self.tarn.data / "server.json").unlink(missing_ok=True)
        self.server = Server(self.tarn)

    def register(self, name, location):
        status, answer = self.server.request("/iceberg/v1/namespaces/f/register", {"name": name, "metadata-location": location})
        return status, json.loads(answer)

    def ask(self, sql):
        """(rows, None) or (None, the sentence)"""
        start = time.monotonic()
        status, answer = self.server.request("/api/v1/sql", {"sql": sql, "format": "json"})
        assert time.monotonic() - start < 20, f"{sql} took too long"
        assert self.server.process.poll() is None, "the server is gone"
        answer = json.loads(answer)
        return (answer, None) if status == 200 else (None, answer["error"]["message"])

    def good(self):
        assert self.ask("select id from f.good order by id") == (ROWS, None)

    def sentence(self, name, said, file):
        assert said, f"{name}: nothing was said"
        assert f"f.{name}" in said and file in said and REMEDY.search(said) and "\n" not in said, f"{name}: {said}"


@pytest.fixture
def lakes(tarn, tmp_path):
    made = []

    def make(more=""):
        made.append(Lakes(tarn, tmp_path, more))
        return made[-1]
    yield make
    for lake in made:
        if lake.server.process.poll() is None:
            lake.server.stop()


def test_damage_that_has_a_name(lakes):
    lake = lakes("  check_files: false\n")
    assert lake.register("good", Made(lake.shared / "good").files["metadata"])[0] == 200
    tables = {}
    for number, (case, (kind, change, damage)) in enumerate([*CASES.items(), *((c, ("data", f, lambda made: None)) for c, f in ELSEWHERE.items())]):
        name = f"t{number}"
        made = Made(lake.shared / name, change)
        status, answer = lake.register(name, made.files["metadata"])
        if case in ELSEWHERE:
            if status == 200:
                tables[name] = case, made, kind
            continue
        assert status == 200, (case, answer)
        tables[name] = case, made, kind
    lake.server.stop()
    for name, (case, made, kind) in tables.items():
        if case in CASES:
            CASES[case][2](made)
    lake.start()
    wrong = []
    for name, (case, made, kind) in tables.items():
        for sql in (f"select * from f.{name}", f"select sum(v) as s from f.{name} where id between 2 and 4", f"delete from f.{name} where id = 2"):
            rows, said = lake.ask(sql)
            try:
                file = made.path(kind).name if case not in ELSEWHERE else ("data.parquet" if "scheme" in case else "hostname")
                lake.sentence(name, said, file)
            except AssertionError as error:
                wrong.append(f"{case}: {sql}: {error} {rows if rows is None else rows[:3]}")
        lake.good()
    assert not wrong, "\n".join(wrong)
    listed, said = lake.ask("select table_name from information_schema.tables where table_schema = 'f' and table_name = 'good'")
    assert listed == [{"table_name": "good"}], said
    status, _ = lake.server.request("/iceberg/v1/namespaces/f/tables")
    assert status == 200


def test_files_elsewhere_are_not_taken_in(lakes):
    lake = lakes()
    for number, (case, change) in enumerate(ELSEWHERE.items()):
        status, answer = lake.register(f"t{number}", Made(lake.shared / f"t{number}", change).files["metadata"])
        assert status in (400, 403), (case, status, answer)
        message = answer["error"]["message"]
        assert ("s3://" in message or "hostname" in message) and "\n" not in message, message
    for number, case in enumerate(("version 3", "version 4", "no such type")):
        made = Made(lake.shared / f"v{number}")
        CASES[case][2](made)
        status, answer = lake.register(f"v{number}", made.files["metadata"])
        assert status >= 400 and made.path("metadata").name in answer["error"]["message"], (case, status, answer)


def test_bits_flipped_at_random(lakes, capsys):
    dice = random.Random(SEED)
    lake = lakes()
    assert lake.register("good", Made(lake.shared / "good").files["metadata"])[0] == 200
    expected = sorted(json.dumps(row) for row in lake.ask("select * from f.good")[0])
    outcomes = collections.Counter()
    for number in range(FLIPS):
        name = f"flip{number}"
        made = Made(lake.shared / name)
        kind = dice.choice(sorted(made.files))
        data = bytearray(made.path(kind).read_bytes())
        at = dice.randrange(len(data))
        data[at] ^= 1 << dice.randrange(8)
        made.path(kind).write_bytes(data)
        where = f"bit flipped at {at} of {len(data)} in the {kind} of {name}, seed {SEED}"
        status, answer = lake.register(name, made.files["metadata"])
        if status != 200:
            said = answer["error"]["message"]
            assert said and "\n" not in said and "TARN[" not in said, f"{where}: {said}"
            outcomes[kind, "refused by the catalog"] += 1
            continue
        rows, said = lake.ask(f"select * from f.{name}")
        if said is not None:
            assert f"f.{name}" in said and "\n" not in said and "TARN[" not in said, f"{where}: {said}"
            outcomes[kind, "refused when read"] += 1
        else:
            same = sorted(json.dumps(row) for row in rows) == expected
            outcomes[kind, "harmless" if same else "another value"] += 1
        for sql in (f"select count(*) as n from f.{name} where id > 4 and name is not null", f"delete from f.{name} where id = 5"):
            lake.ask(sql)  # an answer or a sentence
        lake.good()
    with capsys.disabled():
        print(f"\n{FLIPS} flipped bits, seed {SEED}: " + "; ".join(f"{kind}: {what} {n}" for (kind, what), n in sorted(outcomes.items())), flush=True)
