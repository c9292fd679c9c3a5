"""The peers on Tarn's own catalog, /iceberg: how each is connected, and its words where SQL differs. Spark and Trino come by
OAuth2 client credentials here; that the texts which `tarn serve` prints work as they are is tested beside."""

import sys

import duckdb
from pyiceberg.catalog import load_catalog

from conftest import DEPS
from lossy_proxy import LossyProxy
from readers import extension_folder
from small_peers import DuckDB, PyIceberg
from spark_peer import Spark
from trino_peer import Trino

CATALOG = "tarn"


class RestSpark(Spark):
    types = {"text": "string", "ts": "timestamp_ntz", "tz": "timestamp", "blob": "binary"}
    shapes = {"list": "array<int>", "struct": "struct<a: int, b: string>", "map": "map<string, int>"}
    lacks = ("time", "uuid")
    widen = "alter table {t} alter column {column} type {type}"

    def __init__(self, folder, server):
        super().__init__(folder)
        self.token = server.token
        self.attach(CATALOG, server.url)

    def through(self, proxy, catalog):
        self.attach(catalog, proxy.url)
        self.catalog = CATALOG

    def attach(self, catalog, url):
        self.connect(catalog, {"type": "rest", "uri": f"{url}/iceberg", "credential": f"me:{self.token}", "scope": "catalog",
                               "oauth2-server-uri": f"{url}/iceberg/v1/oauth/tokens",
                               # Spark keeps a table that it has loaded for 30 s; others write to these, too.
                               "cache-enabled": "false"})

    def creation(self, columns, partitions=(), merge_on_read=False, properties=None):
        properties = {**(properties or {}), **({f"write.{what}.mode": "merge-on-read" for what in ("delete", "update", "merge")}
                                               if merge_on_read else {})}
        text = f"create table {{t}} ({columns}) using iceberg"
        if partitions:
            text += f" partitioned by ({', '.join(partitions)})"
        if properties:
            text += " tblproperties (" + ", ".join(f"'{key}' = '{value}'" for key, value in properties.items()) + ")"
        return text


class RestTrino(Trino):
    types = {"text": "varchar", "ts": "timestamp(6)", "tz": "timestamp(6) with time zone", "blob": "varbinary", "uuid": "uuid",
             "time": "time(6)", "float": "real"}
    shapes = {"list": "array(integer)", "struct": "row(a integer, b varchar)", "map": "map(varchar, integer)"}
    lacks = ()
    widen = "alter table {t} alter column {column} set data type {type}"

    def __init__(self, folder, server):
        self.proxy = LossyProxy(server.url)  # Trino has its catalogs from the start
        super().__init__(folder, {name: f"""connector.name=iceberg
iceberg.catalog.type=rest
iceberg.rest-catalog.uri={url}/iceberg
iceberg.rest-catalog.security=OAUTH2
iceberg.rest-catalog.oauth2.credential=me:{server.token}
iceberg.rest-catalog.oauth2.scope=catalog
iceberg.rest-catalog.oauth2.server-uri={server.url}/iceberg/v1/oauth/tokens
iceberg.expire-snapshots.min-retention=0s
iceberg.remove-orphan-files.min-retention=0s
fs.hadoop.enabled=true
""" for name, url in ((CATALOG, server.url), ("lossy", self.proxy.url))})
        self.catalog = CATALOG

    def through(self, proxy, catalog):
        assert catalog == "lossy"
        self.proxy.follow(proxy)

    def stop(self):
        super().stop()
        self.proxy.stop()

    def creation(self, columns, partitions=(), merge_on_read=True, properties=None):
        given = {**(properties or {})}
        if partitions:
            given["partitioning"] = "ARRAY[" + ", ".join(f"'{one}'" for one in partitions) + "]"
        text = f"create table {{t}} ({columns})"
        return text + (" with (" + ", ".join(f"{key} = {value}" for key, value in given.items()) + ")" if given else "")


class RestDuckDB(DuckDB):
    types = {"text": "varchar", "ts": "timestamp", "tz": "timestamptz", "blob": "blob", "uuid": "uuid", "time": "time", "float": "float"}
    shapes = {"list": "integer[]", "struct": "struct(a integer, b varchar)", "map": "map(varchar, integer)"}
    lacks = ()
    widen = "alter table {t} alter column {column} type {type}"

    def __init__(self, folder, server):
        self.connection = duckdb.connect(config={"extension_directory": str(extension_folder(folder))})
        self.connection.execute("set timezone = 'UTC'")
        self.connection.execute("load httpfs; load iceberg")
        self.connection.execute(f"create secret tarn (type iceberg, client_id 'me', client_secret '{server.token}', "
                                f"oauth2_server_uri '{server.url}/iceberg/v1/oauth/tokens')")
        self.connection.execute(f"attach 'lake' as {CATALOG} (type iceberg, endpoint '{server.url}/iceberg', secret tarn)")

    def through(self, proxy, catalog):
        self.connection.execute(f"attach 'lake' as {catalog} (type iceberg, endpoint '{proxy.url}/iceberg', secret tarn)")

    def source(self, schema, name, snapshot=None, time_ms=None):
        at = f" at (version => {snapshot})" if snapshot is not None else ""
        return f'{CATALOG}."{schema}"."{name}"{at}'

    def ask(self, sql):
        done = self.connection.execute(sql)
        if done.description is None:
            return [], []
        table = done.to_arrow_table()
        return table.column_names, table.to_pylist()

    def creation(self, columns, partitions=(), merge_on_read=True, properties=None):
        text = f"create table {{t}} ({columns})"
        return text + (f" partitioned by ({', '.join(partitions)})" if partitions else "")


class RestPyIceberg(PyIceberg):
    def __init__(self, folder, server):
        super().__init__(folder)
        sys.path.append(str(DEPS / "interop/python"))  # pyiceberg-core: transforms of partitions
        self.server = server
        self.catalog = self.connected(server)

    def connected(self, at):
        """A catalog at a server, or at a proxy before it."""
        return load_catalog(CATALOG, type="rest", uri=f"{at.url}/iceberg", credential=f"me:{self.server.token}",
                            **{"oauth2-server-uri": f"{self.server.url}/iceberg/v1/oauth/tokens"})

    def rows(self, schema, name, where=None, snapshot=None, time_ms=None):
        self.tables[schema, name] = self.catalog.load_table((schema, name))
        return super().rows(schema, name, where, snapshot, time_ms)
