// Any words as a selection: tasks that there are, or a sentence. The first line is taken, the rest left out.
#include "base/input_fuzz.h"
#include "flow/selection.h"

namespace {

struct Fixed : tarn::flow::Task {
  Fixed(std::string kind, std::string name, std::string path, std::vector<std::string> upstream)
      : kind_(std::move(kind)),
        name_(std::move(name)),
        path_(std::move(path)),
        upstream_(std::move(upstream)) {}
  [[nodiscard]] std::string name() const override { return name_; }
  [[nodiscard]] std::string kind() const override { return kind_; }
  [[nodiscard]] std::string path() const override { return path_; }
  [[nodiscard]] std::vector<std::string> tags() const override { return {"daily", "a.b"}; }
  [[nodiscard]] std::vector<std::string> upstream() const override { return upstream_; }
  [[nodiscard]] std::vector<std::string> writes() const override { return {"public." + name_}; }
  [[nodiscard]] tarn::flow::RetryPolicy retry() const override { return {}; }
  tarn::Status run(tarn::flow::TaskContext& /*context*/) override { return tarn::ok(); }

  std::string kind_, name_, path_;
  std::vector<std::string> upstream_;
};

std::vector<std::unique_ptr<tarn::flow::Task>> make_tasks() {
  using Names = std::vector<std::string>;
  std::vector<std::unique_ptr<tarn::flow::Task>> all;
  all.push_back(std::make_unique<Fixed>("source", "raw", "sources/raw.yml", Names{}));
  all.push_back(std::make_unique<Fixed>("model", "stg_a", "models/staging/stg_a.sql", Names{"raw"}));
  all.push_back(std::make_unique<Fixed>("model", "mart", "models/marts/mart.sql", Names{"stg_a", "gone"}));
  all.push_back(std::make_unique<Fixed>("test", "agree", "tests/agree.sql", Names{"stg_a", "mart"}));
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto tasks = make_tasks();
  tarn::FuzzInput input(data, size);
  auto take = input.take_line();
  auto names = tarn::flow::select_tasks(tasks, {{take}, {std::string(input.rest())}});
  if (names) {
    tarn::must(names->size() <= tasks.size(), "only tasks that there are");
  } else {
    tarn::must(!names.error().message.empty(), "a refusal has words");
  }
  return 0;
}
