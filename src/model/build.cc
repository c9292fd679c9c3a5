#include "model/build.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "engine/parse.h"
#include "model/incremental.h"
#include "model/lake_facts.h"
#include "model/render.h"
#include "model/run_check.h"
#include "model/seed.h"

namespace tarn::model {
namespace {

constexpr int kConflictsMax = 5;
constexpr const char* kSeedNote = "tarn.seed";  // SeedFile::digest() of what the table was made from

class Builder {
 public:
  Builder(const ModelProject& project, const Node& node, flow::TaskContext& context)
      : project_(project), node_(node), context_(context), table_(session::quote_name(node.table)) {}

  Status run() {
    std::string token = context_.token("build");
    TARN_TRY(auto done, context_.sessions.catalog().find_token(token));
    if (done) {
      context_.log.line("committed by an earlier attempt of this run");
      context_.report->lake_version = done->lake_version;
      return ok();
    }
    TARN_TRY(session_, context_.sessions.open({}));
    for (int conflicts = 0;; ++conflicts) {
      auto status = attempt(token);
      if (status || status.error().code != Code::kConflict || conflicts == kConflictsMax) {
        return status;
      }
      context_.log.line(
          fmt::format("somebody else committed first, running it again: {}", status.error().message));
    }
  }

 private:
  // One transaction from begin to commit; whatever fails rolls it back.
  Status attempt(const std::string& token) {
    context_.report->versions.clear();
    context_.report->warnings.clear();
    context_.report->tests.clear();
    TARN_TRY(version_, context_.sessions.catalog().head());
    TARN_CHECK(session_->begin());
    auto made = make();
    if (made) {
      made = test();
    }
    if (!made) {
      (void)session_->rollback();
      return stopped(made.error());
    }
    return commit(token);
  }

  // What a cancelled statement says is the cancelling.
  [[nodiscard]] Error stopped(const Error& error) const {
    return context_.cancel.is_set() ? Error{Code::kCancelled, node_.name + " was cancelled"} : error;
  }

  Status make() {
    const std::string& schema = node_.table.schema;
    if (!has_schema(*version_, schema)) {
      TARN_CHECK(session_->execute_own(
          fmt::format("create schema if not exists {}", session::quote_identifier(schema))));
    }
    Standing standing = standing_of(*version_, node_.table);
    if (node_.kind == NodeKind::kSeed) {
      return make_seed(standing);
    }
    bool refresh = node_.config.full_refresh.value_or(context_.full_refresh);
    bool incremental = node_.config.materialized == "incremental" && standing == Standing::kTable && !refresh;
    Diagnostic mistake;
    TARN_TRY(Compiled compiled, compile_node(project_, node_, incremental, refresh, mistake));
    context_.report->compiled_sql = compiled.rendered.text;
    TARN_CHECK(must_be_select(compiled));
    TARN_CHECK(hooks(node_.config.pre_hook));
    if (incremental) {
      TARN_CHECK(make_incremental(compiled));
    } else if (node_.config.materialized == "view") {
      TARN_CHECK(clear(standing, Standing::kView));
      TARN_CHECK(execute(fmt::format("create or replace view {} as\n", table_), compiled));
    } else {
      TARN_CHECK(clear(standing, Standing::kTable));
      std::string partition =
          node_.config.partition_by.empty()
              ? ""
              : fmt::format(" partitioned by ({})", fmt::join(node_.config.partition_by, ", "));
      TARN_CHECK(execute(fmt::format("create or replace table {}{} as\n", table_, partition), compiled));
      TARN_TRY(context_.report->counts.rows_written, count(table_));
    }
    return hooks(node_.config.post_hook);
  }

  // A model's text is wrapped into a statement of ours, so it must be exactly one SELECT.
  [[nodiscard]] Status must_be_select(const Compiled& compiled) const {
    auto facts = engine::parse(compiled.rendered.text);
    if (!facts) {
      return located(compiled, facts.error(), "");
    }
    if (facts->size() != 1 || facts->front().kind != engine::StatementKind::kSelect) {
      return Error{Code::kInvalid, fmt::format("{}: a model must be one SELECT", node_.path)};
    }
    return ok();
  }

  [[nodiscard]] Error located(const Compiled& compiled, const Error& error, std::string_view front) const {
    return {error.code, to_string(place_error(project_, compiled, error, front))};
  }

  Result<int64_t> execute(const std::string& front, const Compiled& compiled) {
    auto rows = session_->execute(front + compiled.rendered.text);
    if (!rows) {
      return located(compiled, rows.error(), front);
    }
    return rows;
  }

  // A view where a table is wanted, or the other way round.
  Status clear(Standing standing, Standing wanted) {
    if (standing == Standing::kNothing || standing == wanted) {
      return ok();
    }
    TARN_CHECK(session_->execute_own(
        fmt::format("drop {} {}", standing == Standing::kView ? "view" : "table", table_)));
    return ok();
  }

  Status make_incremental(const Compiled& compiled) {
    TARN_CHECK(execute(fmt::format("create or replace temp table {} as\n", kStage), compiled));
    TARN_TRY(context_.report->counts.rows_written, count(std::string(kStage)));
    return bring_in(node_, *session_);
  }

