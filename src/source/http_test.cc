// Goal: sources of kind http fetch all there is, once, politely; lying servers harm nothing. Method: a real
// lake and tests/servers/bad_http.py on loopback.
#include <nlohmann/json.hpp>

#include "net/http_client.h"
#include "source/fixture_test.h"

namespace tarn::source {
namespace {

class HttpTest : public SourceFixture {
 protected:
  void SetUp() override {
    SourceFixture::SetUp();
    ASSERT_GT(server_.port(), 0);
  }
  void source(const std::string& path, const std::string& more, const std::string& name = "s") {
    write("sources/" + name + ".yml", "kind: http\nurl: " + server_.url(path) + "\n" + more);
  }
  nlohmann::json seen() {
    net::HttpClient client;
    std::string body;
    (void)client.send({.method = "GET", .url = server_.url("/log"), .headers = {}, .body = {}},
                      {.allow_private_addresses = true, .ca_file = {}}, [&](std::string_view bytes) {
                        body += bytes;
                        return ok();
                      });
    return nlohmann::json::parse(body, nullptr, false);
  }

  net::BadServer server_;
};

TEST_F(HttpTest, JsonDocumentBecomesRows) {
  source("/ok", "");
  EXPECT_OK(run("s"));
  EXPECT_EQ(query("select id, day, price, _tarn_fetch from s order by id"),
            "0|2024-01-01|0.5|run1/1;1|2024-01-02|1.5|run1/1;2|2024-01-03|2.5|run1/1");
  EXPECT_EQ(query("select typeof(day) from s limit 1"), "DATE");
  EXPECT_EQ(query("select status, length(sha256), path from _tarn.fetches"), "200|64|raw/s/run1/1.json");
  EXPECT_EQ(report_.versions.size(), 1U);
}

TEST_F(HttpTest, AllKindsOfPages) {
  const std::string items = "format: {type: json, records: $.items}\n";
  source("/pages", items + "pages: {type: page, parameter: page, limit: 10, limit_parameter: per_page}\n",
         "a");
  source("/offset", items + "pages: {type: offset, parameter: offset, limit: 10, limit_parameter: limit}\n",
         "b");
  source("/token", items + "pages: {type: next_token, token: $.next, parameter: token}\n", "c");
  source("/link", "pages: {type: link}\n", "d");
  for (const char* name : {"a", "b", "c", "d"}) {
    EXPECT_OK(run(name));
    EXPECT_EQ(
        query(fmt::format("select count(*), count(distinct id), count(distinct _tarn_fetch) from {}", name)),
        "25|25|3")
        << name;
  }
}

TEST_F(HttpTest, PagesThatDoNotEndAreAnError) {
  source("/stuck",
         "format: {type: json, records: $.items}\npages: {type: next_token, token: $.next, parameter: t}\n");
  EXPECT_NE(error_of_run().message.find("the pages do not end"), std::string::npos);
  source("/token", "pages: {type: next_token, token: $.next, parameter: token, max: 2}\n");
  EXPECT_EQ(error_of_run().code, Code::kExhausted);
  EXPECT_EQ(query("select count(*) from information_schema.tables where table_name = 's'"), "0");
}

TEST_F(HttpTest, EachAsksOncePerRow) {
  auto session = sessions_->open({});
  EXPECT_OK((*session)->execute(
      "create table cities as select * from (values ('Ede', 52.0), ('Urk', 52.7), ('Ede', "
      "52.0)) t(city, latitude)"));
  source("/city",
         "query: {latitude: \"{latitude}\"}\neach: select city, latitude from cities order by "
         "city\nconcurrency: 3\n"
         "select: |\n  select each.city, unnest(hourly.time)::timestamp as time, unnest(hourly.temperature) "
         "as t\n"
         "  from input\n");
  EXPECT_OK(run("s"));
  EXPECT_EQ(
      query("select city, time, t from s order by city, time"),
      "Ede|2024-01-01 00:00:00|52.0;Ede|2024-01-01 01:00:00|12.5;Urk|2024-01-01 00:00:00|52.7;Urk|2024-01-01 "
      "01:00:00|12.5");
  EXPECT_EQ(query("select count(distinct _tarn_fetch) from s"), "2");
  EXPECT_EQ(query("select list(\"each\"->>'city' order by \"each\") from _tarn.fetches"), "[Ede, Urk]");
}

TEST_F(HttpTest, EachMayNotReachOutside) {
  source("/city", "each: select content as latitude from read_text('/etc/passwd')\n");
  Error error = error_of_run();
  EXPECT_EQ(error.code, Code::kDenied) << error.message;
  auto checked = check();
  ASSERT_EQ(checked.size(), 1U);
  EXPECT_EQ(to_string(checked.front().place), "sources/s.yml:3:39");
}

TEST_F(HttpTest, CheckFindsTypesColumnsAndTables) {
  source("/city",
         "each: select * from not_there\ncolumns: {a: intt, b: double}\nmode: upsert\nkey: bb\n"
         "on_new_columns: ignore\n");
  auto checked = check();
  ASSERT_EQ(checked.size(), 3U);
  EXPECT_EQ(to_string(checked[0]), "sources/s.yml:4:14: column a: 'intt' is not a type: did you mean 'int'?");
  EXPECT_EQ(to_string(checked[1]),
            "sources/s.yml:6:6: key names a column 'bb', which the table has not: did you mean 'b'?");
  EXPECT_EQ(to_string(checked[2]), "sources/s.yml:3:21: each: there is no table \"not_there\"");
}

TEST_F(HttpTest, SinceAsksFromTheCursorAndDropsWhatWasSeen) {
  source("/grow",
         "format: {type: json, records: $.items}\nsince: {column: day, parameter: since, initial: "
         "\"2024-01-02\"}\n");
  for (int i = 0; i < 4; ++i) {
    EXPECT_OK(run("s"));
  }
  EXPECT_EQ(query("select list(id order by id) from s"), "[1, 2, 3, 4, 5, 6, 7]");
  EXPECT_EQ(query("select list(regexp_extract(url, 'since=(.*)', 1) order by url) from _tarn.fetches"),
            "[2024-01-02, 2024-01-05, 2024-01-06, 2024-01-07]");
}

TEST_F(HttpTest, UpsertByKey) {
  source("/grow", "format: {type: json, records: $.items}\nmode: upsert\nkey: [id]\n");
  EXPECT_OK(run("s"));
  EXPECT_OK(run("s"));
  EXPECT_EQ(query("select count(*), count(distinct id), count(distinct _tarn_run) from s"), "6|6|1");
}

TEST_F(HttpTest, PassingTroubleIsRetried) {
  const std::string retry = "retry: {attempts: 4, first_delay: 1ms, max_delay: 5ms}\n";
  source("/busy", retry);
  EXPECT_OK(run("s"));
  source("/down", retry, "t");
  EXPECT_OK(run("t"));
  EXPECT_EQ(query("select source, list(status order by number) from _tarn.fetches group by 1 order by 1"),
            "s|[429, 429, 200];t|[500, 500, 200]");
  source("/always-down", retry, "u");
  auto status = run("u");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::kUnavailable);
  EXPECT_EQ(exit_code_of(status.error().code), 4);
}

TEST_F(HttpTest, WrongAnswersFailWithOneSentence) {
  source("/forbidden", "");
  Error error = error_of_run();
  EXPECT_EQ(error.code, Code::kFailed);
  EXPECT_NE(error.message.find("answered 403"), std::string::npos) << error.message;
  source("/later", "");
  EXPECT_NE(error_of_run().message.find("asks to come back in 86400 s"), std::string::npos);
  source("/endless", "max_bytes: 1MB\n");
  EXPECT_EQ(error_of_run().code, Code::kExhausted);
  source("/short", "retry: 1\n");
  EXPECT_EQ(error_of_run().code, Code::kUnavailable);
  source("/loop", "");
  EXPECT_EQ(error_of_run().code, Code::kExhausted);
  source("/encoding", "");
  EXPECT_NE(error_of_run().message.find("content-encoding br"), std::string::npos);
  EXPECT_EQ(query("select count(*) from information_schema.tables where table_name = 's'"), "0");
  size_t parts = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root_ + "/.tarn/raw")) {
    parts += entry.is_regular_file() ? 1 : 0;
  }
  EXPECT_EQ(parts, 0U) << "a failed request left bytes";
}

