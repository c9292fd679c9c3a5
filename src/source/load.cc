#include "source/load.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/time.h"
#include "source/remove_rows.h"
#include "source/sql_text.h"
#include "source/staging.h"

namespace tarn::source {
namespace {

using session::quote_identifier;
using session::quote_literal;

constexpr int kAttempts = 8;
constexpr const char* kQuarantine = "lake.\"_tarn\".\"quarantine\"";

// The transaction of one load.
class Loader {
 public:
  Loader(session::Session& session, const LoadRequest& request, Staging& staging)
      : session_(session),
        request_(request),
        config_(request.config),
        staging_(staging),
        plan_(staging.plan()) {
    table_ = "lake." + session::quote_name(config_.table);
  }

  Status run();

 private:
  // How rows get into the table, quickest first. What fails for a row's sake is tried the next way.
  enum class Way {
    kStream,  // straight from the input: the first bad row fails it
    kSorted,  // the bad rows are looked up first, then the good ones go straight from the input
    kStaged,  // all rows go through a temporary table
  };
  [[nodiscard]] Status prepare(Way way);
  Result<bool> attempt(Way way);  // false: there are columns that were not known; again
  Status write(Way way);
  Status make_table();
  Status make_quarantine();
  Status remove_former_rows();
  Status stream_rows(Way way);
  Status append_rows();
  Status upsert_rows();
  Status replace_rows(Way way);
  Status insert_quarantine();
  Status insert_from(const std::string& from);
  Status add_since_cursors();
  Result<int64_t> count(const std::string& from);
  Status execute(const std::string& sql) {
    TARN_CHECK(session_.execute_own(sql));
    return ok();
  }
  [[nodiscard]] std::string lock_keys(const std::string& left, const std::string& right) const;
  void report(const std::optional<engine::CommitOutcome>& outcome);

