#include "catalog/catalog_fixture.h"

namespace tarn::catalog {
namespace {

using Names = std::set<std::string>;
const TableName kA{"public", "a"};
const TableName kB{"public", "b"};

// What the lake holds after each commit of the script; commit i makes lake version i + 2.
struct State {
  Names a;
  Names b;
};
const std::vector<State> kStates = {
    {{}, {}},                      // before: neither table is there
    {{}, {"b0"}},                  // both made, b with a file
    {{"a1"}, {"b0"}},              // append
    {{"a1", "a2"}, {"b0", "b2"}},  // append to both
    {{"a2", "a3"}, {"b0", "b2"}},  // overwrite of one file
    {{"a4"}, {"b0", "b2"}},        // overwrite of all
};

class CatalogFaultTest : public CatalogFixture {
 protected:
  // The request that leads from kStates[step - 1] to kStates[step].
  static Result<CommitRequest> request(Env& env, Catalog& catalog, size_t step) {
    CommitRequest made;
    made.token = fmt::format("step/{}", step);
    made.cursors = {{"source", "", std::to_string(step)}};
    auto add = [&](TableChange& change, const std::string& name) -> Status {
      // Every attempt writes files of other names, as a transaction that is run again does.
      TARN_TRY(auto file, new_file(env, catalog, change, name + "." + new_uuid(*env.random)));
      change.added.push_back(std::move(file));
      return ok();
    };
    if (step == 1) {
      TableChange b = creation(env, kB);
      TARN_CHECK(add(b, "b0"));
      made.tables = {creation(env, kA), b};
      return made;
    }
    TARN_TRY(auto a, change_of(catalog, kA));
    TARN_CHECK(add(a, fmt::format("a{}", step - 1)));
    if (step == 4) {
      TARN_TRY(auto plan, catalog.plan(*a.base, *a.base->current_snapshot_id, {}));
      for (const auto& each : plan.files) {
        if (each.file.path.find("/a1") != std::string::npos) {
          a.removed.push_back(each.file.path);
        }
      }
    }
    a.remove_all = step == 5;
    made.tables.push_back(a);
    if (step == 3) {
      TARN_TRY(auto b, change_of(catalog, kB));
      TARN_CHECK(add(b, "b2"));
      made.tables.push_back(b);
    }
    return made;
  }

  // Runs the whole script, each step up to twice; returns how many steps were answered with success.
  // `in_doubt`: the last step got an error that does not prove that it did not happen.
  static size_t run(Env& env, const std::string& folder, FaultInjector* faults, bool* in_doubt = nullptr) {
    bool doubted = false;
    bool& doubt = in_doubt != nullptr ? *in_doubt : doubted;
    auto lake = open_lake(env, folder, faults);
    if (!lake) {
      return 0;
    }
    size_t answered = 0;
    for (size_t step = 1; step < kStates.size(); ++step) {
      bool done = false;
      doubt = false;
      for (int attempt = 0; attempt < 2 && !done; ++attempt) {
        auto made = request(env, *lake->catalog, step);
        if (!made) {
          continue;
        }
        auto outcome = lake->catalog->commit(std::move(*made));
        done = outcome.has_value();
        doubt = doubt ||
                (!done && (outcome.error().code == Code::kIo || outcome.error().code == Code::kInternal));
      }
      if (!done) {
        break;
      }
      answered = step;
    }
    return answered;
  }

  static Names without_suffix(const Names& names) {
    Names plain;
    for (const auto& name : names) {
      plain.insert(name.substr(0, name.find('.')));
    }
    return plain;
  }

