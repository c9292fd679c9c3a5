// Goal: a link is good until its end and no longer, is kept as a hash only, and cannot be asked without
// limit. Method: a clock that stands where it is set.
#include "serve/share/shares.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include <gtest/gtest.h>

#include "base/env/fault.h"
#include "base/time.h"

namespace tarn::serve {
namespace {

class SetClock final : public Clock {
 public:
  Timestamp now() override { return now_; }
  Duration steady() override { return now_.time_since_epoch(); }
  void sleep_for(Duration duration) override { now_ += duration; }
  Timestamp now_ = parse_time("2026-11-29T12:00:00Z").value();
};

class SharesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/shares-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    env_.clock = &clock_;
    reopen();
  }
  void TearDown() override {
    shares_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  void reopen() {
    shares_.reset();
    store_.reset();
    store_ = store::Store::open({.path = folder_ + "/control.sqlite"}).value();
    shares_ = Shares::open(env_, *store_).value();
  }
  NewShare make(std::chrono::hours hours) {
    Share wanted{.board = "shares", .filters = {{"symbols", {"AAPL", "MSFT"}}, {"none", {}}}};
    wanted.expires_at = clock_.now_ + hours;
    return shares_->make(wanted).value();
  }

  std::string folder_;
  SetClock clock_;
  Env env_ = real_env();
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Shares> shares_;
};

TEST_F(SharesTest, IsGoodUntilItsEnd) {
  const auto made = make(std::chrono::hours(24));
  EXPECT_EQ(made.secret.size(), 64U);
  auto admitted = shares_->admit(made.secret);
  ASSERT_TRUE(admitted);
  EXPECT_EQ(admitted->board, "shares");
  EXPECT_EQ(admitted->filters, (report::Given{{"symbols", {"AAPL", "MSFT"}}, {"none", {}}}));
  EXPECT_FALSE(admitted->may_filter);
  EXPECT_FALSE(admitted->may_see_rows);
  EXPECT_EQ(shares_->admit(made.secret + "0").error().code, Code::kNotFound);
  EXPECT_EQ(shares_->admit("").error().code, Code::kNotFound);
  EXPECT_EQ(shares_->admit(made.share.id).error().code, Code::kNotFound);
  reopen();
  EXPECT_TRUE(shares_->admit(made.secret)) << "also after the server was started again";
  clock_.now_ += std::chrono::hours(24);
  EXPECT_EQ(shares_->admit(made.secret).error().code, Code::kNotFound);
  EXPECT_TRUE(shares_->live().empty());
  reopen();
  EXPECT_EQ(shares_->admit(made.secret).error().code, Code::kNotFound);
}

TEST_F(SharesTest, IsTakenBackForGood) {
  const auto one = make(std::chrono::hours(24)), other = make(std::chrono::hours(24));
  ASSERT_TRUE(shares_->revoke(one.share.id));
  EXPECT_EQ(shares_->revoke(one.share.id).error().code, Code::kNotFound);
  EXPECT_EQ(shares_->admit(one.secret).error().code, Code::kNotFound);
  EXPECT_TRUE(shares_->admit(other.secret));
  reopen();
  EXPECT_EQ(shares_->admit(one.secret).error().code, Code::kNotFound);
  ASSERT_EQ(shares_->live().size(), 1U);
  EXPECT_EQ(shares_->live()[0].id, other.share.id);
}

TEST_F(SharesTest, TheFileDoesNotHoldTheSecret) {
  const auto made = make(std::chrono::hours(24));
  shares_->note_use(made.share.id);
  EXPECT_EQ(shares_->live()[0].uses, 1);
  shares_.reset();
  store_.reset();
  std::stringstream all;
  for (const auto& file : std::filesystem::directory_iterator(folder_))
    all << std::ifstream(file.path(), std::ios::binary).rdbuf();
  EXPECT_NE(all.str().find(made.share.id), std::string::npos);
  EXPECT_EQ(all.str().find(made.secret), std::string::npos);
  store_ = store::Store::open({.path = folder_ + "/control.sqlite"}).value();
  shares_ = Shares::open(env_, *store_).value();
  EXPECT_EQ(shares_->live()[0].uses, 1);
}

TEST_F(SharesTest, CannotBeAskedWithoutLimit) {
  const auto made = make(std::chrono::hours(24)), other = make(std::chrono::hours(24));
  int good = 0;
  for (int i = 0; i < 200; ++i)
    good += shares_->admit(made.secret) ? 1 : 0;
  EXPECT_EQ(good, 60);
  EXPECT_EQ(shares_->admit(made.secret).error().code, Code::kExhausted);
  EXPECT_TRUE(shares_->admit(other.secret)) << "one link's limit is not another's";
  clock_.now_ += std::chrono::seconds(3);
  EXPECT_TRUE(shares_->admit(made.secret));
  Code code = Code::kNotFound;
  for (int i = 0; i < 100 && code == Code::kNotFound; ++i)
    code = shares_->admit("guess " + std::to_string(i)).error().code;
  EXPECT_EQ(code, Code::kExhausted);
  EXPECT_TRUE(shares_->admit(other.secret)) << "guessing does not lock out who has a link";
}

// Goal: what make() and revoke() answered holds after a power cut at any call of SQLite.
TEST_F(SharesTest, APowerCutTakesNothingBackThatWasAnswered) {
  constexpr int64_t kCallsMax = 1000;
  for (int64_t call = 1; call < kCallsMax; ++call) {
    shares_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directory(folder_);
    reopen();
    shares_.reset();
    store_.reset();
    FaultInjector faults({.layer = "sqlite", .fail_call = call, .mode = FaultMode::kCrash});
    std::optional<NewShare> kept, gone;
    bool revoked = false;
    if (auto store = store::Store::open({.path = folder_ + "/control.sqlite", .faults = &faults})) {
      if (auto shares = Shares::open(env_, **store)) {
        Share wanted{.board = "shares", .filters = {}};
        wanted.expires_at = clock_.now_ + std::chrono::hours(1);
        for (auto* one : {&kept, &gone}) {
          if (auto made = (*shares)->make(wanted))
            *one = std::move(*made);
        }
        revoked = gone && (*shares)->revoke(gone->share.id).has_value();
      }
    }
    reopen();
    EXPECT_TRUE(!kept || shares_->admit(kept->secret)) << "call " << call;
    EXPECT_TRUE(!revoked || !shares_->admit(gone->secret)) << "call " << call;
    if (!faults.fired()) {
      EXPECT_TRUE(kept && revoked);
      return;
    }
  }
  FAIL() << "the power was cut at every call";
}

}  // namespace
}  // namespace tarn::serve
