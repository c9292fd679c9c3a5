"""The two readers that ./dev test asks too: pyiceberg, and DuckDB's own iceberg extension. Neither needs a catalog."""

import datetime

import duckdb
import pyiceberg
from pyiceberg.table import StaticTable

from readers import duckdb_with_iceberg, sorted_rows
from sql_peer import Peer, SqlPeer


class PyIceberg(Peer):
    name = "pyiceberg"
    version = pyiceberg.__version__
    literals = {
        "date": "'%s'",
        "ts": lambda text: f"'{text.replace(' ', 'T')}'",
        "tz": lambda text: f"'{text.replace(' ', 'T')}+00:00'",
        "uuid": "'%s'",
        "nan": "%s is nan",
    }

    def __init__(self, folder):
        self.tables = {}

    def register(self, schema, name, location):
        self.tables[schema, name] = StaticTable.from_metadata(location)

    def rows(self, schema, name, where=None, snapshot=None, time_ms=None):
        table = self.tables[schema, name]
        if time_ms is not None:
            snapshot = table.snapshot_as_of_timestamp(time_ms).snapshot_id
        options = {"row_filter": self.predicate(where)} if where else {}
        found = table.scan(snapshot_id=snapshot, **options).to_arrow()
        return found.column_names, sorted_rows(found.to_pylist())


class DuckDB(SqlPeer):
    name = "DuckDB iceberg"
    version = duckdb.__version__
    literals = {
        "date": "date '%s'",
        "ts": "timestamp '%s'",
        "tz": "timestamptz '%s+00'",
        "uuid": "'%s'",
        "blob": lambda text: "'" + "".join(f"\\x{text[i:i + 2]}" for i in range(0, len(text), 2)) + "'::blob",
        "nan": "isnan(%s)",
        "missing": "%s is null",
    }

    def __init__(self, folder):
        self.connection = duckdb_with_iceberg()
        self.connection.execute("set timezone = 'UTC'")
        self.locations = {}

    def register(self, schema, name, location):
        self.locations[schema, name] = location.removeprefix("file://")

    def source(self, schema, name, snapshot=None, time_ms=None):
        at = ""
        if snapshot is not None:
            at = f", snapshot_from_id => {snapshot}"
        elif time_ms is not None:
            moment = datetime.datetime.fromtimestamp(time_ms / 1000, datetime.timezone.utc)
            at = f", snapshot_from_timestamp => timestamp '{moment:%Y-%m-%d %H:%M:%S}.{time_ms % 1000:03}'"
        return f"iceberg_scan('{self.locations[schema, name]}'{at})"

    def ask(self, sql):
        table = self.connection.execute(sql).to_arrow_table()
        return table.column_names, table.to_pylist()
