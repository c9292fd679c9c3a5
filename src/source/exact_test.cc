// Goal: no value is changed and no row or column lost without a word: what does not fit is in quarantine with
// its line. Method: inputs whose surprises come late or sit deep, a real lake.
#include "source/fixture_test.h"

namespace tarn::source {
namespace {

class ExactTest : public SourceFixture {
 protected:
  // Lines of NDJSON, `count` of them, made by `line`, above the part that is looked at beforehand.
  void write_lines(const std::string& path, int count, const std::function<std::string(int)>& line) const {
    std::string text;
    for (int i = 1; i <= count; ++i) {
      text += line(i) + "\n";
    }
    ASSERT_GT(text.size(), size_t{34} << 20);
    write(path, text);
  }
  static std::string padded(int i, const std::string& more) {
    return fmt::format("{{\"id\": {}, \"pad\": \"{}\"{}}}", i, std::string(90, 'p'), more);
  }
};

TEST_F(ExactTest, AColumnThatComesLateIsNoticed) {
  write_lines("in/a.ndjson", 320'000, [](int i) {
    return padded(i, i == 319'000 ? ", \"late\": 1.5" : i == 319'500 ? ", \"late\": \"x\"" : "");
  });
  write("sources/s.yml", "kind: files\npath: in/*.ndjson\nformat: ndjson\n");
  EXPECT_OK(run("s"));
  EXPECT_EQ(query("select count(*), count(late) from s"), "320000|2");
  EXPECT_EQ(query("select id, late from s where late is not null order by id"), "319000|1.5;319500|\"x\"");
}

TEST_F(ExactTest, ALateColumnOfAContract) {
  write_lines("in/a.ndjson", 320'000, [](int i) {
    return padded(i, i == 319'000 ? ", \"late\": \"2024-01-01\"" : i == 319'500 ? ", \"other\": 1" : "");
  });
  const std::string contract =
      "kind: files\npath: in/*.ndjson\nformat: ndjson\ncolumns: {id: bigint, pad: varchar, late: date}\n";
  write("sources/keep.yml", contract + "table: kept\non_new_columns: ignore\n");
  EXPECT_OK(run("keep"));
  EXPECT_EQ(query("select id, late from kept where late is not null"), "319000|2024-01-01");
  EXPECT_EQ(query("select list(column_name) from (describe kept) where column_name like 'ot%'"), "-");
  EXPECT_EQ(report_.warnings, std::vector<std::string>{"new column 'other' is ignored"});
  write("sources/grow.yml", contract + "table: grown\n");
  EXPECT_OK(run("grow"));
  EXPECT_EQ(query("select id, other from grown where other is not null"), "319500|1");
  write("sources/stop.yml", contract + "table: stopped\non_new_columns: fail\n");
  const auto status = run("stop");
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find("new column 'other'"), std::string::npos) << status.error().message;
}

TEST_F(ExactTest, ALateColumnIsSeenByASelect) {
  write_lines("in/a.ndjson", 320'000, [](int i) { return padded(i, i == 319'000 ? ", \"late\": 7" : ""); });
  write("sources/s.yml",
        "kind: files\npath: in/*.ndjson\nformat: ndjson\nselect: select * exclude (pad) from input\n");
  EXPECT_OK(run("s"));
  EXPECT_EQ(query("select count(*), max(late) from s"), "320000|7");
}

TEST_F(ExactTest, AFractionFarDownIsNotRounded) {
  std::string csv = "id,pad\n";
  for (int i = 1; i <= 400'000; ++i) {
    csv += i == 390'000   ? "390000.5,x\n"
           : i == 390'001 ? "many,x\n"
           : i == 390'002 ? "9007199254740993,x\n"
                          : fmt::format("{},{}\n", i, std::string(90, 'p'));
  }
  ASSERT_GT(csv.size(), size_t{34} << 20);
  write("in/a.csv", csv);
  write("sources/s.yml", "kind: files\npath: in/*.csv\nformat: {type: csv, header: true}\n");
  EXPECT_OK(run("s"));
  EXPECT_EQ(query("select column_type from (describe s) where column_name = 'id'"), "BIGINT");
  EXPECT_EQ(query("select count(*), max(id) from s"), "399998|9007199254740993");
  EXPECT_EQ(
      query("select row_number, reason from _tarn.quarantine order by 1"),
      "390001|column id: cannot read '390000.5' as BIGINT;390002|column id: cannot read 'many' as BIGINT");
}

TEST_F(ExactTest, ALeafThatDoesNotFitSendsItsRowToQuarantine) {
  const std::string types = "columns:\n  id: bigint\n  p: struct(x double, n bigint)\n  t: bigint[]\n";
  write("in/a.ndjson",
        "{\"id\": 1, \"p\": {\"x\": 1, \"n\": 2}, \"t\": [1]}\n{\"id\": 2, \"p\": {\"x\": \"abc\"}}\n"
        "{\"id\": 3, \"t\": [1, \"b\"]}\n{\"id\": 4, \"p\": {\"n\": 2.5}}\n");
  write("in/a.json",
        "[{\"id\": 1, \"p\": {\"x\": 1, \"n\": 2}, \"t\": [1]}, {\"id\": 2, \"p\": {\"x\": \"abc\"}}, "
        "{\"id\": 3, \"t\": [1, \"b\"]}, {\"id\": 4, \"p\": {\"n\": 2.5}}]");
  write("in/a.csv", "id,p,t\n1,\"{'x': 1, 'n': 2}\",[1]\n2,\"{'x': abc, 'n': 1}\",[1]\n3,,\"[1, b]\"\n");
  write("sources/n.yml", "kind: files\npath: in/a.ndjson\nformat: ndjson\n" + types);
  write("sources/j.yml", "kind: files\npath: in/a.json\n" + types);
  write("sources/c.yml",
        "kind: files\npath: in/a.csv\nformat: {type: csv, header: true, quote: '\"'}\n" + types);
  for (const char* source : {"n", "j", "c"}) {
    EXPECT_OK(run(source));
    EXPECT_EQ(query(fmt::format("select id, p.x, p.n, t from {} order by id", source)), "1|1.0|2|[1]")
        << source;
  }
  EXPECT_EQ(
      query(
          "select source, list(row_number order by row_number) from _tarn.quarantine group by 1 order by 1"),
      "c|[3, 4];j|[2, 3, 4];n|[2, 3, 4]");
  EXPECT_EQ(
      query("select distinct reason from _tarn.quarantine where row_number = 2 and source <> 'c' order by 1"),
      "column p: cannot read '{\"x\": \"abc\"}' as STRUCT(x DOUBLE, n BIGINT);"
      "column p: cannot read '{\"x\":\"abc\"}' as STRUCT(x DOUBLE, n BIGINT)");
}

