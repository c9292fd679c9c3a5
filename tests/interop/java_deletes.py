"""Equality deletes as Flink's sink commits them: by Apache Iceberg's own Java classes, out of the runtime that Spark has loaded."""

import datetime


class JavaWriter:
    """Writes rows and equality deletes into one table of a catalog of Spark's."""

    def __init__(self, session, table):
        self.session, self.table = session, table
        self.java = session.sparkContext._jvm
        self.iceberg = self.java.org.apache.iceberg

    def value(self, given):
        """A value of Python's as the one that Iceberg's generic rows have for it."""
        return self.java.java.time.LocalDate.of(given.year, given.month, given.day) if isinstance(given, datetime.date) else given

    def record(self, schema, members):
        made = self.iceberg.data.GenericRecord.create(schema)
        for name, given in members.items():
            made.setField(name, self.value(given))
        return made

    def factory(self, table, spec, keys):
        """(maker of files, schema of the rows of its equality deletes)"""
        names = self.java.java.util.ArrayList()
        ids = self.session.sparkContext._gateway.new_array(self.java.int, len(keys))
        for i, key in enumerate(keys):
            names.add(key)
            ids[i] = table.schema().findField(key).fieldId()
        schema = table.schema().select(names)
        return self.iceberg.data.GenericAppenderFactory(table.schema(), spec, ids, schema, None), schema

    def upsert(self, keys, gone=(), rows=(), partition=None, spec_id=None):
        """One commit: `gone`, dicts of the keys, are deleted from what was there before; `rows`, dicts, are added. Both are of one
        partition, dicts of the spec's fields. Returns the number of equality deletes that Java says it wrote."""
        table = self.iceberg.spark.Spark3Util.loadIcebergTable(self.session._jsparkSession, self.table)
        spec = table.spec() if spec_id is None else table.specs().get(spec_id)
        made, key_schema = self.factory(table, spec, keys)
        place = self.record(self.iceberg.Schema(spec.partitionType().fields()), partition) if partition else None
        format_ = self.iceberg.FileFormat.PARQUET
        files = self.iceberg.io.OutputFileFactory.builderFor(table, 1, 1).format(format_).build()
        output = (lambda: files.newOutputFile(spec, place)) if place else files.newOutputFile
        delta, written = table.newRowDelta(), 0
        if gone:
            writer = made.newEqDeleteWriter(output(), format_, place)
            for key in gone:
                writer.write(self.record(key_schema, key))
            writer.close()
            written = writer.toDeleteFile().recordCount()
            delta.addDeletes(writer.toDeleteFile())
        if rows:
            writer = made.newDataWriter(output(), format_, place)
            for row in rows:
                writer.write(self.record(table.schema(), row))
            writer.close()
            delta.addRows(writer.toDataFile())
        delta.commit()
        return written