  // CREATE TABLE AS does not say how many rows it wrote; the count of a fresh table comes from its metadata.
  Result<int64_t> count(const std::string& table) {
    TARN_TRY(auto stream, session_->query_own("select count(*) from " + table, {}));
    TARN_TRY(auto batch, stream->next_text());
    int64_t rows = 0;
    if (batch && batch->rows == 1) {
      const std::string& text = batch->columns[0].text[0];
      std::from_chars(text.data(), text.data() + text.size(), rows);
    }
    return rows;
  }

  Status make_seed(Standing standing) {
    TARN_CHECK(clear(standing, Standing::kTable));
    TARN_TRY(SeedFile seed, SeedFile::open(context_.env, context_.data_folder, project_.root, node_));
    TARN_TRY(seed_digest_, seed.digest());
    TARN_TRY(std::string loaded_digest, note_of(*version_, node_.table, kSeedNote));
    unchanged_ = seed_digest_ == loaded_digest && !context_.full_refresh;
    if (unchanged_) {
      context_.log.line("the file is the one that the table was made from: not loaded again");
      return ok();
    }
    context_.report->compiled_sql = fmt::format("create or replace table {} as {}", table_, seed.select());
    auto loaded = session_->execute_own(context_.report->compiled_sql);
    if (!loaded) {
      return Error{loaded.error().code, to_string(seed.explain(context_.sessions, loaded.error()))};
    }
    TARN_TRY(context_.report->counts.rows_in, count(table_));
    context_.report->counts.rows_written = context_.report->counts.rows_in;
    return ok();
  }

  Status hooks(const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      Diagnostic mistake;
      auto parsed = jinja::parse_template(node_.path + " (hook)", text, mistake);
      if (!parsed) {
        return Error(parsed.error());
      }
      RenderRequest request{.node = &node_};
      TARN_TRY(auto sql, render(project_, **parsed, request, mistake));
      if (sql.text.find_first_not_of(" \t\r\n;") == std::string::npos) {
        continue;
      }
      auto ran = session_->execute(sql.text);
      if (!ran) {
        return ran.error().at(node_.path + ": hook");
      }
    }
    return ok();
  }

  Status test() {
    std::vector<std::string> failures;
    for (size_t index : node_.tests) {
      const DataTest& test = project_.tests[index];
      context_.log.progress("test " + test.name);
      TARN_TRY(Verdict verdict, run_test(project_, test, *session_, context_.report->tests));
      if (verdict.kind == Verdict::Kind::kFailed) {
        failures.push_back(verdict.message);
        context_.log.line("failed: " + verdict.message);
      } else if (verdict.kind == Verdict::Kind::kWarned) {
        context_.report->warnings.push_back(verdict.message);
        context_.log.line("warning: " + verdict.message);
      }
    }
    if (failures.empty()) {
      return ok();
    }
    const char* kept = standing_of(*version_, node_.table) == Standing::kNothing ? "nothing was published"
                                                                                 : "the former version stays";
    return Error{Code::kFailed, fmt::format("{}: {} of {} tests failed, {}: {}", node_.path, failures.size(),
                                            node_.tests.size(), kept, fmt::join(failures, "; "))};
  }

  Status commit(const std::string& token) {
    if (context_.cancel.is_set()) {
      (void)session_->rollback();
      return Error{Code::kCancelled, node_.name + " was cancelled"};
    }
    engine::CommitNote note;
    note.token = token;
    note.summary = {{"tarn.task", node_.name}, {"tarn.run", context_.run_id}};
    if (node_.kind == NodeKind::kSeed) {
      note.summary[kSeedNote] = seed_digest_;
    }
    auto outcome = session_->commit(note);
    if (!outcome) {
      (void)session_->rollback();
      return Error(outcome.error());
    }
    return record(*outcome);
  }

  Status record(const std::optional<engine::CommitOutcome>& outcome) {
    for (const auto& read : tables_read(project_, node_.reads)) {
      TARN_TRY(int64_t snapshot, snapshot_of(*version_, read));
      context_.report->versions.push_back({to_text(read), snapshot, false});
    }
    if (unchanged_) {
      return ok();
    }
    flow::TableVersion written{to_text(node_.table), 0, true};
    if (outcome) {
      context_.report->lake_version = outcome->lake_version;
      TARN_TRY(auto now, context_.sessions.catalog().at_version(outcome->lake_version));
      auto found = outcome->snapshot_ids.find(uuid_of(*now, node_.table));
      written.snapshot_id = found == outcome->snapshot_ids.end() ? 0 : found->second;
    }
    context_.report->versions.push_back(std::move(written));
    return ok();
  }

  const ModelProject& project_;
  const Node& node_;
  flow::TaskContext& context_;
  std::string table_;
  std::unique_ptr<session::Session> session_;
  std::shared_ptr<const engine::LakeVersion> version_;
  std::string seed_digest_;
  bool unchanged_ = false;  // a seed whose table stands already as the file says
};

}  // namespace

Status build(const ModelProject& project, const Node& node, flow::TaskContext& context) {
  return Builder(project, node, context).run();
}

}  // namespace tarn::model
