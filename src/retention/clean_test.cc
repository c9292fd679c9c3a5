// Goal: what is older than its retention goes, once; what is needed stays: the newest run of each source can
// be replayed, files that did not change stay known, runs that are not over and the newest outcomes are
// untouched. Method: a real lake and real files, a clock that is set over years, and a look at everything
// afterwards.
#include "retention/clean.h"

#include <gmock/gmock.h>

#include "alert/records.h"
#include "base/time.h"
#include "flow/due_records.h"
#include "flow/runs.h"
#include "flow/test_records.h"
#include "report/mail/sent_log.h"
#include "source/fixture_test.h"

namespace tarn::retention {
namespace {

using testing::HasSubstr;

class SetClock : public Clock {
 public:
  Timestamp now() override { return time; }
  Duration steady() override { return time.time_since_epoch(); }
  void sleep_for(Duration duration) override { time += duration; }
  Timestamp time = real_env().clock->now();
};

class RetentionTest : public source::SourceFixture {
 protected:
  void SetUp() override {
    SourceFixture::SetUp();
    env_.clock = &clock_;
    auto& store = lake_->store();
    runs_records_ = std::move(*flow::Runs::open(env_, store));
    due_ = std::move(*flow::DueRecords::open(store));
    sent_ = std::move(*report::mail::SentLog::open(env_, store));
    alerts_ = std::move(*alert::AlertRecords::open(env_, store));
    ASSERT_TRUE(open_records(store));
    write("sources/s.yml", "kind: files\npath: in/*.csv\nformat: csv\ncolumns: {n: integer}\n");
  }
  void TearDown() override {
    alerts_.reset();
    sent_.reset();
    due_.reset();
    runs_records_.reset();
    SourceFixture::TearDown();
  }

  // The record of a run of task `task`, and its log.
  void record(const std::string& id, const std::string& task, flow::State state = flow::State::kDone) {
    flow::RunRecord run{.id = id, .command = "run", .started_at = clock_.time};
    EXPECT_TRUE(runs_records_->start_run(run, {{.run_id = id, .name = task, .kind = "source", .path = "p"}}));
    EXPECT_TRUE(runs_records_->start_attempt(id, task, 1));
    flow::AttemptEnd end{.run_id = id, .task = task, .attempt = 1, .state = state};
    EXPECT_TRUE(runs_records_->end_attempt(end, {{task, 1, 1, clock_.time, "a line"}}));
    EXPECT_TRUE(runs_records_->end_run(id, state, 0, ""));
    clock_.time += Duration(1'000'000);
  }
  void load(const std::string& id, const std::string& file, const std::string& text) {
    write("in/" + file, text);
    EXPECT_OK(run("s", id));
    record(id, "s");
  }
  std::map<std::string, int64_t> cleaned(const Policy& policy, bool dry_run = false) {
    const CleanerParts parts{env_, lake_->store(), *sessions_, *lake_, root_ + "/.tarn"};
    const auto done = clean(parts, policy, dry_run, {});
    EXPECT_TRUE(done) << done.error().message;
    std::map<std::string, int64_t> counts;
    if (!done)
      return counts;
    for (const auto& one : done->removed)
      counts[one.what] = one.count;
    return counts;
  }
  int64_t count(const std::string& sql) {
    return lake_->store().read([&](store::Connection& db) { return db.integer(sql); }).value().value_or(-1);
  }
  [[nodiscard]] bool has_raw(const std::string& run) const {
    return std::filesystem::exists(root_ + "/.tarn/raw/s/" + run);
  }
  void days(int count) { clock_.time += count * kDay; }

