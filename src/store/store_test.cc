#include "store/store.h"

#include <sqlite3.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include <gtest/gtest.h>

#include "store/data_folder.h"
#include "store/disk_reserve.h"

namespace tarn::store {
namespace {

const Migrations kNotes{"notes", {"CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT) STRICT"}};

class StoreTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/store-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path() const { return folder_ + "/control.sqlite"; }
  Result<std::unique_ptr<Store>> open(FaultInjector* faults = nullptr) const {
    TARN_TRY(auto store, Store::open({.path = path(), .faults = faults}));
    TARN_CHECK(store->migrate(kNotes));
    return store;
  }
  static Status add(Store& store, int64_t id) {
    return store.write([&](Connection& c) { return c.run("INSERT INTO notes VALUES (?, ?)", {id, "note"}); });
  }
  static int64_t count(Store& store) {
    auto n = store.read([](Connection& c) { return c.integer("SELECT count(*) FROM notes"); });
    return n ? n->value_or(-1) : -1;
  }

  std::string folder_;
};

TEST_F(StoreTest, KeepsWhatItHasAnswered) {
  {
    auto store = open().value();
    ASSERT_TRUE(add(*store, 1));
    auto doubled = add(*store, 1);
    ASSERT_FALSE(doubled);
    EXPECT_EQ(doubled.error().code, Code::kExists);
    EXPECT_EQ(count(*store), 1);
  }
  EXPECT_EQ(count(*open().value()), 1);
}

TEST_F(StoreTest, TypedValuesComeBack) {
  auto store = open().value();
  auto status = store->read([](Connection& c) -> Status {
    TARN_TRY(auto rows,
             c.query("SELECT ?, ?, ?, ?, ?", {INT64_MIN, 0.5, std::string("a\0b", 3), nullptr, ""}));
    TARN_TRY(bool found, rows.next());
    EXPECT_TRUE(found);
    EXPECT_EQ(rows.integer(0), INT64_MIN);
    EXPECT_EQ(rows.real(1), 0.5);
    EXPECT_EQ(rows.text(2), std::string("a\0b", 3));
    EXPECT_EQ(rows.optional_text(3), std::nullopt);
    EXPECT_EQ(rows.optional_text(4), "");
    return ok();
  });
  EXPECT_TRUE(status);
}

TEST_F(StoreTest, FailedWriteLeavesNothing) {
  auto store = open().value();
  Fate fate = Fate::kInDoubt;
  auto failed = store->write(
      [](Connection& c) -> Status {
        TARN_CHECK(c.run("INSERT INTO notes VALUES (1, 'a')"));
        return Error{Code::kConflict, "no"};
      },
      &fate);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::kConflict);
  EXPECT_EQ(fate, Fate::kNotWritten);
  EXPECT_EQ(count(*store), 0);
}

TEST_F(StoreTest, ReadersCannotWrite) {
  auto store = open().value();
  EXPECT_FALSE(store->read([](Connection& c) { return c.run("INSERT INTO notes VALUES (1, 'a')"); }));
  EXPECT_EQ(count(*store), 0);
}

TEST_F(StoreTest, ManyThreadsWriteAndRead) {
  auto store = open().value();
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) {
        EXPECT_TRUE(add(*store, t * 1000 + i));
        EXPECT_GE(count(*store), i + 1);
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(count(*store), 200);
}

TEST_F(StoreTest, MigratesEachComponentAndRefusesNewer) {
  auto store = open().value();
  ASSERT_TRUE(add(*store, 1));
  Migrations more = kNotes;
  more.steps.emplace_back("ALTER TABLE notes ADD COLUMN extra TEXT");
  ASSERT_TRUE(store->migrate({"runs", {"CREATE TABLE runs (id TEXT)"}}));
  ASSERT_TRUE(store->migrate(more));
  EXPECT_EQ(count(*store), 1);
  auto older = store->migrate(kNotes);
  ASSERT_FALSE(older);
  EXPECT_EQ(older.error().code, Code::kNewer);
}

