#include "serve/http/alerts_api.h"

#include <charconv>

#include <fmt/format.h>

#include "alert/history.h"
#include "base/time.h"
#include "serve/http/exchange.h"
#include "serve/http/given.h"

namespace tarn::serve {
namespace {

constexpr std::string_view kPath = "/api/v1/alerts";
constexpr std::string_view kSettle = "/settle";
constexpr int64_t kPageMax = 1000;

Json to_json(const alert::Fact& fact) {
  return {
      {"event", alert::name_of(fact.event)},
      {"recovered_from", fact.event == alert::Event::kRecovery ? Json(alert::name_of(fact.kind)) : Json()},
      {"subject", fact.subject},
      {"headline", alert::headline(fact)},
      {"text", fact.text},
      {"task", fact.task},
      {"kind", fact.task_kind},
      {"path", fact.path},
      {"rows", fact.rows},
      {"skipped", fact.skipped},
      {"run", fact.run},
      {"schedule", fact.schedule},
      {"at", format_utc(fact.at)},
      {"since", format_utc(fact.since)}};
}

alert::Fact fact_of(const Json& json) {
  alert::Fact fact;
  fact.event = alert::event_of(text_of(json, "event")).value_or(alert::Event::kFailure);
  fact.kind = alert::event_of(text_of(json, "recovered_from")).value_or(fact.event);
  fact.subject = text_of(json, "subject");
  fact.text = text_of(json, "text");
  fact.task = text_of(json, "task");
  fact.task_kind = text_of(json, "kind");
  fact.path = text_of(json, "path");
  fact.rows = integer_of(json, "rows");
  fact.skipped = integer_of(json, "skipped");
  fact.run = text_of(json, "run");
  fact.schedule = text_of(json, "schedule");
  fact.at = time_of(json, "at").value_or(Timestamp());
  fact.since = time_of(json, "since").value_or(Timestamp());
  return fact;
}

Json time_json(const std::optional<Timestamp>& time) {
  return time ? Json(format_utc(*time)) : Json();
}

Json to_json(const alert::Alert& alert) {
  auto json = to_json(alert.fact);
  json["id"] = alert.id;
  json["over_at"] = time_json(alert.over_at);
  json["channel"] = alert.channel;
  json["state"] = alert::name_of(alert.state);
  json["tries"] = alert.tries;
  json["message"] = alert.message;
  json["answer"] = alert.answer;
  json["finished_at"] = time_json(alert.finished_at);
  return json;
}

Json to_json(const alert::ChannelInfo& channel) {
  return {{"name", channel.name},
          {"kind", channel.kind},
          {"target", channel.target},
          {"events", channel.events},
          {"of", channel.of},
          {"waiting", channel.waiting},
          {"failures", channel.trouble.failures},
          {"not_before", time_json(channel.trouble.not_before)},
          {"answer", channel.trouble.answer},
          {"last", channel.last ? Json{{"state", alert::name_of(channel.last->state)},
                                       {"answer", channel.last->answer},
                                       {"at", format_utc(channel.last->at)},
                                       {"is_test", channel.last->is_test}}
                                : Json()}};
}

Json to_json(const alert::Episode& episode) {
  auto json = to_json(episode.fact);
  json["id"] = episode.id;
  json["failed_runs"] = episode.failed_runs;
  json["last_run"] = episode.last_run;
  json["told"] = Json::array();
  for (const auto& one : episode.told)
    json["told"].push_back(to_json(one));
  return json;
}

alert::Alert alert_of(const Json& json) {
  alert::Alert alert{.id = integer_of(json, "id"), .channel = text_of(json, "channel")};
  alert.fact = fact_of(json);
  alert.state = alert::alert_state_of(text_of(json, "state"));
  alert.tries = static_cast<int>(integer_of(json, "tries"));
  alert.message = text_of(json, "message");
  alert.answer = text_of(json, "answer");
  alert.created_at = alert.fact.at;
  alert.finished_at = time_of(json, "finished_at");
  alert.over_at = time_of(json, "over_at");
  return alert;
}

alert::Episode episode_of(const Json& json) {
  alert::Episode episode{.id = integer_of(json, "id"), .fact = fact_of(json)};
  episode.failed_runs = integer_of(json, "failed_runs");
  episode.last_run = text_of(json, "last_run");
  for (const auto& one : list_of(json, "told"))
    episode.told.push_back(alert_of(one));
  return episode;
}

}  // namespace

Json to_json(const alert::Overview& overview) {
  Json channels = Json::array(), open = Json::array(), newest = Json::array();
  for (const auto& one : overview.channels)
    channels.push_back(to_json(one));
  for (const auto& one : overview.open)
    open.push_back(to_json(one));
  for (const auto& one : overview.newest)
    newest.push_back(to_json(one));
  return {{"channels", channels}, {"open", open}, {"newest", newest}, {"problem", overview.problem}};
}

alert::Overview overview_of(const Json& json) {
  alert::Overview overview{.problem = text_of(json, "problem")};
  for (const auto& one : list_of(json, "channels")) {
    alert::ChannelInfo info{.name = text_of(one, "name"),
                            .kind = text_of(one, "kind"),
                            .target = text_of(one, "target"),
                            .events = texts_of(one, "events"),
                            .of = texts_of(one, "of"),
                            .waiting = integer_of(one, "waiting")};
    info.trouble.failures = static_cast<int>(integer_of(one, "failures"));
    info.trouble.not_before = time_of(one, "not_before");
    info.trouble.answer = text_of(one, "answer");
    overview.channels.push_back(std::move(info));
  }
  for (const auto& one : list_of(json, "open"))
    overview.open.push_back(episode_of(one));
  for (const auto& one : list_of(json, "newest"))
    overview.newest.push_back(alert_of(one));
  return overview;
}

Json to_json(const alert::TestResult& result) {
  return {{"channel", result.channel}, {"kind", result.kind},
          {"target", result.target},   {"state", alert::name_of(result.state)},
          {"answer", result.answer},   {"took_ms", result.took.count() / 1000}};
}

alert::TestResult test_result_of(const Json& json) {
  return {.channel = text_of(json, "channel"),
          .kind = text_of(json, "kind"),
          .target = text_of(json, "target"),
          .state = alert::alert_state_of(text_of(json, "state")),
          .answer = text_of(json, "answer"),
          .took = Duration(integer_of(json, "took_ms") * 1000)};
}

bool AlertsApi::handle(const net::HttpServerRequest& request, net::HttpServerResponse& response) {
  std::string_view path = request.path;
  if (!path.starts_with(kPath))
    return false;
  path.remove_prefix(kPath.size());
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (reads && path.empty())
    return list(response), true;
  if (reads && path == "/history")
    return history(request, response), true;
  if (request.method == "POST" && path == "/test")
    return test(request, response), true;
  if (request.method == "POST" && path.starts_with('/') && path.ends_with(kSettle)) {
    path.remove_prefix(1);
    path.remove_suffix(std::min(path.size(), kSettle.size()));
    return settle(path, request, response), true;
  }
  return false;
}

void AlertsApi::list(net::HttpServerResponse& response) {
  const auto overview = backend_.alerts();
  overview ? answer(response, 200, to_json(*overview)) : answer(response, overview.error());
}

void AlertsApi::history(const net::HttpServerRequest& request, net::HttpServerResponse& response) {
  const auto page = [&]() -> Result<alert::AlertPage> {
    alert::PageQuery query{.state = asked_text(request, "state"),
                           .event = asked_text(request, "event"),
                           .channel = asked_text(request, "channel"),
                           .text = asked_text(request, "text"),
                           .sort = asked_text(request, "sort")};
    TARN_TRY(query.offset, whole_of(request, "offset", 0, INT64_MAX));
    TARN_TRY(query.limit, whole_of(request, "limit", query.limit, kPageMax));
    return alert::alert_page(records_, query);
  }();
  if (!page)
    return answer(response, page.error());
  Json list = Json::array();
  for (const auto& one : page->alerts)
    list.push_back(to_json(one));
  answer(response, 200, {{"alerts", list}, {"total", page->total}});
}

void AlertsApi::settle(std::string_view id, const net::HttpServerRequest& request,
                       net::HttpServerResponse& response) {
  const auto settled = [&]() -> Status {
    TARN_TRY(const auto body, body_of(request));
    int64_t number = 0;
    const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
    if (id.empty() || error != std::errc() || end != id.data() + id.size())
      return Error{Code::kInvalid, fmt::format("'{}' is no number of an alert", id)};
    if (!body.contains("done") || !body.at("done").is_boolean())
      return Error{Code::kInvalid, "the body must have 'done': true when it arrived, false to send it again"};
    return backend_.settle_alert(number, truth_of(body, "done"));
  }();
  settled ? answer(response, 200, Json::object()) : answer(response, settled.error());
}

void AlertsApi::test(const net::HttpServerRequest& request, net::HttpServerResponse& response) {
  const auto body = body_of(request);
  if (!body)
    return answer(response, body.error());
  flow::CancelFlag cancel;
  response.on_gone([&cancel] { cancel.set(); });
  const auto results = backend_.test_alerts(text_of(*body, "channel"), cancel);
  response.on_gone({});
  if (!results)
    return answer(response, results.error());
  Json list = Json::array();
  for (const auto& one : *results)
    list.push_back(to_json(one));
  answer(response, 200, {{"results", list}});
}

}  // namespace tarn::serve