  // The lake as a new process finds it: whole, in the state after step `answered` or the one that was under
  // way.
  void check(size_t answered, bool in_doubt, const std::string& what) {
    auto lake = open_lake(env_, folder_);
    ASSERT_TRUE(lake) << what << ": " << lake.error().message;
    auto head = lake->catalog->head().value();
    auto step = static_cast<size_t>(head->number - 1);
    ASSERT_TRUE(step == answered || step == answered + 1)
        << what << ": at " << step << ", answered " << answered;
    EXPECT_TRUE(step == answered || in_doubt) << what << ": its files would be removed";
    for (size_t i = 1; i < kStates.size(); ++i) {
      auto token = lake->catalog->find_token(fmt::format("step/{}", i));
      ASSERT_TRUE(token) << what;
      EXPECT_EQ(token->has_value(), i <= step) << what << ", token of step " << i;
    }
    auto cursor = lake->catalog->cursor("source", "").value();
    EXPECT_EQ(cursor, step == 0 ? std::nullopt : std::optional(std::to_string(step))) << what;
    for (int64_t number = 2; number <= head->number; ++number) {
      auto version = lake->catalog->at_version(number).value();
      auto a = live(*lake->catalog, *version, kA);
      auto b = live(*lake->catalog, *version, kB);
      ASSERT_TRUE(a) << what << ": " << a.error().message;
      ASSERT_TRUE(b) << what << ": " << b.error().message;
      EXPECT_EQ(without_suffix(*a), kStates[static_cast<size_t>(number - 1)].a)
          << what << ", version " << number;
      EXPECT_EQ(without_suffix(*b), kStates[static_cast<size_t>(number - 1)].b)
          << what << ", version " << number;
    }
    // Life goes on: the script can be run to its end, and what was done is not done again.
    lake = OpenLake{};
    EXPECT_EQ(run(env_, folder_, nullptr), kStates.size() - 1) << what;
  }

  void every_call(const std::string& layer, FaultMode mode, bool for_ever, std::string_view mode_name) {
    for (int n = 1;; ++n) {
      std::filesystem::remove_all(folder_);
      std::filesystem::create_directory(folder_);
      FaultInjector injector({.layer = layer, .fail_call = n, .mode = mode, .for_ever = for_ever});
      FaultFileSystem files(real_file_system(), injector);
      Env env{&files, &clock_, env_.random};
      bool in_doubt = false;
      size_t answered = run(env, folder_, &injector, &in_doubt);
      check(answered, in_doubt, fmt::format("{} call {} {}", layer, n, mode_name));
      if (HasFatalFailure() || !injector.fired()) {
        EXPECT_EQ(answered, kStates.size() - 1);
        std::printf("catalog, %s, %s: %d calls\n", layer.c_str(), std::string(mode_name).c_str(), n - 1);
        EXPECT_GT(n, 30);
        return;
      }
      if (mode == FaultMode::kError && !for_ever && answered > 0) {
        EXPECT_EQ(answered, kStates.size() - 1)
            << "one failed call must not stop the work for good, call " << n;
      }
    }
  }
};

// Goal: whatever fails, everything acknowledged is there and nothing is there by half.
// Method: fail call 1, 2, ... of a layer until the script passes; then open the lake anew.
TEST_F(CatalogFaultTest, FilesFail) {
  every_call("files", FaultMode::kError, false, "error");
  every_call("files", FaultMode::kError, true, "error for ever");
  every_call("files", FaultMode::kFull, true, "full");
}

TEST_F(CatalogFaultTest, FilesCrash) {
  every_call("files", FaultMode::kCrash, false, "crash");
  every_call("files", FaultMode::kTorn, false, "torn");
}

TEST_F(CatalogFaultTest, SqliteFails) {
  every_call("sqlite", FaultMode::kError, false, "error");
  every_call("sqlite", FaultMode::kError, true, "error for ever");
  every_call("sqlite", FaultMode::kFull, true, "full");
}

TEST_F(CatalogFaultTest, SqliteCrashes) {
  every_call("sqlite", FaultMode::kCrash, false, "crash");
  every_call("sqlite", FaultMode::kTorn, false, "torn");
}

}  // namespace
}  // namespace tarn::catalog
