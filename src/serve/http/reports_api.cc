#include "serve/http/reports_api.h"

#include <fmt/format.h>

#include "base/env/file_reader.h"
#include "base/ids.h"
#include "base/time.h"
#include "serve/http/exchange.h"
#include "serve/http/given.h"
#include "serve/http/told_run.h"

namespace tarn::serve {
namespace {

constexpr std::string_view kBookType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

Status send_book(const std::string& path, const std::string& name, const ReportDone& done,
                 net::HttpServerResponse& response) {
  auto file = FileReader::open(path);
  if (!file) {
    answer(response, file.error());
    return file.error();
  }
  TARN_CHECK(response.begin(200, kBookType,
                            {{"Content-Disposition", fmt::format("attachment; filename=\"{}.xlsx\"", name)},
                             {"X-Tarn-Run", done.run_id},
                             {"X-Tarn-Rows", std::to_string(done.rows)},
                             {"X-Tarn-Lake-Version", std::to_string(done.lake_version)}}));
  return write_pieces(*file, response);
}

// A file's name in a header: what could end it becomes an underscore.
std::string header_name(std::string name) {
  for (char& c : name) {
    if (c < ' ' || c == '"' || c == '\\' || c == '/' || c == 0x7F)
      c = '_';
  }
  return name;
}

Json choices_json(const std::vector<report::Choice>& choices) {
  Json list = Json::array();
  for (const auto& choice : choices)
    list.push_back({{"value", choice.value}, {"label", choice.label}});
  return list;
}

std::vector<report::Choice> choices_of(const Json& json) {
  std::vector<report::Choice> choices;
  for (const auto& choice : json)
    choices.push_back({text_of(choice, "value"), text_of(choice, "label")});
  return choices;
}

}  // namespace

report::FieldMeaning meaning_of(const Json& json) {
  report::FieldMeaning meaning{text_of(json, "name"), text_of(json, "shown"), text_of(json, "problem")};
  if (json.is_object() && json.contains("choices") && json.at("choices").is_array())
    meaning.choices = choices_of(json.at("choices"));
  return meaning;
}

Json to_json(const report::Form& form) {
  Json fields = Json::array();
  for (const auto& field : form.fields) {
    const auto choices = choices_json(field.choices);
    fields.push_back({{"name", field.name},
                      {"type", field.type},
                      {"label", field.label},
                      {"description", field.description},
                      {"required", field.required},
                      {"default", field.defaults},
                      {"written", field.written},
                      {"needs", field.needs},
                      {"choices", choices}});
  }
  return {{"name", form.name},
          {"title", form.title},
          {"description", form.description},
          {"path", form.path},
          {"has_template", form.has_template},
          {"has_mail", form.has_mail},
          {"recipients", form.recipients},
          {"subject", form.subject},
          {"only_if_rows", form.only_if_rows},
          {"broken", form.broken},
          {"parameters", fields}};
}

report::Form form_of(const Json& json) {
  report::Form form{.name = text_of(json, "name"),
                    .title = text_of(json, "title"),
                    .description = text_of(json, "description"),
                    .path = text_of(json, "path"),
                    .has_template = truth_of(json, "has_template"),
                    .has_mail = truth_of(json, "has_mail"),
                    .recipients = text_of(json, "recipients"),
                    .subject = text_of(json, "subject"),
                    .only_if_rows = truth_of(json, "only_if_rows"),
                    .broken = truth_of(json, "broken")};
  for (const auto& one : list_of(json, "parameters")) {
    report::FormField field{.name = text_of(one, "name"),
                            .type = text_of(one, "type"),
                            .label = text_of(one, "label"),
                            .description = text_of(one, "description"),
                            .required = truth_of(one, "required"),
                            .defaults = texts_of(one, "default"),
                            .written = texts_of(one, "written"),
                            .choices = choices_of(list_of(one, "choices")),
                            .needs = texts_of(one, "needs")};
    form.fields.push_back(std::move(field));
  }
  return form;
}

Json to_json(const report::mail::SentRecord& record) {
  return {{"id", record.id},
          {"key", record.key},
          {"report", record.report},
          {"run", record.run},
          {"recipients", record.recipients},
          {"subject", record.subject},
          {"state", report::mail::name_of(record.state)},
          {"attempts", record.attempts},
          {"answer", record.answer},
          {"bytes", record.bytes},
          {"lake_version", record.lake_version},
          {"parameters", record.parameters},
          {"started_at", format_utc(record.started_at)},
          {"finished_at", record.finished_at ? Json(format_utc(*record.finished_at)) : Json()}};
}

report::mail::SentRecord sent_of(const Json& json) {
  report::mail::SentRecord record{.id = text_of(json, "id"), .key = text_of(json, "key")};
  record.report = text_of(json, "report");
  record.run = text_of(json, "run");
  record.recipients = text_of(json, "recipients");
  record.subject = text_of(json, "subject");
  record.state = report::mail::sent_state_of(text_of(json, "state"));
  record.attempts = static_cast<int>(integer_of(json, "attempts"));
  record.answer = text_of(json, "answer");
  record.parameters = given_of(map_of(json, "parameters"), "parameter").value_or(report::Given());
  record.started_at = time_of(json, "started_at").value_or(Timestamp());
  record.finished_at = time_of(json, "finished_at");
  return record;
}

Json to_json(const ReportRequest& request) {
  Json body = {{"parameters", request.parameters}};
  if (!request.key.empty())
    body["key"] = request.key;
  if (request.as_of)
    body["as_of"] = format_utc(*request.as_of);
  return body;
}

Result<ReportRequest> report_request_of(const std::string& name, const Json& body) {
  ReportRequest request{.name = name};
  request.key = text_of(body, "key");
  if (const auto as_of = text_of(body, "as_of"); !as_of.empty()) {
    TARN_TRY(request.as_of, parse_time(as_of));
  }
  TARN_TRY(request.parameters, given_of(body.value("parameters", Json::object()), "parameter"));
  return request;
}

static Result<ReportRequest> read_request(const net::HttpServerRequest& request, const std::string& name) {
  TARN_TRY(const auto body, body_of(request));
  return report_request_of(name, body);
}

void ReportsApi::route(const net::HttpServerRequest& request, net::HttpServerResponse& response,
                       std::string_view rest) {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  const auto slash = rest.rfind('/');
  if (request.method == "POST" && slash != std::string_view::npos && slash > 0) {
    const std::string name(rest.substr(1, slash - 1));
    const auto action = rest.substr(slash + 1);
    if (action == "send")
      return send(request, name, response);
    if (action == "values")
      return values(request, name, response);
  }
  if (reads && rest.empty())
    return list(response);
  if (!rest.empty() && rest.find('/', 1) == std::string_view::npos) {
    const std::string name(rest.substr(1));
    if (reads)
      return form(name, response);
    if (request.method == "POST")
      return make(request, name, response);
  }
  answer(response, Error{Code::kNotFound, fmt::format("there is no {} {}", request.method, request.path)});
}

void ReportsApi::list(net::HttpServerResponse& response) {
  const auto reports = backend_.reports();
  if (!reports)
    return answer(response, reports.error());
  Json list = Json::array();
  for (const auto& one : *reports)
    list.push_back(to_json(one));
  answer(response, 200, {{"reports", list}});
}

void ReportsApi::form(const std::string& name, net::HttpServerResponse& response) {
  const auto form = backend_.report_form(name);
  form ? answer(response, 200, to_json(*form)) : answer(response, form.error());
}

void ReportsApi::values(const net::HttpServerRequest& request, const std::string& name,
                        net::HttpServerResponse& response) {
  const auto asked = read_request(request, name);
  if (!asked)
    return answer(response, asked.error());
  const auto meanings = backend_.report_meanings(*asked);
  if (!meanings)
    return answer(response, meanings.error());
  Json all = Json::array();
  for (const auto& one : *meanings)
    all.push_back({{"name", one.name},
                   {"shown", one.shown},
                   {"problem", one.problem},
                   {"choices", one.choices ? choices_json(*one.choices) : Json()}});
  answer(response, 200, {{"values", all}});
}

void ReportsApi::make(const net::HttpServerRequest& request, const std::string& name,
                      net::HttpServerResponse& response) {
  auto asked = read_request(request, name);
  if (!asked)
    return answer(response, asked.error());
  ToldRun told(hub_);
  asked->observer = &told.observer();
  flow::CancelFlag cancel;
  response.on_gone([&cancel] { cancel.set(); });
  const auto path = fmt::format("{}/report-{}.out.xlsx", spill_folder_, new_uuid(*env_.random));
  const auto done = backend_.make_report(*asked, path, cancel);
  response.on_gone({});
  if (!done)
    return answer(response, done.error());
  (void)send_book(path, header_name(name), *done, response);
  (void)env_.files->remove(path);
}

void ReportsApi::send(const net::HttpServerRequest& request, const std::string& name,
                      net::HttpServerResponse& response) {
  auto asked = read_request(request, name);
  if (!asked)
    return answer(response, asked.error());
  ToldRun told(hub_);
  asked->observer = &told.observer();
  flow::CancelFlag cancel;
  response.on_gone([&cancel] { cancel.set(); });
  const auto record = backend_.send_report(*asked, cancel);
  response.on_gone({});
  record ? answer(response, 200, to_json(*record)) : answer(response, record.error());
}

}  // namespace tarn::serve
