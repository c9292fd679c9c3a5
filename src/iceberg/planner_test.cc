// Goal: a scan leaves out only files without a matching row, and does leave those out that it can.
// Method: random rows in random files, bounds and partitions made as writers make them; each pruned file is
// checked row by row. The seed is printed.
#include "iceberg/planner.h"

#include <cmath>
#include <limits>
#include <random>

#include <gtest/gtest.h>

#include "iceberg/pruning.h"
#include "iceberg/test_table.h"

namespace tarn::iceberg {
namespace {

using Names = std::vector<std::string>;

// SQL's answer as DuckDB gives it: null compares with nothing, NaN is greatest, both zeros are equal.
int sql_compare(const Value& a, const Value& b) {
  bool a_nan = is_nan(a);
  bool b_nan = is_nan(b);
  if (a_nan || b_nan) {
    return static_cast<int>(a_nan) - static_cast<int>(b_nan);
  }
  const auto* x = std::get_if<double>(&a);
  const auto* y = std::get_if<double>(&b);
  if (x != nullptr && y != nullptr && *x == *y) {
    return 0;
  }
  return compare(a, b);
}

bool matches(const Condition& condition, const Value& row) {
  if (condition.op == Operator::kIsNull) {
    return is_null(row);
  }
  if (is_null(row)) {
    return false;
  }
  if (condition.op == Operator::kNotNull) {
    return true;
  }
  if (condition.op == Operator::kIn) {
    return std::any_of(condition.values.begin(), condition.values.end(),
                       [&](const Value& value) { return sql_compare(row, value) == 0; });
  }
  int order = sql_compare(row, condition.values.at(0));
  switch (condition.op) {
    case Operator::kEqual: return order == 0;
    case Operator::kNotEqual: return order != 0;
    case Operator::kLess: return order < 0;
    case Operator::kLessEqual: return order <= 0;
    case Operator::kGreater: return order > 0;
    default: return order >= 0;
  }
}

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  int64_t below(int64_t limit) { return static_cast<int64_t>(engine_() % static_cast<uint64_t>(limit)); }
  bool one_in(int64_t count) { return below(count) == 0; }

  std::string text() {
    constexpr const char* kParts[] = {"a",      "b",  "\u00e9",           "\U0010FFFF",
                                      "\uD7FF", "zz", "abcdefghijklmnop", "0"};
    std::string text;
    for (auto count = below(6); count > 0; --count) {
      text += kParts[below(8)];
    }
    return text;
  }

  double number() {
    constexpr double kSpecial[] = {0.0, -0.0, 1.0, -1.0, INFINITY, -INFINITY, NAN, 1e300};
    return one_in(4) ? kSpecial[below(8)] : static_cast<double>(below(20)) - 10;
  }

