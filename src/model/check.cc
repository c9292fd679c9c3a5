// Binds compiled SQL against the lake, to find wrong columns and tables before anything runs.
#include <algorithm>

#include <fmt/format.h>

#include "engine/parse.h"
#include "model/lake_facts.h"
#include "model/model.h"
#include "model/project.h"
#include "model/render.h"

namespace tarn::model {
namespace {

class Checker {
 public:
  Checker(const ModelProject& project, session::Session& session, const engine::LakeVersion& version,
          Diagnostics& diagnostics)
      : project_(project), session_(session), version_(version), diagnostics_(diagnostics) {}

  void run() {
    for (const auto& [name, node] : project_.nodes) {
      if (node.text) {
        model(node);
      }
    }
    for (const DataTest& test : project_.tests) {
      bool here = all_there(test.reads);
      Diagnostic mistake;
      auto compiled = compile_test(project_, test, mistake);
      if (!compiled) {
        diagnostics_.push_back(mistake);
      } else if (here) {
        bind(*compiled, &test);
      }
    }
  }

 private:
  [[nodiscard]] bool all_there(const Reads& reads) const {
    auto tables = tables_read(project_, reads);
    return std::all_of(tables.begin(), tables.end(), [&](const engine::TableName& table) {
      return standing_of(version_, table) != Standing::kNothing;
    });
  }

  void model(const Node& node) {
    bool incremental =
        node.config.materialized == "incremental" && standing_of(version_, node.table) == Standing::kTable;
    Diagnostic mistake;
    auto compiled = compile_node(project_, node, incremental, false, mistake);
    if (!compiled) {
      diagnostics_.push_back(mistake);
      return;
    }
    auto facts = engine::parse(compiled->rendered.text);
    if (!facts) {
      diagnostics_.push_back(place_error(*compiled, facts.error(), ""));
    } else if (facts->size() != 1 || facts->front().kind != engine::StatementKind::kSelect) {
      diagnostics_.push_back({Place{node.path}, "a model must be one SELECT"});
    } else if (all_there(node.reads)) {
      bind(*compiled, nullptr);
    }
  }

  void bind(const Compiled& compiled, const DataTest* test) {
    auto columns = session_.describe(compiled.rendered.text);
    if (columns) {
      return;
    }
    Diagnostic wrong = place_error(compiled, columns.error(), "");
    if (test != nullptr && !compiled.text) {
      wrong = {test->place, fmt::format("test {}: {}", test->name, wrong.message)};
    }
    diagnostics_.push_back(std::move(wrong));
  }

  const ModelProject& project_;
  session::Session& session_;
  const engine::LakeVersion& version_;
  Diagnostics& diagnostics_;
};

}  // namespace

Status check(const ModelProject& project, session::SessionService& sessions, Diagnostics& diagnostics) {
  TARN_TRY(auto session, sessions.open({}));
  TARN_TRY(auto version, sessions.catalog().head());
  Checker(project, *session, *version, diagnostics).run();
  return ok();
}

}  // namespace tarn::model
