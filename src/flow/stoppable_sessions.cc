#include "flow/stoppable_sessions.h"

namespace tarn::flow {

class StoppableSessions::Tracked final : public session::Session {
 public:
  Tracked(StoppableSessions& owner, std::unique_ptr<session::Session> inner)
      : owner_(owner), inner_(std::move(inner)) {
    const std::lock_guard lock(owner_.mutex_);
    owner_.open_.insert(inner_.get());
  }
  ~Tracked() override {
    const std::lock_guard lock(owner_.mutex_);
    owner_.open_.erase(inner_.get());
  }
  Tracked(const Tracked&) = delete;
  Tracked& operator=(const Tracked&) = delete;

  Result<std::unique_ptr<engine::ResultStream>> query(
      std::string_view sql, std::span<const engine::Parameter> parameters) override {
    return inner_->query(sql, parameters);
  }
  Result<int64_t> execute(std::string_view sql) override { return inner_->execute(sql); }
  Result<std::vector<engine::Column>> describe(std::string_view sql) override {
    return inner_->describe(sql);
  }
  Result<std::vector<engine::Column>> describe(std::string_view sql,
                                               std::span<const engine::Parameter> parameters) override {
    return inner_->describe(sql, parameters);
  }
  Result<std::unique_ptr<engine::ResultStream>> query_own(
      std::string_view sql, std::span<const engine::Parameter> parameters) override {
    return inner_->query_own(sql, parameters);
  }
  Result<int64_t> execute_own(std::string_view sql) override { return inner_->execute_own(sql); }
  Status begin() override { return inner_->begin(); }
  Result<std::optional<engine::CommitOutcome>> commit(engine::CommitNote note) override {
    return inner_->commit(std::move(note));
  }
  Status rollback() override { return inner_->rollback(); }
  Status remove_files(const engine::TableName& table, const std::vector<std::string>& paths) override {
    return inner_->remove_files(table, paths);
  }
  Status remove_all_files(const engine::TableName& table) override { return inner_->remove_all_files(table); }
  void cancel() override { inner_->cancel(); }
  void set_stop_flag(std::shared_ptr<const std::atomic<bool>> flag) override {
    inner_->set_stop_flag(std::move(flag));
  }

 private:
  StoppableSessions& owner_;
  std::unique_ptr<session::Session> inner_;
};

Result<std::unique_ptr<session::Session>> StoppableSessions::open(session::SessionOptions options) {
  TARN_TRY(auto inner, inner_.open(std::move(options)));
  return std::unique_ptr<session::Session>(std::make_unique<Tracked>(*this, std::move(inner)));
}

void StoppableSessions::cancel_all() {
  const std::lock_guard lock(mutex_);
  for (auto* session : open_)
    session->cancel();
}

}  // namespace tarn::flow