  session::Session& session_;
  const LoadRequest& request_;
  const SourceConfig& config_;
  Staging& staging_;
  const TablePlan& plan_;
  std::string table_;
  bool is_hopeless_ =
      false;  // trying again does not help: columns that may not be there, a file that changes
  int64_t written_ = 0;
  int64_t quarantined_ = 0;
  std::vector<engine::CursorChange> cursors_;
};

Status Loader::run() {
  Way way = staging_.can_stream() ? Way::kStream : Way::kStaged;
  bool prepared = false;
  for (int attempt_number = 1;;) {
    if (!prepared) {
      TARN_CHECK(prepare(way));
      prepared = true;
    }
    auto done = attempt(way);
    if (done && *done) {
      return ok();
    }
    (void)session_.rollback();
    if (done) {
      prepared = false;  // there are late columns, fewer each time
      continue;
    }
    Code code = done.error().code;
    if (is_hopeless_) {
      return done.error();
    }
    if (code == Code::kConflict && attempt_number < kAttempts) {
      request_.task.env.clock->sleep_for(std::chrono::milliseconds(
          10 * attempt_number + static_cast<int64_t>(request_.task.env.random->next() % 50)));
      ++attempt_number;
      continue;
    }
    bool rows_broke = code == Code::kInvalid || code == Code::kFailed || code == Code::kInternal;
    if (way == Way::kStaged || !rows_broke) {
      return done.error();
    }
    request_.task.log.line(fmt::format("reading row by row: {}",
                                       done.error().message.substr(0, done.error().message.find('\n'))));
    way = way == Way::kStream && config_.select.text.empty() ? Way::kSorted : Way::kStaged;
    prepared = false;
  }
}

Status Loader::prepare(Way way) {
  switch (way) {
    case Way::kStream: return ok();
    case Way::kSorted: return staging_.stage(Staging::Rows::kBad);
    case Way::kStaged: return staging_.stage(Staging::Rows::kAll);
  }
  return ok();
}

Result<bool> Loader::attempt(Way way) {
  written_ = 0;
  quarantined_ = 0;
  cursors_ = request_.cursors;
  if (way != Way::kStaged) {
    TARN_CHECK(staging_.make_stream_view(way == Way::kStream ? Purpose::kStream : Purpose::kExact));
  }
  TARN_CHECK(session_.begin());
  TARN_CHECK(write(way));
  if (way != Way::kStaged) {
    auto late = staging_.find_late_columns();
    is_hopeless_ = !late;
    if (!late || *late) {
      return late ? Result<bool>(false) : late.error();
    }
  }
  if (request_.task.cancel.is_set()) {
    return Error{Code::kCancelled, "cancelled before the commit"};
  }
  if (request_.before_commit) {
    auto holds = request_.before_commit();
    is_hopeless_ = !holds;
    TARN_CHECK(holds);
  }
  engine::CommitNote note{.token = request_.token, .cursors = cursors_, .summary = {}};
  note.summary["tarn.source"] = config_.name;
  note.summary["tarn.run"] = request_.run;
  TARN_TRY(auto outcome, session_.commit(std::move(note)));
  report(outcome);
  return true;
}

Status Loader::write(Way way) {
  TARN_CHECK(make_quarantine());
  if (!plan_.targets.empty()) {
    TARN_CHECK(make_table());
    TARN_CHECK(remove_former_rows());
    if (config_.mode == Mode::kReplace) {
      TARN_CHECK(replace_rows(way));
    } else if (way != Way::kStaged) {
      TARN_CHECK(stream_rows(way));
    } else if (config_.mode == Mode::kUpsert) {
      TARN_CHECK(upsert_rows());
    } else {
      TARN_CHECK(append_rows());
    }
  }
  if (!request_.replay) {
    TARN_CHECK(add_since_cursors());
  }
  return insert_quarantine();
}

Status Loader::make_table() {
  if (plan_.exists) {
    for (const auto& target : plan_.added) {
      TARN_CHECK(execute(fmt::format("ALTER TABLE {} ADD COLUMN {} {}", table_, quote_identifier(target.name),
                                     target.type)));
    }
    return ok();
  }
  if (engine::fold(config_.table.schema) != "public") {
    TARN_CHECK(execute("CREATE SCHEMA IF NOT EXISTS lake." + quote_identifier(config_.table.schema)));
  }
  std::string columns;
  for (const auto& target : plan_.targets) {
    columns += fmt::format("{} {}, ", quote_identifier(target.name), target.type);
  }
  std::string partitions;
  for (const auto& field : config_.partition_by) {
    TARN_TRY(std::string one, partition_field(field));
    partitions += (partitions.empty() ? "" : ", ") + one;
  }
  return execute(
      fmt::format("CREATE OR REPLACE TABLE {} ({}\"_tarn_run\" VARCHAR, \"_tarn_fetch\" VARCHAR){}", table_,
                  columns, partitions.empty() ? "" : " PARTITIONED BY (" + partitions + ")"));
}

Status Loader::make_quarantine() {
  return execute(
      fmt::format("CREATE TABLE IF NOT EXISTS {} (source VARCHAR, run VARCHAR, fetch_id VARCHAR, row_number "
                  "BIGINT, reason VARCHAR, raw VARCHAR, quarantined_at TIMESTAMP WITH TIME ZONE)",
                  kQuarantine));
}

Status Loader::remove_former_rows() {
  engine::TableName quarantine{.schema = "_tarn", .name = "quarantine"};
  std::string source = fmt::format("source = {}", quote_literal(config_.name));
  if (request_.replay) {
    std::string run = quote_literal(request_.run);
    TARN_CHECK(remove_rows(session_, quarantine, fmt::format("{} AND run = {}", source, run)));
    if (plan_.exists) {
      TARN_CHECK(remove_rows(session_, config_.table, fmt::format("\"_tarn_run\" = {}", run)));
    }
  }
  std::vector<std::string> replaced;
  for (const auto& one : request_.landed) {
    if (!one.replaces.empty() && !request_.replay) {
      replaced.push_back(one.replaces);
    }
  }
  if (replaced.empty() || !plan_.exists) {
    return ok();
  }
  std::string list = literal_list(replaced);
  TARN_CHECK(
      remove_rows(session_, quarantine, fmt::format("{} AND fetch_id IN (SELECT unnest({}))", source, list)));
  return remove_rows(session_, config_.table, fmt::format("\"_tarn_fetch\" IN (SELECT unnest({}))", list));
}

Status Loader::insert_from(const std::string& from) {
  std::string names = identifiers(plan_.names());
  TARN_TRY(int64_t rows,
           session_.execute_own(fmt::format(
               "INSERT INTO {} ({}, \"_tarn_run\", \"_tarn_fetch\") SELECT {}, {}, \"_tarn_fetch\" FROM {}",
               table_, names, names, quote_literal(request_.run), from)));
  written_ += rows;
  return ok();
}

Status Loader::stream_rows(Way way) {
  std::string where = way == Way::kStream
                          ? "CASE WHEN tarn_bad THEN CAST(error('a row breaks the contract') AS "
                            "BOOLEAN) ELSE true END"
                          : "NOT tarn_bad";
  TARN_CHECK(insert_from(fmt::format("(SELECT {}, tarn_fetch AS \"_tarn_fetch\" FROM {} WHERE {})",
                                     identifiers(plan_.names()), kTypedView, where)));
  return way == Way::kStream ? staging_.collect_stream_rejects() : ok();
}

Status Loader::append_rows() {
  std::string from = "tarn_stage s WHERE tarn_reason IS NULL";
  if (!config_.since || !plan_.exists) {
    return insert_from(from);
  }
  // The last request asked for rows from the cursor on, the cursor's own included: those seen before are
  // equal in every column.
  std::string column = quote_identifier(config_.since->column);
  TARN_TRY(auto rows,
           rows_of(session_, fmt::format("SELECT CAST(min({}) AS VARCHAR) FROM {}", column, from)));
  if (rows.empty() || !rows.front()[0]) {
    return insert_from(from);
  }
  std::string same;
  for (const auto& target : plan_.targets) {
    std::string name = quote_identifier(target.name);
    same += fmt::format(" AND t.{0} IS NOT DISTINCT FROM s.{0}", name);
  }
  return insert_from(fmt::format("{} AND NOT EXISTS (SELECT 1 FROM {} t WHERE t.{} >= CAST({} AS {}){})",
                                 from, table_, column, quote_literal(*rows.front()[0]),
                                 plan_.find(config_.since->column)->type, same));
}

std::string Loader::lock_keys(const std::string& left, const std::string& right) const {
  std::string out;
  for (const auto& key : config_.key) {
    out +=
        fmt::format("{0}{1}.{3} = {2}.{3}", out.empty() ? "" : " AND ", left, right, quote_identifier(key));
  }
  return out;
}

Status Loader::upsert_rows() {
  std::string keys = identifiers(config_.key);
  TARN_CHECK(execute(
      fmt::format("CREATE OR REPLACE TEMP TABLE tarn_new AS SELECT * FROM tarn_stage WHERE tarn_reason "
                  "IS NULL QUALIFY row_number() OVER (PARTITION BY {} ORDER BY rowid DESC) = 1",
                  keys)));
  if (!plan_.exists) {
    return insert_from("tarn_new");
  }
  std::string same = lock_keys("t", "s");
  if (request_.replay) {  // what a later run wrote under the same key stays
    return insert_from(
        fmt::format("tarn_new s WHERE NOT EXISTS (SELECT 1 FROM {} t WHERE {})", table_, same));
  }
  TARN_CHECK(
      remove_rows(session_, config_.table, fmt::format("EXISTS (SELECT 1 FROM tarn_new s WHERE {})", same)));
  return insert_from("tarn_new");
}

Status Loader::replace_rows(Way way) {
  if (plan_.exists) {
    TARN_CHECK(session_.remove_all_files(config_.table));
  }
  TARN_CHECK(way != Way::kStaged ? stream_rows(way) : insert_from("tarn_stage WHERE tarn_reason IS NULL"));
  if (written_ == 0 && !config_.allow_empty && plan_.exists) {
    return Error{Code::kFailed,
                 fmt::format("{}: nothing arrived, and zero rows replace nothing; write 'allow_empty: "
                             "true' if an empty table is right",
                             config_.path)};
  }
  return ok();
}

Result<int64_t> Loader::count(const std::string& from) {
  TARN_TRY(auto rows, rows_of(session_, "SELECT count(*) FROM " + from));
  return rows.empty() || !rows.front()[0] ? 0 : std::stoll(*rows.front()[0]);
}

Status Loader::insert_quarantine() {
  TARN_TRY(quarantined_, count("tarn_bad_rows"));
  if (quarantined_ == 0) {
    return ok();
  }
  return execute(fmt::format(
      "INSERT INTO {} SELECT {}, {}, fetch_id, row_number, reason, raw, CAST({} AS TIMESTAMP WITH "
      "TIME ZONE) FROM tarn_bad_rows",
      kQuarantine, quote_literal(config_.name), quote_literal(request_.run),
      quote_literal(format_utc(request_.task.env.clock->now()))));
}

// The greatest value landed, for each row of `each`; never below the one before.
Status Loader::add_since_cursors() {
  if (!config_.since || plan_.targets.empty() || request_.landed.empty()) {
    return ok();
  }
  const std::string& type = plan_.find(config_.since->column)->type;
  std::string values;
  for (const auto& one : request_.landed) {
    TARN_TRY(auto before, request_.task.sessions.catalog().cursor(config_.name, "since:" + one.each_json));
    auto old = before ? nlohmann::json::parse(*before, nullptr, false) : nlohmann::json();
    bool known =
        old.is_object() && old.contains("value") && old["value"].is_string() && !request_.task.full_refresh;
    values += fmt::format("{}({}, {}, {})", values.empty() ? "" : ", ", quote_literal(one.id),
                          quote_literal(one.each_json),
                          known ? quote_literal(old["value"].get<std::string>()) : "CAST(NULL AS VARCHAR)");
  }
  std::string greatest = fmt::format("greatest(max(s.{}), max(TRY_CAST(v.old AS {})))",
                                     quote_identifier(config_.since->column), type);
  std::string text = fmt::format("CAST({} AS VARCHAR)", greatest);
  if (type.starts_with("TIMESTAMP")) {
    text = fmt::format("strftime(CAST({} AS TIMESTAMP), '%Y-%m-%dT%H:%M:%S.%fZ')", greatest);
  }
  TARN_TRY(auto rows,
           rows_of(session_, fmt::format("SELECT v.each_row, {} FROM tarn_stage s JOIN (VALUES {}) "
                                         "v(fetch_id, each_row, old) ON v.fetch_id = s._tarn_fetch WHERE "
                                         "s.tarn_reason IS NULL GROUP BY v.each_row",
                                         text, values)));
  for (const auto& row : rows) {
    if (!row[1]) {
      continue;
    }
    std::string value = *row[1];
    if (size_t zeros = value.rfind(".000000Z"); zeros != std::string::npos && type.starts_with("TIMESTAMP")) {
      value = value.substr(0, zeros) + "Z";
    }
    cursors_.push_back(
        {config_.name, "since:" + row[0].value_or(""), nlohmann::json{{"value", value}}.dump()});
  }
  return ok();
}

void Loader::report(const std::optional<engine::CommitOutcome>& outcome) {
  auto& report = *request_.task.report;
  report.counts.rows_written += written_;
  report.counts.rows_quarantined += quarantined_;
  report.counts.rows_in += written_ + quarantined_;
  for (const auto& warning : plan_.warnings) {
    report.warnings.push_back(warning);
  }
  if (!outcome) {
    return;
  }
  report.lake_version = outcome->lake_version;
  auto head = request_.task.sessions.catalog().head();
  if (!head) {
    return;
  }
  auto schema = (*head)->schemas.find(engine::fold(config_.table.schema));
  if (schema == (*head)->schemas.end()) {
    return;
  }
  auto table = schema->second->tables.find(engine::fold(config_.table.name));
  if (table != schema->second->tables.end()) {
    auto snapshot = outcome->snapshot_ids.find(table->second->uuid());
    report.versions.push_back({.table = config_.table.schema + "." + config_.table.name,
                               .snapshot_id = snapshot == outcome->snapshot_ids.end() ? 0 : snapshot->second,
                               .written = true});
  }
}

// Passes a cancel on to the session while a statement runs.
class CancelWatch {
 public:
  CancelWatch(session::Session& session, const flow::CancelFlag& cancel)
      : thread_([this, &session, &cancel] {
          std::unique_lock lock(mutex_);
          while (!done_.wait_for(lock, std::chrono::milliseconds(100), [this] { return stop_; })) {
            if (cancel.is_set()) {
              session.cancel();
            }
          }
        }) {}
  CancelWatch(const CancelWatch&) = delete;
  CancelWatch& operator=(const CancelWatch&) = delete;
  ~CancelWatch() {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    done_.notify_all();
    thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable done_;
  bool stop_ = false;
  std::thread thread_;  // last: it uses all above
};

}  // namespace

Status load(const LoadRequest& request) {
  bool nothing = request.landed.empty() && request.cursors.empty();
  if (nothing && !(request.config.mode == Mode::kReplace && request.config.allow_empty) && !request.replay) {
    return ok();
  }
  TARN_TRY(auto session, request.task.sessions.open({}));
  CancelWatch watch(*session, request.task.cancel);
  Staging staging(*session, request);
  TARN_CHECK(staging.prepare());
  Loader loader(*session, request, staging);
  return loader.run();
}

}  // namespace tarn::source
