// Goal: whatever call of raw landing fails, and if the power is cut there, what `_tarn.fetches` names is
// whole, and the next attempt loads every row once. Method: fail call 1, 2, 3 ... until none.
#include "base/env/fault.h"

#include <iostream>

#include "base/env/fault_file_system.h"
#include "source/fixture_test.h"

namespace tarn::source {
namespace {

class FaultTest : public SourceFixture {
 protected:
  void expect_fetches_whole() {
    auto session = sessions_->open({});
    auto rows = rows_of(**session, "select path, sha256 from _tarn.fetches where path is not null");
    ASSERT_TRUE(rows) << rows.error().message;
    for (const auto& row : *rows) {
      auto digest = digest_file(root_ + "/.tarn/" + row[0].value_or(""));
      ASSERT_TRUE(digest) << digest.error().message;
      EXPECT_EQ(digest->sha256, row[1].value_or(""));
    }
  }

  void run_loop(const std::string& name, const std::string& wanted, FaultMode mode) {
    for (int64_t n = 1;; ++n) {
      ASSERT_LT(n, 200) << "never ran through";
      std::string run_id = fmt::format("f{}m{}", n, static_cast<int>(mode));
      FaultInjector injector({.layer = "files", .fail_call = n, .mode = mode});
      FaultFileSystem files(real_file_system(), injector);
      env_.files = &files;
      auto status = run(name, run_id);
      env_.files = &real_file_system();
      if (injector.crashed()) {
        injector.ledger().drop_unsynced(mode == FaultMode::kTorn);
      }
      expect_fetches_whole();
      EXPECT_OK(run(name, run_id));
      EXPECT_EQ(query("select count(*), count(distinct id) from " + name), wanted) << "call " << n;
      auto session = sessions_->open({});
      EXPECT_OK((*session)->execute("drop table if exists " + name));
      if (!injector.fired()) {
        EXPECT_OK(status);
        std::cout << "calls reached: files " << injector.calls()["files"] << "\n";
        return;
      }
    }
  }

  net::BadServer server_;
};

TEST_F(FaultTest, HttpLandingSurvivesEveryCall) {
  write("sources/s.yml", "kind: http\nurl: " + server_.url("/token") +
                             "\nformat: {type: json, records: $.items}\n"
                             "pages: {type: next_token, token: $.next, parameter: token}\nretry: 1\n");
  for (FaultMode mode : {FaultMode::kError, FaultMode::kFull, FaultMode::kCrash, FaultMode::kTorn}) {
    run_loop("s", "25|25", mode);
  }
}

TEST_F(FaultTest, FilesLandingSurvivesEveryCall) {
  write("in/a.csv", "id\n1\n2\n");
  write("in/b.csv", "id\n3\n");
  for (FaultMode mode : {FaultMode::kError, FaultMode::kCrash}) {
    std::string name = mode == FaultMode::kError ? "e" : "c";
    write("sources/" + name + ".yml", "kind: files\npath: in/*.csv\nformat: csv\nmode: replace\n");
    for (int64_t n = 1;; ++n) {
      ASSERT_LT(n, 100);
      full_refresh_ = true;  // reads unchanged files too
      FaultInjector injector({.layer = "files", .fail_call = n, .mode = mode});
      FaultFileSystem files(real_file_system(), injector);
      env_.files = &files;
      std::string run_id = fmt::format("{}{}", name, n);
      (void)run(name, run_id);
      env_.files = &real_file_system();
      if (injector.crashed()) {
        injector.ledger().drop_unsynced(false);
      }
      expect_fetches_whole();
      EXPECT_OK(run(name, run_id));
      EXPECT_EQ(query("select list(id order by id) from " + name), "[1, 2, 3]") << "call " << n;
      if (!injector.fired()) {
        break;
      }
    }
  }
}

}  // namespace
}  // namespace tarn::source
