"""An S3 server on loopback that checks signatures and policies (moto), and a REST catalog whose Iceberg tables lie there."""

import http.server
import json
import subprocess
import threading
import uuid

import pyarrow.fs
from pyiceberg.io import load_file_io
from pyiceberg.serializers import ToOutputFile
from pyiceberg.table.metadata import new_table_metadata
from pyiceberg.table.update import update_table_metadata
from pyiceberg.catalog.rest import CreateTableRequest
from pyiceberg.partitioning import UNPARTITIONED_PARTITION_SPEC
from pyiceberg.table import CommitTableRequest
from pyiceberg.table.sorting import UNSORTED_SORT_ORDER

from conftest import DEPS, ROOT

REGION = "eu-west-1"


class S3:
    """`owner` writes, `reader` reads, both in the buckets `shop` and `other`."""

    def __init__(self):
        python = DEPS / "s3-venv" / "bin" / "python"
        self.process = subprocess.Popen([python, ROOT / "tests/attach/s3_main.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        made = json.loads(self.process.stdout.readline())
        self.url, self.owner, self.reader = made["url"], made["owner"], made["reader"]
        self.endpoint = self.url.removeprefix("http://")
        self.files = pyarrow.fs.S3FileSystem(access_key=self.owner["key"], secret_key=self.owner["secret"], region=REGION,
                                             endpoint_override=self.endpoint, scheme="http")

    def put(self, path, data):
        with self.files.open_output_stream(path) as file:
            file.write(data)

    @property
    def iceberg(self):
        """For pyiceberg's own reading and writing."""
        return {"s3.endpoint": self.url, "s3.access-key-id": self.owner["key"], "s3.secret-access-key": self.owner["secret"],
                "s3.region": REGION}

    @property
    def delta(self):
        """For the Delta library's."""
        return {"AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": self.owner["key"], "AWS_SECRET_ACCESS_KEY": self.owner["secret"],
                "AWS_REGION": REGION, "AWS_ALLOW_HTTP": "true"}

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=20)


class Catalog:
    """The least of Iceberg's REST protocol that pyiceberg needs to write a table and DuckDB to read it."""

    def __init__(self, s3):
        self.tables = {}  # (namespace, name) -> (metadata, location)
        self.io = load_file_io(s3.iceberg)
        catalog = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def answer(self, status, body=b"{}"):
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def do_GET(self):
                self.answer(*catalog.get(self.path.split("?")[0]))

            do_HEAD = do_GET

            def do_POST(self):
                self.answer(*catalog.post(self.path.split("?")[0], self.rfile.read(int(self.headers["Content-Length"]))))

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def get(self, path):
        parts = path.removeprefix("/v1/").split("/")
        spaces = sorted({space for space, _ in self.tables} | {"shop"})
        if parts == ["config"]:
            return 200, b'{"defaults": {}, "overrides": {}}'
        if parts == ["namespaces"]:
            return 200, json.dumps({"namespaces": [[space] for space in spaces]}).encode()
        if len(parts) == 2 and parts[1] in spaces:
            return 200, json.dumps({"namespace": [parts[1]], "properties": {}}).encode()
        if len(parts) == 3 and parts[2] == "tables":
            names = [{"namespace": [space], "name": name} for space, name in sorted(self.tables) if space == parts[1]]
            return 200, json.dumps({"identifiers": names}).encode()
        if len(parts) == 4 and (parts[1], parts[3]) in self.tables:
            return self.table(parts[1], parts[3])
        return 404, b'{"error": {"message": "not there", "type": "NoSuchTableException", "code": 404}}'

    def post(self, path, body):
        parts = path.removeprefix("/v1/").split("/")
        if len(parts) == 3:
            request = CreateTableRequest.model_validate({"location": None, "partition-spec": None, "write-order": None, **json.loads(body)})
            location = f"s3://shop/lake/{parts[1]}/{request.name}"
            metadata = new_table_metadata(request.table_schema, request.partition_spec or UNPARTITIONED_PARTITION_SPEC,
                                          request.write_order or UNSORTED_SORT_ORDER, location, request.properties)
            return self.keep(parts[1], request.name, metadata)
        request = CommitTableRequest.model_validate_json(body)
        metadata, location = self.tables[parts[1], parts[3]]
        for requirement in request.requirements:
            requirement.validate(metadata)
        return self.keep(parts[1], parts[3], update_table_metadata(metadata, request.updates, metadata_location=location))

    def keep(self, space, name, metadata):
        location = f"{metadata.location}/metadata/{uuid.uuid4()}.metadata.json"
        ToOutputFile.table_metadata(metadata, self.io.new_output(location))
        self.tables[space, name] = (metadata, location)
        return self.table(space, name)

    def table(self, space, name):
        metadata, location = self.tables[space, name]
        return 200, json.dumps({"metadata-location": location, "metadata": json.loads(metadata.model_dump_json()), "config": {}}).encode()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
