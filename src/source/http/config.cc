#include "source/http/config.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/time.h"
#include "source/http/template.h"

namespace tarn::source::http {
namespace {

using codec::YamlNode;
using codec::YamlReader;

constexpr int64_t kConcurrencyMax = 32;
constexpr double kRateMin = 1e-6;  // one in eleven days
constexpr double kRateMax = 1e6;

bool has_line_break(std::string_view text) {
  return text.find_first_of("\r\n") != std::string_view::npos;
}

void check_template(const YamlNode& at, const std::string& text, YamlReader& reader) {
  if (auto parsed = parse_template(text); !parsed) {
    reader.mistake(at, parsed.error().message);
  }
}

std::string template_text(YamlReader& reader, std::string_view key) {
  std::string text = reader.text(key);
  if (!text.empty()) {
    check_template(*reader.child(key), text, reader);
  }
  return text;
}

net::HttpHeaders read_pairs(YamlReader& reader, std::string_view key) {
  net::HttpHeaders pairs;
  const YamlNode* node = reader.child(key);
  if (node == nullptr) {
    return pairs;
  }
  if (node->kind != YamlNode::Kind::kMap) {
    reader.mistake(*node, fmt::format("{} is a map of names to values", key));
    return pairs;
  }
  for (const auto& entry : node->entries) {
    if (entry.value.kind != YamlNode::Kind::kScalar) {
      reader.mistake(entry.value, fmt::format("the value of '{}' must be one text or number", entry.key));
      continue;
    }
    if (key == "headers" && (has_line_break(entry.value.text) || has_line_break(entry.key) ||
                             entry.key.find(':') != std::string::npos)) {
      reader.mistake(entry.value, "a header is one line, and its name holds no colon");
    }
    check_template(entry.value, entry.value.text, reader);
    pairs.emplace_back(entry.key, entry.value.text);
  }
  return pairs;
}

void must_be_reference(const YamlNode& at, const std::string& text, YamlReader& reader) {
  if (!project::has_secret(text)) {
    reader.mistake(at, "a secret is never written here: write ${env:NAME} or ${file:path}");
  }
}

void read_auth(YamlReader& reader, HttpConfig& config, Diagnostics& diagnostics) {
  const YamlNode* node = reader.child("auth");
  if (node == nullptr) {
    return;
  }
  if (node->kind != YamlNode::Kind::kMap) {
    reader.mistake(*node, "auth is a map: 'bearer: ${env:NAME}', or basic with user and password");
    return;
  }
  YamlReader inner(*node, "auth", diagnostics);
  config.bearer = inner.text("bearer");
  if (!config.bearer.empty()) {
    must_be_reference(*inner.child("bearer"), config.bearer, inner);
  }
  const YamlNode* basic = inner.child("basic");
  if (basic != nullptr && basic->kind != YamlNode::Kind::kMap) {
    inner.mistake(*basic, "basic is a map with user and password");
  } else if (basic != nullptr) {
    YamlReader pair(*basic, "basic", diagnostics);
    config.basic_user = pair.required_text("user");
    config.basic_password = pair.required_text("password");
    if (!config.basic_password.empty()) {
      must_be_reference(*pair.child("password"), config.basic_password, pair);
    }
    pair.finish();
  }
  if (config.bearer.empty() == config.basic_user.empty()) {
    inner.mistake(*node, "auth has either bearer or basic");
  }
  inner.finish();
}

int64_t bounded(YamlReader& reader, std::string_view key, int64_t fallback, int64_t low, int64_t high) {
  auto value = reader.integer(key);
  if (value && (*value < low || *value > high)) {
    reader.mistake(*reader.child(key), fmt::format("{} must be from {} to {}", key, low, high));
    return fallback;
  }
  return value.value_or(fallback);
}

void read_pages(YamlReader& reader, HttpConfig& config, Diagnostics& diagnostics) {
  const YamlNode* node = reader.child("pages");
  if (node == nullptr) {
    return;
  }
  if (node->kind != YamlNode::Kind::kMap) {
    reader.mistake(*node, "pages is a map with type: link, next_token, page or offset");
    return;
  }
  Pages& pages = config.pages;
  YamlReader inner(*node, "pages", diagnostics);
  std::string type = inner.choice("type", {"link", "next_token", "page", "offset"}, "");
  if (const YamlNode* given = node->find("type"); given == nullptr || is_empty(*given)) {
    inner.mistake(*node, "pages needs type: link, next_token, page or offset");
    return;
  }
  pages.max = bounded(inner, "max", pages.max, 1, 1'000'000);
  if (type == "link") {
    pages.kind = Pages::Kind::kLink;
  } else if (type == "next_token") {
    pages.kind = Pages::Kind::kNextToken;
    pages.token = inner.required_text("token");
    pages.parameter = inner.required_text("parameter");
    if (!pages.token.empty() && !pages.token.starts_with("$.")) {
      inner.mistake(*inner.child("token"),
                    "token is a path that starts with $., for example $.next_page_token");
    }
  } else if (!type.empty()) {
    pages.kind = type == "page" ? Pages::Kind::kPage : Pages::Kind::kOffset;
    pages.parameter = inner.required_text("parameter");
    pages.start = bounded(inner, "start", type == "page" ? 1 : 0, 0, 1'000'000'000);
    pages.limit_parameter = inner.text("limit_parameter");
    pages.limit = bounded(inner, "limit", 0, 1, 1'000'000);
    if (pages.limit == 0 && (pages.kind == Pages::Kind::kOffset || !pages.limit_parameter.empty())) {
      inner.mistake(*node, "pages needs limit: the number of records of a full page");
    }
  }
  inner.finish();
}

std::chrono::milliseconds duration(YamlReader& reader, std::string_view key,
                                   std::chrono::milliseconds fallback) {
  std::string text = reader.text(key);
  if (text.empty()) {
    return fallback;
  }
  auto parsed = parse_duration(text);
  if (!parsed || parsed->count() <= 0) {
    reader.mistake(*reader.child(key), fmt::format("{} is a time such as 250ms, 30s or 5m", key));
    return fallback;
  }
  return std::chrono::duration_cast<std::chrono::milliseconds>(*parsed);
}

void read_retry(YamlReader& reader, HttpConfig& config, Diagnostics& diagnostics) {
  const YamlNode* node = reader.child("retry");
  if (node == nullptr) {
    return;
  }
  if (node->kind != YamlNode::Kind::kMap) {
    config.retry.attempts = bounded(reader, "retry", config.retry.attempts, 1, 100);
    return;
  }
  YamlReader inner(*node, "retry", diagnostics);
  config.retry.attempts = bounded(inner, "attempts", config.retry.attempts, 1, 100);
  config.retry.first_delay = duration(inner, "first_delay", std::chrono::milliseconds(1000));
  config.retry.delay_max = duration(inner, "max_delay", std::chrono::milliseconds(60'000));
  inner.finish();
}

void read_limits(YamlReader& reader, HttpConfig& config, Diagnostics& diagnostics) {
  net::HttpLimits& limits = config.limits;
  const YamlNode* node = reader.child("timeout");
  if (node != nullptr && node->kind == YamlNode::Kind::kMap) {
    YamlReader inner(*node, "timeout", diagnostics);
    limits.connect_timeout = duration(inner, "connect", limits.connect_timeout);
    limits.idle_timeout = duration(inner, "idle", limits.idle_timeout);
    limits.total_timeout = duration(inner, "total", limits.total_timeout);
    inner.finish();
  } else if (node != nullptr) {
    limits.total_timeout = duration(reader, "timeout", limits.total_timeout);
  }
  std::string bytes = reader.text("max_bytes");
  if (!bytes.empty()) {
    if (auto parsed = parse_bytes(bytes)) {
      limits.body_bytes_max = *parsed;
    } else {
      reader.mistake(*reader.child("max_bytes"), parsed.error().message);
    }
  }
  limits.redirects_max = static_cast<int>(bounded(reader, "max_redirects", limits.redirects_max, 0, 20));
  config.ca_file = reader.text("ca_file");
}

void read_request(YamlReader& reader, HttpConfig& config) {
  config.url = reader.required_text("url");
  if (!config.url.empty()) {
    const YamlNode& at = *reader.child("url");
    check_template(at, config.url, reader);
    bool starts = config.url.starts_with("http://") || config.url.starts_with("https://") ||
                  config.url.starts_with("${") || config.url.starts_with("{");
    if (!starts) {
      reader.mistake(at, "url must start with https:// or http://");
    }
  }
  config.method = reader.choice("method", {"GET", "POST", "PUT"}, "GET");
  config.query = read_pairs(reader, "query");
  config.headers = read_pairs(reader, "headers");
  config.body = template_text(reader, "body");
  if (!config.body.empty() && config.method == "GET") {
    reader.mistake(*reader.child("body"), "a body needs 'method: POST' or PUT");
  }
}

}  // namespace

std::unique_ptr<HttpConfig> read_http_config(YamlReader& reader, const SourceConfig& shared,
                                             Diagnostics& diagnostics) {
  auto config = std::make_unique<HttpConfig>();
  read_request(reader, *config);
  read_auth(reader, *config, diagnostics);
  config->each.text = reader.text("each");
  if (const YamlNode* each = reader.child("each")) {
    config->each.place = each->place;
  }
  read_pages(reader, *config, diagnostics);
  if (auto rate = reader.number("rate")) {
    config->rate = *rate;
    if (!(*rate >= kRateMin && *rate <= kRateMax)) {  // also "nan"
      reader.mistake(*reader.child("rate"),
                     "rate is a number of requests a second, from 0.000001 to 1000000, for example 0.5");
    }
  }
  config->concurrency = bounded(reader, "concurrency", 1, 1, kConcurrencyMax);
  read_retry(reader, *config, diagnostics);
  read_limits(reader, *config, diagnostics);
  Pages::Kind kind = config->pages.kind;
  if (kind == Pages::Kind::kNextToken && shared.format.kind != FormatKind::kJson) {
    reader.mistake(*reader.child("pages"), "next_token is read from a JSON document: it needs format json");
  }
  bool counts = kind == Pages::Kind::kPage || kind == Pages::Kind::kOffset;
  if (counts && shared.format.kind == FormatKind::kParquet) {
    reader.mistake(*reader.child("pages"), "pages by number or offset need format json, ndjson or csv");
  }
  return config;
}

}  // namespace tarn::source::http
