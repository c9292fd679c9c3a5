#include "source/http/pages.h"

#include <curl/curl.h>

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tarn::source::http {
namespace {

using nlohmann::json;

// "$.a.b[0].c" as a JSON pointer; quoted names are not taken here.
json::json_pointer pointer_of(std::string_view path) {
  json::json_pointer pointer;
  std::string part;
  auto flush = [&] {
    if (!part.empty()) {
      pointer.push_back(part);
      part.clear();
    }
  };
  for (char c : path.substr(path.starts_with("$") ? 1 : 0)) {
    if (c == '.' || c == '[' || c == ']') {
      flush();
    } else if (c != '"') {
      part += c;
    }
  }
  flush();
  return pointer;
}

const json* at_path(const json& document, std::string_view path) {
  auto pointer = pointer_of(path);
  const json* node = &document;
  std::vector<std::string> parts;
  for (; !pointer.empty(); pointer.pop_back()) {
    parts.push_back(pointer.back());
  }
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    if (node->is_object() && node->contains(*part)) {
      node = &(*node)[*part];
    } else if (node->is_array() && part->find_first_not_of("0123456789") == std::string::npos &&
               part->size() < 9 && std::stoul(*part) < node->size()) {
      node = &(*node)[std::stoul(*part)];
    } else {
      return nullptr;
    }
  }
  return node;
}

Result<json> read_document(const PageAnswer& answer, FileSystem& files) {
  TARN_TRY(std::string body, files.read(answer.path));
  json document = json::parse(body, nullptr, false);
  if (document.is_discarded()) {
    return Error{Code::kFailed, fmt::format("{} does not answer with JSON, so its next page is not known",
                                            answer.final_url.substr(0, answer.final_url.find('?')))};
  }
  return document;
}

Result<std::optional<PageState>> next_by_token(const Pages& pages, const PageState& state,
                                               const PageAnswer& answer, FileSystem& files) {
  TARN_TRY(json document, read_document(answer, files));
  const json* token = at_path(document, pages.token);
  if (token == nullptr || token->is_null() ||
      (token->is_string() && token->get_ref<const std::string&>().empty()) ||
      (token->is_boolean() && !token->get<bool>())) {
    return std::optional<PageState>();
  }
  if (token->is_structured()) {
    return Error{Code::kFailed, fmt::format("the token of the next page at {} is not a text or a number: "
                                            "name the member that holds it",
                                            pages.token)};
  }
  PageState next{.index = state.index + 1, .url = {}, .token = {}, .offset = 0};
  next.token = token->is_string() ? token->get<std::string>() : token->dump();
  if (next.token == state.token) {
    return Error{Code::kFailed, fmt::format("the pages do not end: the token '{}' came twice", next.token)};
  }
  return std::optional(std::move(next));
}

Result<std::optional<PageState>> next_by_link(const PageState& state, const PageAnswer& answer) {
  std::string target = next_link(answer.link);
  if (target.empty()) {
    return std::optional<PageState>();
  }
  PageState next{.index = state.index + 1, .url = {}, .token = {}, .offset = 0};
  TARN_TRY(next.url, resolve_url(answer.final_url, target));
  if (next.url == answer.final_url) {
    return Error{Code::kFailed, "the pages do not end: a page links to itself as the next"};
  }
  return std::optional(std::move(next));
}

}  // namespace

PageState first_page(const Pages& pages) {
  return PageState{.url = {}, .token = {}, .offset = pages.start};
}

Result<std::optional<PageState>> next_page(const Pages& pages, const Format& format, const PageState& state,
                                           const PageAnswer& answer, FileSystem& files) {
  switch (pages.kind) {
    case Pages::Kind::kNone: return std::optional<PageState>();
    case Pages::Kind::kLink: return next_by_link(state, answer);
    case Pages::Kind::kNextToken: return next_by_token(pages, state, answer, files);
    case Pages::Kind::kPage:
    case Pages::Kind::kOffset: break;
  }
  TARN_TRY(std::string body, files.read(answer.path));
  TARN_TRY(int64_t records, count_records(format, body));
  if (records == 0 || (pages.limit > 0 && records < pages.limit)) {
    return std::optional<PageState>();
  }
  PageState next{.index = state.index + 1, .url = {}, .token = {}, .offset = state.offset};
  next.offset += pages.kind == Pages::Kind::kPage ? 1 : records;
  return std::optional(std::move(next));
}

std::string next_link(std::string_view header) {
  size_t at = 0;
  while ((at = header.find('<', at)) != std::string_view::npos) {
    size_t end = header.find('>', at);
    if (end == std::string_view::npos) {
      return {};
    }
    size_t next = std::min(header.find('<', end), header.size());
    std::string parameters(header.substr(end + 1, next - end - 1));
    std::transform(parameters.begin(), parameters.end(), parameters.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    for (const char* form : {"rel=\"next\"", "rel=next", "rel='next'"}) {
      if (parameters.find(form) != std::string::npos) {
        return std::string(header.substr(at + 1, end - at - 1));
      }
    }
    at = end;
  }
  return {};
}

Result<std::string> resolve_url(const std::string& base, const std::string& relative) {
  struct Url {
    CURLU* handle = curl_url();
    ~Url() { curl_url_cleanup(handle); }
  } url;
  char* text = nullptr;
  bool good = curl_url_set(url.handle, CURLUPART_URL, base.c_str(), 0) == CURLUE_OK &&
              curl_url_set(url.handle, CURLUPART_URL, relative.c_str(), CURLU_URLENCODE) == CURLUE_OK &&
              curl_url_get(url.handle, CURLUPART_URL, &text, 0) == CURLUE_OK;
  std::string out = good && text != nullptr ? text : "";
  curl_free(text);
  if (!good) {
    return Error{Code::kFailed, fmt::format("the link to the next page is not a URL: '{}'", relative)};
  }
  return out;
}

Result<int64_t> count_records(const Format& format, std::string_view body) {
  if (format.kind != FormatKind::kJson) {
    int64_t lines = 0;
    for (size_t at = 0; at < body.size();) {
      size_t end = std::min(body.find('\n', at), body.size());
      lines += body.substr(at, end - at).find_first_not_of(" \t\r") != std::string_view::npos ? 1 : 0;
      at = end + 1;
    }
    bool has_header = format.kind == FormatKind::kCsv && format.header.value_or(true);
    return std::max<int64_t>(lines - (has_header ? 1 : 0), 0);
  }
  json document = json::parse(body, nullptr, false);
  if (document.is_discarded()) {
    return Error{Code::kFailed, "a page is not valid JSON, so the next page is not known"};
  }
  const json* records = at_path(document, format.records);
  if (records == nullptr || records->is_null()) {
    return int64_t{0};
  }
  return records->is_array() ? static_cast<int64_t>(records->size()) : int64_t{1};
}

}  // namespace tarn::source::http
