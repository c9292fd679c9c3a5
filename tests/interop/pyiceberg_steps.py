"""What pyiceberg, which has no SQL, does of the operations of test_catalog; the oracle takes the same steps in SQL."""

import datetime
import decimal

import pyarrow as pa
from pyiceberg.exceptions import CommitFailedException, CommitStateUnknownException, ServiceUnavailableError
from pyiceberg.schema import Schema
from pyiceberg.transforms import BucketTransform, IdentityTransform, MonthTransform, TruncateTransform
from pyiceberg.types import (BinaryType, BooleanType, DateType, DecimalType, DoubleType, FloatType, IntegerType, ListType, LongType, MapType,
                             NestedField, StringType, StructType, TimestampType, TimestamptzType, TimeType, UUIDType)
from requests.exceptions import RequestException

from lossy_proxy import LossyProxy

PEOPLE = pa.schema([("k", pa.int64()), ("s", pa.string()), ("v", pa.float64()), ("day", pa.date32())])


def table_of(shared):
    return shared.peer.catalog.load_table((shared.schema, shared.table))


def arrow(rows, schema=PEOPLE):
    return pa.Table.from_pylist([dict(zip(schema.names, row)) for row in rows], schema=schema)


def rows(first, last):
    return [(i, "abc"[i % 3], i + 0.25, datetime.date(2026, 1, 1 + i % 28)) for i in range(first, last)]


def append(shared, rows, schema=PEOPLE):
    """In the table, and in the oracle."""
    new = arrow(rows, schema)
    while True:
        try:
            table_of(shared).append(new)
            break
        except CommitFailedException:  # Tarn was quicker
            continue
    shared.oracle.execute(f'insert into "{shared.table}" by name select * from new')


def people(shared, name, **options):
    shared.table = name
    shared.peer.catalog.create_table((shared.schema, name), PEOPLE, **options)
    shared.oracle_does("create table {t} (k bigint, s varchar, v double, day date)")
    append(shared, rows(0, 200))


def every_type(shared):
    shared.table = "types"
    struct = StructType(NestedField(20, "a", IntegerType()), NestedField(21, "b", StringType()))
    kinds = {"k": IntegerType(), "b": BooleanType(), "l": LongType(), "f": FloatType(), "d": DoubleType(), "n9": DecimalType(9, 2),
             "n38": DecimalType(38, 10), "day": DateType(), "s": StringType(), "x": BinaryType(), "ts": TimestampType(), "tz": TimestamptzType(),
             "tt": TimeType(), "uu": UUIDType(), "list": ListType(30, IntegerType(), element_required=False), "place": struct,
             "words": MapType(40, StringType(), 41, IntegerType(), value_required=False)}
    table = shared.peer.catalog.create_table(
        (shared.schema, "types"), Schema(*(NestedField(i + 1, name, kind) for i, (name, kind) in enumerate(kinds.items()))))
    shared.oracle_does("create table {t} (k integer, b boolean, l bigint, f float, d double, n9 decimal(9,2), n38 decimal(38,10), day date, "
                       "s varchar, x blob, ts timestamp, tz timestamptz, tt time, uu uuid, list integer[], "
                       "place struct(a integer, b varchar), words map(varchar, integer))")
    utc = datetime.timezone.utc
    values = [
        dict(k=1, b=True, l=2**63 - 1, f=1.5, d=0.1, n9=decimal.Decimal("12.34"), n38=decimal.Decimal("12.0000000001"),
             day=datetime.date(2024, 2, 29), s="héllo 🎈", x=b"\0\xff", ts=datetime.datetime(1969, 7, 20, 20, 17, 40, 123456),
             tz=datetime.datetime(2026, 3, 29, 1, 30, tzinfo=utc), tt=datetime.time(23, 59, 59, 999999), uu=bytes(range(16)),
             list=[1, None], place={"a": 7, "b": "x"}, words=[("k", 1), ("j", None)]),
        dict(k=2, b=False, l=-(2**63), f=float("nan"), d=float("-inf"), n9=decimal.Decimal("-9999999.99"),
             n38=decimal.Decimal("-9999999999999999999999999999.9999999999"), day=datetime.date(1, 1, 1), s="", x=b"",
             ts=datetime.datetime(9999, 12, 31, 23, 59, 59, 999999), tz=datetime.datetime(1883, 11, 18, 12, 0, 0, 1, tzinfo=utc),
             tt=datetime.time(0), uu=b"\xff" * 16, list=[], place={"a": None, "b": None}, words=[]),
        dict(k=3)]
    new = pa.Table.from_pylist(values, schema=table.schema().as_arrow())
    table.append(new)
    shared.oracle.execute("insert into types by name select * from new")
    shared.check()


