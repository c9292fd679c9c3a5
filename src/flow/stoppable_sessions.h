// Hands out sessions and remembers which are open, so that cancelling a run stops its running statements.
#pragma once

#include <memory>
#include <mutex>
#include <set>

#include "session/session.h"

namespace tarn::flow {

// Thread-safe. Outlives the sessions that it opened.
class StoppableSessions final : public session::SessionService {
 public:
  explicit StoppableSessions(session::SessionService& inner) : inner_(inner) {}
  Result<std::unique_ptr<session::Session>> open(session::SessionOptions options) override;
  engine::LakeCatalog& catalog() override { return inner_.catalog(); }
  [[nodiscard]] const std::set<std::string>& attachments() const override { return inner_.attachments(); }

  // Stops what runs now; a statement that starts later is not stopped, so call it again until the run ends.
  void cancel_all();

 private:
  class Tracked;
  session::SessionService& inner_;
  std::mutex mutex_;
  std::set<session::Session*> open_;
};

}  // namespace tarn::flow