TEST_F(HttpTest, BrokenDocumentsGoToQuarantineWhole) {
  for (const char* path : {"/broken", "/html", "/elsewhere"}) {
    source(path, "format: {type: json, records: $.items}\n");
    EXPECT_OK(run("s"));
  }
  EXPECT_EQ(query("select count(*) from _tarn.quarantine where fetch_id like 'run%/1'"), "3");
  EXPECT_EQ(query("select reason from _tarn.quarantine where run = 'run3'"),
            "the document has nothing at $.items");
  EXPECT_EQ(query("select contains(raw, 'Please log in') from _tarn.quarantine where run = 'run2'"), "true");
}

TEST_F(HttpTest, ContractSortsGoodFromBad) {
  source("/mixed",
         "format: {type: json, records: $.items}\ncolumns:\n  id: {type: bigint, required: true}\n  price: "
         "{type: "
         "double, check: price > 0}\n");
  EXPECT_OK(run("s"));
  EXPECT_EQ(query("select id, price, extra from s order by id"), "1|1.5|-;6|6.0|new");
  EXPECT_EQ(
      query("select row_number, reason, raw from _tarn.quarantine order by 1"),
      "2|column id: cannot read 'x' as BIGINT|{\"id\":\"x\",\"price\":2.5};3|check of column price: price > "
      "0|{\"id\":3,\"price\":-1};4|column id: cannot read '4.5' as BIGINT|{\"id\":4.5,\"price\":1};5|column "
      "id is "
      "required|{\"id\":null,\"price\":1}");
}

