#include "net/http_gate.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

namespace tarn::net {
namespace {

int digit_of(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

std::optional<std::string> decode(std::string_view text, bool plus_is_blank) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size())
        return std::nullopt;
      const int high = digit_of(text[i + 1]);
      const int low = digit_of(text[i + 2]);
      if (high < 0 || low < 0)
        return std::nullopt;
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      decoded += plus_is_blank && text[i] == '+' ? ' ' : text[i];
    }
  }
  return decoded;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

const std::string* header(const HttpServerRequest& request, const std::string& name) {
  const auto found = request.headers.find(name);
  return found == request.headers.end() ? nullptr : &found->second;
}

bool is_address(std::string_view host) {
  return host.starts_with("[") ||
         (!host.empty() && host.find_first_not_of("0123456789.") == std::string_view::npos);
}

bool host_is_ours(const HttpServerOptions& options, const std::string& host) {
  if (is_loopback(host) || host == lower(options.host) || options.other_hosts.contains(host))
    return true;
  // A public bind is reached by an address that is not known here; a rebound DNS name is not an address.
  return options.allow_public && is_address(host);
}

bool has_token(const HttpServerOptions& options, const HttpServerRequest& request) {
  constexpr std::string_view kScheme = "bearer ";
  const auto* authorization = header(request, "authorization");
  if (options.token.empty() || authorization == nullptr || authorization->size() <= kScheme.size())
    return false;
  const std::string_view text = *authorization;
  if (lower(text.substr(0, kScheme.size())) != kScheme)
    return false;
  const auto token = text.substr(kScheme.size());
  return same_secret(token, options.token) || (options.knows_token && options.knows_token(request, token));
}

// A page on another port of this host is "same-site", so SameSite does not keep it off.
std::optional<Refusal> refuse_page(const HttpServerRequest& request) {
  const auto* site = header(request, "sec-fetch-site");
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (site != nullptr && *site != "same-origin" && !(reads && *site == "none"))
    return Refusal{403, fmt::format("a page of another site ({}) may not use this server", *site)};
  if (reads)
    return std::nullopt;
  if (site == nullptr && header(request, "origin") == nullptr)
    return Refusal{403, "a request with a cookie must say by Origin or Sec-Fetch-Site where it comes from"};
  if (header(request, std::string(kPageHeader)) == nullptr)
    return Refusal{403, fmt::format("a request with a cookie must carry the header {}", kPageHeader)};
  return std::nullopt;
}

bool is_open(const HttpServerOptions& options, const HttpServerRequest& request) {
  return options.open_paths.contains(request.path) || (options.is_open && options.is_open(request));
}

}  // namespace

std::string session_cookie_name(const HttpServerRequest& request) {
  const auto* host = header(request, "host");
  const auto colon = host == nullptr ? std::string::npos : host->rfind(':');
  const auto port = colon == std::string::npos ? std::string() : host->substr(colon + 1);
  const bool is_port = !port.empty() && port.find_first_not_of("0123456789") == std::string::npos;
  return is_port ? "tarn_" + port : "tarn";
}

std::string session_cookie(const HttpServerRequest& request) {
  const auto* cookies = header(request, "cookie");
  if (cookies == nullptr)
    return "";
  const auto name = session_cookie_name(request);
  std::string_view rest = *cookies;
  while (!rest.empty()) {
    const auto semicolon = rest.find(';');
    auto pair = rest.substr(0, semicolon);
    rest.remove_prefix(semicolon == std::string_view::npos ? rest.size() : semicolon + 1);
    pair.remove_prefix(std::min(pair.find_first_not_of(' '), pair.size()));
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == name)
      return std::string(pair.substr(equals + 1));
  }
  return "";
}

bool same_secret(std::string_view a, std::string_view b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (size_t i = 0; i < a.size(); ++i) {
    const char other = b.empty() ? '\0' : b[i % b.size()];
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(other);
  }
  return difference == 0;
}

std::string host_without_port(std::string_view host) {
  const auto bracket = host.find(']');
  const auto colon = host.find(':', bracket == std::string_view::npos ? 0 : bracket);
  return lower(host.substr(0, colon));
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "[::1]" || host == "::1" ||
         (host.starts_with("127.") && is_address(host));
}

std::optional<Refusal> refuse(const HttpServerOptions& options, const HttpServerRequest& request) {
  const auto* host = header(request, "host");
  if (host == nullptr || !host_is_ours(options, host_without_port(*host))) {
    return Refusal{421, fmt::format("host '{}' is not served here; use the address that the start printed",
                                    host == nullptr ? "" : *host)};
  }
  if (const auto* origin = header(request, "origin")) {
    const auto scheme = origin->find("://");
    if (scheme == std::string::npos || lower(origin->substr(scheme + 3)) != lower(*host)) {
      return Refusal{403, fmt::format("a page of origin '{}' may not use this server", *origin)};
    }
  }
  if (is_open(options, request) || has_token(options, request))
    return std::nullopt;
  const auto secret = options.knows_session ? session_cookie(request) : std::string();
  if (!secret.empty() && options.knows_session(secret))
    return refuse_page(request);
  return Refusal{
      401,
      "a token is needed: send 'Authorization: Bearer TOKEN'; the server's start prints it, and the file "
      "'token' in the data folder holds it"};
}

bool read_target(std::string_view target, HttpServerRequest& request) {
  const auto question = target.find('?');
  auto path = decode(target.substr(0, question), false);
  if (!path || path->empty() || (*path)[0] != '/')
    return false;
  request.path = std::move(*path);
  request.raw_path = std::string(target.substr(0, question));
  if (question == std::string_view::npos)
    return true;
  return read_query(target.substr(question + 1), request.query);
}

bool read_query(std::string_view rest, std::map<std::string, std::string>& query) {
  while (!rest.empty()) {
    const auto amp = rest.find('&');
    const auto pair = rest.substr(0, amp);
    rest.remove_prefix(amp == std::string_view::npos ? rest.size() : amp + 1);
    const auto equals = pair.find('=');
    auto name = decode(pair.substr(0, equals), true);
    auto value = decode(equals == std::string_view::npos ? "" : pair.substr(equals + 1), true);
    if (!name || !value)
      return false;
    if (!name->empty())
      query[*name] = std::move(*value);
  }
  return true;
}

}  // namespace tarn::net