  Value value(TypeKind kind) {
    switch (kind) {
      case TypeKind::kBoolean: return one_in(2);
      case TypeKind::kInt: return static_cast<int32_t>(one_in(8) ? INT32_MIN + below(30) : below(60) - 30);
      case TypeKind::kDate: return static_cast<int32_t>(below(2000) - 1000);
      case TypeKind::kLong: return one_in(8) ? INT64_MIN + below(30) : below(60) - 30;
      case TypeKind::kTimestamp:
        return one_in(10) ? INT64_MAX : (below(4000) - 2000) * int64_t{7'200'000'000};
      case TypeKind::kDouble: return number();
      case TypeKind::kDecimal: return Decimal{below(60) - 30};
      default: return text();
    }
  }

 private:
  std::mt19937_64 engine_;
};

// A file of these rows in one column (id 1), with the statistics that a writer would give.
DataFile file_of(const TestTable& table, Random& random, const std::vector<Value>& rows,
                 const Value& partition) {
  auto file =
      table.file("f", table.metadata.spec().fields.empty() ? std::vector<Value>{} : std::vector{partition});
  const auto& type = table.metadata.schema().fields.at(0).type;
  Value least;
  Value greatest;
  int64_t nulls = 0;
  int64_t nans = 0;
  for (const auto& row : rows) {
    nulls += is_null(row) ? 1 : 0;
    nans += is_nan(row) ? 1 : 0;
    if (is_null(row) || is_nan(row)) {
      continue;
    }
    least = is_null(least) || compare(row, least) < 0 ? row : least;
    greatest = is_null(greatest) || compare(row, greatest) > 0 ? row : greatest;
  }
  if (!random.one_in(5)) {
    file.value_counts[1] = static_cast<int64_t>(rows.size());
    file.null_value_counts[1] = nulls;
  }
  if (!random.one_in(5)) {
    file.nan_value_counts[1] = nans;
  }
  auto lower = lower_bound(type, least);
  auto upper = upper_bound(type, greatest);
  if (lower && !random.one_in(5)) {
    file.lower_bounds[1] = *lower;
  }
  if (upper && !random.one_in(5)) {
    file.upper_bounds[1] = *upper;
  }
  return file;
}

struct Case {
  const char* type;
  const char* transform;  // or ""
};

constexpr Case kCases[] = {
    {"boolean", ""},
    {"int", ""},
    {"long", ""},
    {"double", ""},
    {"decimal(9,2)", ""},
    {"date", ""},
    {"string", ""},
    {"binary", ""},
    {"timestamp", ""},
    {"int", "identity"},
    {"double", "identity"},
    {"string", "identity"},
    {"int", "bucket[3]"},
    {"string", "bucket[3]"},
    {"int", "truncate[10]"},
    {"long", "truncate[7]"},
    {"string", "truncate[2]"},
    {"decimal(9,2)", "truncate[5]"},
    {"date", "month"},
    {"date", "year"},
    {"timestamp", "day"},
    {"timestamp", "hour"},
    {"timestamp", "year"},
    {"int", "void"},
};

Condition random_condition(Random& random, TypeKind kind) {
  constexpr Operator kOperators[] = {Operator::kEqual,     Operator::kNotEqual, Operator::kLess,
                                     Operator::kLessEqual, Operator::kGreater,  Operator::kGreaterEqual,
                                     Operator::kIn,        Operator::kIsNull,   Operator::kNotNull};
  Condition condition{.field_id = 1, .op = kOperators[random.below(9)], .values = {}};
  bool none = condition.op == Operator::kIsNull || condition.op == Operator::kNotNull;
  for (int64_t count = none ? 0 : (condition.op == Operator::kIn ? random.below(4) : 1); count > 0; --count) {
    condition.values.push_back(random.value(kind));
  }
  return condition;
}

// Returns whether the file was pruned; fails when that was wrong.
bool check_one(const Case& tried, TestTable& table, Random& random) {
  const auto& type = table.metadata.schema().fields.at(0).type;
  auto transform = parse_transform(*tried.transform == '\0' ? "void" : tried.transform);
  std::vector<Value> rows;
  Value partition;
  for (int tries = 0; tries < 6; ++tries) {
    auto row = random.one_in(4) ? Value() : random.value(type.kind);
    auto result = *apply(*transform, type, row);
    bool nan_pair = is_nan(result) && is_nan(partition);
    if (rows.empty() ||
        (result.index() == partition.index() && (nan_pair || compare(result, partition) == 0))) {
      partition = result;
      rows.push_back(std::move(row));
    }
  }
  auto file = file_of(table, random, rows, partition);
  Filter filter{{random_condition(random, type.kind)}};
  if (may_match(table.metadata, file, filter)) {
    return false;
  }
  for (const auto& row : rows) {
    EXPECT_FALSE(matches(filter.conditions[0], row))
        << tried.type << " " << tried.transform << " op " << static_cast<int>(filter.conditions[0].op);
  }
  return true;
}

TEST(PlannerTest, NeverPrunesAMatchingFile) {
  auto seed = std::random_device()();
  SCOPED_TRACE(seed);
  Random random(seed);
  for (const auto& tried : kCases) {
    std::vector<PartitionRequest> partitions;
    if (*tried.transform != '\0') {
      partitions.push_back({.column = "x", .transform = *parse_transform(tried.transform), .name = "part"});
    }
    TestTable table({test_column("x", tried.type)}, partitions);
    int pruned = 0;
    for (int i = 0; i < 4000 && !testing::Test::HasFailure(); ++i) {
      pruned += check_one(tried, table, random) ? 1 : 0;
    }
    EXPECT_GT(pruned, 300) << tried.type << " " << tried.transform;
  }
}

Filter where(int field_id, Operator op, std::vector<Value> values) {
  return {{{.field_id = field_id, .op = op, .values = std::move(values)}}};
}

SnapshotChange adding(std::vector<DataFile> files) {
  SnapshotChange change;
  change.added = std::move(files);
  return change;
}

TEST(PlannerTest, ManifestsArePrunedBySummaries) {
  TestTable table({test_column("at", "timestamp")},
                  {{.column = "at", .transform = *parse_transform("day"), .name = {}}});
  for (int32_t day = 0; day < 10; ++day) {
    ASSERT_TRUE(table.commit(adding({table.file("day" + std::to_string(day), {day})})));
  }
  constexpr int64_t kDay = 86'400'000'000;
  auto plan = plan_scan(table.metadata, 10, where(1, Operator::kLess, {3 * kDay}), table.cache());
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->manifests_pruned, 6);
  EXPECT_EQ(plan->files_pruned, 6);
  EXPECT_EQ(plan->files.size(),
            4U);  // day 3 itself may hold rows before its midnight only by way of the transform
  EXPECT_EQ(table.scan(where(1, Operator::kEqual, {5 * kDay + 7})), Names{"day5"});
  EXPECT_EQ(table.scan(where(1, Operator::kIn, {5 * kDay + 7, 0 * kDay})), (Names{"day0", "day5"}));
  EXPECT_EQ(table.scan(where(1, Operator::kIsNull, {})), Names{});
  EXPECT_EQ(table.scan(where(99, Operator::kIsNull, {})).size(), 10U);
}

TEST(PlannerTest, WidenedColumnsReadOldBounds) {  // checklist D.17
  TestTable table({test_column("x", "int")});
  auto file = table.file("old");
  file.lower_bounds[1] = to_bytes(*parse_type("int"), int32_t{-5});
  file.upper_bounds[1] = to_bytes(*parse_type("int"), int32_t{5});
  ASSERT_TRUE(table.commit(adding({file})));
  auto schema = table.metadata.schema();
  ASSERT_TRUE(widen_field(schema, {"x"}, *parse_type("long")));
  table.metadata = *with_schema(table.metadata, schema);
  EXPECT_EQ(table.scan(where(1, Operator::kEqual, {int64_t{-5}})), Names{"old"});
  EXPECT_EQ(table.scan(where(1, Operator::kEqual, {int64_t{1} << 33})), Names{});
  EXPECT_EQ(table.scan(where(1, Operator::kEqual, {std::string("x")})),
            Names{"old"});  // another type proves nothing
}

TEST(PlannerTest, BoundsInsideListsProveNothing) {  // checklist D.18
  Type list{.kind = TypeKind::kList, .fields = {test_column("element", "int")}};
  Field tags = test_column("tags", "int");
  tags.type = list;
  Type inner{.kind = TypeKind::kStruct, .fields = {test_column("a", "int")}};
  Field point = test_column("p", "int");
  point.type = inner;
  TestTable table({tags, point});
  auto element = table.metadata.schema().find("tags")->type.fields.at(0).id;
  auto a = table.metadata.schema().find("p")->type.fields.at(0).id;
  auto file = table.file("f");
  for (int id : {element, a}) {
    file.upper_bounds[id] = to_bytes(*parse_type("int"), int32_t{5});
  }
  ASSERT_TRUE(table.commit(adding({file})));
  EXPECT_EQ(table.scan(where(element, Operator::kGreater, {int32_t{7}})), Names{"f"});
  EXPECT_EQ(table.scan(where(a, Operator::kGreater, {int32_t{7}})), Names{});
}

DataFile position_deletes(const TestTable& table, const char* name, std::vector<Value> partition) {
  auto file = table.file(name, std::move(partition));
  file.content = Content::kPositionDeletes;
  return file;
}

TEST(PlannerTest, DeletesMatchByNumberPartitionAndPath) {  // checklist D.30
  TestTable table({test_column("k", "int")},
                  {{.column = "k", .transform = *parse_transform("identity"), .name = {}}});
  ASSERT_TRUE(table.commit(adding({table.file("a", {int32_t{1}}), table.file("b", {int32_t{2}})})));
  auto one = position_deletes(table, "one", {int32_t{1}});
  auto named = position_deletes(table, "named", {int32_t{2}});
  named.lower_bounds[2147483546] = named.upper_bounds[2147483546] = table.file("other").path;
  ASSERT_TRUE(table.commit(adding({one, named})));
  ASSERT_TRUE(table.commit(adding({table.file("late", {int32_t{1}})})));
  auto plan = plan_scan(table.metadata, 3, {}, table.cache());
  ASSERT_TRUE(plan);
  for (const auto& file : plan->files) {
    EXPECT_EQ(file.deletes.size(), file.file.path.ends_with("/a") ? 1U : 0U) << file.file.path;
  }
  EXPECT_EQ(plan_scan(table.metadata, 77, {}, table.cache()).error().code, Code::kNotFound);
}

// Spec, "Scan Planning": equality deletes apply to older data of their partition, or of all when their spec
// has none.
TEST(PlannerTest, EqualityDeletesApplyToOlderData) {  // checklist D.30
  for (const bool partitioned : {true, false}) {
    std::vector<PartitionRequest> by_k;
    if (partitioned) {
      by_k.push_back({.column = "k", .transform = *parse_transform("identity"), .name = {}});
    }
    const auto key = [&](int32_t k) { return partitioned ? std::vector<Value>{k} : std::vector<Value>{}; };
    TestTable table({test_column("k", "int")}, by_k);
    ASSERT_TRUE(table.commit(adding({table.file("a", key(1)), table.file("b", key(2))})));
    auto equality = table.file("eq", key(1));
    equality.content = Content::kEqualityDeletes;
    equality.equality_ids = {1};
    ASSERT_TRUE(table.commit(adding({equality, table.file("same", key(1))})));
    ASSERT_TRUE(table.commit(adding({table.file("late", key(1))})));
    auto plan = plan_scan(table.metadata, 3, {}, table.cache());
    ASSERT_TRUE(plan);
    ASSERT_EQ(plan->files.size(), 4U);
    for (const auto& file : plan->files) {
      const bool older = file.file.path.ends_with("/a") || file.file.path.ends_with("/b");
      const bool there = !partitioned || file.file.path.ends_with("/a");
      EXPECT_EQ(file.deletes.size(), older && there ? 1U : 0U) << file.file.path;
    }
  }
}

}  // namespace
}  // namespace tarn::iceberg
