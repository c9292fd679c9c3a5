#include "serve/http/json.h"

#include "base/time.h"

namespace tarn::serve {
namespace {

const Json* member(const Json& json, const char* key) {
  if (!json.is_object())
    return nullptr;
  const auto found = json.find(key);
  return found == json.end() ? nullptr : &*found;
}

Json time_json(const std::optional<Timestamp>& time) {
  return time ? Json(format_utc(*time)) : Json();
}

}  // namespace

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string text_of(const Json& json, const char* key) {
  const auto* value = member(json, key);
  return value != nullptr && value->is_string() ? value->get<std::string>() : "";
}

int64_t integer_of(const Json& json, const char* key) {
  const auto* value = member(json, key);
  return value != nullptr && value->is_number_integer() ? value->get<int64_t>() : 0;
}

bool truth_of(const Json& json, const char* key) {
  const auto* value = member(json, key);
  return value != nullptr && value->is_boolean() && value->get<bool>();
}

Json list_of(const Json& json, const char* key) {
  const auto found = json.is_object() ? json.find(key) : json.end();
  return found != json.end() && found->is_array() ? *found : Json::array();
}

Json map_of(const Json& json, const char* key) {
  const auto found = json.is_object() ? json.find(key) : json.end();
  return found != json.end() && found->is_object() ? *found : Json::object();
}

std::vector<std::string> texts_of(const Json& json, const char* key) {
  std::vector<std::string> texts;
  const auto* value = member(json, key);
  if (value == nullptr)
    return texts;
  if (value->is_string())
    texts.push_back(value->get<std::string>());
  if (!value->is_array())
    return texts;
  for (const auto& item : *value) {
    if (item.is_string())
      texts.push_back(item.get<std::string>());
  }
  return texts;
}

std::optional<Timestamp> time_of(const Json& json, const char* key) {
  const auto text = text_of(json, key);
  if (text.empty())
    return std::nullopt;
  const auto time = parse_time(text);
  if (!time)
    return std::nullopt;
  return *time;
}

Vars vars_of(const Json& json, const char* key) {
  Vars vars;
  const auto* value = member(json, key);
  if (value == nullptr || !value->is_object())
    return vars;
  for (const auto& [name, var] : value->items())
    vars[name] = var.is_string() ? var.get<std::string>() : dump(var);
  return vars;
}

Json to_json(const Error& error) {
  return {{"error", {{"code", name_of(error.code)}, {"message", error.message}}}};
}

Error error_of(const Json& body) {
  const auto* error = member(body, "error");
  if (error == nullptr)
    return Error{Code::kInternal, "the server answered with an error that is not in its form"};
  return Error{code_of(text_of(*error, "code")), text_of(*error, "message")};
}

Json to_json(const flow::RunRecord& run) {
  return {{"id", run.id},
          {"command", run.command},
          {"selection", run.selection},
          {"full_refresh", run.full_refresh},
          {"state", flow::name_of(run.state)},
          {"started_at", format_utc(run.started_at)},
          {"finished_at", time_json(run.finished_at)},
          {"error", run.error},
          {"exit_code", run.exit_code},
          {"schedule", run.schedule},
          {"due_at", time_json(run.due_at)},
          {"waits_for", run.waits_for},
          {"part_of", run.part_of}};
}

flow::RunRecord run_of(const Json& json) {
  flow::RunRecord run;
  run.id = text_of(json, "id");
  run.command = text_of(json, "command");
  run.selection = text_of(json, "selection");
  run.full_refresh = truth_of(json, "full_refresh");
  run.state = flow::state_of(text_of(json, "state"));
  run.started_at = time_of(json, "started_at").value_or(Timestamp{});
  run.finished_at = time_of(json, "finished_at");
  run.error = text_of(json, "error");
  run.exit_code = static_cast<int>(integer_of(json, "exit_code"));
  run.schedule = text_of(json, "schedule");
  run.due_at = time_of(json, "due_at");
  run.waits_for = text_of(json, "waits_for");
  run.part_of = text_of(json, "part_of");
  return run;
}

Json to_json(const flow::TaskRecord& task) {
  const auto& counts = task.report.counts;
  return {{"run", task.run_id},
          {"name", task.name},
          {"kind", task.kind},
          {"path", task.path},
          {"position", task.position},
          {"state", flow::name_of(task.state)},
          {"resumes", task.resumes},
          {"attempts", task.attempts},
          {"started_at", time_json(task.started_at)},
          {"finished_at", time_json(task.finished_at)},
          {"error", task.error},
          {"error_code", task.error_code},
          {"rows_in", counts.rows_in},
          {"rows_written", counts.rows_written},
          {"rows_quarantined", counts.rows_quarantined},
          {"requests", counts.requests},
          {"bytes_in", counts.bytes_in},
          {"lake_version", task.report.lake_version},
          {"warnings", task.report.warnings}};
}

flow::TaskRecord task_of(const Json& json) {
  flow::TaskRecord task;
  task.run_id = text_of(json, "run");
  task.name = text_of(json, "name");
  task.kind = text_of(json, "kind");
  task.path = text_of(json, "path");
  task.position = static_cast<int>(integer_of(json, "position"));
  task.state = flow::state_of(text_of(json, "state"));
  task.resumes = text_of(json, "resumes");
  task.attempts = static_cast<int>(integer_of(json, "attempts"));
  task.started_at = time_of(json, "started_at");
  task.finished_at = time_of(json, "finished_at");
  task.error = text_of(json, "error");
  task.error_code = text_of(json, "error_code");
  task.report.counts = {.rows_in = integer_of(json, "rows_in"),
                        .rows_written = integer_of(json, "rows_written"),
                        .rows_quarantined = integer_of(json, "rows_quarantined"),
                        .requests = integer_of(json, "requests"),
                        .bytes_in = integer_of(json, "bytes_in")};
  task.report.lake_version = integer_of(json, "lake_version");
  task.report.warnings = texts_of(json, "warnings");
  return task;
}

Json to_json(const flow::TaskStatus& status) {
  return {{"name", status.name},
          {"kind", status.kind},
          {"writes", status.writes},
          {"state", status.state},
          {"why", status.why},
          {"last_done_at", time_json(status.last_done_at)},
          {"rows_written", status.rows_written},
          {"last_run", status.last_run}};
}

flow::TaskStatus status_of(const Json& json) {
  flow::TaskStatus status;
  status.name = text_of(json, "name");
  status.kind = text_of(json, "kind");
  status.writes = texts_of(json, "writes");
  status.state = text_of(json, "state");
  status.why = text_of(json, "why");
  status.last_done_at = time_of(json, "last_done_at");
  status.rows_written = integer_of(json, "rows_written");
  status.last_run = text_of(json, "last_run");
  return status;
}

Json to_json(const Diagnostic& diagnostic) {
  return {{"file", diagnostic.place.file},
          {"line", diagnostic.place.line},
          {"column", diagnostic.place.column},
          {"message", diagnostic.message}};
}

Diagnostic diagnostic_of(const Json& json) {
  return {{text_of(json, "file"), static_cast<int>(integer_of(json, "line")),
           static_cast<int>(integer_of(json, "column"))},
          text_of(json, "message")};
}

Json to_json(const TableInfo& table) {
  return {{"schema", table.schema},
          {"name", table.name},
          {"kind", table.kind},
          {"metadata_location", table.metadata_location}};
}

TableInfo table_of(const Json& json) {
  return {text_of(json, "schema"), text_of(json, "name"), text_of(json, "kind"),
          text_of(json, "metadata_location")};
}

Json to_json(const flow::Due& due) {
  return {{"schedule", due.schedule},
          {"due_at", format_utc(due.due_at)},
          {"first_due_at", format_utc(due.first_due_at)},
          {"count", due.count},
          {"trigger", due.trigger},
          {"run", due.run_id},
          {"state", flow::name_of(due.state)},
          {"reason", due.reason},
          {"tries", due.tries},
          {"not_before", time_json(due.not_before)},
          {"finished_at", time_json(due.finished_at)}};
}

flow::Due due_of(const Json& json) {
  flow::Due due;
  due.schedule = text_of(json, "schedule");
  due.due_at = time_of(json, "due_at").value_or(Timestamp{});
  due.first_due_at = time_of(json, "first_due_at").value_or(Timestamp{});
  due.count = integer_of(json, "count");
  due.trigger = text_of(json, "trigger");
  due.run_id = text_of(json, "run");
  due.state = flow::due_state_of(text_of(json, "state"));
  due.reason = text_of(json, "reason");
  due.tries = static_cast<int>(integer_of(json, "tries"));
  due.not_before = time_of(json, "not_before");
  due.finished_at = time_of(json, "finished_at");
  return due;
}

Json to_json(const flow::ScheduleInfo& schedule) {
  Json open = Json::array();
  for (const auto& due : schedule.open)
    open.push_back(to_json(due));
  return {{"name", schedule.name},
          {"file", schedule.place.file},
          {"line", schedule.place.line},
          {"run", schedule.run},
          {"exclude", schedule.exclude},
          {"when", schedule.pattern},
          {"time_zone", schedule.time_zone},
          {"catch_up", flow::name_of(schedule.catch_up)},
          {"paused", schedule.paused},
          {"paused_in_file", schedule.paused_in_file},
          {"next_at", time_json(schedule.next_at)},
          {"last", schedule.last ? to_json(*schedule.last) : Json()},
          {"open", open},
          {"waiting", schedule.waiting}};
}

flow::ScheduleInfo schedule_of(const Json& json) {
  flow::ScheduleInfo schedule;
  schedule.name = text_of(json, "name");
  schedule.place = {text_of(json, "file"), static_cast<int>(integer_of(json, "line")), 0};
  schedule.run = texts_of(json, "run");
  schedule.exclude = texts_of(json, "exclude");
  schedule.pattern = text_of(json, "when");
  schedule.time_zone = text_of(json, "time_zone");
  schedule.paused = truth_of(json, "paused");
  schedule.paused_in_file = truth_of(json, "paused_in_file");
  schedule.next_at = time_of(json, "next_at");
  const auto catch_up = text_of(json, "catch_up");
  schedule.catch_up = catch_up == "none"  ? flow::CatchUp::kNone
                      : catch_up == "all" ? flow::CatchUp::kAll
                                          : flow::CatchUp::kLast;
  schedule.waiting = static_cast<size_t>(integer_of(json, "waiting"));
  if (const auto* last = member(json, "last"); last != nullptr && last->is_object())
    schedule.last = due_of(*last);
  if (const auto* open = member(json, "open"); open != nullptr && open->is_array()) {
    for (const auto& due : *open)
      schedule.open.push_back(due_of(due));
  }
  return schedule;
}

Json to_json(const retention::Cleaning& cleaning) {
  Json removed = Json::array();
  for (const auto& one : cleaning.removed)
    removed.push_back({{"what", one.what}, {"count", one.count}, {"bytes", one.bytes}, {"paths", one.paths}});
  return {{"dry_run", cleaning.dry_run}, {"removed", removed}};
}

retention::Cleaning cleaning_of(const Json& json) {
  retention::Cleaning cleaning{.removed = {}, .dry_run = truth_of(json, "dry_run")};
  for (const auto& one : json.value("removed", Json::array()))
    cleaning.removed.push_back(
        {text_of(one, "what"), integer_of(one, "count"), integer_of(one, "bytes"), texts_of(one, "paths")});
  return cleaning;
}

Json to_json(const flow::BackfillPlan& plan) {
  Json steps = Json::array();
  for (const auto& step : plan.steps) {
    steps.push_back(
        {{"at", format_utc(step.at)}, {"from", step.from}, {"to", step.to}, {"run", step.run_id}});
  }
  return {{"id", plan.id}, {"steps", steps}};
}

flow::BackfillPlan backfill_plan_of(const Json& json) {
  flow::BackfillPlan plan;
  plan.id = text_of(json, "id");
  const auto* steps = member(json, "steps");
  if (steps == nullptr || !steps->is_array())
    return plan;
  for (const auto& step : *steps) {
    plan.steps.push_back({.at = time_of(step, "at").value_or(Timestamp{}),
                          .from = text_of(step, "from"),
                          .to = text_of(step, "to"),
                          .run_id = text_of(step, "run")});
  }
  return plan;
}

int http_status_of(Code code) {
  switch (code) {
    case Code::kInvalid:
    case Code::kUnsupported: return 400;
    case Code::kDenied: return 403;
    case Code::kNotFound: return 404;
    case Code::kExists:
    case Code::kConflict:
    case Code::kAborted:
    case Code::kLocked: return 409;
    case Code::kFailed: return 422;
    case Code::kCancelled: return 499;
    case Code::kTimeout: return 504;
    case Code::kExhausted: return 503;
    case Code::kDiskFull: return 507;
    case Code::kUnavailable: return 502;
    case Code::kIo:
    case Code::kCorrupt:
    case Code::kNewer:
    case Code::kInternal: return 500;
  }
  return 500;
}

Code code_of(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(Code::kInternal); ++i) {
    if (name_of(static_cast<Code>(i)) == name)
      return static_cast<Code>(i);
  }
  return Code::kInternal;
}

}  // namespace tarn::serve
