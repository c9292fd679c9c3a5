// Goal: what was committed is there after a restart, one process holds the folder. Method: the real lake in a
// temporary folder, closed and opened again.
#include "lake/lake.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace tarn::lake {
namespace {

class LakeTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              fmt::format("tarn_lake_{}_{}", getpid(),
                          testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<Lake> open() {
    auto lake = Lake::open(real_env(), {.data_folder = folder_});
    EXPECT_TRUE(lake) << lake.error().message;
    return lake ? std::move(*lake) : nullptr;
  }

  static std::string one_cell(Lake& lake, const std::string& sql) {
    auto connection = lake.database().connect();
    if (!connection) {
      return connection.error().message;
    }
    auto stream = (*connection)->query(sql);
    if (!stream) {
      return stream.error().message;
    }
    auto batch = (*stream)->next_text();
    if (!batch) {
      return batch.error().message;
    }
    return *batch ? (*batch)->columns[0].text[0] : "no rows";
  }

  std::string folder_;
};

TEST_F(LakeTest, CommittedRowsAreThereAfterARestart) {
  {
    auto lake = open();
    ASSERT_TRUE(lake);
    auto connection = lake->database().connect();
    ASSERT_TRUE(connection) << connection.error().message;
    auto done =
        (*connection)
            ->execute("create table t as select range as a from range(1000); insert into t values (5000)");
    ASSERT_TRUE(done) << done.error().message;
    ASSERT_TRUE((*connection)->execute("begin; insert into t values (99999)"));  // never committed
  }
  auto lake = open();
  ASSERT_TRUE(lake);
  EXPECT_EQ(one_cell(*lake, "select count(*) || ' ' || sum(a) || ' ' || max(a) from t"), "1001 504500 5000");
}

TEST_F(LakeTest, ASecondOneIsRefused) {
  auto lake = open();
  ASSERT_TRUE(lake);
  auto second = Lake::open(real_env(), {.data_folder = folder_});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kLocked) << second.error().message;
}

TEST_F(LakeTest, FilesOutsideTheFolderAreOutOfReach) {
  auto lake = open();
  ASSERT_TRUE(lake);
  EXPECT_NE(one_cell(*lake, "select content from read_text('/etc/hostname')").find("disabled"),
            std::string::npos)
      << one_cell(*lake, "select content from read_text('/etc/hostname')");
  auto inside = folder_ + "/raw/x.txt";
  ASSERT_TRUE(write_durable(*real_env().files, inside, "hello"));
  EXPECT_EQ(one_cell(*lake, "select content from read_text('" + inside + "')"), "hello");
}

}  // namespace
}  // namespace tarn::lake
