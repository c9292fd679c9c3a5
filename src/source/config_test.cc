// Goal: every mistake in a source is found with its line and column and a sentence that helps. Method: YAML
// texts.
#include "source/config.h"

#include <gtest/gtest.h>

#include "source/http/pages.h"
#include "source/http/retry.h"
#include "source/http/template.h"
#include "source/kind.h"

namespace tarn::source {
namespace {

Diagnostics mistakes(std::string_view text, const std::string& path = "sources/s.yml") {
  Registry registry;
  add_all(registry);
  Diagnostics diagnostics;
  auto config = read_config(registry, text, path, diagnostics);
  EXPECT_EQ(config->broken, !diagnostics.empty()) << text;
  return diagnostics;
}

// The only mistake, as text.
std::string mistake(std::string_view text) {
  auto all = mistakes(text);
  EXPECT_EQ(all.size(), 1U) << text << (all.empty() ? "" : "\n" + to_string(all.back()));
  return all.empty() ? "" : to_string(all.front());
}

const std::string kHttp = "kind: http\nurl: https://example.org/x\n";

TEST(ConfigTest, FreshnessIsTwoAges) {
  Registry registry;
  add_all(registry);
  Diagnostics diagnostics;
  auto config =
      read_config(registry, kHttp + "freshness: {warn_after: 26h, error_after: {count: 2, period: day}}\n",
                  "sources/s.yml", diagnostics);
  ASSERT_TRUE(config) << to_string(diagnostics.front());
  EXPECT_EQ(config->freshness.warn_after, std::chrono::hours(26));
  EXPECT_EQ(config->freshness.error_after, std::chrono::hours(48));
  EXPECT_EQ(mistake(kHttp + "freshness: {warn_after: soon}\n"),
            "sources/s.yml:3:25: warn_after is an age, for example 26h or 2d");
  EXPECT_EQ(mistake(kHttp + "freshness: {error_after: 1h, warn_after: 2h}\n"),
            "sources/s.yml:3:12: freshness: error_after comes before warn_after; write the longer age there");
  EXPECT_EQ(mistake(kHttp + "freshness: 2d\n"),
            "sources/s.yml:3:12: freshness is a map: {warn_after: 26h, error_after: 2d}");
  EXPECT_EQ(
      mistake(kHttp + "freshness: {}\n"),
      "sources/s.yml:3:12: freshness is empty: write {warn_after: 26h, error_after: 2d}, or one of the two");
  EXPECT_NE(mistake(kHttp + "freshness: {warm_after: 2h}\n").find("warm_after"), std::string::npos);
}

TEST(ConfigTest, AFullSourceIsRead) {
  Registry registry;
  add_all(registry);
  Diagnostics diagnostics;
  auto config = read_config(registry, kHttp + R"(description: all keys
method: POST
body: '{"q": "{city}"}'
query: {a: 1, b: "{city}"}
headers: {Accept: application/json}
auth: {basic: {user: me, password: "${env:PASSWORD}"}}
each: select city from cities join other.places using (id)
since: {column: at, parameter: after, initial: "2024-01-01"}
pages: {type: offset, parameter: offset, limit: 100, limit_parameter: limit, max: 50}
rate: 0.5
concurrency: 4
retry: {attempts: 3, first_delay: 100ms, max_delay: 2s}
timeout: {connect: 1s, idle: 2s, total: 3s}
max_bytes: 10MB
format: {type: json, records: $.items}
table: lab.measures
select: select * from input
mode: upsert
key: [id, at]
columns:
  id: {type: bigint, required: true}
  price: {type: double, check: price > 0, description: in euros}
  at: timestamptz
on_new_columns: fail
partition_by: [day(at)]
tags: [daily]
after: [cities]
)",
                            "sources/measures.yml", diagnostics);
  ASSERT_FALSE(config->broken) << to_string(diagnostics.front());
  EXPECT_EQ(config->name, "measures");
  EXPECT_EQ(config->table, (engine::TableName{"lab", "measures"}));
  EXPECT_EQ(config->mode, Mode::kUpsert);
  EXPECT_EQ(config->columns.size(), 3U);
  EXPECT_EQ(config->reads, (std::vector<std::string>{"public.cities", "other.places"}));
  EXPECT_EQ(config->format.records, "$.items");
}

TEST(ConfigTest, MistakesHaveTheirPlace) {
  struct Case {
    std::string text, wanted;
  };
  const std::vector<Case> cases = {
      {"kind: ftp\n", "sources/s.yml:1:7: "},
      {"url: https://x.org\n", "kind is missing"},
      {"kind:\nurl: https://x.org\n", "kind is missing"},
      {"kind: \"\"\nurl: https://x.org\n", "kind is missing"},
      {"- a\n", "a source is a map"},
      {kHttp + "metod: GET\n", "sources/s.yml:3:1: "},
      {"kind: http\n", "url"},
      {"kind: http\nurl: example.org\n", "sources/s.yml:2:6: url must start with https://"},
      {kHttp + "format: xml\n", "sources/s.yml:3:9: unknown format 'xml'"},
      {kHttp + "format: {type: json, records: items}\n", "starts with $"},
      {kHttp + "format: {type: csv, records: $.x}\n", "sources/s.yml:3:21: "},
      {kHttp + "mode: upsert\n", "sources/s.yml:3:7: mode upsert needs key"},
      {kHttp + "key: id\n", "key is only for mode upsert"},
      {kHttp + "mode: replace\nsince: {column: a}\n", "since cannot go with mode replace"},
      {kHttp + "auth: {bearer: abc}\n", "sources/s.yml:3:16: a secret is never written here"},
      {kHttp + "select: select * from\n", "sources/s.yml:3:22: select: the statement ends too early"},
      {kHttp + "select: drop table x\n", "must be exactly one SELECT"},
      {kHttp + "select: select 1; select 2\n", "must be exactly one SELECT"},
      {kHttp + "each: delete from x\n", "must be exactly one SELECT"},
      {kHttp + "columns: {a: {type: int, check: 'a >'}}\n", "check"},
      {kHttp + "columns: {a: {type: int, check: '1) from x; drop table y; select (1'}}\n", "check"},
      {kHttp + "columns: {_tarn_run: int}\n", "belong to Tarn"},
      {kHttp + "columns: {a: int, A: int}\n", "differs only by case"},
      {kHttp + "columns: [a]\n", "columns is a map"},
      {kHttp + "pages: {type: offset, parameter: o}\n", "needs limit"},
      {kHttp + "pages: {parameter: o}\n", "pages needs type"},
      {kHttp + "pages: {type: , parameter: o}\n", "pages needs type"},
      {kHttp + "pages: {type: '', parameter: o}\n", "pages needs type"},
      {kHttp + "format: csv\npages: {type: next_token, token: $.n, parameter: t}\n", "needs format json"},
      {kHttp + "concurrency: 1000\n", "from 1 to 32"},
      {kHttp + "rate: 0\n", "rate is a number"},
      {kHttp + "rate: nan\n", "rate is a number"},
      {kHttp + "rate: 1e-300\n", "rate is a number"},
      {kHttp + "timeout: soon\n", "timeout is a time"},
      {kHttp + "max_bytes: many\n", "not a size"},
      {kHttp + "query: {a: [1]}\n", "one text or number"},
      {kHttp + "headers: {A: \"x\\r\\nB: y\"}\n", "a header is one line"},
      {kHttp + "headers: {A: \"${nothing}\"}\n", "is not a reference"},
      {kHttp + "body: x\n", "a body needs 'method: POST'"},
      {kHttp + "partition_by: [week(a)]\n", "sources/s.yml:3:15: partition_by: 'week(a)'"},
      {kHttp + "partition_by: ['bucket(a)']\n", "is not a column"},
      {kHttp + "table: _tarn.x\n", "not in schema _tarn"},
      {"kind: files\n", "path"},
      {"kind: files\npath: a.csv\nsince: {column: a}\n", "since is for kind http"},
  };
  for (const auto& one : cases) {
    EXPECT_NE(mistake(one.text).find(one.wanted), std::string::npos) << one.text << mistake(one.text);
  }
  EXPECT_NE(to_string(mistakes("kind: files\npath: x\n", "sources/my source.yml").front()).find("letters"),
            std::string::npos);
}

TEST(ConfigTest, Sizes) {
  EXPECT_EQ(parse_bytes("100MB").value(), 100'000'000U);
  EXPECT_EQ(parse_bytes("64 KiB").value(), 65536U);
  EXPECT_EQ(parse_bytes("7").value(), 7U);
  for (const char* wrong : {"", "MB", "-1", "1.5GB", "1TBX", "0", "99999999999999999999"}) {
    EXPECT_FALSE(parse_bytes(wrong)) << wrong;
  }
}

TEST(TemplateTest, DataCannotNameASecret) {
  http::RenderContext context{.columns = {{"city", "${env:HOME} {other}"}},
                              .vars = {{"v", "{city}"}},
                              .resolve_secret = [](std::string_view) { return Result<std::string>("S3"); }};
  auto rendered = http::render("a={city}&v=${var:v}&k=${env:KEY}&j={\"x\": {}}", context);
  ASSERT_TRUE(rendered);
  EXPECT_EQ(rendered->text, "a=${env:HOME} {other}&v={city}&k=S3&j={\"x\": {}}");
  EXPECT_EQ(rendered->shown, "a=${env:HOME} {other}&v={city}&k=${env:KEY}&j={\"x\": {}}");
  EXPECT_EQ(http::scrub("x S3 y S3", rendered->secrets), "x *** y ***");
  EXPECT_FALSE(http::render("{nothing}", context));
  EXPECT_FALSE(http::render("${var:nothing}", context));
}

TEST(PagesTest, LinkHeaders) {
  EXPECT_EQ(http::next_link("<https://a/1>; rel=\"prev\", <https://a/3?x=1,2>; rel=\"next\""),
            "https://a/3?x=1,2");
  EXPECT_EQ(http::next_link("<b>; REL=next"), "b");
  EXPECT_EQ(http::next_link("<b>; rel=\"last\""), "");
  EXPECT_EQ(http::next_link("<b"), "");
  EXPECT_EQ(http::resolve_url("https://a.org/x/y?z=1", "../n?p=2").value(), "https://a.org/n?p=2");
}

TEST(PagesTest, CountsRecords) {
  EXPECT_EQ(
      http::count_records({.kind = FormatKind::kJson, .records = "$.a.b"}, R"({"a": {"b": [1, 2]}})").value(),
      2);
  EXPECT_EQ(http::count_records({.kind = FormatKind::kJson, .records = "$.a"}, R"({"b": 1})").value(), 0);
  EXPECT_EQ(http::count_records({.kind = FormatKind::kNdjson}, "{}\n\n{}").value(), 2);
  EXPECT_EQ(http::count_records({.kind = FormatKind::kCsv}, "a,b\n1,2\n").value(), 1);
  EXPECT_FALSE(http::count_records({.kind = FormatKind::kJson}, "{"));
}

TEST(RetryTest, DelaysGrowAndListenToTheServer) {
  class Fixed : public Random {
   public:
    uint64_t next() override { return 1023; }
  } random;
  http::Retry retry;
  EXPECT_NEAR(static_cast<double>(http::retry_delay(retry, 1, std::nullopt, random).count()), 1e6, 1e4);
  EXPECT_NEAR(static_cast<double>(http::retry_delay(retry, 3, std::nullopt, random).count()), 4e6, 4e4);
  EXPECT_LE(http::retry_delay(retry, 60, std::nullopt, random).count(), 60'000'000);
  EXPECT_EQ(http::retry_delay(retry, 1, Duration(7), random).count(), 7);
  Timestamp now{std::chrono::seconds(1'700'000'000)};
  EXPECT_EQ(http::parse_retry_after("120", now), Duration(std::chrono::seconds(120)));
  EXPECT_EQ(http::parse_retry_after("Tue, 14 Nov 2023 22:14:20 GMT", now),
            Duration(std::chrono::seconds(60)));
  EXPECT_EQ(http::parse_retry_after("soon", now), std::nullopt);
  EXPECT_EQ(http::parse_retry_after("Wed, 21 Oct 2022026 07:28:00 GMT", now), std::nullopt);
  EXPECT_EQ(http::parse_retry_after("Wed, 21 Oct 2126 07:28:00 GMT", now), std::nullopt);
}

}  // namespace
}  // namespace tarn::source
