// What a task costs beside its own work: runs of tasks that do nothing, with all their records on the disk.
//   ./dev bench task_bench
// Promise: at most 5 ms a task. The peer in docs/performance.md is Airflow's ten-task DAG.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include "flow/executor.h"
#include "flow/runs.h"

namespace tarn {
namespace {

class EmptyTask : public flow::Task {
 public:
  EmptyTask(std::string name, std::vector<std::string> upstream)
      : name_(std::move(name)), upstream_(std::move(upstream)) {}
  [[nodiscard]] std::string name() const override { return name_; }
  [[nodiscard]] std::string kind() const override { return "model"; }
  [[nodiscard]] std::string path() const override { return "models/" + name_ + ".sql"; }
  [[nodiscard]] std::vector<std::string> tags() const override { return {}; }
  [[nodiscard]] std::vector<std::string> upstream() const override { return upstream_; }
  [[nodiscard]] std::vector<std::string> writes() const override { return {"public." + name_}; }
  [[nodiscard]] flow::RetryPolicy retry() const override { return {}; }
  Status run(flow::TaskContext& /*context*/) override { return ok(); }

 private:
  std::string name_;
  std::vector<std::string> upstream_;
};

class Silent : public flow::RunObserver {
 public:
  void run_started(const flow::RunRecord&, size_t) override {}
  void task_started(const flow::TaskRecord&) override {}
  void task_progress(const std::string&, const std::string&) override {}
  void task_line(const std::string&, const std::string&) override {}
  void task_retried(const std::string&, const std::string&, Duration) override {}
  void task_ended(const flow::TaskRecord&) override {}
  void run_ended(const flow::RunRecord&) override {}
};

class NoSessions : public session::SessionService {
 public:
  Result<std::unique_ptr<session::Session>> open(session::SessionOptions) override {
    return Error{Code::kUnsupported, "no sessions in this benchmark"};
  }
  engine::LakeCatalog& catalog() override { std::abort(); }
  [[nodiscard]] const std::set<std::string>& attachments() const override { return attachments_; }

 private:
  std::set<std::string> attachments_;
};

void fail(const Error& error) {
  fmt::print(stderr, "{}\n", error.message);
  std::exit(1);
}

// Seconds of one run of `count` tasks; in a chain, or with nothing between them.
double run_once(flow::Runs& runs, int count, bool chain) {
  std::vector<std::unique_ptr<EmptyTask>> tasks;
  std::vector<flow::Task*> list;
  for (int i = 0; i < count; ++i) {
    std::vector<std::string> upstream;
    if (chain && i > 0)
      upstream.push_back(fmt::format("t{}", i - 1));
    tasks.push_back(std::make_unique<EmptyTask>(fmt::format("t{}", i), std::move(upstream)));
    list.push_back(tasks.back().get());
  }
  NoSessions sessions;
  Silent observer;
  const flow::CancelFlag cancel;
  const auto start = std::chrono::steady_clock::now();
  const auto outcome = flow::run_tasks(real_env(), sessions, runs, list, {}, observer, cancel);
  if (!outcome)
    fail(outcome.error());
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void measure(flow::Runs& runs, const char* what, int count, bool chain, int repeats) {
  std::vector<double> seconds;
  for (int i = 0; i < repeats; ++i)
    seconds.push_back(run_once(runs, count, chain));
  std::nth_element(seconds.begin(), seconds.begin() + repeats / 2, seconds.end());
  const double median = seconds[static_cast<size_t>(repeats / 2)];
  const double each_ms = median * 1000 / count;
  fmt::print("{}: {:.1f} ms, {:.2f} ms a task (promise: at most 5 ms) {}\n", what, median * 1000, each_ms,
             each_ms <= 5 ? "holds" : "MISSED");
}

}  // namespace
}  // namespace tarn

int main() {
  const auto folder = fmt::format("{}/tarn-bench-{}", std::filesystem::current_path().string(), getpid());
  std::filesystem::create_directories(folder);
  {
    auto store = tarn::store::Store::open({.path = folder + "/control.sqlite"});
    if (!store)
      tarn::fail(store.error());
    auto runs = tarn::flow::Runs::open(tarn::real_env(), **store);
    if (!runs)
      tarn::fail(runs.error());
    // Once the records' write-ahead log has its size, its blocks are written in place.
    tarn::run_once(**runs, 1000, false);
    tarn::measure(**runs, "a run of one task, with the run's own records", 1, true, 21);
    tarn::measure(**runs, "ten tasks in a chain", 10, true, 21);
    tarn::measure(**runs, "ten tasks side by side", 10, false, 21);
    tarn::measure(**runs, "200 tasks in a chain", 200, true, 5);
    tarn::measure(**runs, "1,000 tasks, none waits for another", 1000, false, 3);
  }
  std::filesystem::remove_all(folder);
}
