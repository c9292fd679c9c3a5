#include "source/staging.h"

#include <algorithm>

#include <fmt/format.h>

#include "codec/json_shape.h"
#include "source/sql_text.h"

namespace tarn::source {
namespace {

using session::quote_identifier;
using session::quote_literal;

// The second condition never holds, but keeps the optimizer from skipping the scan where no column can break:
// its reader may reject lines all the same.
constexpr const char* kBadRows = " WHERE tarn_bad OR tarn_row < 0";

Status execute(session::Session& session, const std::string& sql) {
  TARN_CHECK(session.execute_own(sql));
  return ok();
}

}  // namespace

Result<std::string> each_type(const std::vector<Landed>& landed) {
  codec::JsonShape shape;
  for (const auto& one : landed) {
    codec::JsonScanner scanner(one.each_json);
    if (!one.each_json.empty() && !shape.add(scanner)) {
      return Error{Code::kInternal, fmt::format("the row of each of {} is not JSON", one.id)};
    }
  }
  return shape.is_empty() ? "" : shape.nested_type();
}

Staging::Staging(session::Session& session, const LoadRequest& request)
    : session_(session), request_(request) {
  for (const auto& one : request.landed) {
    if (file_bytes(one.path) > 0) {
      landed_.push_back(one);
    }
  }
}

Status Staging::prepare() {
  const SourceConfig& config = request_.config;
  TARN_TRY(existing_, table_columns(request_.task.sessions, session_, config.table));
  if (request_.task.full_refresh && !request_.replay) {
    existing_.reset();
  }
  if (!landed_.empty()) {
    input_ = make_input(session_, config.format, landed_);
    bool declared = !config.columns.empty() &&
                    std::none_of(config.columns.begin(), config.columns.end(),
                                 [](const ContractColumn& column) { return column.type.empty(); });
    TARN_TRY(found_, input_->discover(!config.select.text.empty() || !(existing_ || declared)));
    TARN_TRY(each_type_, each_type(landed_));
  }
  TARN_CHECK(plan_columns());
  return execute(session_,
                 "CREATE OR REPLACE TEMP TABLE tarn_bad_rows (fetch_id VARCHAR, row_number BIGINT, reason "
                 "VARCHAR, raw VARCHAR)");
}

Status Staging::plan_columns() {
  const SourceConfig& config = request_.config;
  std::vector<InputColumn> columns = found_;
  if (input_ && !config.select.text.empty()) {
    TARN_TRY(auto relation, input_->relation(Purpose::kSelect, {}, -1));
    TARN_TRY(auto selected, apply_select(session_, config, relation, selection_of(landed_.front())));
    columns.clear();
    for (const auto& column : selected.columns) {
      columns.push_back({.name = column.name, .inferred = column.type == "\"NULL\"" ? "" : column.type});
    }
  }
  TARN_TRY(plan_, plan_table(session_, config, existing_ ? &*existing_ : nullptr, columns));
  return ok();
}

Result<bool> Staging::find_late_columns() {
  if (!input_) {
    return false;
  }
  TARN_TRY(auto late, input_->late_columns());
  if (late.empty()) {
    return false;
  }
  found_.insert(found_.end(), late.begin(), late.end());
  TARN_CHECK(plan_columns());
  return !request_.config.select.text.empty() ||
         std::any_of(late.begin(), late.end(),
                     [this](const InputColumn& column) { return plan_.find(column.name) != nullptr; });
}

Selection Staging::selection_of(const Landed& landed) const {
  Selection selection{.each = {}, .fetch = landed.id};
  if (!each_type_.empty()) {
    selection.each = fmt::format("tarn_json_value({}, {})",
                                 quote_literal(landed.each_json.empty() ? "null" : landed.each_json),
                                 quote_literal(each_type_));
  }
  return selection;
}

bool Staging::can_stream() const {
  const SourceConfig& config = request_.config;
  bool plain = config.mode != Mode::kUpsert && !config.since && !plan_.targets.empty();
  return plain && input_ && input_->streams() && (config.select.text.empty() || landed_.size() == 1);
}

Status Staging::make_stream_view(Purpose purpose) {
  if (purpose == Purpose::kStream) {  // a commit that failed may have kept what it wrote to temporary tables
    TARN_CHECK(execute(session_, "DELETE FROM tarn_bad_rows"));
  }
  const SourceConfig& config = request_.config;
  bool selects = !config.select.text.empty();
  TARN_TRY(auto relation,
           input_->relation(selects ? Purpose::kSelect : purpose, wanted_columns(plan_), selects ? 0 : -1));
  if (selects) {
    TARN_TRY(relation, apply_select(session_, config, relation, selection_of(landed_.front())));
  }
  return make_typed_view(session_, config, plan_, relation, false);
}

Status Staging::collect_stream_rejects() {
  return collect_rejects();
}

Status Staging::collect_rejects() {
  std::string sql = input_->bad_rows();
  return sql.empty() ? ok() : execute(session_, "INSERT INTO tarn_bad_rows " + sql);
}

Status Staging::make_empty_stage() {
  std::string list;
  for (const auto& target : plan_.targets) {
    list += fmt::format("{} {}, ", quote_identifier(target.name), target.type);
  }
  return execute(session_,
                 fmt::format("CREATE OR REPLACE TEMP TABLE tarn_stage ({}_tarn_fetch VARCHAR, tarn_row "
                             "BIGINT, tarn_raw VARCHAR, tarn_reason VARCHAR)",
                             list));
}

Status Staging::stage_relation(const Relation& relation, Rows rows) {
  TARN_CHECK(make_typed_view(session_, request_.config, plan_, relation, true));
  std::string names = identifiers(plan_.names());
  std::string raw = relation.raw_is_row ? "CAST(to_json(tarn_raw) AS VARCHAR)" : "tarn_raw";
  return execute(
      session_,
      fmt::format("INSERT INTO tarn_stage SELECT {}{}tarn_fetch, tarn_row, CASE WHEN tarn_bad "
                  "THEN {} END, CASE WHEN tarn_bad THEN coalesce(tarn_reason, 'the row "
                  "breaks the contract') END FROM {}{}",
                  names, names.empty() ? "" : ", ", raw, kTypedView, rows == Rows::kBad ? kBadRows : ""));
}

Status Staging::stage(Rows rows) {
  for (;;) {
    TARN_CHECK(make_empty_stage());
    TARN_CHECK(execute(session_, "DELETE FROM tarn_bad_rows"));
    if (!input_) {
      return ok();
    }
    TARN_CHECK(plan_.targets.empty() ? collect_rejects() : stage_relations(rows));
    TARN_TRY(bool late, find_late_columns());
    if (!late) {
      return plan_.targets.empty() ? ok() : number_stage();
    }
  }
}

Status Staging::stage_relations(Rows rows) {
  const SourceConfig& config = request_.config;
  if (config.select.text.empty()) {
    TARN_TRY(auto relation, input_->relation(Purpose::kCareful, wanted_columns(plan_), -1));
    TARN_CHECK(stage_relation(relation, rows));
    return collect_rejects();
  }
  // JSON documents keep the bad rows of all files in one place, the others those of the last scan.
  bool at_once = config.format.kind == FormatKind::kJson;
  for (size_t i = 0; i < landed_.size(); ++i) {
    if (request_.task.cancel.is_set()) {
      return Error{Code::kCancelled, "cancelled while parsing"};
    }
    TARN_TRY(auto input, input_->relation(Purpose::kSelect, {}, static_cast<int>(i)));
    TARN_TRY(auto selected, apply_select(session_, config, input, selection_of(landed_[i])));
    if (auto staged = stage_relation(selected, rows); !staged) {
      return staged.error().at(to_string(config.select.place) + ": select");
    }
    if (!at_once || i + 1 == landed_.size()) {
      TARN_CHECK(collect_rejects());
    }
  }
  return ok();
}

// Copies what broke the contract to tarn_bad_rows, null keys of an upsert included. CSV counts only rows that
// its reader took, so the lines that it rejected before are added.
Status Staging::number_stage() {
  if (request_.config.mode == Mode::kUpsert) {
    std::string null_key;
    for (const auto& key : request_.config.key) {
      null_key += fmt::format("{}{} IS NULL", null_key.empty() ? "" : " OR ", quote_identifier(key));
    }
    std::string reason = fmt::format("the key is null: {}", fmt::join(request_.config.key, ", "));
    TARN_CHECK(
        execute(session_, fmt::format("UPDATE tarn_stage SET tarn_reason = {} WHERE tarn_reason IS NULL AND "
                                      "({})",
                                      quote_literal(reason), null_key)));
  }
  std::string number = input_->row_number();
  if (request_.config.format.kind == FormatKind::kCsv) {
    TARN_CHECK(execute(session_,
                       "CREATE OR REPLACE TEMP TABLE tarn_rejected AS SELECT fetch_id, row_number - "
                       "row_number() OVER (PARTITION BY fetch_id ORDER BY row_number) AS before FROM "
                       "tarn_bad_rows"));
    number =
        "s.tarn_row + (SELECT count(*) FROM tarn_rejected x WHERE x.fetch_id = s._tarn_fetch AND x.before < "
        "s.tarn_row)";
  }
  return execute(session_,
                 fmt::format("INSERT INTO tarn_bad_rows SELECT s._tarn_fetch, {}, s.tarn_reason, s.tarn_raw "
                             "FROM tarn_stage s WHERE s.tarn_reason IS NOT NULL",
                             number));
}

}  // namespace tarn::source
