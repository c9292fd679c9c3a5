"""Goal: other engines share the lake through /iceberg: pyiceberg makes, fills, changes and drops tables, Tarn reads exactly
that, and the other way round; an answer that is lost loses and doubles nothing; files that a commit names are looked at.
Method: `tarn serve` with the real pyiceberg client, and requests by hand where no client would send them."""

import contextlib
import gzip
import http.client
import json
import os
import pathlib
import socket
import sqlite3
import threading
import time
import urllib.parse
import uuid

import duckdb
import pyarrow as pa
import pytest
from pyiceberg.catalog import load_catalog
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError, TableAlreadyExistsError
from pyiceberg.schema import Schema
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import DoubleType, LongType, NestedField, StringType

from sent_commit import commit_of
from tarn_server import Server


@pytest.fixture
def server(tarn):
    server = Server(tarn)
    yield server
    code, _, errors = server.stop()
    assert code == 0, errors


def catalog_of(server, **properties):
    return load_catalog("tarn", **{"type": "rest", "uri": server.url + "/iceberg", "token": server.token, **properties})


@pytest.fixture
def catalog(server):
    return catalog_of(server)


def sql(server, text):
    status, answer = server.request("/api/v1/sql", {"sql": text, "format": "json"})
    assert status == 200, answer
    return json.loads(answer)


def rows_of(table):
    return sorted(table.scan().to_arrow().to_pylist(), key=lambda row: (row["id"], str(row)))


def people(*rows):
    return pa.table({"id": pa.array([row[0] for row in rows], pa.int64()), "name": pa.array([row[1] for row in rows], pa.string())})


def test_pyiceberg_writes_and_tarn_reads(server, catalog):
    catalog.create_namespace("shop", {"owner": "me"})
    assert ("shop",) in catalog.list_namespaces()
    properties = catalog.load_namespace_properties("shop")
    assert properties == {"owner": "me", "location": f"file://{server.tarn.data}/lake/shop"}
    table = catalog.create_table("shop.people", people().schema)
    table.append(people((1, "Ada"), (2, "Bo")))
    table.append(people((3, None)))
    assert sql(server, "select id, name from shop.people order by id") == [
        {"id": 1, "name": "Ada"}, {"id": 2, "name": "Bo"}, {"id": 3, "name": None}]
    with table.update_schema() as update:
        update.add_column("height", DoubleType())
        update.rename_column("name", "called")
    table.append(pa.table({"id": pa.array([4], pa.int64()), "called": ["Cy"], "height": [1.8]}))
    assert sql(server, "select id, called, height from shop.people order by id")[2:] == [
        {"id": 3, "called": None, "height": None}, {"id": 4, "called": "Cy", "height": 1.8}]
    assert [row["id"] for row in rows_of(catalog.load_table("shop.people"))] == [1, 2, 3, 4]
    table.overwrite(pa.table({"id": pa.array([9], pa.int64()), "called": ["Zoe"], "height": [1.5]}))
    assert sql(server, "select id, called from shop.people") == [{"id": 9, "called": "Zoe"}]
    catalog.rename_table("shop.people", "shop.customers")
    assert catalog.list_tables("shop") == [("shop", "customers")]
    catalog.drop_table("shop.customers")
    with pytest.raises(NoSuchTableError):
        catalog.load_table("shop.customers")
    catalog.drop_namespace("shop")


def test_tarn_writes_and_pyiceberg_reads(server, catalog):
    sql(server, "create schema s; create table s.t (id bigint, name varchar); insert into s.t values (1, 'a'), (2, null)")
    assert rows_of(catalog.load_table("s.t")) == [{"id": 1, "name": "a"}, {"id": 2, "name": None}]
    catalog.load_table("s.t").append(people((3, "c")))
    sql(server, "insert into s.t values (4, 'd')")
    assert [row["id"] for row in rows_of(catalog.load_table("s.t"))] == [1, 2, 3, 4]
    assert [row["id"] for row in sql(server, "select id from s.t order by id")] == [1, 2, 3, 4]