  SetClock clock_;
  std::unique_ptr<flow::Runs> runs_records_;
  std::unique_ptr<flow::DueRecords> due_;
  std::unique_ptr<report::mail::SentLog> sent_;
  std::unique_ptr<alert::AlertRecords> alerts_;
};

TEST_F(RetentionTest, RawBytesOfTheNewestRunStay) {
  load("run1", "a.csv", "n\n1\n");
  days(50);
  load("run2", "b.csv", "n\n2\nx\n");
  days(50);
  load("run3", "c.csv", "n\n3\n");
  days(200);
  Policy policy;
  policy.raw = 30 * kDay;
  policy.fetches = 60 * kDay;
  policy.quarantine = std::nullopt;
  EXPECT_EQ(cleaned(policy, true)["raw"], 2);
  EXPECT_TRUE(has_raw("run1"));  // a dry run takes nothing
  EXPECT_EQ(cleaned(policy)["raw"], 2);
  EXPECT_FALSE(has_raw("run1"));
  EXPECT_FALSE(has_raw("run2"));
  EXPECT_TRUE(has_raw("run3"));
  EXPECT_EQ(query("select path, error from _tarn.fetches where run = 'run1'"),
            "-|removed after 30 days (retention)");
  EXPECT_OK(replay_run("s", "run3"));
  EXPECT_THAT(replay_run("s", "run1").error().message, HasSubstr("nothing is kept of run run1"));
  EXPECT_EQ(query("select n from s order by n"), "1;2;3");
  // A cursor names the fetches: a file that was only touched is still known, one that changed replaces its
  // rows.
  EXPECT_EQ(cleaned(policy)["fetches"], 0);
  write("in/a.csv", "n\n1\n");
  write("in/b.csv", "n\n22\n");
  EXPECT_OK(run("s", "run4"));
  EXPECT_EQ(query("select n from s order by n"), "1;3;22");
  EXPECT_EQ(cleaned(policy)["raw"], 1);  // run3 is no longer the newest
  EXPECT_OK(replay_run("s", "run4"));
  EXPECT_EQ(query("select n from s order by n"), "1;3;22");
}

TEST_F(RetentionTest, RunsThatAreNotOverKeepEverything) {
  load("run1", "a.csv", "n\n1\n");
  load("run2", "b.csv", "n\n2\n");
  flow::Due due{.id = 1, .schedule = "nightly", .due_at = clock_.time, .first_due_at = clock_.time};
  due.trigger = "time";
  due.run_id = "run1";
  due.state = flow::DueState::kRunning;
  ASSERT_TRUE(due_->write({.schedules = {}, .due = {due}, .backfill = {}}));
  days(1000);
  auto counts = cleaned({});
  EXPECT_EQ(counts["raw"], 0);
  EXPECT_EQ(counts["runs"], 0);
  EXPECT_EQ(counts["due"], 0);
  due.state = flow::DueState::kDone;
  const auto settled = due_->write({.schedules = {}, .due = {due}, .backfill = {}});
  ASSERT_TRUE(settled) << settled.error().message;
  counts = cleaned({});
  EXPECT_EQ(counts["raw"], 1);
  EXPECT_EQ(counts["runs"], 1);
  EXPECT_EQ(count("SELECT count(*) FROM due"), 1);  // the newest gives the next number
}

TEST_F(RetentionTest, NewestOutcomesStayForEver) {
  for (int i = 0; i < 50; ++i) {
    record(fmt::format("r{:03}", i), i % 2 == 0 ? "a" : "b",
           i == 46 ? flow::State::kFailed : flow::State::kDone);
    days(20);
  }
  record("r900", "a", flow::State::kFailed);
  days(3000);
  const auto dry = cleaned({}, true);
  const auto done = cleaned({});
  EXPECT_EQ(dry, done);
  EXPECT_EQ(done.at("runs"), 48);
  EXPECT_EQ(done.at("logs"), 48);
  // a failed last, and was well before; b was well.
  EXPECT_EQ(count("SELECT count(*) FROM runs WHERE id IN ('r048', 'r900', 'r049')"), 3);
  EXPECT_EQ(count("SELECT count(*) FROM tasks"), 3);
  EXPECT_EQ(count("SELECT count(*) FROM attempts"), 3);
  EXPECT_EQ(count("SELECT count(*) FROM attempt_log"), 3);
  EXPECT_EQ(cleaned({}).at("runs"), 0);
  const auto history = runs_records_->history();
  ASSERT_TRUE(history);
  EXPECT_EQ(history->size(), 2U);
  EXPECT_TRUE(history->front().last_done_at.has_value());
}

TEST_F(RetentionTest, ResultsOfTestsGoWithTheirRuns) {
  record("r1", "a");
  record("r2", "a");
  ASSERT_TRUE(lake_->store().write([&](store::Connection& db) -> Status {
    for (const auto* run : {"r1", "r2"})
      TARN_CHECK(
          flow::write_tests(db, {.run_id = run, .task = "a", .at = clock_.time}, {{.name = "unique"}}));
    return ok();
  }));
  Policy policy;
  policy.runs = 800 * kDay;
  days(500);
  record("r3", "a");
  // A test of today takes nothing of before: how long runs are kept is said in one place.
  ASSERT_TRUE(lake_->store().write([&](store::Connection& db) {
    return flow::write_tests(db, {.run_id = "r3", .task = "a", .at = clock_.time}, {{.name = "unique"}});
  }));
  (void)cleaned(policy);
  EXPECT_EQ(count("SELECT count(*) FROM test_results"), 3);
  days(310);
  record("r4", "a");
  (void)cleaned(policy);
  EXPECT_EQ(count("SELECT count(*) FROM test_results"), 1);
  EXPECT_EQ(count("SELECT count(*) FROM test_results WHERE run_id = 'r3'"), 1);
}

TEST_F(RetentionTest, UnusedFilesOfTheLakeGo) {
  load("run1", "a.csv", "n\n1\n");
  std::string data;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root_ + "/.tarn/lake")) {
    if (entry.path().extension() == ".parquet" && entry.path().string().find("/s-") != std::string::npos)
      data = entry.path().parent_path().string();
  }
  ASSERT_FALSE(data.empty());
  write(std::filesystem::relative(data, root_).string() + "/dead.parquet", "PAR1");
  Policy policy;
  EXPECT_EQ(cleaned(policy)["orphans"], 0);
  std::filesystem::last_write_time(data + "/dead.parquet",
                                   std::filesystem::file_time_type::clock::now() - std::chrono::hours(30));
  const CleanerParts parts{env_, lake_->store(), *sessions_, *lake_, root_ + "/.tarn"};
  const auto dry = clean(parts, policy, true, {});
  ASSERT_TRUE(dry) << dry.error().message;
  ASSERT_EQ(dry->removed.back().what, "orphans");
  EXPECT_THAT(dry->removed.back().paths, testing::ElementsAre(testing::EndsWith("/data/dead.parquet")));
  EXPECT_THAT(dry->removed.back().paths.front(), testing::StartsWith("lake/public/s-"));
  EXPECT_EQ(cleaned(policy)["orphans"], 1);
  EXPECT_FALSE(std::filesystem::exists(data + "/dead.parquet"));
  EXPECT_EQ(query("select n from s"), "1");
}

