// Goal: every type comes back as it was declared and written, however it is stored. Method: round trips in
// SQL.
#include "engine/duck/lake/lake_fixture_test.h"

namespace tarn::engine {
namespace {

using testing::HasSubstr;

// Creates a one-column table with `value` and null; answers what DESCRIBE and SELECT say.
class LakeTypeTest : public LakeTest {
 protected:
  std::string round_trip(const std::string& type, const std::string& value) {
    run("create or replace table t(c " + type + ")");
    run("insert into t values (" + value + "), (null)");
    const auto found = rows("select count(*) from t where c = (" + value + ")::" + type);
    return rows("select column_type from (describe t)") + rows("select c from t order by c nulls last") +
           found;
  }
};

TEST_F(LakeTypeTest, Numbers) {
  EXPECT_EQ(round_trip("boolean", "true"), "BOOLEAN\ntrue\nNULL\n1\n");
  EXPECT_EQ(round_trip("tinyint", "-128"), "TINYINT\n-128\nNULL\n1\n");
  EXPECT_EQ(round_trip("utinyint", "255"), "UTINYINT\n255\nNULL\n1\n");
  EXPECT_EQ(round_trip("smallint", "-32768"), "SMALLINT\n-32768\nNULL\n1\n");
  EXPECT_EQ(round_trip("usmallint", "65535"), "USMALLINT\n65535\nNULL\n1\n");
  EXPECT_EQ(round_trip("uinteger", "4294967295"), "UINTEGER\n4294967295\nNULL\n1\n");
  EXPECT_EQ(round_trip("bigint", "-9223372036854775808"), "BIGINT\n-9223372036854775808\nNULL\n1\n");
  EXPECT_EQ(round_trip("ubigint", "18446744073709551615"), "UBIGINT\n18446744073709551615\nNULL\n1\n");
  EXPECT_EQ(round_trip("hugeint", "-99999999999999999999999999999999999999"),
            "HUGEINT\n-99999999999999999999999999999999999999\nNULL\n1\n");
  EXPECT_EQ(round_trip("float", "1.5"), "FLOAT\n1.5\nNULL\n1\n");
  EXPECT_EQ(round_trip("double", "'nan'::double"), "DOUBLE\nnan\nNULL\n1\n");
  EXPECT_EQ(round_trip("decimal(4,1)", "-123.4"), "DECIMAL(4,1)\n-123.4\nNULL\n1\n");
  EXPECT_EQ(round_trip("decimal(18,3)", "123456789012345.678"),
            "DECIMAL(18,3)\n123456789012345.678\nNULL\n1\n");
  EXPECT_EQ(round_trip("decimal(38,10)", "-1234567890123456789012345678.0123456789"),
            "DECIMAL(38,10)\n-1234567890123456789012345678.0123456789\nNULL\n1\n");
}

// The lake's own cast (casts.h) answers as DuckDB's does, also what it leaves to it.
TEST_F(LakeTypeTest, WholeDecimalsAreCastAsTheIntegersTheyAre) {
  EXPECT_EQ(rows("select c, try_cast(c as hugeint), try_cast(c as ubigint), try_cast(c as uhugeint) from "
                 "(values (0::decimal(38, 0)), (-1), (18446744073709551615), (18446744073709551616), "
                 "(99999999999999999999999999999999999999), (-99999999999999999999999999999999999999), "
                 "(null)) v(c)"),
            "0|0|0|0\n-1|-1|NULL|NULL\n18446744073709551615|18446744073709551615|18446744073709551615|"
            "18446744073709551615\n18446744073709551616|18446744073709551616|NULL|18446744073709551616\n"
            "99999999999999999999999999999999999999|99999999999999999999999999999999999999|NULL|"
            "99999999999999999999999999999999999999\n-99999999999999999999999999999999999999|"
            "-99999999999999999999999999999999999999|NULL|NULL\nNULL|NULL|NULL|NULL\n");
  EXPECT_EQ(
      rows("select 2.5::decimal(38, 1)::hugeint, -2.5::decimal(20, 1)::hugeint, 7.0::decimal(4, 1)::ubigint, "
           "12::decimal(18, 0)::hugeint, [3::decimal(30, 0)]::ubigint[]"),
      "3|-3|7|12|[3]\n");
}

TEST_F(LakeTypeTest, TextAndTime) {
  EXPECT_EQ(round_trip("varchar", "'é ''q'' \" 😀'"), "VARCHAR\né 'q' \" 😀\nNULL\n1\n");
  EXPECT_EQ(round_trip("blob", "'\\x00\\xFFa'::blob"), "BLOB\n\\x00\\xFFa\nNULL\n1\n");
  EXPECT_EQ(round_trip("uuid", "'f79c3e09-677c-4bbd-a479-3f349cb785e7'"),
            "UUID\nf79c3e09-677c-4bbd-a479-3f349cb785e7\nNULL\n1\n");
  EXPECT_EQ(round_trip("date", "date '1969-12-31'"), "DATE\n1969-12-31\nNULL\n1\n");
  EXPECT_EQ(round_trip("time", "time '23:59:59.999999'"), "TIME\n23:59:59.999999\nNULL\n1\n");
  EXPECT_EQ(round_trip("timestamp", "timestamp '1900-01-01 00:00:00.000001'"),
            "TIMESTAMP\n1900-01-01 00:00:00.000001\nNULL\n1\n");
  EXPECT_EQ(round_trip("timestamptz", "timestamptz '2024-07-01 10:00:00+02'"),
            "TIMESTAMP WITH TIME ZONE\n2024-07-01 08:00:00+00\nNULL\n1\n");
  EXPECT_EQ(round_trip("timestamp_s", "'2024-07-01 10:00:00'"),
            "TIMESTAMP_S\n2024-07-01 10:00:00\nNULL\n1\n");
  EXPECT_EQ(round_trip("timestamp_ms", "'2024-07-01 10:00:00.123'"),
            "TIMESTAMP_MS\n2024-07-01 10:00:00.123\nNULL\n1\n");
  EXPECT_EQ(round_trip("json", "'{\"a\": [1, null]}'"), "JSON\n{\"a\": [1, null]}\nNULL\n1\n");
  EXPECT_EQ(round_trip("interval", "interval '1 month 2 days 00:00:03'"),
            "INTERVAL\n1 month 2 days 00:00:03\nNULL\n1\n");
  EXPECT_EQ(round_trip("bit", "'10101'::bit"), "BIT\n10101\nNULL\n1\n");
  EXPECT_EQ(round_trip("enum('low', 'high')", "'high'"), "ENUM('low', 'high')\nhigh\nNULL\n1\n");
}

TEST_F(LakeTypeTest, EnumsKeepTheirOrder) {
  run("create table t as select (['low','mid','high'])[1 + i % 3]::enum('low','mid','high') as e from "
      "range(30) r(i)");
  EXPECT_EQ(rows("select e, count(*) from t where e > 'low'::enum('low','mid','high') group by e order by e"),
            "mid|10\nhigh|10\n");
}

TEST_F(LakeTypeTest, Nested) {
  EXPECT_EQ(round_trip("integer[]", "[1, null, 3]"), "INTEGER[]\n[1, NULL, 3]\nNULL\n1\n");
  EXPECT_EQ(round_trip("integer[3]", "[1, 2, 3]"), "INTEGER[3]\n[1, 2, 3]\nNULL\n1\n");
  EXPECT_EQ(round_trip("struct(a integer, b varchar[])", "{'a': 1, 'b': ['x']}"),
            "STRUCT(a INTEGER, b VARCHAR[])\n{'a': 1, 'b': [x]}\nNULL\n1\n");
  EXPECT_EQ(round_trip("map(varchar, double)", "map {'k': 1.5}"), "MAP(VARCHAR, DOUBLE)\n{k=1.5}\nNULL\n1\n");
  EXPECT_EQ(round_trip("struct(\"x.y\" struct(z utinyint)[])", "{'x.y': [{'z': 200}]}"),
            "STRUCT(\"x.y\" STRUCT(z UTINYINT)[])\n{'x.y': [{'z': 200}]}\nNULL\n1\n");
  run("create or replace table t as select {'a': i, 'b': [i]} as s, map {i: {'v': i}} as m from range(3) "
      "r(i)");
  EXPECT_EQ(rows("select s.a, s.b[1], m[2].v from t where s.a = 2"), "2|2|2\n");
}

TEST_F(LakeTypeTest, WhatCannotBeHeldIsRefused) {
  EXPECT_THAT(error_of("create table t(u union(a integer, b varchar))"),
              HasSubstr("unsupported: column \"u\""));
  EXPECT_THAT(error_of("create table t(n timestamp_ns)"), HasSubstr("cast it to TIMESTAMP"));
  run("create table t(h hugeint)");
  EXPECT_THAT(error_of("insert into t values (170141183460469231731687303715884105727)"),
              HasSubstr("invalid: "));
}

TEST_F(LakeTest, TextsWrittenByTheirCodesAreTexts) {
  run("create table t as select i, 'constant' as a, (case when i < 5 then 'low' else 'high' "
      "end)::enum('low', "
      "'high', 'other')::varchar as b, null::varchar as c from range(10) r(i)");
  run("insert into t(b, a, i) select 'other', 'again', i from (values (20), (21)) v(i)");
  run("insert into t select max(i), x, x, x from (select i, 'same' as x from t) group by x");
  EXPECT_EQ(rows("select a, b, c, count(*), min(i), typeof(a), typeof(b) from t group by all order by 5"),
            "constant|low|NULL|5|0|VARCHAR|VARCHAR\nconstant|high|NULL|5|5|VARCHAR|VARCHAR\n"
            "again|other|NULL|2|20|VARCHAR|VARCHAR\nsame|same|same|1|21|VARCHAR|VARCHAR\n");
  EXPECT_EQ(rows("select count(*) from t where a = 'again'"), "2\n");
  EXPECT_EQ(rows("select count(*) from t where a = 'nothing' or b > 'p'"), "1\n");
  EXPECT_EQ(rows("select min(a), max(a), min(b), max(b) from t"), "again|same|high|same\n");
}

}  // namespace
}  // namespace tarn::engine