def test_two_appends_at_once_conflict_and_nothing_is_lost(server, catalog):
    catalog.create_namespace("s")
    catalog.create_table("s.t", people().schema)
    first, second = catalog.load_table("s.t"), catalog.load_table("s.t")
    first.append(people((1, "a")))
    try:
        second.append(people((2, "b")))
    except CommitFailedException:
        second = catalog.load_table("s.t")
        second.append(people((2, "b")))
    assert [row["id"] for row in rows_of(catalog.load_table("s.t"))] == [1, 2]


def test_partitions_and_names(server, catalog):
    catalog.create_namespace("s")
    schema = Schema(NestedField(1, "id", LongType(), required=True), NestedField(2, "name", StringType()))
    table = catalog.create_table("s.With Blank+%", schema)
    with table.update_spec() as update:
        update.add_field("name", IdentityTransform(), "name")
    arrow = pa.table({"id": pa.array(range(20), pa.int64()), "name": [str(i % 3) for i in range(20)]},
                     schema=pa.schema([pa.field("id", pa.int64(), nullable=False), pa.field("name", pa.string())]))
    table.append(arrow)
    assert sql(server, 'select count(*) as n, sum(id) as s from s."With Blank+%"') == [{"n": 20, "s": 190}]
    with pytest.raises(TableAlreadyExistsError):
        catalog.create_table("s.with blank+%", schema)  # names differ by more than case


def body_of_append(server, catalog, identifier, rows):
    return commit_of(catalog.load_table(identifier), lambda table: table.append(rows))


