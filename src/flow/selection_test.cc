// Goal: dbt's words choose what they choose in dbt. Method: one small graph, each word with its names.
#include "flow/selection.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

namespace tarn::flow {
namespace {

struct Fixed : Task {
  Fixed(std::string kind, std::string name, std::string path, std::vector<std::string> upstream,
        std::vector<std::string> tags = {})
      : kind_(std::move(kind)),
        name_(std::move(name)),
        path_(std::move(path)),
        upstream_(std::move(upstream)),
        tags_(std::move(tags)) {}
  [[nodiscard]] std::string name() const override { return name_; }
  [[nodiscard]] std::string kind() const override { return kind_; }
  [[nodiscard]] std::string path() const override { return path_; }
  [[nodiscard]] std::vector<std::string> tags() const override { return tags_; }
  [[nodiscard]] std::vector<std::string> upstream() const override { return upstream_; }
  [[nodiscard]] std::vector<std::string> writes() const override { return {"public." + name_}; }
  [[nodiscard]] RetryPolicy retry() const override { return {}; }
  Status run(TaskContext& /*context*/) override { return ok(); }

  std::string kind_, name_, path_;
  std::vector<std::string> upstream_, tags_;
};

// raw -> stg_a -> mart -> report; cities -> mart; lone
std::vector<std::unique_ptr<Task>> tasks() {
  std::vector<std::unique_ptr<Task>> all;
  all.push_back(std::make_unique<Fixed>("source", "raw", "sources/raw.yml", std::vector<std::string>{}));
  all.push_back(std::make_unique<Fixed>("seed", "cities", "seeds/cities.csv", std::vector<std::string>{}));
  all.push_back(std::make_unique<Fixed>("model", "stg_a", "models/staging/stg_a.sql",
                                        std::vector<std::string>{"raw"}, std::vector<std::string>{"daily"}));
  all.push_back(std::make_unique<Fixed>("model", "mart", "models/marts/mart.sql",
                                        std::vector<std::string>{"stg_a", "cities"},
                                        std::vector<std::string>{"daily", "big"}));
  all.push_back(std::make_unique<Fixed>("model", "report", "models/marts/report.sql",
                                        std::vector<std::string>{"mart"}));
  all.push_back(std::make_unique<Fixed>("model", "lone", "models/lone.sql", std::vector<std::string>{}));
  all.push_back(std::make_unique<Fixed>("test", "agree", "tests/agree.sql",
                                        std::vector<std::string>{"stg_a", "cities"}));
  return all;
}

std::string chosen(const std::vector<std::string>& take, const std::vector<std::string>& leave = {}) {
  auto names = select_tasks(tasks(), {take, leave});
  return names ? fmt::format("{}", fmt::join(*names, " ")) : "! " + names.error().message;
}

TEST(SelectionTest, Everything) {
  EXPECT_EQ(chosen({}), "agree cities lone mart raw report stg_a");
}

TEST(SelectionTest, Names) {
  EXPECT_EQ(chosen({"lone"}), "lone");
  EXPECT_EQ(chosen({"lone report"}), "lone report");
  EXPECT_EQ(chosen({"lone", "report"}), "lone report");
  EXPECT_EQ(chosen({"*r*t"}), "mart report");
}

TEST(SelectionTest, Graph) {
  EXPECT_EQ(chosen({"+mart"}), "agree cities mart raw stg_a");
  EXPECT_EQ(chosen({"1+report"}), "mart report");
  EXPECT_EQ(chosen({"stg_a+"}), "agree mart report stg_a");
  EXPECT_EQ(chosen({"mart+1"}), "mart report");
  EXPECT_EQ(chosen({"+mart+"}), "agree cities mart raw report stg_a");
  EXPECT_EQ(chosen({"@stg_a"}), "agree cities mart raw report stg_a");
}

TEST(SelectionTest, Methods) {
  EXPECT_EQ(chosen({"tag:daily"}), "agree mart stg_a");
  EXPECT_EQ(chosen({"tag:daily,tag:big"}), "mart");
  EXPECT_EQ(chosen({"source:raw"}), "raw");
  EXPECT_EQ(chosen({"source:raw+1"}), "raw stg_a");
  EXPECT_EQ(chosen({"kind:seed"}), "cities");
  EXPECT_EQ(chosen({"path:models/marts"}), "mart report");
}

TEST(SelectionTest, Paths) {
  EXPECT_EQ(chosen({"models/marts"}), "mart report");
  EXPECT_EQ(chosen({"./models/marts/"}), "mart report");
  EXPECT_EQ(chosen({"models/marts/mart.sql"}), "mart");
  EXPECT_EQ(chosen({"mart.sql"}), "mart");
  EXPECT_EQ(chosen({"marts"}), "mart report");
  EXPECT_EQ(chosen({"models/staging/*"}), "stg_a");
}

TEST(SelectionTest, Exclude) {
  EXPECT_EQ(chosen({}, {"lone", "tag:daily"}), "agree cities raw report");
  EXPECT_EQ(chosen({"+mart"}, {"agree"}), "cities mart raw stg_a");
}

TEST(SelectionTest, TestsComeWithWhatTheyRead) {
  EXPECT_EQ(chosen({"stg_a"}), "stg_a");
  EXPECT_EQ(chosen({"stg_a", "cities"}), "agree cities stg_a");
}

TEST(SelectionTest, Mistakes) {
  EXPECT_EQ(chosen({"repotr"}), "! the selection 'repotr' matches nothing: did you mean 'report'?");
  EXPECT_EQ(chosen({"tag:dayly"}), "! the selection 'tag:dayly' matches nothing: did you mean 'daily'?");
  EXPECT_EQ(chosen({"tagg:x"}), "! a selection cannot begin with 'tagg:': did you mean 'tag:'?");
  EXPECT_EQ(chosen({"+"}), "! the selection '+' names nothing");
}

}  // namespace
}  // namespace tarn::flow
