#include "base/env/fault.h"

#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

#include "base/env/fault_file_system.h"

namespace tarn {
namespace {

class FaultTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/fault-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  std::string bytes(const std::string& name) const {
    return real_file_system().read(path(name)).value_or("?");
  }

  std::string folder_;
};

TEST_F(FaultTest, ReadsPlans) {
  auto plan = parse_fault_plan("sqlite:12:crash");
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->layer, "sqlite");
  EXPECT_EQ(plan->fail_call, 12);
  EXPECT_EQ(plan->mode, FaultMode::kCrash);
  EXPECT_TRUE(parse_fault_plan("*:1:error-on")->for_ever);
  for (const char* wrong : {"", "files", "files:1", "files:x:crash", "files:1:boom", "files:-1:crash"}) {
    EXPECT_FALSE(parse_fault_plan(wrong)) << wrong;
  }
}

TEST_F(FaultTest, CrashTakesWhatIsNotSynced) {
  FaultInjector injector({});
  FaultFileSystem fs(real_file_system(), injector);
  auto file = fs.create(path("a")).value();
  ASSERT_TRUE(file->append("synced."));
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(fs.sync_dir(folder_));
  ASSERT_TRUE(file->append("lost"));
  ASSERT_TRUE(write_durable(fs, path("kept"), "k"));
  ASSERT_TRUE(fs.rename(path("kept"), path("moved")));
  auto unnamed = fs.create(path("b")).value();
  ASSERT_TRUE(unnamed->append("synced, but not its name"));
  ASSERT_TRUE(unnamed->sync());
  injector.ledger().drop_unsynced(false);
  EXPECT_EQ(bytes("a"), "synced.");
  EXPECT_EQ(bytes("kept"), "k");
  EXPECT_EQ(real_file_system().list(folder_).value(), (std::vector<std::string>{"a", "kept"}));
}

TEST_F(FaultTest, CrashBringsBackWhatWasReplacedOrRemoved) {
  FaultInjector injector({});
  FaultFileSystem fs(real_file_system(), injector);
  ASSERT_TRUE(write_durable(fs, path("a"), "old a"));
  ASSERT_TRUE(write_durable(fs, path("b"), "old b"));
  ASSERT_TRUE(write_durable(fs, path("c"), "c"));
  ASSERT_TRUE(fs.rename(path("c"), path("a")));
  ASSERT_TRUE(fs.remove(path("b")));
  injector.ledger().drop_unsynced(false);
  EXPECT_EQ(bytes("a"), "old a");
  EXPECT_EQ(bytes("b"), "old b");
  EXPECT_EQ(bytes("c"), "c");
}

TEST_F(FaultTest, OverwrittenBytesComeBack) {
  std::ofstream(path("a")) << "0123456789";
  FaultInjector injector({});
  injector.ledger().writing(path("a"), 8, 4);
  std::fstream(path("a"), std::ios::in | std::ios::out).seekp(8) << "WXYZ";
  injector.ledger().truncating(path("a"), 3);
  std::filesystem::resize_file(path("a"), 3);
  injector.ledger().drop_unsynced(false);
  EXPECT_EQ(bytes("a"), "0123456789");
}

TEST_F(FaultTest, TornWriteLeavesAPrefix) {
  FaultInjector injector({.layer = "files", .fail_call = 3, .mode = FaultMode::kTorn});
  FaultFileSystem fs(real_file_system(), injector);
  auto file = fs.create(path("a")).value();
  ASSERT_TRUE(file->append("first."));
  EXPECT_FALSE(file->append("second!!"));
  EXPECT_TRUE(injector.crashed());
  std::string left = bytes("a");
  EXPECT_EQ(left.substr(0, 6), "first.");
  EXPECT_LT(left.size(), 14U);
  EXPECT_FALSE(fs.read(path("a")));  // the power is off
}

TEST_F(FaultTest, FullDiskRefusesOnlyWhatNeedsSpace) {
  FaultInjector injector({.layer = "files", .fail_call = 1, .mode = FaultMode::kFull});
  FaultFileSystem fs(real_file_system(), injector);
  std::ofstream(path("a")) << "x";
  auto refused = fs.create(path("b"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kDiskFull);
  EXPECT_TRUE(fs.read(path("a")));
  EXPECT_TRUE(fs.remove(path("a")));
}

// Goal: replace_durable leaves the old or the new bytes, and the new ones once it has said so; a failed
// write_durable leaves no name behind. Method: fail call 1, 2, ... in each mode until none fails.
TEST_F(FaultTest, DurableWritesAtEveryCall) {
  for (FaultMode mode : {FaultMode::kError, FaultMode::kFull, FaultMode::kCrash, FaultMode::kTorn}) {
    for (int n = 1;; ++n) {
      std::filesystem::remove_all(folder_);
      std::filesystem::create_directory(folder_);
      ASSERT_TRUE(write_durable(real_file_system(), path("a"), "the old bytes"));
      FaultInjector injector({.layer = "files", .fail_call = n, .mode = mode});
      FaultFileSystem fs(real_file_system(), injector);
      bool replaced = replace_durable(fs, path("a"), "the new bytes!").has_value();
      bool written = replaced && write_durable(fs, path("b"), "more").has_value();
      std::string a = bytes("a");
      EXPECT_TRUE(a == "the new bytes!" || (!replaced && a == "the old bytes")) << n << ": " << a;
      if (written) {
        EXPECT_EQ(bytes("b"), "more");
      } else if (!injector.crashed()) {
        EXPECT_EQ(bytes("b"), "?") << n;
      }
      if (!injector.fired()) {
        EXPECT_TRUE(written);
        std::printf("durable writes, mode %d: %d calls\n", static_cast<int>(mode), n - 1);
        break;
      }
    }
  }
}

}  // namespace
}  // namespace tarn
