// Binds compiled SQL against the draft, to find wrong columns and tables before anything runs.
#include <algorithm>

#include <fmt/format.h>

#include "base/diagnostic_text.h"
#include "engine/parse.h"
#include "model/lake_facts.h"
#include "model/model.h"
#include "model/project.h"
#include "model/render.h"
#include "model/seed.h"

namespace tarn::model {
namespace {

// A database of others that does not answer is no mistake of the text.
bool is_away(const Error& error) {
  return error.code == Code::kUnavailable || error.code == Code::kTimeout;
}

class Checker {
 public:
  Checker(const ModelProject& project, session::SessionService& sessions, session::Draft& draft,
          Diagnostics& diagnostics)
      : project_(project), sessions_(sessions), draft_(draft), diagnostics_(diagnostics) {}

  void run() {
    for (const auto& [key, source] : project_.declared) {
      if (source.database.empty() && !draft_.has(source.table)) {
        draft_.hide(source.table);  // somebody else fills it, or will
      }
    }
    for (const auto& [name, node] : project_.nodes) {
      visit(node);
    }
    for (const DataTest& test : project_.tests) {
      bind_test(test);
    }
  }

 private:
  // Upstream first. A circle was told already; it ends at the node where it began.
  void visit(const Node& node) {
    if (!seen_.insert(node.name).second) {
      return;
    }
    for (const std::string& ref : node.reads.refs) {
      if (const Node* upstream = project_.find(ref)) {
        visit(*upstream);
      }
    }
    bool good = node.kind == NodeKind::kSeed ? seed(node) : model(node);
    if (good) {
      done_.insert(node.name);
    } else if (node.config.materialized != "ephemeral") {
      draft_.hide(node.table);
    }
  }

  [[nodiscard]] bool is_known(const Reads& reads) const {
    return std::all_of(reads.refs.begin(), reads.refs.end(),
                       [&](const std::string& ref) { return done_.contains(ref); }) &&
           std::none_of(reads.tables.begin(), reads.tables.end(),
                        [&](const auto& table) { return draft_.is_hidden(table); });
  }

  bool seed(const Node& node) {
    auto file = SeedFile::open(*project_.env, project_.data_folder, project_.root, node);
    if (!file) {
      diagnostics_.push_back(diagnostic_of_text(file.error().message));
      return false;
    }
    auto session = sessions_.open({});
    if (!session) {
      return false;
    }
    auto read = (*session)->execute_own("create temp table tarn_seed as " + file->select());
    if (!read) {
      diagnostics_.push_back(file->explain(sessions_, read.error()));
      return false;
    }
    auto columns = (*session)->describe("select * from temp.tarn_seed");
    return columns && draft_.put(node.table, *columns);
  }

  bool model(const Node& node) {
    if (!node.text || project_.broken.contains(node.name)) {
      return false;
    }
    bool kept = node.config.materialized == "incremental" &&
                standing_of(draft_.version(), node.table) == Standing::kTable;
    Diagnostic mistake;
    auto compiled = compile_node(project_, node, kept, false, mistake);
    if (!compiled) {
      bool upstream = !is_known(node.reads);  // an ephemeral model, told at its own place
      if (!upstream) {
        diagnostics_.push_back(mistake);
      }
      return false;
    }
    auto facts = engine::parse(compiled->rendered.text);
    if (!facts) {
      diagnostics_.push_back(place_error(project_, *compiled, facts.error(), ""));
      return false;
    }
    if (facts->size() != 1 || facts->front().kind != engine::StatementKind::kSelect) {
      // Of several statements the second is too much.
      size_t at = facts->size() > 1 ? (*facts)[1].begin : facts->empty() ? 0 : facts->front().begin;
      const auto& text = *compiled->text;
      diagnostics_.push_back({text.place_of(compiled->rendered.source_of(at)), "a model must be one SELECT"});
      return false;
    }
    if (!is_known(node.reads) || draft_.is_blind(facts->front())) {
      return false;
    }
    auto columns = draft_.describe(compiled->rendered.text);
    if (!columns && is_away(columns.error())) {
      return false;
    }
    if (!columns) {
      diagnostics_.push_back(explain(node, *compiled, facts->front(), columns.error()));
      return false;
    }
    bool same = kept && node.config.on_schema_change == "ignore";
    return same || node.config.materialized == "ephemeral" || draft_.put(node.table, *columns);
  }

  // A table that a model makes is there only in time when it is read through ref().
  [[nodiscard]] Diagnostic explain(const Node& node, const Compiled& compiled,
                                   const engine::StatementFacts& facts, const Error& error) const {
    Diagnostic wrong = place_error(project_, compiled, error, "");
    for (const auto& use : facts.functions) {
      bool of_templates = use.name == "ref" || use.name == "source" || use.name == "var";
      if (of_templates && wrong.message.starts_with("there is no function " + use.name)) {
        wrong.message = fmt::format("{0} belongs into double braces: {{{{ {0}(…) }}}}", use.name);
      }
    }
    for (const auto& table : facts.tables) {
      engine::TableName name{table.schema.empty() ? "public" : table.schema, table.name};
      for (const auto& [other, made] : project_.nodes) {
        const auto& refs = node.reads.refs;
        bool named = engine::fold(to_text(made.table)) == engine::fold(to_text(name)) &&
                     std::find(refs.begin(), refs.end(), other) == refs.end();
        if (named && error.code == Code::kNotFound && !draft_.has(name)) {
          wrong.message = fmt::format(
              "'{0}' is made by {1}: write {{{{ ref('{2}') }}}} instead, so that it is made first",
              table.name, made.path, other);
        }
      }
    }
    return wrong;
  }

  void bind_test(const DataTest& test) {
    if (!is_known(test.reads)) {
      return;
    }
    Diagnostic wrong;
    auto compiled = compile_test(project_, test, wrong);
    if (!compiled) {
      diagnostics_.push_back(wrong);
      return;
    }
    auto facts = engine::parse(compiled->rendered.text);
    if (facts && facts->size() == 1 && draft_.is_blind(facts->front())) {
      return;
    }
    auto columns = draft_.describe(compiled->rendered.text);
    if (columns || is_away(columns.error())) {
      return;
    }
    wrong = place_error(project_, *compiled, columns.error(), "");
    if (!compiled->text) {
      wrong = {test.place, fmt::format("test {}: {}", test.name, wrong.message)};
    }
    diagnostics_.push_back(std::move(wrong));
  }

  const ModelProject& project_;
  session::SessionService& sessions_;
  session::Draft& draft_;
  Diagnostics& diagnostics_;
  std::set<std::string> seen_;
  std::set<std::string> done_;  // what can be read by others
};

}  // namespace

Status check(const ModelProject& project, session::SessionService& sessions, session::Draft& draft,
             Diagnostics& diagnostics) {
  Checker(project, sessions, draft, diagnostics).run();
  return ok();
}

}  // namespace tarn::model
