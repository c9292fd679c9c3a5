#include "serve/http/rooms_api.h"

#include <charconv>

#include <fmt/format.h>

#include "base/env/file_reader.h"
#include "base/time.h"
#include "flow/run_detail.h"
#include "serve/http/exchange.h"
#include "serve/http/table_detail.h"

namespace tarn::serve {
namespace {

constexpr std::string_view kPrefix = "/api/v1/";
constexpr std::chrono::seconds kOverviewKept{2};  // the project's text may have changed without an event
constexpr int64_t kLinesMax = 2000;
constexpr int64_t kRawBytesMax = 1024 * 1024;

void answer(net::HttpServerResponse& response, const Result<Json>& body) {
  if (body)
    return response.answer(200, "application/json", dump(*body) + "\n");
  response.answer(http_status_of(body.error().code), "application/json", dump(to_json(body.error())) + "\n");
}

// A whole number of the query.
int64_t number_of(const net::HttpServerRequest& request, const char* name, int64_t otherwise, int64_t max) {
  const auto found = request.query.find(name);
  int64_t number = otherwise;
  if (found != request.query.end())
    std::from_chars(found->second.data(), found->second.data() + found->second.size(), number);
  return std::clamp<int64_t>(number, 0, max);
}

// Up to the next slash; moves `rest` behind it.
std::string take_part(std::string_view& rest) {
  const auto slash = rest.find('/');
  std::string part(rest.substr(0, slash));
  rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
  return part;
}

Json to_json(const GraphTask& task) {
  return {{"name", task.name},         {"kind", task.kind},     {"path", task.path},      {"tags", task.tags},
          {"upstream", task.upstream}, {"writes", task.writes}, {"outside", task.outside}};
}

}  // namespace

bool RoomsApi::handle(const Request& request, Response& response) {
  std::string_view rest = request.path;
  if ((request.method != "GET" && request.method != "HEAD") || !rest.starts_with(kPrefix))
    return false;
  rest.remove_prefix(kPrefix.size());
  const auto what = take_part(rest);
  if (what == "events" && rest.empty() && request.method == "GET") {
    feed_.open(request, response);
    return true;
  }
  if (what == "overview" && rest.empty()) {
    const auto body = fresh_overview();
    body ? response.answer(200, "application/json", *body) : answer(response, body.error());
    return true;
  }
  if (what == "raw") {
    raw(rest, request, response);
    return true;
  }
  if (what == "attachments" && rest.empty()) {
    answer(response, 200, attachments());
    return true;
  }
  const auto name = take_part(rest);
  if (what == "attachments" && !name.empty() && rest.empty()) {
    answer(response, attachment(name));
    return true;
  }
  if (what == "tables" && !name.empty() && !rest.empty()) {
    answer(response, table(name, std::string(rest), request));
    return true;
  }
  if (what == "runs" && !name.empty() && (rest == "detail" || rest == "lines")) {
    answer(response, rest == "detail" ? run(name) : lines(name, request));
    return true;
  }
  return false;
}

Json RoomsApi::attachments() {
  Json list = Json::array();
  for (const auto& one : insight_.attachments())
    list.push_back({{"name", one.name}, {"kind", one.kind}});
  return {{"attachments", std::move(list)}};
}

Result<Json> RoomsApi::attachment(const std::string& name) {
  TARN_TRY(const auto one, insight_.attachment(name));
  Json tables = Json::array();
  for (const auto& table : one.tables) {
    Json columns = Json::array();
    for (const auto& column : table.columns)
      columns.push_back({{"name", column.name}, {"type", column.type}});
    tables.push_back({{"schema", table.schema}, {"name", table.name}, {"columns", std::move(columns)}});
  }
  return Json{{"name", one.name},
              {"kind", one.kind},
              {"read_only", true},
              {"problem", one.problem},
              {"tables", std::move(tables)}};
}

Result<Json> RoomsApi::overview() {
  TARN_TRY(const auto statuses, backend_.status());
  TARN_TRY(const auto graph, insight_.graph());
  TARN_TRY(const auto head, insight_.lake().head());
  Json body = {{"project", insight_.project_name()},    {"version", options_.version},
               {"data_folder", insight_.data_folder()}, {"lake_version", head->number},
               {"now", format_utc(env_.clock->now())},  {"tasks", Json::array()}};
  std::map<std::string, const flow::TaskStatus*> by_name;
  for (const auto& status : statuses)
    by_name[status.name] = &status;
  for (const auto& task : graph) {
    auto json = to_json(task);
    if (const auto found = by_name.find(task.name); found != by_name.end())
      json.update(serve::to_json(*found->second));
    body["tasks"].push_back(std::move(json));
  }
  return body;
}

Result<std::string> RoomsApi::fresh_overview() {
  const std::lock_guard lock(mutex_);
  const auto changes = feed_.changes();
  const auto now = env_.clock->steady();
  if (overview_at_ && changes == overview_changes_ && now - *overview_at_ < kOverviewKept)
    return overview_;
  TARN_TRY(const auto body, overview());
  overview_ = dump(body) + "\n";
  overview_changes_ = changes;
  overview_at_ = now;
  return overview_;
}

Result<Json> RoomsApi::table(const std::string& schema, const std::string& name, const Request& request) {
  std::optional<Timestamp> as_of;
  if (const auto asked = request.query.find("as_of");
      asked != request.query.end() && !asked->second.empty()) {
    TARN_TRY(as_of, parse_time(asked->second));
  }
  return table_detail(insight_, {schema, name}, as_of);
}

Result<Json> RoomsApi::tasks_of(const std::string& id) {
  TARN_TRY(const auto tasks, runs_.tasks(id));
  TARN_TRY(const auto values, runs_.values(id));
  TARN_TRY(const auto attempts, flow::attempts_of(insight_.records(), id));
  TARN_TRY(const auto versions, flow::versions_of(insight_.records(), id));
  auto list = Json::array();
  for (const auto& task : tasks) {
    auto json = serve::to_json(task);
    json["compiled_sql"] = task.report.compiled_sql;
    json["tries"] = json["reads"] = json["wrote"] = Json::array();
    const auto value = values.find(task.name);
    json["input"] = value == values.end() ? "" : value->second.input;
    json["result"] = value == values.end() ? "" : value->second.result;
    json["part_of"] = "";
    for (const auto& attempt : attempts) {
      if (attempt.task != task.name)
        continue;
      json["tries"].push_back(
          {{"number", attempt.number},
           {"state", flow::name_of(attempt.state)},
           {"started_at", format_utc(attempt.started_at)},
           {"finished_at", attempt.finished_at ? Json(format_utc(*attempt.finished_at)) : Json()},
           {"error", attempt.error}});
    }
    for (const auto& version : versions) {
      if (version.task == task.name)
        json[version.version.written ? "wrote" : "reads"].push_back(version.version.table);
    }
    list.push_back(std::move(json));
  }
  return list;
}

// With the tasks of runs that are parts of it, each behind the task that started its run.
Result<Json> RoomsApi::run(const std::string& id) {
  TARN_TRY(const auto run, runs_.get(id));
  TARN_TRY(auto tasks, tasks_of(id));
  TARN_TRY(const auto parts, runs_.parts_of(id));
  std::map<std::string, Json> of_task;
  for (const auto& part : parts) {
    if (!part.part_of.starts_with(id + "/"))
      continue;
    TARN_TRY(auto inner, tasks_of(part.id));
    const auto task = part.part_of.substr(id.size() + 1);
    for (auto& one : inner)
      one["part_of"] = task;
    of_task[task] = std::move(inner);
  }
  auto body = serve::to_json(run);
  body["tasks"] = Json::array();
  for (auto& task : tasks) {
    const auto inner = of_task.find(text_of(task, "name"));
    body["tasks"].push_back(std::move(task));
    if (inner != of_task.end())
      body["tasks"].insert(body["tasks"].end(), inner->second.begin(), inner->second.end());
  }
  return body;
}

Result<Json> RoomsApi::lines(const std::string& id, const Request& request) {
  const auto asked = request.query.find("task");
  const auto task = asked == request.query.end() ? std::string() : asked->second;
  const auto offset = number_of(request, "offset", 0, INT64_MAX);
  const auto limit = number_of(request, "limit", kLinesMax, kLinesMax);
  Json body = {{"offset", offset}, {"live", false}, {"lines", Json::array()}};
  if (const auto live = feed_.live_lines(id)) {
    body["live"] = true;
    body["total"] = live->first + live->lines.size();
    for (auto i = std::max(static_cast<size_t>(offset), live->first);
         i < live->first + live->lines.size() && static_cast<int64_t>(body["lines"].size()) < limit; ++i) {
      const auto& line = live->lines[i - live->first];
      if (task.empty() || text_of(line, "task") == task)
        body["lines"].push_back(line);
    }
    return body;
  }
  TARN_TRY([[maybe_unused]] const auto run, runs_.get(id));
  TARN_TRY(const auto page, flow::log_page(insight_.records(), {id, task, offset, limit}));
  body["total"] = page.total;
  for (const auto& line : page.lines) {
    body["lines"].push_back(
        {{"task", line.task}, {"attempt", line.attempt}, {"at", format_utc(line.at)}, {"text", line.text}});
  }
  return body;
}

// As text whatever it is, never as a page: what was fetched is not ours.
void RoomsApi::raw(std::string_view rest, const Request& request, Response& response) {
  const auto source = take_part(rest), run = take_part(rest), text = take_part(rest);
  int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  const auto raw = insight_.raw_bytes(source, run, number);
  if (!raw)
    return answer(response, raw.error());
  if (raw->path.empty()) {
    return answer(response, Error{Code::kNotFound, fmt::format("nothing was kept of this fetch: {}",
                                                               raw->error.empty() ? raw->url : raw->error)});
  }
  if (!raw->encoding.empty() && !request.query.contains("download")) {
    return answer(response, Error{Code::kUnsupported,
                                  fmt::format("the bytes are kept in {} as they came; add ?download=1 and "
                                              "unpack them",
                                              raw->encoding)});
  }
  auto file = FileReader::open(raw->path);
  if (!file)
    return answer(response, file.error());
  const bool whole = request.query.contains("download");
  net::HttpHeaders headers = {{"X-Tarn-Bytes", std::to_string(raw->bytes)}};
  if (whole)
    headers.emplace_back("Content-Disposition", fmt::format("attachment; filename=\"fetch-{}\"", number));
  if (!response.begin(200, whole ? "application/octet-stream" : "text/plain; charset=utf-8", headers))
    return;
  int64_t sent = 0;
  while (whole || sent < kRawBytesMax) {
    const auto piece = file->next();
    if (!piece)
      return response.break_off();
    if (piece->empty())
      return;
    const auto left = whole ? piece->size() : static_cast<size_t>(kRawBytesMax - sent);
    if (!response.write(piece->substr(0, left)))
      return;
    sent += static_cast<int64_t>(piece->size());
  }
}

}  // namespace tarn::serve
