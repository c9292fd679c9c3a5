"""Spark in this process, local[1], with Iceberg's runtime and a JDBC catalog on SQLite."""

import contextlib
import datetime
import os
import pathlib
import sys

from conftest import DEPS
from sql_peer import SqlPeer

HOME = DEPS / "interop/spark"
JARS = sorted((DEPS / "interop/jars").glob("*.jar"))
ICEBERG = next((jar.stem.rsplit("-", 1)[1] for jar in JARS if jar.name.startswith("iceberg-")), "")


class Spark(SqlPeer):
    name = "Spark"
    catalog = "peer"  # in which tables are looked for
    literals = {
        "date": "date '%s'",
        "ts": "timestamp_ntz '%s'",
        "tz": "timestamp '%s+00:00'",
        "uuid": "'%s'",
        "blob": "X'%s'",
        "nan": "isnan(%s)",
        "missing": "%s is null",
    }

    def __init__(self, folder):
        os.environ["SPARK_HOME"] = str(HOME / "deps")
        os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
        for java in pathlib.Path("/usr/lib/jvm").glob("java-17-openjdk-*"):  # where Debian has it; another may be first on the PATH
            os.environ.setdefault("JAVA_HOME", str(java))
        sys.path.insert(0, str(HOME))
        from pyspark.sql import SparkSession

        settings = {
            "spark.jars": ",".join(map(str, JARS)),
            "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
            "spark.sql.catalog.peer": "org.apache.iceberg.spark.SparkCatalog",
            "spark.sql.catalog.peer.type": "jdbc",
            "spark.sql.catalog.peer.uri": f"jdbc:sqlite:{folder}/catalog.sqlite",
            "spark.sql.catalog.peer.warehouse": f"file://{folder}/warehouse",
            "spark.sql.catalog.peer.jdbc.schema-version": "V1",
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.warehouse.dir": f"{folder}/own",
            "spark.sql.shuffle.partitions": "1",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.log.level": "ERROR",
        }
        builder = SparkSession.builder.master("local[1]")
        for key, value in settings.items():
            builder = builder.config(key, value)
        self.session = builder.getOrCreate()
        self.version = f"{self.session.version}, Iceberg {ICEBERG}"

    def connect(self, catalog, settings):
        """Attaches a catalog, which is the one from now on."""
        for key, value in {"": "org.apache.iceberg.spark.SparkCatalog", **settings}.items():
            self.session.conf.set(f"spark.sql.catalog.{catalog}{'.' if key else ''}{key}", value)
        self.catalog = catalog

    def register(self, schema, name, location):
        self.session.sql(f"create namespace if not exists peer.`{schema}`")
        self.session.sql(f"call peer.system.register_table(table => '`{schema}`.`{name}`', metadata_file => '{location}')")

    def source(self, schema, name, snapshot=None, time_ms=None):
        table = f"{self.catalog}.`{schema}`.`{name}`"
        if snapshot is not None:
            return f"{table} version as of {snapshot}"
        if time_ms is not None:
            return f"{table} timestamp as of timestamp_millis({time_ms})"
        return table

    def inside(self, schema, name, what):
        """A metadata table: snapshots, files, history, partitions."""
        return f"{self.catalog}.`{schema}`.`{name}`.{what}"

    file_column = "_file"

    def ask(self, sql):
        from py4j.protocol import Py4JJavaError

        try:
            return self.answer(sql)
        except Py4JJavaError as error:  # with hundreds of lines about Spark's inside
            raise RuntimeError(f"{error.java_exception.toString()} in: {sql}") from None

    def answer(self, sql):
        frame = self.session.sql(sql)
        return frame.columns, [value(row, frame.schema) for row in frame.collect()]

    @contextlib.contextmanager
    def setting(self, key, value):
        """The session's setting, within the block."""
        self.session.conf.set(key, value)
        try:
            yield
        finally:
            self.session.conf.unset(key)

    def stop(self):
        self.session.stop()


def value(given, type_):
    """A value of Spark's as the type of Python that pyarrow has for it."""
    kind = type_.typeName()
    if given is None:
        return None
    if kind == "struct":
        return {field.name: value(given[i], field.dataType) for i, field in enumerate(type_.fields)}
    if kind == "array":
        return [value(item, type_.elementType) for item in given]
    if kind == "map":
        return [(value(k, type_.keyType), value(v, type_.valueType)) for k, v in given.items()]
    if kind == "timestamp":  # an instant, given in the local time zone
        return given.astimezone(datetime.timezone.utc)
    return given
