#include "serve/http/mails_api.h"

#include <fmt/format.h>

#include "codec/json_depth.h"
#include "serve/http/given.h"
#include "serve/http/json.h"
#include "serve/http/reports_api.h"
#include "serve/http/told_run.h"

namespace tarn::serve {
namespace {

constexpr std::string_view kPath = "/api/v1/mails";
constexpr int64_t kPageMax = 1000;

void answer(net::HttpServerResponse& response, const Result<Json>& body) {
  if (body)
    return response.answer(200, "application/json", dump(*body) + "\n");
  response.answer(http_status_of(body.error().code), "application/json", dump(to_json(body.error())) + "\n");
}

// The body must name a mail.
Result<Json> body_of(const net::HttpServerRequest& request) {
  if (codec::json_depth(request.body) > codec::kJsonDepthMax)
    return Error{Code::kInvalid, "the body is nested too deep"};
  auto body = request.body.empty() ? Json::object() : Json::parse(request.body, nullptr, false);
  if (!body.is_object() || text_of(body, "mail").empty())
    return Error{Code::kInvalid, "the body must be a JSON object with 'mail': the id of one, or its key"};
  return body;
}

}  // namespace

Result<report::mail::SentRecord> send_mail_again(Backend& backend, const std::string& mail,
                                                 flow::RunObserver* observer,
                                                 const flow::CancelFlag& cancel) {
  TARN_TRY(const auto before, backend.settle_mail(mail, false));
  return backend.send_report({.name = before.report,
                              .parameters = before.parameters,
                              .as_of = {},
                              .key = before.key,
                              .observer = observer},
                             cancel);
}

bool MailsApi::handle(const net::HttpServerRequest& request, net::HttpServerResponse& response) {
  std::string_view path = request.path;
  if (!path.starts_with(kPath))
    return false;
  path.remove_prefix(kPath.size());
  if ((request.method == "GET" || request.method == "HEAD") && path.empty())
    return list(request, response), true;
  if (request.method == "POST" && path == "/settle")
    return settle(request, response), true;
  if (request.method == "POST" && path == "/again")
    return send_again(request, response), true;
  return false;
}

void MailsApi::list(const net::HttpServerRequest& request, net::HttpServerResponse& response) {
  const auto page = [&]() -> Result<Json> {
    report::mail::SentQuery query{.state = asked_text(request, "state"),
                                  .report = asked_text(request, "report"),
                                  .text = asked_text(request, "text"),
                                  .sort = asked_text(request, "sort")};
    TARN_TRY(query.offset, whole_of(request, "offset", 0, INT64_MAX));
    TARN_TRY(query.limit, whole_of(request, "limit", query.limit, kPageMax));
    TARN_TRY(const auto found, report::mail::sent_page(records_, query));
    Json mails = Json::array();
    for (const auto& one : found.mails)
      mails.push_back(to_json(one));
    return Json{{"mails", mails}, {"total", found.total}, {"unknown", found.unknown}};
  }();
  answer(response, page);
}

void MailsApi::settle(const net::HttpServerRequest& request, net::HttpServerResponse& response) {
  const auto settled = [&]() -> Result<Json> {
    TARN_TRY(const auto body, body_of(request));
    if (!body.contains("done") || !body.at("done").is_boolean())
      return Error{Code::kInvalid, "the body must have 'done': true when it arrived, false when it did not"};
    TARN_TRY(const auto record, backend_.settle_mail(text_of(body, "mail"), truth_of(body, "done")));
    feed_.hear_alerts();
    return to_json(record);
  }();
  answer(response, settled);
}

void MailsApi::send_again(const net::HttpServerRequest& request, net::HttpServerResponse& response) {
  ToldRun told(hub_);
  flow::CancelFlag cancel;
  response.on_gone([&cancel] { cancel.set(); });
  const auto sent = [&]() -> Result<Json> {
    TARN_TRY(const auto body, body_of(request));
    TARN_TRY(const auto record, send_mail_again(backend_, text_of(body, "mail"), &told.observer(), cancel));
    return to_json(record);
  }();
  feed_.hear_alerts();
  response.on_gone({});
  answer(response, sent);
}

}  // namespace tarn::serve
