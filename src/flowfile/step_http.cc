// Tasks of kind http.
#include <algorithm>

#include <fmt/format.h>

#include "codec/json_depth.h"
#include "flowfile/step.h"
#include "net/http_client.h"

namespace tarn::flowfile {
namespace {

constexpr size_t kBodyKept = size_t{256} * 1024;
constexpr uint64_t kBodyMax = uint64_t{64} << 20U;
constexpr size_t kShownMax = 200;
constexpr std::chrono::milliseconds kPatience{300'000};

struct Call {
  net::HttpRequest request;
  std::string shown;  // "POST https://…", without secrets
  std::vector<std::string> secrets;
};

void keep_secrets(Call& call, const Filled& filled) {
  call.secrets.insert(call.secrets.end(), filled.secrets.begin(), filled.secrets.end());
}

Status add_header(Call& call, const std::string& name, std::string value) {
  const auto text = name + value;
  if (text.find_first_of("\r\n") != std::string::npos || text.find('\0') != std::string::npos)
    return Error{Code::kInvalid, fmt::format("the value of header {} has a line break", name)};
  call.request.headers.emplace_back(name, std::move(value));
  return ok();
}

bool has_header(const Call& call, std::string_view name) {
  const auto lower = [](std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), ::tolower);
    return text;
  };
  return std::any_of(call.request.headers.begin(), call.request.headers.end(),
                     [&](const auto& header) { return lower(header.first) == name; });
}

Result<Call> call_of(const StepContext& context, const std::string& key) {
  const auto& http = context.config.http;
  Call call;
  call.request.method = http.method;
  TARN_TRY(const auto url, fill(http.url, context.scope, net::url_encode));
  keep_secrets(call, url);
  call.request.url = url.text;
  call.shown = http.method + " " + url.shown;
  for (const auto& [name, text] : http.headers) {
    TARN_TRY(const auto value, fill(text, context.scope));
    keep_secrets(call, value);
    TARN_CHECK(add_header(call, name, value.text));
  }
  if (http.json) {
    TARN_TRY(const auto body, fill_json(*http.json, context.scope, call.secrets));
    call.request.body = dump(body);
    if (!has_header(call, "content-type"))
      TARN_CHECK(add_header(call, "Content-Type", "application/json"));
  } else {
    TARN_TRY(const auto body, fill(http.body, context.scope));
    keep_secrets(call, body);
    call.request.body = body.text;
  }
  if (!has_header(call, "idempotency-key"))
    TARN_CHECK(add_header(call, "Idempotency-Key", key));
  return call;
}

Json result_of(const net::HttpResponse& response, const std::string& body) {
  Json result = {{"status", response.status}, {"bytes", response.body_bytes}};
  const bool whole = response.body_bytes == body.size();
  auto json = whole && codec::json_depth(body) <= codec::kJsonDepthMax ? Json::parse(body, nullptr, false)
                                                                       : Json(Json::value_t::discarded);
  if (json.is_object() || json.is_array())
    result["json"] = std::move(json);
  else
    result["body"] = body;
  return result;
}

std::string first_words(const std::string& body) {
  std::string words = body.substr(0, kShownMax);
  std::replace_if(words.begin(), words.end(), [](unsigned char c) { return c < ' '; }, ' ');
  return words;
}

bool passes_by_itself(int status) {
  return status >= 500 || status == 408 || status == 425 || status == 429;
}

}  // namespace

Result<Json> run_http(StepContext& context) {
  auto& task = context.task;
  TARN_TRY(auto call, call_of(context, task.run_id + "/" + task.task_name));
  return once(context, call.shown, [&](EffectEnd& end) -> Result<Json> {
    bool sent = false;
    call.request.sent = &sent;
    net::HttpLimits limits;
    limits.total_timeout = context.config.timeout.count() > 0
                               ? std::chrono::duration_cast<std::chrono::milliseconds>(context.config.timeout)
                               : kPatience;
    limits.idle_timeout = limits.total_timeout;
    limits.body_bytes_max = kBodyMax;
    limits.allow_private_addresses = context.run.project.allow_private_addresses;
    std::string body;
    net::HttpClient client;
    const auto response = client.send(
        call.request, limits,
        [&body](std::string_view bytes) {
          body += bytes.substr(0, kBodyKept - std::min(kBodyKept, body.size()));
          return ok();
        },
        [&task] { return task.cancel.is_set(); });
    ++task.report->counts.requests;
    if (!response) {
      end.state = sent ? EffectState::kUnknown : EffectState::kFailed;
      end.answer = scrub(response.error().message, call.secrets);
      return Error{response.error().code, end.answer};
    }
    task.report->counts.bytes_in += static_cast<int64_t>(response->body_bytes);
    task.log.line(fmt::format("{}: {} with {} bytes", call.shown, response->status, response->body_bytes));
    const auto& accept = context.config.http.accept;
    const bool good =
        response->status < 400 || std::find(accept.begin(), accept.end(), response->status) != accept.end();
    if (good)
      return result_of(*response, body);
    end.answer = scrub(fmt::format("{} answered {}: {}", call.shown, response->status, first_words(body)),
                       call.secrets);
    return Error{passes_by_itself(response->status) ? Code::kUnavailable : Code::kFailed, end.answer};
  });
}

}  // namespace tarn::flowfile