// A transaction may be open for as long as it likes: what it wrote stays.
TEST_F(RetentionTest, FilesOfAnOpenTransactionStay) {
  load("run1", "a.csv", "n\n1\n");
  auto session = sessions_->open({});
  ASSERT_TRUE(session);
  const auto run = [&](const std::string& sql) {
    auto stream = (*session)->query_own(sql);
    EXPECT_TRUE(stream) << stream.error().message;
    while (stream) {
      auto batch = (*stream)->next_text();
      if (!batch || !*batch)
        break;
    }
  };
  run("BEGIN");
  run("CREATE TABLE big AS SELECT range AS n FROM range(100000)");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root_ + "/.tarn/lake")) {
    if (entry.is_regular_file())
      std::filesystem::last_write_time(
          entry.path(), std::filesystem::file_time_type::clock::now() - std::chrono::hours(30));
  }
  EXPECT_EQ(cleaned({})["orphans"], 0);
  run("COMMIT");
  EXPECT_EQ(query("select count(*) from big"), "100000");
  EXPECT_EQ(cleaned({})["orphans"], 0);
}

TEST_F(RetentionTest, LogsGoBeforeTheirRuns) {
  record("r1", "a");
  record("r2", "a");
  days(40);
  const auto done = cleaned({});
  EXPECT_EQ(done.at("logs"), 1);
  EXPECT_EQ(done.at("runs"), 0);
  EXPECT_EQ(count("SELECT count(*) FROM attempt_log WHERE run_id = 'r2'"), 1);
}

