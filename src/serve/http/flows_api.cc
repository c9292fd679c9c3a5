#include "serve/http/flows_api.h"

#include <fmt/format.h>

#include "serve/http/exchange.h"
#include "serve/http/given.h"
#include "serve/http/reports_api.h"

namespace tarn::serve {
namespace {

constexpr std::string_view kPath = "/api/v1/flows";
constexpr int kRunsShown = 30;

std::string selection_of(const std::string& name) {
  return "flow:" + name;
}

Json to_json(const flowfile::TaskSummary& task) {
  return {{"name", task.name},        {"kind", task.kind},           {"what", task.what},
          {"after", task.after},      {"if_before", task.if_before}, {"when", task.when},
          {"for_each", task.for_each}};
}

void answer(net::HttpServerResponse& response, int status, const Result<Json>& body) {
  response.answer(body ? status : http_status_of(body.error().code), "application/json",
                  dump(body ? *body : serve::to_json(body.error())) + "\n");
}

}  // namespace

Json to_json(const flowfile::FlowSummary& flow) {
  // A form of a report and one of a flow are the same to whoever shows it.
  auto json = to_json(report::Form{.name = flow.name,
                                   .title = flow.title,
                                   .description = flow.description,
                                   .path = flow.path,
                                   .fields = flow.fields});
  json.erase("has_template");
  json.erase("has_mail");
  json["mistake"] = flow.mistake;
  json["tasks"] = Json::array();
  for (const auto& task : flow.tasks)
    json["tasks"].push_back(to_json(task));
  return json;
}

flowfile::FlowSummary flow_of(const Json& json) {
  auto form = form_of(json);
  flowfile::FlowSummary flow{.name = form.name,
                             .title = form.title,
                             .description = form.description,
                             .path = form.path,
                             .mistake = text_of(json, "mistake"),
                             .fields = std::move(form.fields)};
  for (const auto& one : json.value("tasks", Json::array()))
    flow.tasks.push_back({.name = text_of(one, "name"),
                          .kind = text_of(one, "kind"),
                          .what = text_of(one, "what"),
                          .after = texts_of(one, "after"),
                          .if_before = text_of(one, "if_before"),
                          .when = text_of(one, "when"),
                          .for_each = text_of(one, "for_each")});
  return flow;
}

bool FlowsApi::handle(const net::HttpServerRequest& request, net::HttpServerResponse& response) {
  std::string_view rest = request.path;
  if (!rest.starts_with(kPath))
    return false;
  rest.remove_prefix(kPath.size());
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (rest.empty() && reads)
    return answer(response, 200, list()), true;
  if (!rest.starts_with("/"))
    return false;
  rest.remove_prefix(1);
  constexpr std::string_view kRun = "/run";
  if (reads && !rest.empty() && rest.find('/') == std::string_view::npos)
    return answer(response, 200, one(std::string(rest))), true;
  if (request.method == "POST" && rest.size() > kRun.size() && rest.ends_with(kRun)) {
    rest.remove_suffix(kRun.size());
    return answer(response, 202, start(std::string(rest), request)), true;
  }
  return false;
}

Result<Json> FlowsApi::list() {
  TARN_TRY(const auto flows, backend_.flows());
  Json all = Json::array();
  for (const auto& flow : flows) {
    auto json = to_json(flow);
    TARN_TRY(const auto runs, runs_.list_of(selection_of(flow.name), 1));
    json["last"] = runs.empty() ? Json() : to_json(runs.front());
    all.push_back(std::move(json));
  }
  return Json{{"flows", all}};
}

Result<Json> FlowsApi::one(const std::string& name) {
  TARN_TRY(const auto flow, backend_.flow_form(name));
  auto json = to_json(flow);
  TARN_TRY(const auto runs, runs_.list_of(selection_of(name), kRunsShown));
  json["runs"] = Json::array();
  for (const auto& run : runs)
    json["runs"].push_back(to_json(run));
  return json;
}

Result<Json> FlowsApi::start(const std::string& name, const net::HttpServerRequest& request) {
  TARN_TRY(const auto body, body_of(request));
  RunRequest run;
  run.selection = {selection_of(name)};
  TARN_TRY(run.parameters, given_of(body.value("parameters", Json::object()), "parameter"));
  TARN_TRY(const auto started, hub_.start(std::move(run)));
  return Json{{"id", started.id}, {"waits_for", started.waits_for}};
}

}  // namespace tarn::serve
