// Goal: versions of tables expire when they are old, and only then; files that nothing needs go and all
// others stay, whatever fails, is killed or commits meanwhile. Method: a real lake, a clock and files whose
// times are set, and after every step each version that is said to be there is read.
#include <fcntl.h>
#include <sys/stat.h>

#include <atomic>
#include <mutex>
#include <thread>

#include <gmock/gmock.h>

#include "catalog/catalog_fixture.h"

namespace tarn::catalog {
namespace {

using Names = std::set<std::string>;
using testing::ElementsAre;
using testing::HasSubstr;

const TableName kPrices{"public", "prices"};
const TableName kOther{"public", "other"};
constexpr Duration kDay{86'400'000'000};

class HistoryTest : public CatalogFixture {
 protected:
  void SetUp() override {
    CatalogFixture::SetUp();
    reopen();
  }

  void days(int count) { clock_.time += count * kDay; }

  // Files bear the machine's time: this puts all that were made since the last call at the clock's.
  void stamp() {
    const auto us = clock_.time.time_since_epoch().count();
    const timespec at{.tv_sec = us / 1'000'000, .tv_nsec = us % 1'000'000 * 1000};
    const timespec times[2] = {at, at};
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_ + "/lake")) {
      if (entry.is_regular_file() && stamped_.insert(entry.path().string()).second)
        ASSERT_EQ(::utimensat(AT_FDCWD, entry.path().c_str(), times, 0), 0);
    }
  }

  // Replaces all rows, as a model does each night; returns the lake version.
  int64_t replace(const TableName& name, const std::string& file) {
    CommitRequest request;
    auto change = change_of(catalog(), name).value();
    change.remove_all = true;
    change.added.push_back(new_file(env_, catalog(), change, file).value());
    request.tables.push_back(std::move(change));
    const auto done = catalog().commit(std::move(request));
    EXPECT_TRUE(done) << done.error().message;
    stamp();
    return done->lake_version;
  }

  void set_properties(const TableName& name, const std::map<std::string, std::string>& properties) {
    CommitRequest request;
    auto change = change_of(catalog(), name).value();
    change.changed =
        std::make_shared<const TableMetadata>(iceberg::with_properties(*change.base, properties, {}));
    request.tables.push_back(std::move(change));
    ASSERT_TRUE(catalog().commit(std::move(request)));
    stamp();
  }

  Expiry expire(int age_days, bool dry_run = false) {
    const auto done = catalog().expire({.age = age_days * kDay, .at_most = {}}, dry_run);
    EXPECT_TRUE(done) << done.error().message;
    stamp();
    return *done;
  }
  Sweep sweep(bool dry_run = false, const std::set<std::string>& open = {}) {
    const auto done =
        catalog().sweep({.guard = kDay, .open_files = open, .dry_run = dry_run, .cancelled = {}});
    EXPECT_TRUE(done) << done.error().message;
    return done.value_or(Sweep{});
  }

  Result<Names> at(int64_t version, const TableName& name) {
    TARN_TRY(const auto lake, catalog().at_version(version));
    return live(catalog(), *lake, name);
  }
  std::string path_of(const TableName& name, const std::string& file) {
    const auto metadata = find(*catalog().head().value(), name).value()->metadata().value();
    return metadata->location.substr(7) + "/data/" + file + ".parquet";
  }
  size_t files() {
    size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_ + "/lake"))
      count += entry.is_regular_file() ? 1 : 0;
    return count;
  }

  std::set<std::string> stamped_;
};