TEST_F(StoreTest, NotADatabaseIsCorrupt) {
  ASSERT_TRUE(write_durable(real_file_system(), path(), std::string(8192, 'x')));
  auto store = open();
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Code::kCorrupt);
}

int64_t pragma(Store& store, const std::string& name) {
  return store.read([&](Connection& c) { return c.integer("PRAGMA " + name); }).value().value_or(-1);
}

// Notes of 4,000 bytes, a page each.
void fill(Store& store, int count) {
  ASSERT_TRUE(store.write([&](Connection& c) -> Status {
    for (int i = 0; i < count; ++i)
      TARN_CHECK(c.run("INSERT INTO notes VALUES (?, ?)", {i, std::string(4'000, 'x')}));
    return ok();
  }));
}

TEST_F(StoreTest, PagesThatHoldNothingAreGivenBack) {
  auto store = open().value();
  fill(*store, 6'000);
  store.reset();
  const auto full = std::filesystem::file_size(path());
  store = open().value();
  ASSERT_TRUE(store->write([](Connection& c) { return c.run("DELETE FROM notes WHERE id >= 10"); }));
  const auto cancelled = store->shrink([] { return true; });
  ASSERT_TRUE(cancelled);
  EXPECT_EQ(*cancelled, 0);
  const auto bytes = store->shrink({});
  ASSERT_TRUE(bytes) << bytes.error().message;
  EXPECT_GT(*bytes, 15'000'000);
  EXPECT_LE(pragma(*store, "freelist_count"), 1'024);  // some are spared for what comes next
  EXPECT_EQ(store->shrink({}).value(), 0);
  EXPECT_EQ(count(*store), 10);
  store.reset();
  EXPECT_LT(std::filesystem::file_size(path()) + 15'000'000, full);
}

TEST_F(StoreTest, AFileOfBeforeIsMadeShrinkable) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &db), SQLITE_OK);
  ASSERT_EQ(
      sqlite3_exec(db,
                   "PRAGMA journal_mode=WAL; CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT); "
                   "CREATE TABLE tarn_components (component TEXT PRIMARY KEY, version INTEGER NOT NULL) "
                   "STRICT; INSERT INTO tarn_components VALUES ('notes', 1); INSERT INTO notes VALUES "
                   "(1, 'kept');",
                   nullptr, nullptr, nullptr),
      SQLITE_OK);
  sqlite3_close(db);
  auto store = open().value();
  EXPECT_EQ(pragma(*store, "auto_vacuum"), 2);
  EXPECT_EQ(count(*store), 1);
  ASSERT_TRUE(store->write([](Connection& c) -> Status {
    for (int i = 2; i < 4'000; ++i)
      TARN_CHECK(c.run("INSERT INTO notes VALUES (?, ?)", {i, std::string(4'000, 'x')}));
    return c.run("DELETE FROM notes WHERE id > 1");
  }));
  EXPECT_GT(store->shrink({}).value(), 10'000'000);
}

// Goal: whoever writes meanwhile is served between two steps. Method: a thread that writes all the time.
TEST_F(StoreTest, OthersWriteWhileItShrinks) {
  auto store = open().value();
  fill(*store, 6'000);
  ASSERT_TRUE(store->write([](Connection& c) { return c.run("DELETE FROM notes"); }));
  std::atomic<bool> over{false};
  int written = 0;
  std::thread other([&] {
    while (!over) {
      ASSERT_TRUE(add(*store, 100'000 + written));
      ++written;
    }
  });
  const auto bytes = store->shrink({});
  over = true;
  other.join();
  ASSERT_TRUE(bytes);
  EXPECT_GT(*bytes, 0);
  EXPECT_GE(written, 2);
  EXPECT_EQ(count(*store), written);
}

// Goal: whatever fails, what was answered is there after reopening, once, and nothing else but a write in
// doubt. Method: fail call 1, 2, ... under SQLite in each mode, until a run passes.
TEST_F(StoreTest, AnsweredWritesSurviveAtEveryCall) {
  for (FaultMode mode : {FaultMode::kError, FaultMode::kFull, FaultMode::kCrash, FaultMode::kTorn}) {
    for (int n = 1;; ++n) {
      std::filesystem::remove_all(folder_);
      std::filesystem::create_directory(folder_);
      FaultInjector injector({.layer = "sqlite", .fail_call = n, .mode = mode});
      std::set<int64_t> answered;
      std::set<int64_t> doubtful;
      if (auto store = open(&injector)) {
        for (int64_t id = 1; id <= 3; ++id) {
          Fate fate = Fate::kNotWritten;
          auto done = (*store)->write(
              [&](Connection& c) { return c.run("INSERT INTO notes VALUES (?, 'note')", {id}); }, &fate);
          if (done) {
            answered.insert(id);
          } else if (fate == Fate::kInDoubt) {
            doubtful.insert(id);
          }
        }
      }
      auto store = open();
      ASSERT_TRUE(store) << store.error().message << " after call " << n << " mode "
                         << static_cast<int>(mode);
      auto checked = (*store)->read([&](Connection& c) -> Status {
        TARN_TRY(auto sound, c.text("PRAGMA integrity_check"));
        EXPECT_EQ(sound, "ok");
        TARN_TRY(auto rows, c.query("SELECT id FROM notes"));
        for (;;) {
          TARN_TRY(bool more, rows.next());
          if (!more) {
            return ok();
          }
          EXPECT_TRUE(answered.erase(rows.integer(0)) == 1 || doubtful.contains(rows.integer(0)));
        }
      });
      EXPECT_TRUE(checked);
      EXPECT_TRUE(answered.empty()) << "lost after call " << n << " mode " << static_cast<int>(mode);
      if (!injector.fired()) {
        std::printf("store, mode %d: %d calls\n", static_cast<int>(mode), n - 1);
        EXPECT_GT(n, 5);
        break;
      }
    }
  }
}

TEST_F(StoreTest, DataFolderIsHeldByOne) {
  Env& env = real_env();
  std::string data = folder_ + "/data";
  EXPECT_EQ(DataFolder::holder(env, data).value(), std::nullopt);
  auto folder = DataFolder::open(env, data).value();
  ASSERT_TRUE(folder->publish_address("127.0.0.1:7070"));
  auto second = DataFolder::open(env, data);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kLocked);
  EXPECT_NE(second.error().message.find(std::to_string(::getpid())), std::string::npos);
  auto holder = DataFolder::holder(env, data).value();
  ASSERT_TRUE(holder);
  EXPECT_EQ(holder->pid, ::getpid());
  EXPECT_EQ(holder->address, "127.0.0.1:7070");
  folder.reset();
  EXPECT_TRUE(DataFolder::open(env, data));
}

TEST_F(StoreTest, NewerDataFolderIsRefused) {
  Env& env = real_env();
  ASSERT_TRUE(DataFolder::open(env, folder_));
  ASSERT_TRUE(replace_durable(*env.files, folder_ + "/format", "2\n"));
  EXPECT_EQ(DataFolder::open(env, folder_).error().code, Code::kNewer);
  ASSERT_TRUE(replace_durable(*env.files, folder_ + "/format", "??\n"));
  EXPECT_EQ(DataFolder::open(env, folder_).error().code, Code::kCorrupt);
}

TEST_F(StoreTest, TheDisksReserve) {
  EXPECT_EQ(default_reserve(1'000'000'000), 500'000'000U);
  EXPECT_EQ(default_reserve(1'000'000'000'000), 20'000'000'000U);
  EXPECT_TRUE(DiskReserve(real_env(), folder_, 0).check());
  EXPECT_TRUE(DiskReserve(real_env(), folder_, 1).check());
  const auto refused = DiskReserve(real_env(), folder_, uint64_t{1} << 60U).check();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kDiskFull);
  EXPECT_TRUE(DiskReserve(real_env(), "/no/such/folder", std::nullopt).check());
}

}  // namespace
}  // namespace tarn::store
