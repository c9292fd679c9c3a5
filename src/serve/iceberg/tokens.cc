#include "serve/iceberg/tokens.h"

#include <charconv>
#include <map>

#include <fmt/format.h>

#include "codec/base64.h"
#include "codec/sha256.h"

namespace tarn::serve::rest {
namespace {

constexpr std::string_view kMark = "tarn1.";
constexpr int64_t kSecondsGood = 3600;
constexpr std::string_view kExchange = "urn:ietf:params:oauth:grant-type:token-exchange";
constexpr std::string_view kAccessToken = "urn:ietf:params:oauth:token-type:access_token";

int64_t seconds_of(Timestamp time) {
  return time.time_since_epoch().count() / 1'000'000;
}

Answer refused(int status, std::string_view error, std::string_view description) {
  return answer_json({{"error", error}, {"error_description", description}}, status);
}

// A form body is read as a query is.
std::map<std::string, std::string> form_of(const net::HttpServerRequest& request) {
  net::HttpServerRequest form;
  return net::read_query(request.body, form.query) ? form.query : std::map<std::string, std::string>();
}

std::string value_of(const std::map<std::string, std::string>& form, const char* name) {
  const auto found = form.find(name);
  return found == form.end() ? "" : found->second;
}

// The secret of "Authorization: Basic base64(id:secret)", or "".
std::string basic_secret(const net::HttpServerRequest& request) {
  constexpr std::string_view kScheme = "Basic ";
  const auto header = request.headers.find("authorization");
  if (header == request.headers.end() || !header->second.starts_with(kScheme))
    return "";
  const auto text = codec::from_base64(std::string_view(header->second).substr(kScheme.size()));
  const auto colon = text ? text->find(':') : std::string::npos;
  return colon == std::string::npos ? "" : text->substr(colon + 1);
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes)
    text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

}  // namespace

std::string Tokens::issue(Timestamp expires_at) const {
  const auto text = fmt::format("{}{}", kMark, seconds_of(expires_at));
  return fmt::format("{}.{}", text, hex(codec::hmac_sha256(access_token_, "iceberg " + text)));
}

bool Tokens::is_secret(std::string_view secret) const {
  return !access_token_.empty() && net::same_secret(secret, access_token_);
}

bool Tokens::knows(std::string_view token) const {
  if (access_token_.empty() || !token.starts_with(kMark))
    return false;
  const auto end = token.find('.', kMark.size());
  if (end == std::string_view::npos)
    return false;
  int64_t expires_s = 0;
  const auto* last = token.data() + end;
  const auto [stop, error] = std::from_chars(token.data() + kMark.size(), last, expires_s);
  if (error != std::errc() || stop != last || expires_s <= seconds_of(env_.clock->now()))
    return false;
  return net::same_secret(token, issue(Timestamp(std::chrono::seconds(expires_s))));
}

Answer Tokens::answer(const net::HttpServerRequest& request) const {
  const auto form = form_of(request);
  const auto grant = value_of(form, "grant_type");
  if (grant == "client_credentials") {
    auto secret = value_of(form, "client_secret");
    if (secret.empty())
      secret = basic_secret(request);
    if (!is_secret(secret)) {
      return refused(
          401, "invalid_client",
          "the client's secret is not the access token, which the start of the server prints and the "
          "file 'token' in the data folder holds");
    }
  } else if (grant == kExchange) {
    const auto subject = value_of(form, "subject_token");
    if (!knows(subject) && !is_secret(subject))
      return refused(401, "invalid_client", "the subject token is not one of this server, or has ended");
  } else {
    return refused(400, "unsupported_grant_type",
                   "the grant types are client_credentials and token exchange");
  }
  Json body = {{"access_token", issue(env_.clock->now() + std::chrono::seconds(kSecondsGood))},
               {"token_type", "bearer"},
               {"expires_in", kSecondsGood},
               {"issued_token_type", kAccessToken}};
  if (const auto scope = value_of(form, "scope"); !scope.empty())
    body["scope"] = scope;
  return answer_json(body);
}

}  // namespace tarn::serve::rest