def test_a_lost_answer_is_answered_again(server, catalog):
    catalog.create_namespace("s")
    catalog.create_table("s.t", people().schema)
    path, body = body_of_append(server, catalog, "s.t", people((1, "a")))
    headers = {"Content-Type": "application/json"}
    # The first answer is lost: its client is gone before it comes.
    address = urllib.parse.urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port)) as gone:
        gone.sendall(f"POST {path} HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {server.token}\r\n"
                     f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
    deadline = time.monotonic() + 20
    while not catalog.load_table("s.t").metadata.snapshots:
        assert time.monotonic() < deadline, "what was sent whole is done"
        time.sleep(0.02)
    status, first = server.send(path, body, headers)
    assert status == 200, first
    assert len(json.loads(first)["metadata"]["snapshots"]) == 1
    # The same again: nothing has changed since.
    assert server.send(path, body, headers) == (200, first)
    # Others have written meanwhile: its snapshot is in the history, so it was applied.
    catalog.load_table("s.t").append(people((2, "b")))
    status, again = server.send(path, body, headers)
    assert status == 200, again
    assert len(json.loads(again)["metadata"]["snapshots"]) == 2
    assert [row["id"] for row in rows_of(catalog.load_table("s.t"))] == [1, 2]
    assert sql(server, "select count(*) as n from s.t") == [{"n": 2}]


def test_idempotency_keys(server, catalog):
    key = {"Idempotency-Key": str(uuid.uuid4())}
    status, answer = server.request("/iceberg/v1/namespaces", {"namespace": ["keyed"]}, key)
    assert status == 200
    assert server.request("/iceberg/v1/namespaces", {"namespace": ["keyed"]}, key) == (status, answer)
    status, answer = server.request("/iceberg/v1/namespaces", {"namespace": ["other"]}, key)
    assert status == 422, answer
    # A refusal is kept, too, whatever has become possible since.
    key = {"Idempotency-Key": str(uuid.uuid4())}
    table = "/iceberg/v1/namespaces/keyed/tables/t"
    status, refused = server.request(table, headers=key, method="DELETE")
    assert status == 404
    catalog.create_table("keyed.t", people().schema)
    assert server.request(table, headers=key, method="DELETE") == (404, refused)
    assert catalog.table_exists("keyed.t")
    key = {"Idempotency-Key": str(uuid.uuid4())}
    assert server.request(table, headers=key, method="DELETE")[0] == 204
    assert server.request(table, headers=key, method="DELETE")[0] == 204
    assert server.request(table, headers={"Idempotency-Key": "x"}, method="DELETE")[0] == 400


def changed(body, change):
    document = json.loads(body)
    change(document)
    return json.dumps(document).encode()


def test_files_that_a_commit_names_are_looked_at(server, catalog, tmp_path):
    catalog.create_namespace("s")
    catalog.create_table("s.t", people().schema)
    path, body = body_of_append(server, catalog, "s.t", people((1, "a")))
    snapshot = next(update for update in json.loads(body)["updates"] if update["action"] == "add-snapshot")["snapshot"]
    manifests = pathlib.Path(urllib.parse.urlsplit(snapshot["manifest-list"]).path)

    def set_list(location):
        def change(document):
            for update in document["updates"]:
                if update["action"] == "add-snapshot":
                    update["snapshot"]["manifest-list"] = location
        return change

    for location, status, word in [(f"file://{tmp_path}/elsewhere.avro", 403, "does not lie"),
                                   ("file:///etc/passwd", 403, "does not lie"),
                                   ("s3://bucket/list.avro", 400, "not a path on this machine"),
                                   (f"file://{manifests.parent}/../../../x.avro", 403, "does not lie"),
                                   (f"file://{manifests.parent}/none.avro", 400, "not there")]:
        got, answer = server.send(path, changed(body, set_list(location)))
        assert got == status and word in json.loads(answer)["error"]["message"], (location, answer)
    data = next(manifests.parent.parent.glob("data/**/*.parquet"))
    kept = data.read_bytes()
    data.write_bytes(kept + b"x")
    got, answer = server.send(path, body)
    assert got == 400 and "bytes, but it has" in json.loads(answer)["error"]["message"], answer
    data.unlink()
    got, answer = server.send(path, body)
    assert got == 400 and str(data) in json.loads(answer)["error"]["message"], answer
    data.write_bytes(kept)
    assert server.send(path, body)[0] == 200
    assert sql(server, "select * from s.t") == [{"id": 1, "name": "a"}]


def test_transactions_are_all_or_nothing(server, catalog):
    catalog.create_namespace("s")
    for name in ("a", "b"):
        catalog.create_table(f"s.{name}", people().schema)

    def change_of(name, requirement):
        return {"identifier": {"namespace": ["s"], "name": name}, "requirements": [requirement],
                "updates": [{"action": "set-properties", "updates": {"x": "1"}}]}

    uuids = {name: str(catalog.load_table(f"s.{name}").metadata.table_uuid) for name in ("a", "b")}
    good = [change_of(name, {"type": "assert-table-uuid", "uuid": uuids[name]}) for name in ("a", "b")]
    bad = [good[0], change_of("b", {"type": "assert-table-uuid", "uuid": uuids["a"]})]
    status, answer = server.request("/iceberg/v1/transactions/commit", {"table-changes": bad})
    assert status == 409 and json.loads(answer)["error"]["type"] == "CommitFailedException", answer
    assert all("x" not in catalog.load_table(f"s.{name}").properties for name in ("a", "b"))
    assert server.request("/iceberg/v1/transactions/commit", {"table-changes": good})[0] == 204
    assert all(catalog.load_table(f"s.{name}").properties["x"] == "1" for name in ("a", "b"))
    unknown = [{**good[0], "updates": [{"action": "make-tea"}]}]
    assert server.request("/iceberg/v1/transactions/commit", {"table-changes": unknown})[0] == 400


def test_tokens(server):
    def form(**fields):
        return server.send("/iceberg/v1/oauth/tokens", urllib.parse.urlencode(fields).encode(),
                           {"Authorization": "", "Content-Type": "application/x-www-form-urlencoded"})

    status, answer = form(grant_type="client_credentials", client_id="me", client_secret="wrong")
    assert status == 401 and json.loads(answer)["error"] == "invalid_client"
    assert json.loads(form(grant_type="password")[1])["error"] == "unsupported_grant_type"
    status, answer = form(grant_type="client_credentials", client_id="me", client_secret=server.token)
    assert status == 200
    token = json.loads(answer)["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    assert server.request("/iceberg/v1/namespaces", headers=bearer)[0] == 200
    assert server.request("/api/v1/status", headers=bearer)[0] == 401  # it is for the catalog only
    status, answer = server.request("/iceberg/v1/namespaces", headers={"Authorization": f"Bearer {token}0"})
    assert status == 401 and json.loads(answer)["error"]["code"] == 401
    exchange = "urn:ietf:params:oauth:grant-type:token-exchange"
    assert form(grant_type=exchange, subject_token=token)[0] == 200
    assert form(grant_type=exchange, subject_token=token + "0")[0] == 401
    catalog = load_catalog("tarn", type="rest", uri=server.url + "/iceberg", credential=f"me:{server.token}")
    assert ("public",) in catalog.list_namespaces()


def test_an_etag_spares_a_load(server, catalog):
    catalog.create_namespace("s")
    catalog.create_table("s.t", people().schema).append(people((1, "a")))
    def load(tag=None, query=""):
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(server.url).netloc)
        headers = {"Authorization": f"Bearer {server.token}", **({"If-None-Match": tag} if tag else {})}
        connection.request("GET", "/iceberg/v1/namespaces/s/tables/t" + query, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.getheader("ETag"), answer.read()

    status, tag, _ = load()
    assert status == 200 and tag
    assert load(tag)[0] == 304 and load(tag)[2] == b""
    assert load(tag, "?snapshots=refs")[0] == 200  # another representation has a tag of its own
    catalog.load_table("s.t").append(people((2, "b")))
    status, other, body = load(tag)
    assert status == 200 and other != tag
    assert len(json.loads(body)["metadata"]["snapshots"]) == 2
    assert len(json.loads(load(None, "?snapshots=refs")[2])["metadata"]["snapshots"]) == 1


def test_pages(server, catalog):
    catalog.create_namespace("s")
    names = sorted(f"t{i}" for i in range(7))
    for name in names:
        catalog.create_table(f"s.{name}", people().schema)
    found, token = [], ""
    while token is not None:
        query = urllib.parse.urlencode({"pageSize": 3, "pageToken": token})
        page = server.json(f"/iceberg/v1/namespaces/s/tables?{query}")
        assert len(page["identifiers"]) <= 3
        found += [one["name"] for one in page["identifiers"]]
        token = page["next-page-token"]
    assert found == names
    assert len(server.json("/iceberg/v1/namespaces/s/tables")["identifiers"]) == 7


def test_what_is_wrong_is_told(server, catalog):
    def error(path, body=None, method=None):
        status, answer = server.request("/iceberg" + path, body, method=method)
        told = json.loads(answer)["error"]
        assert told["code"] == status and told["message"], answer
        return status, told["type"]

    assert error("/v1/namespaces/none") == (404, "NoSuchNamespaceException")
    assert error("/v1/namespaces/public/tables/none") == (404, "NoSuchTableException")
    assert error("/v1/namespaces/public/views/none") == (404, "NoSuchViewException")
    assert error("/v1/namespaces/none/tables", {"name": "t", "schema": {"type": "struct", "fields": []}}) == (
        404, "NoSuchNamespaceException")
    assert error("/v1/namespaces", {"namespace": ["a.b"]}) == (400, "BadRequestException")
    assert error("/v1/namespaces", {"namespace": []}) == (400, "BadRequestException")
    assert error("/v1/nothing") == (404, "NotFoundException")
    assert error("/v1/namespaces", method="PUT") == (405, "MethodNotAllowedException")
    assert error("/v1/namespaces/_tarn/tables", {"name": "t"}) == (403, "ForbiddenException")
    assert server.send("/iceberg/v1/namespaces", b"[" * 100000)[0] == 400
    schema = {"type": "struct", "fields": [{"id": 1, "name": "a", "type": "variant", "required": False}]}
    status, answer = server.request("/iceberg/v1/namespaces/public/tables", {"name": "t", "schema": schema})
    assert status == 400 and "version 3" in json.loads(answer)["error"]["message"]
    for version in ("3", "0", "x"):
        status, _ = error("/v1/namespaces/public/tables", {
            "name": "t", "properties": {"format-version": version},
            "schema": {"type": "struct", "fields": [{"id": 1, "name": "a", "type": "int", "required": False}]}})
        assert status == 400
    location = {"name": "t", "location": "file:///etc/t",
                "schema": {"type": "struct", "fields": [{"id": 1, "name": "a", "type": "int", "required": False}]}}
    assert error("/v1/namespaces/public/tables", location) == (403, "ForbiddenException")
    assert error("/v1/namespaces/public/register", {"name": "t", "metadata-location": "file:///etc/passwd"}) == (
        403, "ForbiddenException")


def test_a_table_is_registered(server, catalog):
    catalog.create_namespace("s")
    table = catalog.create_table("s.t", people().schema)
    table.append(people((1, "a")))
    location = catalog.load_table("s.t").metadata_location
    status, _ = server.request("/iceberg/v1/namespaces/s/register", {"name": "twice", "metadata-location": location})
    assert status == 409  # one table, one name
    catalog.drop_table("s.t")
    registered = catalog.register_table("s.again", location)
    assert rows_of(registered) == [{"id": 1, "name": "a"}]
    registered.append(people((2, "b")))
    assert sql(server, "select count(*) as n from s.again") == [{"n": 2}]


def test_compressed_metadata_is_registered(server, catalog):
    """Other engines write it so when a property of the table asks for it."""
    catalog.create_namespace("s")
    catalog.create_table("s.t", people().schema).append(people((1, "a")))
    location = catalog.load_table("s.t").metadata_location
    catalog.drop_table("s.t")
    path = pathlib.Path(urllib.parse.urlsplit(location).path)
    packed = path.with_name(path.name.replace(".metadata.json", ".gz.metadata.json"))
    packed.write_bytes(gzip.compress(path.read_bytes()))
    registered = catalog.register_table("s.again", f"file://{packed}")
    assert rows_of(registered) == [{"id": 1, "name": "a"}]
    assert sql(server, "select * from s.again") == [{"id": 1, "name": "a"}]
    registered.append(people((2, "b")))
    assert sql(server, "select count(*) as n from s.again") == [{"n": 2}]
    broken = packed.with_name("00009-x.gz.metadata.json")
    broken.write_bytes(packed.read_bytes()[:100])
    status, answer = server.request("/iceberg/v1/namespaces/s/register", {"name": "x", "metadata-location": f"file://{broken}"})
    assert status == 400 and str(broken) in json.loads(answer)["error"]["message"], answer


def test_documents_of_another_kind_are_not_registered(server, catalog):
    """Whoever names them has made a mistake: 400, no 500, which would say that the lake is damaged."""
    sql(server, "create schema s; create table s.t (id bigint); create view s.v as select 1 as x")
    table = catalog.load_table("s.t").metadata_location
    view = server.json("/iceberg/v1/namespaces/s/views/v")["metadata-location"]
    for path, location in (("register", view), ("register-view", table)):
        status, answer = server.request(f"/iceberg/v1/namespaces/s/{path}", {"name": "x", "metadata-location": location})
        assert status == 400 and location in json.loads(answer)["error"]["message"], answer
    status, answer = server.request("/iceberg/v1/namespaces/s/register-view", {"name": "x", "metadata-location": "file:///etc/passwd"})
    assert status == 403, answer


def test_an_equal_commit_of_another_table_is_another_commit(server, catalog):
    sql(server, "create schema s; create table s.t (id bigint)")
    body = {"requirements": [], "updates": []}
    first = server.json("/iceberg/v1/namespaces/s/tables/t", body)
    sql(server, "alter table s.t rename to u; create table s.t (id bigint)")
    second = server.json("/iceberg/v1/namespaces/s/tables/t", body)
    assert first["metadata"]["table-uuid"] != second["metadata"]["table-uuid"]


def files_of(server, name):
    return [path for path in (server.tarn.data / "lake/s").rglob("*") if path.is_file() and path.parent.parent.name.startswith(f"{name}-")]


def test_purge(server, catalog):
    """The versions of a purged table are past their time at once, its files are left to `tarn clean`; gc.enabled=false keeps both."""
    sql(server, "create schema s")
    for name in ("purged", "kept", "dropped"):
        properties = {"gc.enabled": "false"} if name == "kept" else {}
        catalog.create_table(f"s.{name}", people().schema, properties=properties).append(people((1, "a")))
    version = server.json("/api/v1/overview")["lake_version"]
    catalog.purge_table("s.purged")
    catalog.purge_table("s.kept")
    catalog.drop_table("s.dropped")
    for name in ("kept", "dropped"):
        assert sql(server, f"select id from s.{name} at (version => {version})") == [{"id": 1}]
    status, answer = server.request("/api/v1/sql", {"sql": f"select id from s.purged at (version => {version})"})
    assert status == 404 and b"it expired at" in answer, answer
    long_ago = time.time() - 3 * 86400
    for path in (server.tarn.data / "lake").rglob("*"):
        os.utime(path, (long_ago, long_ago))
    # A file goes a day after its version has expired, and no sooner.
    server.tarn.run("clean")
    assert files_of(server, "purged") and files_of(server, "kept") and files_of(server, "dropped")
    with contextlib.closing(sqlite3.connect(server.tarn.data / "control.sqlite")) as records, records:
        records.execute("update lake_tables set expired_at = expired_at - 3 * 86400 * 1000000 where expired_at is not null")
    server.tarn.run("clean")
    assert not files_of(server, "purged") and files_of(server, "kept") and files_of(server, "dropped")


def test_many_writers(server):
    catalog_of(server).create_namespace("s")
    catalog_of(server).create_table("s.t", people().schema)
    done = []

    def write(writer):
        catalog = catalog_of(server)
        for i in range(5):
            while True:
                try:
                    catalog.load_table("s.t").append(people((writer * 100 + i, "x")))
                    done.append(writer * 100 + i)
                    break
                except CommitFailedException:
                    continue

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(row["id"] for row in sql(server, "select id from s.t")) == sorted(done)
    assert len(done) == 15


def test_it_holds_after_a_restart(tarn):
    server = Server(tarn)
    catalog = catalog_of(server)
    catalog.create_namespace("s")
    catalog.create_table("s.t", people().schema).append(people((1, "a")))
    token = json.loads(server.send("/iceberg/v1/oauth/tokens", urllib.parse.urlencode(
        {"grant_type": "client_credentials", "client_secret": server.token}).encode())[1])["access_token"]
    server.process.kill()
    server.process.wait()
    (tarn.data / "server.json").unlink()
    server = Server(tarn)
    bearer = {"Authorization": f"Bearer {token}"}
    assert server.request("/iceberg/v1/namespaces/s/tables/t", headers=bearer)[0] == 200
    assert rows_of(catalog_of(server).load_table("s.t")) == [{"id": 1, "name": "a"}]
    server.stop()


def test_pyiceberg_deletes_upserts_and_overwrites(server, catalog):
    catalog.create_namespace("s")
    table = catalog.create_table("s.t", people().schema)
    table.append(people(*((i, f"n{i}") for i in range(10))))
    table.delete("id < 3")
    assert [row["id"] for row in sql(server, "select id from s.t order by id")] == list(range(3, 10))
    done = table.upsert(people((3, "three"), (20, "twenty")), join_cols=["id"])
    assert (done.rows_updated, done.rows_inserted) == (1, 1)
    expected = [{"id": 3, "name": "three"}, *({"id": i, "name": f"n{i}"} for i in range(4, 10)), {"id": 20, "name": "twenty"}]
    assert sql(server, "select id, name from s.t order by id") == expected == rows_of(table)
    table.overwrite(people((20, "again")), overwrite_filter="id = 20")
    assert sql(server, "select name from s.t where id = 20") == [{"name": "again"}]
    with table.update_schema() as update:
        update.delete_column("name")
    assert sql(server, "select * from s.t where id = 20") == [{"id": 20}]
    # What was, is still there to be read.
    first = table.metadata.snapshots[0].snapshot_id
    assert table.scan(snapshot_id=first).to_arrow().num_rows == 10
    with table.manage_snapshots() as manage:
        manage.create_tag(first, "start")
    assert catalog.load_table("s.t").metadata.refs["start"].snapshot_id == first


def test_duckdb_reads_and_writes(server, catalog):
    catalog.create_namespace("s")
    catalog.create_table("s.t", people().schema).append(people((1, "a")))
    base = pathlib.Path(duckdb.__file__).parent.parent
    with duckdb.connect(config={"allow_unsigned_extensions": "false"}) as peer:
        for name in ("httpfs", "avro", "iceberg"):
            peer.execute(f"load '{next(base.glob(f'duckdb_extension_{name}/**/{name}.duckdb_extension'))}'")
        peer.execute(f"create secret tarn (type iceberg, token '{server.token}')")
        peer.execute(f"attach 'lake' as tarn (type iceberg, endpoint '{server.url}/iceberg', secret tarn)")
        assert peer.execute("select id, name from tarn.s.t").fetchall() == [(1, "a")]
        peer.execute("insert into tarn.s.t values (2, 'b')")
        peer.execute("create table tarn.s.u as select 7 as x")
    assert sql(server, "select id, name from s.t order by id") == [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]
    assert sql(server, "select x from s.u") == [{"x": 7}]