def partitions(shared):
    people(shared, "parts")
    with table_of(shared).update_spec() as update:
        update.add_field("s", IdentityTransform(), "s_part")
        update.add_field("k", BucketTransform(4), "k_bucket")
        update.add_field("day", MonthTransform(), "day_month")
    append(shared, [*rows(900, 950), (951, None, None, None), (-7, "é", -1.5, datetime.date(1969, 12, 31))])
    shared.check()
    shared.also("insert into {t} values (960, 'é', 2, '1969-12-31'), (961, null, null, null)")
    shared.also("delete from {t} where k = -7 or s = 'a'")
    shared.check()


def new_partitions(shared):
    people(shared, "moved")
    with table_of(shared).update_spec() as update:
        update.add_field("k", BucketTransform(4), "k_bucket")
    append(shared, rows(900, 950))
    shared.also("insert into {t} values (960, 'é', 2, '1969-12-31')")
    with table_of(shared).update_spec() as update:
        update.remove_field("k_bucket")
        update.add_field("s", TruncateTransform(1), "s_start")
    append(shared, rows(1000, 1030))
    shared.also("update {t} set v = 0 where k % 3 = 0")
    shared.check()


def columns(shared):
    people(shared, "shaped")
    with table_of(shared).update_schema() as update:
        update.add_column("note", StringType())
        update.add_column("n", IntegerType())
        update.rename_column("s", "label")
        update.delete_column("v")
    shared.oracle_does("alter table {t} add column note varchar; alter table {t} add column n integer; "
                       "alter table {t} rename column s to label; alter table {t} drop column v")
    shared.check()
    shared.also("insert into {t} values (501, 'tarn', '2026-03-02', null, 7)")
    shared.also("alter table {t} rename column note to remark")
    with table_of(shared).update_schema() as update:
        update.update_column("n", LongType())
    shared.oracle_does("alter table {t} alter column n type bigint")
    append(shared, [(502, "wide", None, "x", 5_000_000_000)],
           pa.schema([("k", pa.int64()), ("label", pa.string()), ("day", pa.date32()), ("remark", pa.string()), ("n", pa.int64())]))
    shared.also("update {t} set remark = 'both' where k > 499")
    shared.check()


def change_rows(shared):
    """Deletes, upserts and overwrites write files anew (pyiceberg knows no other way), also where Tarn has left deletes."""
    people(shared, "cow")
    table_of(shared).delete("k > 50 and k < 60")
    shared.oracle_does("delete from {t} where k > 50 and k < 60")
    shared.check()
    shared.also("delete from {t} where k % 10 = 4")
    shared.also("update {t} set s = 'tarn' where k % 10 = 5")
    shared.check()
    table_of(shared).delete("s = 'b'")
    shared.oracle_does("delete from {t} where s = 'b'")
    shared.check()
    done = table_of(shared).upsert(arrow([(3, "upserted", None, None), (5000, "new", 1.0, None)]), join_cols=["k"])
    assert (done.rows_updated, done.rows_inserted) == (1, 1)
    shared.oracle_does("update {t} set s = 'upserted', v = null, day = null where k = 3; insert into {t} values (5000, 'new', 1, null)")
    shared.check()
    shared.also("merge into {t} as x using (select i * 11 as k, i as v from range(30) r(i)) m on x.k = m.k when matched then update set v = -m.v "
                "when not matched then insert (k, s) values (m.k, 'tarn') when not matched by source and x.k between 100 and 120 then delete")
    shared.check()


def overwrite(shared):
    people(shared, "over")
    shared.also("delete from {t} where k = 7")
    table_of(shared).overwrite(arrow([(1, "one", 1.0, None)]), overwrite_filter="k < 100")
    shared.oracle_does("delete from {t} where k < 100; insert into {t} values (1, 'one', 1, null)")
    shared.check()
    with table_of(shared).update_spec() as update:
        update.add_identity("s")
    new = arrow([(2, "a", 1.0, None)])
    table_of(shared).overwrite(arrow(rows(0, 30)))
    shared.oracle_does("delete from {t}")
    all_rows = arrow(rows(0, 30))  # noqa: F841, DuckDB reads it
    shared.oracle.execute("insert into over by name select * from all_rows")
    table_of(shared).dynamic_partition_overwrite(new)
    shared.oracle_does("delete from {t} where s = 'a'; insert into {t} values (2, 'a', 1, null)")
    shared.check()
    shared.also("insert into {t} values (8, 'a', 1, null)")
    shared.check()