TEST_F(HistoryTest, OldVersionsExpireAndTheirFilesGoADayLater) {  // checklist D.39
  ASSERT_TRUE(create(kPrices));
  const auto first = replace(kPrices, "a");
  days(10);
  const auto second = replace(kPrices, "b");
  days(10);
  const auto third = replace(kPrices, "c");
  days(10);
  EXPECT_EQ(sweep().files, 0);  // all of it is needed
  const auto dry = expire(15, true);
  EXPECT_EQ(dry.versions, 2);  // of the table without rows, and "a", which was replaced 20 days ago
  EXPECT_EQ(at(first, kPrices).value(), Names{"a"});
  const auto done = expire(15);
  EXPECT_EQ(done.versions, 2);
  EXPECT_EQ(done.snapshots, 2);  // 30 and 20 days old
  const auto gone = at(first, kPrices);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Code::kNotFound);
  EXPECT_THAT(gone.error().message, HasSubstr("what public.prices was then is not kept any more"));
  EXPECT_EQ(at(second, kPrices).value(), Names{"b"});
  EXPECT_EQ(at(third, kPrices).value(), Names{"c"});
  EXPECT_EQ(sweep().files, 0);  // who reads the first version now reads it to its end
  EXPECT_TRUE(std::filesystem::exists(path_of(kPrices, "a")));
  days(2);
  // "a", its manifest and list; the documents are named by the log of the newest one.
  EXPECT_EQ(sweep(true).files, 3);
  EXPECT_TRUE(std::filesystem::exists(path_of(kPrices, "a")));
  EXPECT_GT(sweep().files, 0);
  EXPECT_FALSE(std::filesystem::exists(path_of(kPrices, "a")));
  EXPECT_EQ(at(second, kPrices).value(), Names{"b"});
  EXPECT_EQ(live(kPrices), Names{"c"});
  EXPECT_EQ(sweep().files, 0);
  EXPECT_EQ(expire(15).versions, 0);  // nothing to do, and no new version of the lake
  reopen();
  EXPECT_FALSE(at(first, kPrices));
  EXPECT_EQ(at(second, kPrices).value(), Names{"b"});
}

TEST_F(HistoryTest, HistoryShowsWhatCanBeReadOnly) {
  ASSERT_TRUE(create(kPrices));
  replace(kPrices, "a");
  days(30);
  replace(kPrices, "b");
  days(30);
  const auto uuid = find(*catalog().head().value(), kPrices).value()->uuid();
  EXPECT_EQ(catalog().history(uuid, 100).value().size(), 3);
  expire(15);
  const auto left = catalog().history(uuid, 100).value();
  // Of "b", and of "b" in a document without "a".
  EXPECT_EQ(left.size(), 2);
}

TEST_F(HistoryTest, ADroppedTableGoesAltogether) {
  ASSERT_TRUE(create(kPrices));
  ASSERT_TRUE(create(kOther));
  const auto before = replace(kPrices, "a");
  replace(kOther, "x");
  CommitRequest request;
  auto change = change_of(catalog(), kPrices).value();
  change.kind = TableChange::Kind::kDrop;
  const auto file = path_of(kPrices, "a");
  request.tables.push_back(std::move(change));
  ASSERT_TRUE(catalog().commit(std::move(request)));
  days(10);
  expire(15);
  days(2);
  sweep();
  EXPECT_EQ(at(before, kPrices).value(), Names{"a"});
  days(10);
  expire(15);
  days(2);
  sweep();
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_EQ(live(kOther), Names{"x"});
}

TEST_F(HistoryTest, ARenamedTableKeepsItsSnapshots) {
  ASSERT_TRUE(create(kPrices));
  replace(kPrices, "a");
  days(1);
  replace(kPrices, "b");
  CommitRequest request;
  auto change = change_of(catalog(), kPrices).value();
  change.rename_to = TableName{"public", "quotes"};
  request.tables.push_back(std::move(change));
  ASSERT_TRUE(catalog().commit(std::move(request)));
  stamp();
  days(5);
  EXPECT_EQ(sweep().files, 0);
  EXPECT_EQ(live({"public", "quotes"}), Names{"b"});
  const auto metadata = find(*catalog().head().value(), {"public", "quotes"}).value()->metadata().value();
  for (const auto& snapshot : metadata->snapshots)
    EXPECT_TRUE(std::filesystem::exists(snapshot.manifest_list.substr(7))) << snapshot.manifest_list;
}

TEST_F(HistoryTest, PropertiesOfATableWin) {
  ASSERT_TRUE(create(kPrices));
  ASSERT_TRUE(create(kOther));
  set_properties(kPrices, {{"gc.enabled", "false"}});
  set_properties(kOther, {{"history.expire.min-snapshots-to-keep", "2"}});
  const auto price = replace(kPrices, "a");
  replace(kPrices, "b");
  for (const auto* file : {"x", "y", "z"})
    replace(kOther, file);
  const auto orphan = path_of(kPrices, "lost");
  ASSERT_TRUE(write_durable(real_file_system(), orphan, "PAR1"));
  stamp();
  days(100);
  expire(5);
  days(2);
  sweep();
  EXPECT_EQ(at(price, kPrices).value(), Names{"a"});
  EXPECT_TRUE(std::filesystem::exists(orphan));  // gc.enabled=false: nobody removes its files
  EXPECT_FALSE(std::filesystem::exists(path_of(kOther, "x")));
  EXPECT_TRUE(std::filesystem::exists(path_of(kOther, "y")));
  EXPECT_EQ(live(kOther), Names{"z"});
}

