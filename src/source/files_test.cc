// Goal: files of every format land in the table with the right types; broken rows go to quarantine with their
// place, and never anything is doubled or lost. Method: real files, a real lake.
#include <cstdlib>

#include "source/fixture_test.h"
#include "source/landing.h"

namespace tarn::source {
namespace {

class FilesTest : public SourceFixture {};

TEST_F(FilesTest, CsvTypesAreInferredAndKept) {
  write("in/a.csv", "id,name,price,day\n1,one,1.5,2024-01-01\n2,two,2.5,2024-01-02\n");
  write("sources/s.yml", "kind: files\npath: in/*.csv\nformat: csv\n");
  EXPECT_OK(run("s"));
  EXPECT_EQ(query("select * exclude (_tarn_run) from s order by id"),
            "1|one|1.5|2024-01-01|run1/1;2|two|2.5|2024-01-02|run1/1");
  EXPECT_EQ(query("select column_name, column_type from (describe s)"),
            "id|BIGINT;name|VARCHAR;price|DOUBLE;day|DATE;_tarn_run|VARCHAR;_tarn_fetch|VARCHAR");
  EXPECT_EQ(report_.counts.rows_written, 2);
  EXPECT_EQ(query("select source, bytes > 0, status from _tarn.fetches"), "s|true|-");
}

TEST_F(FilesTest, UnchangedFilesAreNotLoadedAgainAndChangedOnesReplaceTheirRows) {
  write("in/a.csv", "id\n1\n2\n");
  write("in/b.csv", "id\n3\n");
  write("sources/s.yml", "kind: files\npath: in/*.csv\nformat: csv\n");
  EXPECT_OK(run("s"));
  EXPECT_OK(run("s"));
  EXPECT_EQ(query("select list(id order by id) from s"), "[1, 2, 3]");
  std::filesystem::remove(root_ + "/in/a.csv");  // the kept bytes may share the file
  write("in/a.csv", "id\n1\n2\n7\n");
  write("in/c.csv", "id\n9\n");
  EXPECT_OK(run("s"));
  EXPECT_EQ(query("select list(id order by id) from s"), "[1, 2, 3, 7, 9]");
  EXPECT_EQ(query("select count(*) from _tarn.fetches"), "4");
}

TEST_F(FilesTest, TheChecksumOfABigFileIsMadeWhileItLoads) {
  const auto csv = [](int last) {
    std::string text = "id,pad\n";
    for (int i = 1; i < 200'000; ++i) {
      text += fmt::format("{:06},{}\n", i, std::string(90, 'p'));
    }
    return text + fmt::format("{:06},x\n", last);
  };
  ASSERT_GT(csv(1).size(), size_t{17} << 20);
  write("in/a.csv", csv(200'000));
  write("sources/s.yml", "kind: files\npath: in/*.csv\nformat: csv\ncolumns: {id: bigint, pad: varchar}\n");
  EXPECT_OK(run("s"));
  const auto digest = digest_file(root_ + "/in/a.csv");
  ASSERT_TRUE(digest);
  EXPECT_EQ(query("select sha256, bytes from _tarn.fetches"),
            fmt::format("{}|{}", digest->sha256, digest->bytes));
  const auto touch = [this](int hours) {
    const auto path = root_ + "/in/a.csv";
    std::filesystem::last_write_time(path,
                                     std::filesystem::last_write_time(path) + std::chrono::hours(hours));
  };
  touch(1);
  EXPECT_OK(run("s"));
  EXPECT_EQ(query("select count(*) from _tarn.fetches"), "1");
  std::filesystem::remove(root_ + "/in/a.csv");
  write("in/a.csv", csv(300'000));
  touch(2);
  EXPECT_OK(run("s"));
  EXPECT_EQ(query("select count(*), max(id) from s"), "200000|300000");
  EXPECT_EQ(query("select count(distinct sha256), count(*) from _tarn.fetches where length(sha256) = 64"),
            "2|2");
  EXPECT_OK(replay_run("s", "run3"));
}

TEST_F(FilesTest, BrokenCsvRowsGoToQuarantineWithTheirLine) {
  write("in/a.csv",
        "id,price,day\n1,1.5,2024-01-01\nx,2.5,2024-01-02\n3,abc,2024-01-03\n4\n5,5,2024-01-05\n6.5,6,2024-"
        "01-06\n"
        ",7,2024-01-07\n8,-8,2024-01-08\n");
  write("sources/s.yml",
        "kind: files\npath: in/a.csv\nformat: {type: csv, header: true}\ncolumns:\n  id: {type: bigint, "
        "required: "
        "true}\n  price: {type: double, check: price > 0}\n  day: date\n");
  EXPECT_OK(run("s"));
  EXPECT_EQ(query("select list(id order by id) from s"), "[1, 5]");
  EXPECT_EQ(query("select list(row_number order by row_number) from _tarn.quarantine"), "[3, 4, 5, 7, 8, 9]");
  EXPECT_EQ(
      query("select row_number, reason from _tarn.quarantine where row_number in (3, 8, 9) order by 1"),
      "3|column id: cannot read 'x' as BIGINT;8|column id is required;9|check of column price: price > 0");
  EXPECT_EQ(report_.counts.rows_quarantined, 6);
}

// Beyond what the reader samples, and in files of different dialects.
TEST_F(FilesTest, AQuotedValueIsReadAnywhereInACsv) {
  std::string text = "id,pad,name\n";
  for (int i = 0; i < 400'000; ++i) {
    text += fmt::format("{},{},plain\n", i, std::string(90, 'p'));
  }
  ASSERT_GT(text.size(), size_t{33} << 20);
  write("in/a.csv", text + "400000,p,\"one, \"\"two\"\"\"\n");
  write("in/b.csv", "id;pad;name\n400001;q;'three; four'\n400002;q;five\n");
  text.insert(text.find("plain"), "\"").insert(text.find("plain") + 5, "\"");
  write("in/c.csv", text + "400003,p,\"six, \"\"seven\"\"\"\n");
  write("sources/s.yml", "kind: files\npath: in/*.csv\nformat: csv\n");
  EXPECT_OK(run("s"));
  EXPECT_EQ(query("select name from s where id >= 400000 order by id"),
            "one, \"two\";three; four;five;six, \"seven\"");
  EXPECT_EQ(query("select count(*) from s"), "800004");
  EXPECT_EQ(report_.counts.rows_quarantined, 0);
}

// What the first look at a file finds is given to the statements after it, but where only the declared type
// shows how dates are written: one value that is none makes the look take the whole column for text.
TEST_F(FilesTest, HowACsvIsWrittenIsFoundOnceAndMeansTheSame) {
  std::string text = "# of the station\r\nday;at;n;name\r\n";
  for (int i = 1; i <= 20; ++i) {
    text += fmt::format("{0:02}.03.2026;2026-03-{0:02} 06:00:00;{0};it's {0}\r\n", i);
  }
  write("in/a.csv", text + "31.02.2026;2026-03-21 06:00:00;21;x\r\nnone;2026-03-22 06:00:00;22;y\r\n");
  write("in/b.csv", "day,at,n,name\n2026-03-23,2026-03-23 06:00:00,23,\"z, \"\"w\"\"\"\n");
  write("sources/s.yml",
        "kind: files\npath: in/*.csv\nformat: csv\ncolumns: {day: date, at: timestamp, n: integer}\n");
  EXPECT_OK(run("s"));
  EXPECT_EQ(query("select count(*), min(day), max(day), sum(n) from s"), "21|2026-03-01|2026-03-23|233");
  EXPECT_EQ(query("select name from s where n = 7 or n = 23 order by n"), "it's 7;z, \"w\"");
  EXPECT_EQ(query("select row_number from _tarn.quarantine order by 1"), "23;24");
}

TEST_F(FilesTest, AColumnThatSqlCannotNameIsToldAsSuch) {
  write("in/a.ndjson", R"({"id": 1})"
                       "\n"
                       R"({"id": 2, "a\u0000b": 3})"
                       "\n");
  write("sources/s.yml", "kind: files\npath: in/*.ndjson\nformat: ndjson\n");
  EXPECT_NE(error_of_run().message.find("zero byte after \"a\""), std::string::npos)
      << error_of_run().message;
  write("in/b.ndjson", R"({"other": {"a\u0000b": 3}})"
                       "\n");
  EXPECT_NE(error_of_run().message.find("zero byte"), std::string::npos) << error_of_run().message;
  write("sources/s.yml", "kind: files\npath: in/*.json\nformat: json\n");
  write("in/a.json", R"([{"a\u0000b": 3}])");
  EXPECT_NE(error_of_run().message.find("zero byte"), std::string::npos) << error_of_run().message;
}

TEST_F(FilesTest, OneBrokenRowInAMillionIsFound) {
  std::string csv = "id,name,price\n";
  std::string json;
  for (int i = 1; i <= 1'000'100; ++i) {
    bool broken = i == 1'000'000;
    csv += broken ? "oops,\"x\n" : fmt::format("{},n{},{}.5\n", i, i % 10, i % 100);
    json +=
        broken ? "{\"id\": 1000000, \"na\n" : fmt::format("{{\"id\": {}, \"name\": \"n{}\"}}\n", i, i % 10);
  }
  write("in/a.csv", csv);
  write("in/a.ndjson", json);
  write("sources/c.yml",
        "kind: files\npath: in/a.csv\nformat: {type: csv, header: true}\ncolumns: {id: bigint, price: "
        "double}\n");
  write("sources/j.yml", "kind: files\npath: in/a.ndjson\nformat: ndjson\ncolumns: {id: bigint}\n");
  EXPECT_OK(run("c"));
  EXPECT_OK(run("j"));
  EXPECT_EQ(query("select count(*), count(distinct id), max(id) from c"), "1000099|1000099|1000100");
  EXPECT_EQ(query("select count(*), count(distinct id), max(id) from j"), "1000099|1000099|1000100");
  EXPECT_EQ(query("select source, row_number from _tarn.quarantine order by 1"), "c|1000001;j|1000000");
}

TEST_F(FilesTest, NdjsonKeepsTypesAndEvolves) {
  write("in/a.ndjson", "{\"id\": 1, \"tags\": [\"a\"], \"at\": \"2024-01-01T10:00:00\"}\n{\"id\": 2}\n");
  write("sources/s.yml", "kind: files\npath: in/*.ndjson\nformat: ndjson\n");
  EXPECT_OK(run("s"));
  EXPECT_EQ(query("select id, tags, \"at\" from s order by id"), "1|[\"a\"]|2024-01-01 10:00:00;2|-|-");
  write("in/b.ndjson",
        "{\"id\": 3, \"extra\": 1.5}\n{\"id\": \"four\", \"extra\": 2}\n{\"id\": 5.5}\n{\"id\": "
        "9007199254740993}\n");
  EXPECT_OK(run("s"));
  EXPECT_EQ(query("select id, extra from s order by id"), "1|-;2|-;3|1.5;9007199254740993|-");
  EXPECT_EQ(query("select row_number, reason from _tarn.quarantine order by 1"),
            "2|column id: cannot read 'four' as BIGINT;3|column id: cannot read '5.5' as BIGINT");
  EXPECT_FALSE(report_.warnings.empty());
}

TEST_F(FilesTest, NewColumnsCanBeIgnoredOrRefused) {
  write("in/a.csv", "id\n1\n");
  write("sources/s.yml", "kind: files\npath: in/*.csv\nformat: csv\non_new_columns: ignore\n");
  EXPECT_OK(run("s"));
  write("in/b.csv", "id,more\n2,x\n");
  EXPECT_OK(run("s"));
  EXPECT_EQ(query("select list(column_name) from (describe s)"), "[id, _tarn_run, _tarn_fetch]");
  write("sources/s.yml", "kind: files\npath: in/*.csv\nformat: csv\non_new_columns: fail\n");
  write("in/c.csv", "id,other\n3,x\n");
  auto status = run("s");
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find("new column 'other'"), std::string::npos) << status.error().message;
  EXPECT_EQ(query("select count(*) from s"), "2");
}

TEST_F(FilesTest, ParquetAndPackedFiles) {
  std::string make = fmt::format(
      "cd {0} && mkdir -p in && printf 'id,x\\n1,a\\n2,b\\n' | gzip > in/a.csv.gz && printf "
      "'[{{\"id\": 1}}, {{\"id\": 2}}]' | gzip > in/a.json.gz",
      root_);
  ASSERT_EQ(std::system(make.c_str()), 0);
  write("sources/c.yml", "kind: files\npath: in/a.csv.gz\nformat: csv\n");
  write("sources/j.yml", "kind: files\npath: in/a.json.gz\nformat: json\n");
  EXPECT_OK(run("c"));
  EXPECT_OK(run("j"));
  EXPECT_EQ(query("select list(x order by id) from c"), "[a, b]");
  EXPECT_EQ(query("select list(id order by id) from j"), "[1, 2]");
  auto session = sessions_->open({});
  std::filesystem::create_directories(root_ + "/.tarn/raw/made");
  EXPECT_OK((*session)->execute_own(
      fmt::format("COPY (SELECT i AS id, i * 1.5 AS price, {{'a': i}} AS s FROM range(10) "
                  "t(i)) TO '{}/.tarn/raw/made/p.parquet'",
                  root_)));
  write("sources/p.yml", fmt::format("kind: files\npath: {}/.tarn/raw/made/p.parquet\nformat: "
                                     "parquet\ncolumns:\n  price: {{type: double, "
                                     "check: price < 10}}\n",
                                     root_));
  EXPECT_OK(run("p"));
  EXPECT_EQ(query("select count(*), max(s.a), max(price) from p"), "7|6|9.0");
  EXPECT_EQ(query("select list(row_number order by row_number) from _tarn.quarantine"), "[8, 9, 10]");
}

TEST_F(FilesTest, SelectShapesRowsAndIsChecked) {
  write("in/a.csv", "sym,price\nA,1\nB,2\n");
  write("in/b.csv", "sym,price\nC,3\n");
  write("sources/s.yml",
        "kind: files\npath: in/*.csv\nformat: csv\nselect: select lower(sym) as symbol, price * 10 as cents "
        "from input\n"
        "columns: {cents: double}\n");
  EXPECT_OK(run("s"));
  EXPECT_EQ(query("select symbol, cents, _tarn_fetch from s order by 1"),
            "a|10.0|run1/1;b|20.0|run1/1;c|30.0|run1/2");
  write("sources/bad.yml",
        "kind: files\npath: in/*.csv\nformat: csv\nselect: select * from read_csv('/etc/passwd')\n");
  auto status = run("bad");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::kDenied) << status.error().message;
  EXPECT_NE(status.error().message.find("sources/bad.yml:4"), std::string::npos) << status.error().message;
}

TEST_F(FilesTest, ReplaceTakesAllOrNothing) {
  write("in/a.csv", "id\n1\n2\n");
  write("sources/s.yml", "kind: files\npath: in/*.csv\nformat: csv\nmode: replace\n");
  EXPECT_OK(run("s"));
  write("in/b.csv", "id\n3\n");
  EXPECT_OK(run("s"));
  EXPECT_EQ(query("select list(id order by id) from s"), "[1, 2, 3]");
  std::filesystem::remove(root_ + "/in/a.csv");
  std::filesystem::remove(root_ + "/in/b.csv");
  write("in/c.csv", "id\n");
  auto status = run("s");
  EXPECT_FALSE(status);
  EXPECT_EQ(query("select list(id order by id) from s"), "[1, 2, 3]");
  write("sources/s.yml", "kind: files\npath: in/*.csv\nformat: csv\nmode: replace\nallow_empty: true\n");
  EXPECT_OK(run("s"));
  EXPECT_EQ(query("select count(*) from s"), "0");
}

TEST_F(FilesTest, UpsertLastWinsAndNullKeysAreQuarantined) {
  write("in/a.csv", "id,v\n1,a\n2,b\n2,c\n,d\n");
  write("sources/s.yml",
        "kind: files\npath: in/*.csv\nformat: {type: csv, header: true}\nmode: upsert\nkey: id\n");
  EXPECT_OK(run("s"));
  EXPECT_EQ(query("select id, v from s order by id"), "1|a;2|c");
  EXPECT_EQ(query("select reason, row_number from _tarn.quarantine"), "the key is null: id|5");
  write("in/b.csv", "id,v\n2,z\n3,y\n");
  EXPECT_OK(run("s"));
  EXPECT_EQ(query("select id, v, _tarn_run from s order by id"), "1|a|run1;2|z|run2;3|y|run2");
}

TEST_F(FilesTest, ReplayPutsTheNewParseInPlaceOfTheOld) {
  write("in/a.csv", "id,price\n1,10\n2,-1\n");
  write("sources/s.yml",
        "kind: files\npath: in/*.csv\nformat: csv\ncolumns: {price: {type: double, check: price > "
        "0}}\n");
  EXPECT_OK(run("s"));
  write("in/b.csv", "id,price\n3,30\n");
  EXPECT_OK(run("s"));
  EXPECT_EQ(query("select list(id order by id) from s"), "[1, 3]");
  write("sources/s.yml",
        "kind: files\npath: in/*.csv\nformat: csv\ncolumns: {price: {type: double, check: price > "
        "-5}}\n");
  EXPECT_OK(replay_run("s", "run1"));
  EXPECT_EQ(query("select id, _tarn_run from s order by id"), "1|run1;2|run1;3|run2");
  EXPECT_EQ(query("select count(*) from _tarn.quarantine"), "0");
  auto nothing = replay_run("s", "run77");
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code, Code::kNotFound);
}

TEST_F(FilesTest, ACancelStopsTheLoadAndLeavesNothing) {
  write("in/a.csv", "id\n1\n");
  write("sources/s.yml",
        "kind: files\npath: in/a.csv\nformat: csv\nselect: select count(*) as n from range(100000000000) a, "
        "input\n");
  log_.on_progress = [this](const std::string& text) {
    if (text.ends_with("loading")) {
      cancel_.set();
    }
  };
  auto status = run("s");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::kCancelled) << status.error().message;
  EXPECT_EQ(query("select count(*) from information_schema.tables where table_name = 's'"), "0");
}

TEST_F(FilesTest, ARepeatedAttemptLoadsOnce) {
  write("in/a.csv", "id\n1\n");
  write("sources/s.yml", "kind: files\npath: in/*.csv\nformat: csv\n");
  EXPECT_OK(run("s", "same"));
  EXPECT_OK(run("s", "same"));
  EXPECT_EQ(query("select count(*) from s"), "1");
  close();
  open();
  EXPECT_OK(run("s", "other"));
  EXPECT_EQ(query("select count(*) from s"), "1");
}

}  // namespace
}  // namespace tarn::source
