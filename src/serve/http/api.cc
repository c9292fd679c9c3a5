#include "serve/http/api.h"

#include <charconv>

#include <fmt/format.h>

#include "base/env/file_reader.h"
#include "base/ids.h"
#include "base/time.h"
#include "serve/http/exchange.h"
#include "serve/http/given.h"
#include "serve/http/json.h"
#include "serve/http/run_events.h"
#include "serve/http/sql_book.h"
#include "serve/http/sql_rows.h"
#include "serve/rows/row_writer.h"
#include "session/session.h"

namespace tarn::serve {
namespace {

constexpr std::string_view kJsonType = "application/json";
constexpr std::string_view kBookType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
constexpr std::string_view kPrefix = "/api/v1";
constexpr int kRunsListedMax = 1000;

void answer_submitted(net::HttpServerResponse& response, const Result<RunHub::Submitted>& run) {
  if (!run)
    return answer(response, run.error());
  answer(response, 202, {{"id", run->id}, {"waits_for", run->waits_for}});
}

// The body as an object; an empty body is an empty object.
Result<SessionRequest> session_request_of(const Json& body) {
  SessionRequest request;
  request.unsafe = truth_of(body, "unsafe");
  if (const auto as_of = text_of(body, "as_of"); !as_of.empty()) {
    TARN_TRY(request.as_of, parse_time(as_of));
  }
  return request;
}

// The rows of a table that is named: nobody pastes a name into a text to see them.
Result<std::string> rows_of_table(const Json& body) {
  const auto table = body.value("table", Json::object());
  const engine::TableName name{text_of(table, "schema"), text_of(table, "name")};
  if (name.schema.empty() || name.name.empty())
    return Error{Code::kInvalid, "'table' must be an object with 'schema' and 'name'"};
  const auto limit = integer_of(body, "limit");
  return fmt::format("SELECT * FROM {}{}", session::quote_name(name),
                     limit > 0 ? fmt::format(" LIMIT {}", limit) : "");
}

Result<SqlRequest> sql_request_of(const Json& body) {
  SqlRequest request;
  request.sql = text_of(body, "sql");
  if (body.contains("table") == !request.sql.empty())
    return Error{Code::kInvalid, "the body must have a text 'sql', or 'table': {schema, name}"};
  if (request.sql.empty()) {
    TARN_TRY(request.sql, rows_of_table(body));
  }
  TARN_TRY(request.session, session_request_of(body));
  TARN_TRY(request.parameters, sql_parameters_of(body.value("parameters", Json::object())));
  return request;
}

Status send_file(const std::string& path, std::string_view type, net::HttpServerResponse& response) {
  auto file = FileReader::open(path);
  if (!file) {
    answer(response, file.error());
    return file.error();
  }
  TARN_CHECK(response.begin(200, type, {}));
  return write_pieces(*file, response);
}

}  // namespace

void Api::handle(const Request& request, Response& response) {
  requests_.fetch_add(1);
  route(request, response);
}

void Api::route(const Request& request, Response& response) {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  const bool posts = request.method == "POST";
  std::string_view path = request.path;
  if (reads && path == "/healthz")
    return response.answer(200, "text/plain", "ok\n");
  if (reads && path == "/metrics")
    return metrics(response);
  if (path.starts_with(kPrefix)) {
    path.remove_prefix(kPrefix.size());
    if (posts && path == "/sql")
      return sql(request, response);
    if (posts && path == "/replay")
      return start_replay(request, response);
    if (reads && path == "/status")
      return status(response);
    if ((reads || posts) && path == "/check")
      return check(request, response);
    if (reads && path == "/tables")
      return tables(response);
    if (reads && path == "/openapi.json")
      return response.answer(200, kJsonType, std::string(openapi_document()));
    if (path == "/reports" || path.starts_with("/reports/"))
      return reports_.route(request, response, path.substr(8));
    if (path == "/sessions" || path.starts_with("/sessions/"))
      return route_sessions(request, response, path.substr(9));
    if (path == "/runs" || path.starts_with("/runs/"))
      return route_runs(request, response, path.substr(5));
  }
  for (const auto& routes : routes_) {
    if (routes(request, response))
      return;
  }
  errors_.fetch_add(1);
  answer(response,
         Error{Code::kNotFound, fmt::format("there is no {} {}; GET /api/v1/openapi.json lists what there is",
                                            request.method, request.path)});
}

void Api::route_runs(const Request& request, Response& response, std::string_view rest) {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (rest.empty())
    return reads ? list_runs(request, response) : start_run(request, response);
  rest.remove_prefix(1);
  const auto slash = rest.find('/');
  const std::string id(rest.substr(0, slash));
  const auto action = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  if (reads && action.empty())
    return get_run(id, response);
  if (reads && action == "log")
    return run_log(request, id, response);
  if (reads && action == "events")
    return run_events(id, response);
  if (request.method == "POST" && action == "cancel") {
    const auto cancelled = hub_.cancel(id);
    return cancelled ? answer(response, 202, {{"id", id}}) : answer(response, cancelled.error());
  }
  if (request.method == "POST" && action == "resume")
    return resume_run(id, response);
  if (request.method == "POST" && action == "settle")
    return settle_effect(id, request, response);
  answer(response, Error{Code::kNotFound, fmt::format("there is no {} {}", request.method, request.path)});
}

void Api::resume_run(const std::string& id, Response& response) {
  auto run = backend_.resume_request(id);
  if (!run)
    return answer(response, run.error());
  answer_submitted(response, hub_.start(std::move(*run)));
}

void Api::settle_effect(const std::string& id, const Request& request, Response& response) {
  const auto body = body_of(request);
  if (!body)
    return answer(response, body.error());
  const auto task = text_of(*body, "task");
  if (task.empty() || !body->contains("done"))
    return answer(response, Error{Code::kInvalid, "the body must have 'task', and 'done': true or false"});
  const auto settled = backend_.settle_effect(id, task, truth_of(*body, "done"));
  settled ? answer(response, 200, Json::object()) : answer(response, settled.error());
}

void Api::metrics(Response& response) {
  const auto runs = hub_.counts();
  std::string text;
  const auto add = [&text](std::string_view name, std::string_view type, std::string_view help,
                           int64_t value) {
    text += fmt::format("# HELP {0} {2}\n# TYPE {0} {1}\n{0} {3}\n", name, type, help, value);
  };
  add("tarn_http_requests_total", "counter", "Requests that passed the gate.", requests_.load());
  add("tarn_http_errors_total", "counter", "Requests that were answered with an error.", errors_.load());
  add("tarn_sql_statements_total", "counter", "SQL requests.", statements_.load());
  add("tarn_sql_rows_total", "counter", "Rows sent.", rows_out_.load());
  add("tarn_runs_started_total", "counter", "Runs started by this server.", runs.started);
  add("tarn_runs_done_total", "counter", "Runs that ended well.", runs.done);
  add("tarn_runs_failed_total", "counter", "Runs that failed or were cancelled.", runs.failed);
  add("tarn_runs_running", "gauge", "Runs under way.", runs.running);
  add("tarn_runs_waiting", "gauge", "Runs that wait for their turn.", runs.waiting);
  if (const auto statuses = backend_.status()) {
    std::map<std::string, int64_t> by_state = {{"fresh", 0}, {"late", 0}, {"stale", 0}, {"failed", 0}};
    text +=
        "# HELP tarn_task_last_success_seconds Unix time of a task's newest success.\n"
        "# TYPE tarn_task_last_success_seconds gauge\n";
    for (const auto& one : *statuses) {
      ++by_state[one.state];
      if (!one.last_done_at)
        continue;
      text += fmt::format("tarn_task_last_success_seconds{{task={}}} {}\n", dump(one.name),
                          one.last_done_at->time_since_epoch().count() / 1'000'000);
    }
    text += "# HELP tarn_tasks Tasks of the project by state.\n# TYPE tarn_tasks gauge\n";
    for (const auto& [state, count] : by_state)
      text += fmt::format("tarn_tasks{{state=\"{}\"}} {}\n", state, count);
  }
  response.answer(200, "text/plain; version=0.0.4", std::move(text));
}

void Api::sql(const Request& request, Response& response) {
  statements_.fetch_add(1);
  const auto body = body_of(request);
  if (!body)
    return answer(response, body.error());
  auto asked = sql_request_of(*body);
  if (!asked)
    return answer(response, asked.error());
  asked->on_cancellable = [&response](std::function<void()> cancel) { response.on_gone(std::move(cancel)); };
  auto format = text_of(*body, "format");
  if (format.empty())
    format = "json";
  if (format == "parquet")
    return sql_parquet(*asked, response);
  const bool as_book = format == "xlsx";
  if (!as_book && format != "rows" && !make_row_writer(format, {})) {
    return answer(response,
                  Error{Code::kInvalid, fmt::format("format '{}' is not known; use json, ndjson, csv, "
                                                    "parquet, xlsx or rows",
                                                    format)});
  }
  std::unique_ptr<SqlSessions::Held> held;
  if (const auto id = text_of(*body, "session"); !id.empty()) {
    auto taken = sessions_.take(id);
    if (!taken)
      return answer(response, taken.error());
    held = std::move(*taken);
  }
  const auto rows = held ? held->session().sql(*asked) : backend_.sql(*asked);
  if (!rows) {
    errors_.fetch_add(1);
    return answer(response, rows.error());
  }
  as_book ? send_book(**rows, asked->sql, response) : send_rows(**rows, format, response);
}

// The file is put together last, so it goes by the disk: nothing is sent before it is whole.
void Api::send_book(SqlAnswer& rows, const std::string& sql, Response& response) {
  const auto path = fmt::format("{}/export-{}.xlsx", options_.spill_folder, new_uuid(*env_.random));
  const auto count = write_book(rows.rows(), {.sql = sql,
                                              .made_at = format_utc(env_.clock->now()),
                                              .path = path,
                                              .work_folder = options_.spill_folder,
                                              .is_gone = [&response] { return response.is_gone(); }});
  response.on_gone({});
  auto sent = count ? send_file(path, kBookType, response) : Status(count.error());
  if (!count)
    answer(response, count.error());
  if (env_.files->exists(path).value_or(false))
    (void)env_.files->remove(path);
  if (sent)
    rows_out_.fetch_add(*count);
  else
    errors_.fetch_add(1);
}

void Api::send_rows(SqlAnswer& rows, const std::string& format, Response& response) {
  const bool typed = format == "rows";
  if (!response.begin(200, typed ? "application/x-ndjson" : content_type_of(format), {}))
    return;
  const auto sink = [&response](std::string_view bytes) { return response.write(bytes); };
  const auto writer = typed ? make_typed_row_writer(sink) : make_row_writer(format, sink);
  auto written = typed ? response.write(rows_head(rows.rows().columns(), rows.rows().rows_changed())) : ok();
  if (written) {
    const auto count = write_rows(rows.rows(), *writer);
    if (count)
      rows_out_.fetch_add(*count);
    if (!count)
      written = count.error();
  }
  response.on_gone({});
  if (written)
    return;
  errors_.fetch_add(1);
  if (response.is_gone())
    (void)rows.rows().next_text();  // hears of the cancel, so that the session's transaction fails
  // Half an answer must not look like a whole one.
  if (typed || format == "ndjson")
    (void)response.write(dump(to_json(written.error())) + "\n");
  if (!typed)
    response.break_off();
}

void Api::route_sessions(const Request& request, Response& response, std::string_view rest) {
  if (request.method == "POST" && rest.empty()) {
    const auto body = body_of(request);
    if (!body)
      return answer(response, body.error());
    const auto asked = session_request_of(*body);
    if (!asked)
      return answer(response, asked.error());
    const auto id = sessions_.open(*asked);
    return id ? answer(response, 201, {{"id", *id}}) : answer(response, id.error());
  }
  if (request.method == "DELETE" && rest.size() > 1) {
    const auto closed = sessions_.close(std::string(rest.substr(1)));
    return closed ? answer(response, 200, Json::object()) : answer(response, closed.error());
  }
  answer(response, Error{Code::kNotFound, fmt::format("there is no {} {}", request.method, request.path)});
}

void Api::sql_parquet(const SqlRequest& request, Response& response) {
  const auto path = fmt::format("{}/export-{}.parquet", options_.spill_folder, new_uuid(*env_.random));
  const auto rows = backend_.export_parquet(request, path);
  if (!rows) {
    errors_.fetch_add(1);
    return answer(response, rows.error());
  }
  const auto sent = send_file(path, content_type_of("parquet"), response);
  (void)env_.files->remove(path);
  if (sent)
    rows_out_.fetch_add(*rows);
  else
    errors_.fetch_add(1);
}

void Api::start_run(const Request& request, Response& response) {
  const auto body = body_of(request);
  if (!body)
    return answer(response, body.error());
  RunRequest run;
  run.selection = texts_of(*body, "selection");
  run.exclude = texts_of(*body, "exclude");
  run.full_refresh = truth_of(*body, "full_refresh");
  run.vars = vars_of(*body, "vars");
  auto given = given_of(body->value("parameters", Json::object()), "parameter");
  if (!given)
    return answer(response, given.error());
  run.parameters = std::move(*given);
  answer_submitted(response, hub_.start(std::move(run)));
}

void Api::start_replay(const Request& request, Response& response) {
  const auto body = body_of(request);
  if (!body)
    return answer(response, body.error());
  ReplayRequest replay;
  replay.source = text_of(*body, "source");
  replay.run = text_of(*body, "run");
  if (replay.source.empty() || replay.run.empty()) {
    return answer(response, Error{Code::kInvalid, "the body must have 'source' and 'run'"});
  }
  answer_submitted(response, hub_.start_replay(std::move(replay)));
}

void Api::list_runs(const Request& request, Response& response) {
  int limit = 50;
  if (const auto asked = request.query.find("limit"); asked != request.query.end()) {
    const auto& text = asked->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
    if (error != std::errc() || end != text.data() + text.size() || limit < 1 || limit > kRunsListedMax) {
      return answer(response,
                    Error{Code::kInvalid, fmt::format("limit must be between 1 and {}", kRunsListedMax)});
    }
  }
  const auto runs = runs_.list(limit);
  if (!runs)
    return answer(response, runs.error());
  Json list = Json::array();
  for (const auto& run : *runs)
    list.push_back(to_json(run));
  answer(response, 200, {{"runs", list}});
}

void Api::get_run(const std::string& id, Response& response) {
  const auto run = runs_.get(id);
  if (!run)
    return answer(response, run.error());
  const auto tasks = runs_.tasks(id);
  if (!tasks)
    return answer(response, tasks.error());
  auto body = to_json(*run);
  body["tasks"] = Json::array();
  for (const auto& task : *tasks)
    body["tasks"].push_back(to_json(task));
  answer(response, 200, body);
}

void Api::run_log(const Request& request, const std::string& id, Response& response) {
  const auto run = runs_.get(id);
  if (!run)
    return answer(response, run.error());
  const auto task = request.query.find("task");
  const auto lines = runs_.log(id, task == request.query.end() ? "" : task->second);
  if (!lines)
    return answer(response, lines.error());
  std::string text;
  for (const auto& line : *lines) {
    text += dump(
        {{"task", line.task}, {"attempt", line.attempt}, {"at", format_utc(line.at)}, {"text", line.text}});
    text += "\n";
  }
  response.answer(200, "application/x-ndjson", std::move(text));
}

void Api::run_events(const std::string& id, Response& response) {
  bool begun = false;
  const auto sink = [&](const Json& event) -> Status {
    if (!begun)
      TARN_CHECK(response.begin(200, "application/x-ndjson", {}));
    begun = true;
    return response.write(dump(event) + "\n");
  };
  const auto watched = hub_.watch(id, sink, [&response] { return response.is_gone(); });
  if (begun)
    return watched ? void() : response.break_off();
  if (!watched && watched.error().code != Code::kNotFound)
    return answer(response, watched.error());
  // Not of this process: what the records say.
  const auto run = runs_.get(id);
  const auto tasks = run ? runs_.tasks(id) : Result<std::vector<flow::TaskRecord>>(run.error());
  if (!tasks)
    return answer(response, tasks.error());
  std::string text;
  EventWriter writer([&text](const Json& event) { text += dump(event) + "\n"; });
  writer.run_started(*run, tasks->size());
  for (const auto& task : *tasks)
    writer.task_ended(task);
  writer.run_ended(*run);
  response.answer(200, "application/x-ndjson", std::move(text));
}

void Api::status(Response& response) {
  const auto statuses = backend_.status();
  if (!statuses)
    return answer(response, statuses.error());
  Json list = Json::array();
  for (const auto& one : *statuses)
    list.push_back(to_json(one));
  answer(response, 200, {{"version", options_.version}, {"tasks", list}});
}

void Api::check(const Request& request, Response& response) {
  const auto body = body_of(request);
  if (!body)
    return answer(response, body.error());
  const auto diagnostics = backend_.check(vars_of(*body, "vars"));
  if (!diagnostics)
    return answer(response, diagnostics.error());
  Json list = Json::array();
  for (const auto& diagnostic : *diagnostics)
    list.push_back(to_json(diagnostic));
  answer(response, 200, {{"mistakes", list}});
}

void Api::tables(Response& response) {
  const auto tables = backend_.tables();
  if (!tables)
    return answer(response, tables.error());
  Json list = Json::array();
  for (const auto& table : *tables)
    list.push_back(to_json(table));
  answer(response, 200, {{"tables", list}});
}

}  // namespace tarn::serve