TEST_F(HistoryTest, FilesThatNothingNamesGoWhenTheyAreOld) {  // checklist D.39
  ASSERT_TRUE(create(kPrices));
  replace(kPrices, "a");
  const auto orphan = path_of(kPrices, "lost");
  const auto manifest = folder_ + "/lake/public/" +
                        std::filesystem::path(orphan).parent_path().parent_path().filename().string() +
                        "/metadata/lost-m0.avro";
  const auto open = path_of(kPrices, "open");
  const auto notes = std::filesystem::path(orphan).parent_path().string() + "/notes.txt";
  const auto elsewhere = folder_ + "/lake/public/mine.parquet";
  for (const auto& path : {orphan, manifest, open, notes, elsewhere})
    ASSERT_TRUE(write_durable(real_file_system(), path, "PAR1"));
  stamp();
  const auto before = files();
  EXPECT_EQ(sweep().files, 0);  // too young
  days(2);
  const auto dry = sweep(true, {open});
  EXPECT_THAT(dry.paths, ElementsAre(orphan, manifest));
  EXPECT_EQ(dry.bytes, 8);
  EXPECT_EQ(files(), before);
  EXPECT_EQ(sweep(false, {open}).paths, dry.paths);
  EXPECT_EQ(files(), before - 2);
  EXPECT_TRUE(std::filesystem::exists(open));       // of a transaction that is not over
  EXPECT_TRUE(std::filesystem::exists(notes));      // not called as files of tables are
  EXPECT_TRUE(std::filesystem::exists(elsewhere));  // not in a table's folder
  EXPECT_EQ(sweep(false, {open}).files, 0);
  EXPECT_EQ(live(kPrices), Names{"a"});
}

// A path may be spelled in many ways: through a link, say, all files have other names than the documents
// give.
TEST_F(HistoryTest, FilesAreKnownWhateverTheirPathsAreCalled) {
  ASSERT_TRUE(create(kPrices));
  replace(kPrices, "a");
  replace(kPrices, "b");
  days(3);
  lake_ = {};
  const auto link = folder_ + "-link";
  std::filesystem::create_directory_symlink(folder_, link);
  {
    auto opened = open_lake(env_, link);
    ASSERT_TRUE(opened) << opened.error().message;
    const auto swept =
        opened->catalog->sweep({.guard = kDay, .open_files = {}, .dry_run = false, .cancelled = {}});
    ASSERT_TRUE(swept) << swept.error().message;
    EXPECT_EQ(swept->files, 0);
  }
  std::filesystem::remove(link);
  reopen();
  EXPECT_EQ(live(kPrices), Names{"b"});
}

TEST_F(HistoryTest, WithADocumentThatCannotBeReadNothingGoes) {
  ASSERT_TRUE(create(kPrices));
  ASSERT_TRUE(create(kOther));
  replace(kPrices, "a");
  replace(kOther, "x");
  const auto orphan = path_of(kPrices, "lost");
  ASSERT_TRUE(write_durable(real_file_system(), orphan, "PAR1"));
  stamp();
  days(3);
  const auto location = find(*catalog().head().value(), kOther).value()->metadata_location();
  const auto text = real_file_system().read(location.substr(7)).value();
  std::filesystem::resize_file(location.substr(7), 10);
  reopen();
  const auto swept = catalog().sweep({.guard = kDay, .open_files = {}, .dry_run = false, .cancelled = {}});
  ASSERT_FALSE(swept);
  EXPECT_THAT(swept.error().message, HasSubstr("unused files of the lake were left where they are"));
  EXPECT_THAT(swept.error().message, HasSubstr(location));
  EXPECT_TRUE(std::filesystem::exists(orphan));
  const auto expiry = expire(1);  // the other table's goes on
  EXPECT_EQ(expiry.unread.size(), 1);
  EXPECT_EQ(expiry.versions, 1);
}

