// Goal: no text crashes the parser's walk or the guard, places stay inside the text. Method: statements of
// every kind, cut, spliced and spoilt by a seeded generator; the same entry as guard_fuzz.cc.
#include <gtest/gtest.h>

#include <random>

#include "engine/parse.h"
#include "guard/guard.h"

namespace tarn::guard {
namespace {

const std::vector<std::string> kSeeds = {
    "with recursive c(a) as (select 1 union all select a + 1 from c where a < 10) select * from c",
    ("insert into s.t by name select f(1) as a, b from u on conflict (a) do update set b = excluded.b "
     "returning *"),
    ("create or replace table s.t(a int not null default 1, b decimal(9,2) check (b > 0)) partitioned by "
     "(day(a))"),
    ("merge into t using u on t.a = u.a when matched then update set a = 1 when not matched then insert "
     "values (1)"),
    ("select sum(a) over (partition by b order by c rows between 1 preceding and g(1) following) from t "
     "qualify h()"),
    "pivot (select * from t) on a in ('x', 'y') using sum(b) group by c",
    "unpivot t on columns(* exclude (a)) into name n value v",
    "select [x + 1 for x in l if f(x)], list_transform(l, lambda y: g(y)), {'a': {'b': [1]}}, m['k'], a[1:2]",
    ("prepare p as select $1, $name, ?; execute p(1); deallocate p; explain analyze select 1; describe t; "
     "summarize t"),
    ("copy (select 1) to 'x' (format parquet, row_group_size f(1)); attach 'a' as b (type c); call f(1); "
     "pragma x=1"),
    ("create macro m(a, b := 2) as a + b, (a) as table select * from f(a); use lake.s; set x = 1; begin; "
     "commit"),
    ("alter table t alter a type bigint using f(a); comment on column t.a is 'x'; drop schema if exists s "
     "cascade"),
    ("select * from t at (version => 1) tablesample 10% , lateral (select * from read_csv($1)) where a in "
     "(from u)"),
    ("select case a when 1 then 2 else 3 end, cast(a as struct(b map(int, varchar))), a::int[3], interval "
     "'1' "
     "day"),
};

void check_all(std::string_view sql) {
  auto parsed = engine::parse(sql);
  if (!parsed) {
    EXPECT_FALSE(parsed.error().message.empty());
    return;
  }
  for (const auto& facts : *parsed) {
    EXPECT_LE(facts.begin, facts.end);
    EXPECT_LE(facts.end, sql.size());
    for (const auto& use : facts.functions) {
      EXPECT_LE(use.offset, sql.size());
    }
    auto status = check(sql, facts);
    EXPECT_TRUE(status || !status.error().message.empty());
  }
}

TEST(GuardNoiseTest, SpoiltStatements) {
  std::mt19937 random(20261121);
  auto below = [&](size_t limit) { return static_cast<size_t>(random() % limit); };
  for (int i = 0; i < 4000; ++i) {
    auto text = kSeeds[below(kSeeds.size())];
    auto changes = below(4);
    for (size_t j = 0; j < changes && !text.empty(); ++j) {
      switch (below(5)) {
        case 0: text.erase(below(text.size()), 1 + below(8)); break;
        case 1: text[below(text.size())] = static_cast<char>(random() % 256); break;
        case 2: text = text.substr(0, below(text.size())) + kSeeds[below(kSeeds.size())]; break;
        case 3: text.insert(below(text.size()), "\xC2\xA0;\n-- \xF0\x9F\x90\x9F\n"); break;
        default: text.insert(below(text.size()), "((select f(1))"); break;
      }
    }
    SCOPED_TRACE(text);
    check_all(text);
  }
}

TEST(GuardNoiseTest, DeepNestingIsAnError) {
  std::string deep = "select ";
  for (int i = 0; i < 20000; ++i) {
    deep += "(";
  }
  EXPECT_FALSE(engine::parse(deep + "1"));
  std::string closed = "select " + std::string(5000, '(') + "1" + std::string(5000, ')');
  check_all(closed);
  std::string sum = "select 1";
  for (int i = 0; i < 2000; ++i) {
    sum += " + f(1)";
  }
  check_all(sum);
  check_all(std::string("select 'a\0b'", 12));
}

}  // namespace
}  // namespace tarn::guard
