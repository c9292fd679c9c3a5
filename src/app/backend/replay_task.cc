#include "app/backend/replay_task.h"

namespace tarn::app {
namespace {

class ReplayTask final : public flow::Task {
 public:
  ReplayTask(std::shared_ptr<const source::Sources> sources, source::FetchRecords& fetches,
             std::string source, std::string run)
      : sources_(std::move(sources)), fetches_(fetches), source_(std::move(source)), run_(std::move(run)) {}

  [[nodiscard]] std::string name() const override { return source_; }
  [[nodiscard]] std::string kind() const override { return "replay"; }
  [[nodiscard]] std::string path() const override { return "sources/" + source_ + ".yml"; }
  [[nodiscard]] std::vector<std::string> tags() const override { return {}; }
  [[nodiscard]] std::vector<std::string> upstream() const override { return {}; }
  [[nodiscard]] std::vector<std::string> writes() const override { return {}; }
  [[nodiscard]] flow::RetryPolicy retry() const override { return {}; }
  Status run(flow::TaskContext& context) override {
    return source::replay(*sources_, fetches_, source_, run_, context);
  }

 private:
  const std::shared_ptr<const source::Sources> sources_;
  source::FetchRecords& fetches_;
  const std::string source_, run_;
};

}  // namespace

std::unique_ptr<flow::Task> make_replay_task(std::shared_ptr<const source::Sources> sources,
                                             source::FetchRecords& fetches, std::string source,
                                             std::string run) {
  return std::make_unique<ReplayTask>(std::move(sources), fetches, std::move(source), std::move(run));
}

}  // namespace tarn::app
