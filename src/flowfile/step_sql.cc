// Tasks of kind sql, and what is asked of the lake before a task: when, for_each.
#include <fmt/format.h>

#include "engine/parse.h"
#include "flowfile/statement.h"
#include "flowfile/step.h"

namespace tarn::flowfile {
namespace {

constexpr size_t kRowsMax = 10'000;
constexpr size_t kResultBytesMax = 1 << 20U;
constexpr int kConflictsMax = 5;
constexpr std::string_view kWhenFront = "SELECT (\n";
constexpr std::string_view kWhenEnd = "\n) AS \"when\"";

Result<Statement> compiled(const StepContext& context, const report::Query& query,
                           std::string_view front = "", std::string_view end = "") {
  Diagnostic mistake;
  auto statement =
      compile_statement(context.run.models.get(), context.run.flow->file, query, mistake, front, end);
  if (!statement)
    return Error{Code::kInvalid, to_string(mistake)};
  return statement;
}

Error placed(const StepContext& context, const Statement& statement, const Error& error) {
  return {error.code, to_string(mistake_in(context.run.flow->file, statement, error))};
}

// The first rows, as objects; all are read, so that a statement does its whole work.
Result<std::vector<Json>> read_rows(engine::ResultStream& stream, size_t max) {
  std::vector<Json> rows;
  const auto columns = stream.columns();
  while (true) {
    TARN_TRY(const auto batch, stream.next_text());
    if (!batch)
      return rows;
    for (size_t row = 0; row < batch->rows && rows.size() < max; ++row)
      rows.push_back(row_json(columns, *batch, row));
  }
}

// All statements, one after the other; the first row of the last one.
Result<Json> run_statements(StepContext& context, session::Session& session, const Statement& statement) {
  const auto values = bound_values(statement.references, context.scope);
  auto result = Json::object();
  for (const auto& part : statement.parts) {
    const auto stream = session.query(statement.placed(part), values);
    if (!stream)
      return placed(context, statement, stream.error());
    const auto changed = (*stream)->rows_changed();
    const auto rows = read_rows(**stream, 1);
    if (!rows)
      return placed(context, statement, rows.error());
    result = changed ? Json{{"rows", *changed}} : rows->empty() ? Json::object() : rows->front();
    if (changed)
      context.task.report->counts.rows_written += *changed;
  }
  if (dump(result).size() > kResultBytesMax)
    return Error{Code::kExhausted, "the first row is larger than the 1 MB that a result may have"};
  return result;
}

// In one transaction, whose token makes it happen once: an attempt that was killed after its commit left the
// token and, before that, the result.
Result<Json> run_writing(StepContext& context, const Statement& statement) {
  auto& records = context.run.host.records;
  const auto token = context.task.token("sql");
  for (int conflicts = 0;; ++conflicts) {
    TARN_TRY(const auto known, context.task.sessions.catalog().find_token(token));
    if (known) {
      context.task.log.line("it was committed before this process: nothing to do");
      TARN_TRY(const auto text, records.prepared_result(context.task.run_id, context.task.task_name));
      context.task.report->lake_version = known->lake_version;
      return object_of(text);
    }
    TARN_TRY(const auto session, context.task.sessions.open({}));
    TARN_CHECK(session->begin());
    TARN_TRY(auto result, run_statements(context, *session, statement));
    TARN_CHECK(records.prepare_result(context.task.run_id, context.task.task_name, dump(result)));
    const auto done = session->commit({.token = token});
    if (!done && done.error().code == Code::kConflict && conflicts < kConflictsMax) {
      context.task.report->counts.rows_written = 0;
      continue;
    }
    if (!done)
      return done.error();
    if (*done)
      context.task.report->lake_version = (*done)->lake_version;
    return result;
  }
}

}  // namespace

Result<Json> run_sql(StepContext& context) {
  TARN_TRY(const auto statement, compiled(context, context.config.sql));
  context.task.report->compiled_sql = statement.compiled.rendered.text;
  if (!statement.only_reads())
    return run_writing(context, statement);
  TARN_TRY(const auto session, context.task.sessions.open({}));
  return run_statements(context, *session, statement);
}

Result<bool> ask_when(StepContext& context) {
  TARN_TRY(const auto statement, compiled(context, context.config.when, kWhenFront, kWhenEnd));
  TARN_TRY(const auto session, context.task.sessions.open({}));
  const auto stream = session->query(statement.text, bound_values(statement.references, context.scope));
  if (!stream)
    return placed(context, statement, stream.error());
  const auto rows = read_rows(**stream, 1);
  if (!rows)
    return placed(context, statement, rows.error());
  const auto value = rows->empty() ? Json() : rows->front().value("when", Json());
  if (value.is_null())
    return false;
  if (!value.is_boolean())
    return Error{Code::kInvalid, fmt::format("{}: when is true or false, not {}",
                                             to_string(context.config.when.place), dump(value))};
  return value.get<bool>();
}

Result<std::vector<Json>> ask_rows(StepContext& context) {
  TARN_TRY(const auto statement, compiled(context, context.config.for_each));
  if (!is_one_select(statement))
    return Error{Code::kInvalid,
                 fmt::format("{}: for_each is one SELECT", to_string(context.config.for_each.place))};
  TARN_TRY(const auto session, context.task.sessions.open({}));
  const auto stream = session->query(statement.text, bound_values(statement.references, context.scope));
  if (!stream)
    return placed(context, statement, stream.error());
  auto rows = read_rows(**stream, kRowsMax + 1);
  if (!rows)
    return placed(context, statement, rows.error());
  if (rows->size() > kRowsMax)
    return Error{Code::kExhausted,
                 fmt::format("{}: for_each has more than {} rows; add a LIMIT, or do it in SQL",
                             to_string(context.config.for_each.place), kRowsMax)};
  return rows;
}

}  // namespace tarn::flowfile
