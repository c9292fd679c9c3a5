// Goal: odd but legal inputs keep every row. Method: real files, a real lake.
#include "source/fixture_test.h"

namespace tarn::source {
namespace {

class ShapesTest : public SourceFixture {};

TEST_F(ShapesTest, CsvFilesWithDifferentColumns) {
  write("in/a.csv", "id,x\n1,a\n2,b,c\n3,d\n");
  write("in/b.csv", "y,id\n7,4\n8,five\n9,6.5\n10,7\n");
  write("sources/s.yml",
        "kind: files\npath: in/*.csv\nformat: {type: csv, header: true}\ncolumns: {id: bigint, x: varchar, "
        "y: bigint}\n");
  EXPECT_OK(run("s"));
  EXPECT_EQ(query("select id, x, y from s order by id"), "1|a|-;3|d|-;4|-|7;7|-|10");
  EXPECT_EQ(query("select fetch_id, row_number from _tarn.quarantine order by all"),
            "run1/1|3;run1/2|3;run1/2|4");
}

TEST_F(ShapesTest, NdjsonBrokenInItsFirstLine) {
  write("in/a.ndjson", "nonsense\n{\"id\": 1}\n\n[1, 2]\n{\"id\": 2}\n");
  write("sources/s.yml", "kind: files\npath: in/a.ndjson\nformat: ndjson\n");
  EXPECT_OK(run("s"));
  EXPECT_EQ(query("select id, \"value\" from s order by id nulls last"), "1|-;2|-;-|[1,2]");
  EXPECT_EQ(query("select row_number, reason, raw from _tarn.quarantine"),
            "1|the line is not valid JSON|nonsense");
}

TEST_F(ShapesTest, JsonOfScalarsAndOfOneObject) {
  write("in/a.json", "[1, 2, 3]");
  write("in/b.json", "{\"name\": \"x\", \"at\": \"2024-05-01T10:00:00Z\", \"deep\": {\"a\": [1, 2]}}");
  write("sources/a.yml", "kind: files\npath: in/a.json\n");
  write("sources/b.yml", "kind: files\npath: in/b.json\n");
  EXPECT_OK(run("a"));
  EXPECT_OK(run("b"));
  EXPECT_EQ(query("select list(\"value\" order by 1) from a"), "[1, 2, 3]");
  EXPECT_EQ(query("select name, \"at\", deep, typeof(\"at\") from b"),
            "x|2024-05-01 10:00:00+00|{\"a\":[1,2]}|TIMESTAMP WITH TIME ZONE");
}

// A text that is only brackets: 200 KB of it would be more than the stack of a reader that recurses.
std::string nested(size_t depth) {
  return "{\"id\": " + std::to_string(depth) + ", \"v\": " + std::string(depth, '[') +
         std::string(depth, ']') + "}";
}

TEST_F(ShapesTest, RecordsNestedTooDeepAreBadRows) {
  std::string wide = "{\"id\": 3, \"v\": [";
  for (int i = 0; i < 600; ++i) {
    wide += "[1], ";
  }
  wide += "[2]]}";
  write("in/a.json", "[" + nested(1) + ", " + nested(100'000) + ", " + nested(150) + ", " + wide + "]");
  write("in/b.ndjson", nested(1) + "\n" + nested(100'000) + "\n" + nested(150) + "\n" + wide + "\n");
  write("sources/a.yml", "kind: files\npath: in/a.json\n");
  write("sources/b.yml", "kind: files\npath: in/b.ndjson\nformat: ndjson\n");
  for (const std::string name : {"a", "b"}) {
    EXPECT_OK(run(name));
    EXPECT_EQ(query("select id from " + name + " order by id"), "1;3;150");
    EXPECT_EQ(query("select row_number, reason from _tarn.quarantine where source = '" + name + "'"),
              "2|nested more than 200 deep");
  }
}

TEST_F(ShapesTest, EmptyAndTwinKeysKeepTheirValues) {
  const std::string record = R"({"": 1, "a": 2, "A": 3, "b_1": 4})";
  write("in/a.json", "[" + record + "]");
  write("in/b.ndjson", record + "\n");
  write("in/c.ndjson", "{\"a_1\": 5, \"C0\": 6}\n");
  write("sources/a.yml", "kind: files\npath: in/a.json\n");
  write("sources/b.yml", "kind: files\npath: in/b.ndjson\nformat: ndjson\n");
  write("sources/c.yml", "kind: files\npath: in/c.ndjson\nformat: ndjson\n");
  for (const std::string name : {"a", "b"}) {
    EXPECT_OK(run(name));
    EXPECT_EQ(query("select \"column\", a, \"A_1\", b_1 from " + name), "1|2|3|4");
  }
  EXPECT_OK(run("c"));
  EXPECT_EQ(query("select a_1, c0 from c"), "5|6");
}

TEST_F(ShapesTest, NestedTypesOfTheContract) {
  write("in/a.ndjson",
        "{\"id\": 1, \"tags\": [\"a\", \"b\"], \"p\": {\"x\": 1.5}}\n{\"id\": 2, \"tags\": 7, \"p\": {\"x\": "
        "2}}\n"
        "{\"id\": 3, \"tags\": null}\n");
  write("sources/s.yml",
        "kind: files\npath: in/a.ndjson\nformat: ndjson\ncolumns:\n  id: bigint\n  tags: varchar[]\n  p: "
        "struct(x double)\n");
  EXPECT_OK(run("s"));
  EXPECT_EQ(query("select id, tags, p.x from s order by id"), "1|[a, b]|1.5;3|-|-");
  EXPECT_EQ(query("select row_number from _tarn.quarantine"), "2");
}

TEST_F(ShapesTest, UpsertOfNdjsonInPartitions) {
  write("in/a.ndjson",
        "{\"id\": 1, \"day\": \"2024-01-01\", \"v\": 1}\n{\"id\": 2, \"day\": \"2024-01-02\", \"v\": 1}\n");
  write("sources/s.yml",
        "kind: files\npath: in/*.ndjson\nformat: ndjson\nmode: upsert\nkey: [id]\npartition_by: "
        "[day(day)]\ncolumns: "
        "{id: bigint, day: date, v: bigint}\n");
  EXPECT_OK(run("s"));
  write("in/b.ndjson",
        "{\"id\": 2, \"day\": \"2024-01-03\", \"v\": 2}\n{\"id\": 3, \"day\": \"2024-01-01\", \"v\": 2}\n");
  EXPECT_OK(run("s"));
  EXPECT_EQ(query("select id, day, v from s order by id"), "1|2024-01-01|1;2|2024-01-03|2;3|2024-01-01|2");
  EXPECT_OK(replay_run("s", "run1"));
  EXPECT_EQ(query("select id, day, v from s order by id"), "1|2024-01-01|1;2|2024-01-03|2;3|2024-01-01|2");
  write("sources/s.yml",
        "kind: files\npath: in/*.ndjson\nformat: ndjson\npartition_by: [week(day)]\ntable: other\n");
  auto status = run("s", "new");
  EXPECT_FALSE(status);
}

TEST_F(ShapesTest, ATypeThatTheTableDoesNotHaveIsRefused) {
  write("in/a.csv", "id\n1\n");
  write("sources/s.yml", "kind: files\npath: in/*.csv\nformat: csv\n");
  EXPECT_OK(run("s"));
  write("in/b.csv", "id\n2\n");
  write("sources/s.yml", "kind: files\npath: in/*.csv\nformat: csv\ncolumns: {id: varchar}\n");
  auto status = run("s");
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find("--full-refresh"), std::string::npos) << status.error().message;
  full_refresh_ = true;
  EXPECT_OK(run("s"));
  EXPECT_EQ(query("select list(id order by id), any_value(typeof(id)) from s"), "[1, 2]|VARCHAR");
}

TEST_F(ShapesTest, ManySourcesAtOnceLoseNothing) {
  for (int i = 0; i < 4; ++i) {
    write(fmt::format("in/{}.csv", i), fmt::format("id\n{}\nx\n", i));
    write(fmt::format("sources/s{}.yml", i),
          fmt::format(
              "kind: files\npath: in/{}.csv\nformat: {{type: csv, header: true}}\ncolumns: {{id: bigint}}\n",
              i));
  }
  auto read = sources();
  ASSERT_TRUE(read);
  auto tasks = source_tasks(*read, *records_);
  std::vector<std::thread> threads;
  std::vector<flow::TaskReport> reports(tasks.size());
  std::vector<Status> outcomes(tasks.size());
  for (size_t i = 0; i < tasks.size(); ++i) {
    threads.emplace_back([&, i] {
      flow::TaskContext context{.env = real_env(),
                                .sessions = *sessions_,
                                .log = log_,
                                .cancel = cancel_,
                                .run_id = "together",
                                .data_folder = root_ + "/.tarn",
                                .report = &reports[i],
                                .task_name = tasks[i]->name()};
      outcomes[i] = tasks[i]->run(context);
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  for (auto& outcome : outcomes) {
    EXPECT_OK(outcome);
  }
  EXPECT_EQ(query("select count(*), count(distinct source) from _tarn.quarantine"), "4|4");
}

}  // namespace
}  // namespace tarn::source