// Goal: a kill or a failing call at any moment of expiry and sweep loses nothing, and the next cleaning does
// the rest. Method: call 1, 2, ... fails in each mode; what is there is read, and the cleaning is run to its
// end.
TEST_F(HistoryTest, KilledAtEveryCall) {
  for (const auto mode : {FaultMode::kError, FaultMode::kCrash, FaultMode::kTorn}) {
    bool fired = true;
    for (int n = 1; fired; ++n) {
      lake_ = {};
      std::filesystem::remove_all(folder_);
      std::filesystem::create_directory(folder_);
      stamped_.clear();
      reopen();
      ASSERT_TRUE(create(kPrices));
      replace(kPrices, "a");
      days(10);
      replace(kPrices, "b");
      ASSERT_TRUE(write_durable(real_file_system(), path_of(kPrices, "lost"), "PAR1"));
      stamp();
      days(10);
      const auto kept = catalog().head().value()->number;
      expire(5, true);
      lake_ = {};
      {
        FaultInjector injector({.layer = "", .fail_call = n, .mode = mode});
        FaultFileSystem files(real_file_system(), injector);
        Env env{&files, &clock_, env_.random};
        if (auto lake = open_lake(env, folder_, &injector)) {
          (void)lake->catalog->expire({.age = 5 * kDay, .at_most = {}}, false);
          (void)lake->catalog->sweep({.guard = kDay, .open_files = {}, .dry_run = false, .cancelled = {}});
        }
        fired = injector.fired();
      }
      reopen();
      ASSERT_EQ(live(kPrices), Names{"b"}) << "call " << n;
      ASSERT_EQ(at(kept, kPrices).value(), Names{"b"}) << "call " << n;
      stamp();
      expire(5);
      days(2);
      sweep();
      ASSERT_EQ(live(kPrices), Names{"b"}) << "call " << n;
      ASSERT_FALSE(std::filesystem::exists(path_of(kPrices, "lost"))) << "call " << n;
      ASSERT_FALSE(std::filesystem::exists(path_of(kPrices, "a"))) << "call " << n;
      ASSERT_EQ(sweep().files, 0) << "call " << n;
    }
  }
}

// Goal: writers at work lose nothing to expiry and sweeps, and get no conflict from them. Method: two threads
// replace and append, a third cleans without any guard: what is open is all that it is told.
TEST_F(HistoryTest, WritersAtTheSameTime) {
  env_.clock = real_env().clock;
  reopen();
  ASSERT_TRUE(create(kPrices));
  ASSERT_TRUE(create(kOther));
  std::mutex mutex;
  std::set<std::string> open;  // guarded; of commits that are not over
  std::atomic<int> writers{2};
  const auto write = [&](const TableName& name, bool replaces) {
    for (int i = 0; i < 60; ++i) {
      CommitRequest request;
      auto change = change_of(catalog(), name).value();
      change.remove_all = replaces;
      const auto stem = new_uuid(*env_.random);
      const auto path = path_of(name, stem);
      {
        const std::lock_guard lock(mutex);
        open.insert(path);
      }
      change.added.push_back(new_file(env_, catalog(), change, stem).value());
      request.tables.push_back(std::move(change));
      const auto done = catalog().commit(std::move(request));
      EXPECT_TRUE(done) << done.error().message;
      const std::lock_guard lock(mutex);
      open.erase(path);
    }
    --writers;
  };
  std::thread one(write, kPrices, true), two(write, kOther, false);
  int64_t swept = 0;
  while (writers > 0) {
    const auto expired = catalog().expire({.age = Duration(1'000), .at_most = {}}, false);
    EXPECT_TRUE(expired) << expired.error().message;
    SweepRequest request{.guard = Duration(0), .open_files = {}, .dry_run = false, .cancelled = {}};
    {
      const std::lock_guard lock(mutex);
      request.open_files = open;
    }
    const auto done = catalog().sweep(request);
    EXPECT_TRUE(done) << done.error().message;
    swept += done ? done->files : 0;
  }
  one.join();
  two.join();
  EXPECT_GT(swept, 0);
  EXPECT_EQ(live(kPrices).size(), 1);
  EXPECT_EQ(live(kOther).size(), 60);
}

}  // namespace
}  // namespace tarn::catalog
