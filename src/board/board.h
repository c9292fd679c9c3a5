// Boards: boards/*.yml with the queries of their tiles compiled. Immutable after reading, shared by all pages
// that show them; see docs/boards.md.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "base/env/env.h"
#include "board/config.h"
#include "model/model.h"
#include "project/project.h"
#include "report/parameters.h"
#include "session/draft.h"

namespace tarn::board {

// A tile's query, ready to be asked.
struct TileQuery {
  std::string sql;  // rendered; parameters stand as $name; empty when it has a mistake
  std::string mistake;
  engine::StatementFacts facts;
  bool changes_by_itself = false;  // reads the clock or chance: another answer without another table
};

class Boards {
 public:
  // Reads all boards; mistakes go to `diagnostics`. `models` may be null when they have mistakes themselves.
  static Result<std::shared_ptr<const Boards>> read(Env& env, const project::Project& project,
                                                    std::shared_ptr<const model::ModelProject> models,
                                                    Diagnostics& diagnostics);

  [[nodiscard]] const std::vector<std::shared_ptr<const BoardConfig>>& configs() const {
    return folder_.configs();
  }
  // kNotFound says which there are.
  [[nodiscard]] Result<std::shared_ptr<const BoardConfig>> find(const std::string& name) const {
    return folder_.find(name);
  }
  // kInvalid with the first mistake of a broken board.
  [[nodiscard]] Result<std::shared_ptr<const BoardConfig>> find_whole(const std::string& name) const {
    return folder_.find_whole(name);
  }

  // Adds the mistakes that only the engine can see. Models have put their tables into the draft.
  Status check(session::Draft& draft, Diagnostics& diagnostics) const;

  [[nodiscard]] TileQuery query_of(const BoardConfig& config, const report::Query& query) const;
  [[nodiscard]] const model::ModelProject* models() const { return models_.get(); }
  [[nodiscard]] const std::string& root() const { return root_; }

 private:
  Boards(std::string root, std::shared_ptr<const model::ModelProject> models)
      : root_(std::move(root)), models_(std::move(models)) {}

  const std::string root_;
  std::shared_ptr<const model::ModelProject> models_;
  project::YamlFolder<BoardConfig> folder_;
};

}  // namespace tarn::board
