#include "session/statements.h"

#include "base/time.h"
#include "session/watchdog.h"

namespace tarn::session {
namespace {

class StatementsTable final : public engine::TableSource {
 public:
  explicit StatementsTable(std::shared_ptr<Watchdog> watchdog) : watchdog_(std::move(watchdog)) {}

  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] const std::string& about() const override { return about_; }
  [[nodiscard]] const std::vector<engine::SourceColumn>& columns() const override { return columns_; }

  Status scan(const std::function<bool(engine::TextRow row)>& sink) override {
    for (auto& one : watchdog_->statements()) {
      if (!sink({format_utc(one.started_at), one.state, one.of_person ? "person" : "tarn",
                 std::move(one.sql)})) {
        break;
      }
    }
    return ok();
  }

 private:
  const std::shared_ptr<Watchdog> watchdog_;
  const std::string name_ = "statements";
  const std::string about_ = "Statements that run at this moment, oldest first.";
  const std::vector<engine::SourceColumn> columns_ = {
      {"started_at", "TIMESTAMP WITH TIME ZONE", ""},
      {"state", "VARCHAR", "waiting for a slot, running, or stopping: told to, and not yet through"},
      {"by", "VARCHAR", "person, or tarn for what runs and checks do themselves"},
      {"sql", "VARCHAR", ""}};
};

}  // namespace

std::shared_ptr<Watchdog> make_watchdog(Env& env, int slots) {
  return std::make_shared<Watchdog>(env, slots);
}

std::shared_ptr<engine::TableSource> statements_table(std::shared_ptr<Watchdog> watchdog) {
  return std::make_shared<StatementsTable>(std::move(watchdog));
}

}  // namespace tarn::session