TEST_F(RetentionTest, QuarantinedRows) {
  load("run1", "a.csv", "n\n1\nx\n");
  load("run2", "b.csv", "n\n2\ny\nz\n");
  days(100);
  EXPECT_EQ(cleaned({}, true)["quarantine"], 1);
  EXPECT_EQ(query("select count(*) from _tarn.quarantine"), "3");
  EXPECT_EQ(cleaned({})["quarantine"], 1);
  EXPECT_EQ(query("select distinct run from _tarn.quarantine"), "run2");  // of the newest run
  load("run3", "c.csv", "n\n3\n");
  EXPECT_EQ(cleaned({})["quarantine"], 2);
  EXPECT_EQ(query("select count(*) from _tarn.quarantine"), "0");
}

TEST_F(RetentionTest, FoldersWithoutARecordAreSweptAfterADay) {
  load("run1", "a.csv", "n\n1\n");
  write(".tarn/raw/s/run0/1.csv", "n\n");
  write(".tarn/raw/s/run0/p2.part", "n");
  (void)cleaned({});
  EXPECT_TRUE(has_raw("run0"));  // it may be being landed
  days(2);
  (void)cleaned({});
  EXPECT_FALSE(has_raw("run0"));
  EXPECT_TRUE(has_raw("run1"));
}

TEST_F(RetentionTest, MailsAndAlerts) {
  ASSERT_TRUE(sent_->begin({.id = "m1", .key = "k1", .started_at = clock_.time}, false));
  ASSERT_TRUE(lake_->store().write([&](store::Connection& db) -> Status {
    TARN_CHECK(db.run("UPDATE sent SET state = 'sent'"));
    for (int i = 1; i <= 2; ++i) {
      TARN_CHECK(
          db.run("INSERT INTO alert_episodes VALUES (?, 'failure', ?, '', '', '', '', '', '', 0, 0, ?, ?)",
                 {i, i, clock_.time, i == 1 ? std::optional(clock_.time) : std::nullopt}));
      TARN_CHECK(db.run(
          "INSERT INTO alerts (episode, event, channel, run_id, text, count, created_at, state) VALUES "
          "(?, 'failure', 'me', '', '', 0, ?, 'sent')",
          {i, clock_.time}));
    }
    return ok();
  }));
  days(500);
  EXPECT_EQ(cleaned({})["sent"], 2);
  EXPECT_EQ(count("SELECT count(*) FROM sent"), 0);
  EXPECT_EQ(count("SELECT count(*) FROM alerts WHERE episode = 2"), 1);  // it is still the matter
  EXPECT_EQ(count("SELECT count(*) FROM alert_episodes"), 1);
}

TEST_F(RetentionTest, ForEverIsForEver) {
  load("run1", "a.csv", "n\n1\nx\n");
  load("run2", "b.csv", "n\n2\n");
  days(100'000);
  Policy policy{std::nullopt, std::nullopt, std::nullopt, std::nullopt, std::nullopt,
                std::nullopt, std::nullopt, std::nullopt, std::nullopt};
  for (const auto& [what, number] : cleaned(policy))
    EXPECT_EQ(number, 0) << what;
  EXPECT_EQ(*last_cleaned_at(lake_->store()), clock_.time);
}

TEST(RetentionConfigTest, SpansAndMistakes) {
  const auto read = [](const std::string& text, Diagnostics& mistakes) {
    return read_policy(*codec::parse_yaml(text, "tarn.yml"), mistakes);
  };
  Diagnostics mistakes;
  const auto policy = read("{raw: 7d, logs: forever, runs: 1000d}", mistakes);
  EXPECT_TRUE(mistakes.empty());
  EXPECT_EQ(policy.raw, 7 * kDay);
  EXPECT_FALSE(policy.logs);
  EXPECT_EQ(policy.fetches, 400 * kDay);
  for (const auto* text :
       {"{raw: 5m}", "{raw: always}", "{rwa: 5d}", "[x]", "{raw: 10d, fetches: 5d}", "{raw: forever}"}) {
    mistakes.clear();
    (void)read(text, mistakes);
    EXPECT_EQ(mistakes.size(), 1U) << text;
  }
}

}  // namespace
}  // namespace tarn::retention
