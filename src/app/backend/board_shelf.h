// The boards of the open project, read again when a file of it was written.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/env/env.h"
#include "project/project.h"
#include "serve/board/boards_api.h"

namespace tarn::app {

// Thread-safe.
class ProjectBoards final : public serve::BoardShelf {
 public:
  ProjectBoards(Env& env, const project::Project& project) : env_(env), project_(project) {}

  Result<std::shared_ptr<const board::Boards>> boards(Look look) override;
  void forget() override;

 private:
  Env& env_;
  const project::Project& project_;

  std::mutex mutex_;  // guards all below; held while the project is read
  std::shared_ptr<const board::Boards> boards_;
  std::string stamp_;
  std::optional<Duration> looked_at_;  // steady
};

}  // namespace tarn::app