def time_travel(shared):
    people(shared, "then")
    known = {shared.snapshots()[-1][0]: shared.expected()}
    for step in (lambda: shared.also("delete from {t} where k < 20"), lambda: append(shared, rows(300, 310)),
                 lambda: shared.also("update {t} set s = 'x' where k < 40")):
        step()
        known[shared.snapshots()[-1][0]] = shared.expected()
    assert len(known) == 4
    for snapshot, expected in known.items():
        assert shared.of_peer(snapshot=snapshot) == expected, snapshot


def names(shared):
    catalog = shared.peer.catalog
    people(shared, "first")
    with table_of(shared).transaction() as change:
        change.set_properties(colour="green")
    catalog.rename_table((shared.schema, "first"), (shared.schema, "second"))
    shared.oracle_does("alter table {t} rename to second")
    shared.table = "second"
    shared.check()
    shared.tarn_does("alter table {t} rename to third")
    shared.oracle_does("alter table {t} rename to third")
    shared.table = "third"
    shared.check()
    assert table_of(shared).properties["colour"] == "green"
    catalog.drop_table((shared.schema, "third"))
    assert not shared.tarn.rows(f"select 1 as x from information_schema.tables where table_name = 'third' and table_schema = '{shared.schema}'")
    catalog.create_namespace(f"more_{shared.schema}", {"owner": "me"})
    assert shared.tarn.rows(f"select 1 as x from information_schema.schemata where schema_name = 'more_{shared.schema}'")
    catalog.drop_namespace(f"more_{shared.schema}")


def expire(shared):
    people(shared, "kept")
    for first in range(300, 340, 10):
        append(shared, rows(first, first + 10))
    shared.also("delete from {t} where k % 9 = 0")
    table_of(shared).maintenance.expire_snapshots().older_than(datetime.datetime.now() + datetime.timedelta(seconds=1)).commit()
    assert len(shared.snapshots()) == 1
    shared.check()
    shared.also("update {t} set s = 'after' where k % 6 = 1")
    shared.check()


def tags(shared):
    people(shared, "refs")
    first = table_of(shared).current_snapshot().snapshot_id
    with table_of(shared).manage_snapshots() as manage:
        manage.create_tag(first, "start").create_branch(first, "work")
    table_of(shared).append(arrow([(7000, "branch", 1.0, None)]), branch="work")
    shared.check()
    shared.also("insert into {t} values (8000, 'main', 1, null)")
    shared.check()
    assert {row["name"] for row in shared.tarn.rows(f"select name from table_refs('{shared.schema}.refs')")} == {"main", "start", "work"}
    branch = table_of(shared).metadata.refs["work"].snapshot_id
    assert table_of(shared).scan(snapshot_id=branch).to_arrow().num_rows == 201


def version_1(shared):
    people(shared, "old", properties={"format-version": "1"})
    shared.check()
    shared.also("insert into {t} values (600, 'tarn', 1, null)")
    shared.also("delete from {t} where k < 10")
    shared.check()
    append(shared, rows(700, 710))
    shared.check()


def write_one(shared, k):
    append(shared, [(k, "peer", 1.0, None)])


def lost_answers(shared):
    """What pyiceberg was not told of was done once; the next change by the same table sees it."""
    people(shared, "lost")
    proxy = LossyProxy(shared.server.url)
    try:
        catalog = shared.peer.connected(proxy)
        new = arrow([(5000, "lost", 1.0, None)])
        for mode, least in (("503", 50), ("closed", 80)):
            put = arrow([(60, mode, 2.0, None), (6000, mode, 2.0, None)])
            steps = [(lambda table: table.append(new), "insert into {t} values (5000, 'lost', 1, null)"),
                     (lambda table: table.delete(f"k < {least}"), f"delete from {{t}} where k < {least}"),
                     (lambda table: table.overwrite(new, "s == 'a'"), "delete from {t} where s = 'a'; insert into {t} values (5000, 'lost', 1, null)"),
                     (lambda table: table.upsert(put, ["k"]), "delete from {t} where k in (60, 6000); "
                      f"insert into {{t}} values (60, '{mode}', 2, null), (6000, '{mode}', 2, null)")]
            for change, text in steps:
                table = catalog.load_table((shared.schema, "lost"))
                proxy.lose(mode)
                try:
                    change(table)
                except (RequestException, CommitStateUnknownException, ServiceUnavailableError, CommitFailedException):
                    pass  # it cannot know
                assert len(proxy.lost) == 1 and proxy.lost[0][2] == 200, f"{mode}: {text}: {proxy.lost}"
                proxy.lose(None)
                shared.oracle_does(text)
                assert all(path.exists() for path in shared.files()), f"{mode}: {text}: a file is gone"
                shared.check()
    finally:
        proxy.stop()