TEST_F(ExactTest, LargeNumbersComeThroughASelect) {
  write("in/a.json",
        "[{\"n\": 18446744073709551615, \"o\": {\"m\": 9223372036854775808}}, {\"n\": -1, \"o\": null}]");
  write("in/a.ndjson", "{\"n\": 18446744073709551615, \"o\": {\"m\": 9223372036854775808}}\n{\"n\": -1}\n");
  write("sources/j.yml", "kind: files\npath: in/a.json\nselect: select n, o.m as m from input\n");
  write("sources/n.yml",
        "kind: files\npath: in/a.ndjson\nformat: ndjson\nselect: select n, o.m as m from input\n");
  for (const char* source : {"j", "n"}) {
    EXPECT_OK(run(source));
    EXPECT_EQ(query(fmt::format("select n, m from {} order by n", source)),
              "-1|-;18446744073709551615|9223372036854775808")
        << source;
  }
}

TEST_F(ExactTest, ALargeWholeNumberStopsNothing) {
  write("in/a.csv", "id\n1\n9007199254740993\n-9223372036854775808\n9223372036854775808\n");
  write("sources/c.yml",
        "kind: files\npath: in/a.csv\nformat: {type: csv, header: true}\ncolumns: {id: bigint}\n");
  EXPECT_OK(run("c"));
  EXPECT_EQ(query("select list(id order by id) from c"), "[-9223372036854775808, 1, 9007199254740993]");
  EXPECT_EQ(query("select row_number, reason from _tarn.quarantine"),
            "5|column id: cannot read '9223372036854775808' as BIGINT");
}

TEST_F(ExactTest, BrokenRowsOfEveryFormatWithChecks) {
  write("in/a.ndjson", "{\"id\": 1}\n{\"id\": -2}\n\n{\"id\": \n{\"id\": 5}\n");
  write("in/b.ndjson", "{\"id\": -6}\n{\"id\": 7}\n");
  write("sources/n.yml",
        "kind: files\npath: in/*.ndjson\nformat: ndjson\ncolumns: {id: {type: bigint, check: id > 0}}\n");
  EXPECT_OK(run("n"));
  EXPECT_EQ(query("select id, _tarn_fetch from n order by id"), "1|run1/1;5|run1/1;7|run1/2");
  EXPECT_EQ(query("select fetch_id, row_number, reason, raw from _tarn.quarantine order by all"),
            "run1/1|2|check of column id: id > 0|{\"id\": -2};run1/1|4|the line is not valid JSON|{\"id\": ;"
            "run1/2|1|check of column id: id > 0|{\"id\": -6}");
}

TEST_F(ExactTest, AThrowingSelectIsNamedWithItsPlace) {
  write("in/a.csv", "id\n1\n2\n");
  write("sources/s.yml",
        "kind: files\npath: in/a.csv\nformat: csv\nselect: select cast('x' || id as integer) as n from "
        "input\n");
  const auto status = run("s");
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find("sources/s.yml:4"), std::string::npos) << status.error().message;
  EXPECT_NE(status.error().message.find("select: "), std::string::npos) << status.error().message;
  EXPECT_NE(status.error().message.find("'x1'"), std::string::npos) << status.error().message;
}

TEST_F(ExactTest, ChecksOfTheProjectSeeWhatASelectMayNotDo) {
  write("sources/a.yml", "kind: files\npath: in/a.csv\nselect: select * from read_csv('/etc/passwd')\n");
  write("sources/b.yml", "kind: files\npath: in/a.csv\nselect: select x + 1 as y from input where z > 3\n");
  const auto found = check();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found.front().place.file, "sources/a.yml");
  EXPECT_EQ(found.front().place.line, 3);
}

TEST_F(ExactTest, AnOldRunOfAReplacedTableIsNotReplayed) {
  write("sources/s.yml", "kind: files\npath: in/*.csv\nformat: csv\nmode: replace\n");
  write("in/a.csv", "id\n1\n");
  EXPECT_OK(run("s"));
  write("in/b.csv", "id\n2\n");
  EXPECT_OK(run("s"));
  const auto old = replay_run("s", "run1");
  ASSERT_FALSE(old);
  EXPECT_NE(old.error().message.find("run2"), std::string::npos) << old.error().message;
  EXPECT_EQ(query("select list(id order by id) from s"), "[1, 2]");
  EXPECT_OK(replay_run("s", "run2"));
  EXPECT_EQ(query("select list(id order by id) from s"), "[1, 2]");
}

}  // namespace
}  // namespace tarn::source
