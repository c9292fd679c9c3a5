"""Iceberg REST: loadTable and commit on a table of 1,000 snapshots, over one kept connection to `tarn serve`.

    ./dev bench iceberg_rest

Each commit names a manifest list of its own, which the catalog reads, checks and syncs. Promises, as medians: loadTable at
most 2 ms, commit at most 15 ms.
"""

import http.client
import json
import pathlib
import shutil
import sys
import tempfile
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))

import pyarrow as pa  # noqa: E402
from conftest import Tarn  # noqa: E402
from measure import machine, median, show_limit  # noqa: E402
from pyiceberg.catalog import load_catalog  # noqa: E402
from tarn_server import Server  # noqa: E402

SNAPSHOTS = 1000
LOADS = 300
COMMITS = 100


class Caller:
    def __init__(self, server):
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(server.url).netloc)
        self.headers = {"Authorization": f"Bearer {server.token}"}

    def __call__(self, method, path, body=None):
        data = None if body is None else json.dumps(body)
        began = time.perf_counter()
        self.connection.request(method, path, data, self.headers)
        answer = self.connection.getresponse()
        bytes_ = answer.read()
        took = time.perf_counter() - began
        assert answer.status == 200, bytes_
        return took, bytes_


def added(number, parent, location):
    snapshot = {"snapshot-id": number, "sequence-number": number, "timestamp-ms": int(time.time() * 1000),
                "manifest-list": location, "schema-id": 0,
                "summary": {"operation": "append", "added-data-files": "1", "added-records": "1", "total-records": str(number),
                            "total-data-files": str(number), "total-delete-files": "0", "total-files-size": "1000"}}
    if parent:
        snapshot["parent-snapshot-id"] = parent
    return {"action": "add-snapshot", "snapshot": snapshot}


def main_is(number):
    return {"action": "set-snapshot-ref", "ref-name": "main", "type": "branch", "snapshot-id": number}


def run(folder):
    (folder / "tarn.yml").write_text("name: bench\n", encoding="utf-8")
    server = Server(Tarn(folder))
    call = Caller(server)
    catalog = load_catalog("tarn", type="rest", uri=server.url + "/iceberg", token=server.token)
    catalog.create_namespace("b")
    table = catalog.create_table("b.t", pa.schema([pa.field("id", pa.int64())]))
    table.append(pa.table({"id": pa.array([1], pa.int64())}))
    first = table.current_snapshot()
    path = "/iceberg/v1/namespaces/b/tables/t"
    lists = pathlib.Path(urllib.parse.urlsplit(first.manifest_list).path)
    updates, parent = [], first.snapshot_id
    for number in range(2, SNAPSHOTS + 1):
        updates.append(added(number, parent, first.manifest_list))
        parent = number
    call("POST", path, {"requirements": [], "updates": [*updates, main_is(parent)]})
    show_limit(f"loadTable at {SNAPSHOTS} snapshots", median([call("GET", path)[0] for _ in range(LOADS)]) * 1000, 2, "ms")
    took = []
    for number in range(SNAPSHOTS + 1, SNAPSHOTS + 1 + COMMITS):
        copy = lists.with_name(f"list-{number}.avro")
        shutil.copy(lists, copy)
        body = {"requirements": [{"type": "assert-ref-snapshot-id", "ref": "main", "snapshot-id": parent}],
                "updates": [added(number, parent, f"file://{copy}"), main_is(number)]}
        took.append(call("POST", path, body)[0])
        parent = number
    show_limit(f"commit at {SNAPSHOTS} snapshots", median(took) * 1000, 15, "ms")
    print(f"metadata: {len(call('GET', path)[1]) / 1e3:.0f} kB")
    server.stop()


if __name__ == "__main__":
    machine()
    with tempfile.TemporaryDirectory() as work:
        run(pathlib.Path(work))