TEST_F(HttpTest, NotModifiedLoadsNothing) {
  source("/etag", "");
  EXPECT_OK(run("s"));
  EXPECT_OK(run("s"));
  EXPECT_EQ(query("select count(*) from s"), "3");
  EXPECT_EQ(query("select list(status order by started_at) from _tarn.fetches"), "[200, 304]");
}

TEST_F(HttpTest, PackedAnswersAreKeptAsTheyCame) {
  source("/gzip", "");
  EXPECT_OK(run("s"));
  EXPECT_EQ(query("select count(*) from s"), "25");
  EXPECT_EQ(query("select encoding, path from _tarn.fetches"), "gzip|raw/s/run1/1.json.gz");
}

TEST_F(HttpTest, SecretsAreSentButNeverKept) {
  ::setenv("TARN_TEST_SECRET", "s3cr3t-value", 1);
  source("/echo",
         "query: {apikey: \"${env:TARN_TEST_SECRET}\"}\nauth: {bearer: \"${env:TARN_TEST_SECRET}\"}\n");
  EXPECT_OK(run("s"));
  auto log = seen();
  EXPECT_EQ(log.at(0).at("path"), "/echo?apikey=s3cr3t-value");
  EXPECT_EQ(log.at(0).at("headers").at("Authorization"), "Bearer s3cr3t-value");
  EXPECT_EQ(query("select count(*) from _tarn.fetches f where f::text like '%s3cr3t%'"), "0");
  EXPECT_EQ(query("select contains(url, '${env:TARN_TEST_SECRET}') from _tarn.fetches"), "true");
}

TEST_F(HttpTest, AnAttemptAgainUsesWhatIsLanded) {
  source("/token",
         "format: {type: json, records: $.items}\npages: {type: next_token, token: $.next, parameter: token, "
         "max: 2}\n");
  EXPECT_FALSE(run("s", "one"));
  source("/token",
         "format: {type: json, records: $.items}\npages: {type: next_token, token: $.next, parameter: "
         "token}\n");
  EXPECT_OK(run("s", "one"));
  EXPECT_EQ(query("select count(*), count(distinct id) from s"), "25|25");
  EXPECT_EQ(seen().size(), 4U) << "three pages and this question; pages 1 and 2 were fetched twice";
}

TEST_F(HttpTest, PostBodyVarsAndRate) {
  write("sources/s.yml",
        fmt::format("kind: http\nurl: ${{var:here}}:{}/x\nmethod: POST\nbody: '{{\"a\": {{}}, \"b\": "
                    "\"{{b}}\"}}'\neach: select 'v' as b\nrate: 100\nheaders: {{X-A: \"{{b}}\"}}\n",
                    server_.port()));
  EXPECT_OK(run("s"));
  EXPECT_EQ(query("select body from s"), "{\"a\": {}, \"b\": \"v\"}");
}

TEST_F(HttpTest, EmptyAnswersMakeNoTableAndNoError) {
  source("/empty", "format: {type: json, records: $.items}\n");
  EXPECT_OK(run("s"));
  EXPECT_EQ(query("select count(*) from information_schema.tables where table_name = 's'"), "0");
}

}  // namespace
}  // namespace tarn::source
