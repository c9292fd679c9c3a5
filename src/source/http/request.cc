#include "source/http/request.h"

#include <fmt/format.h>

#include "codec/base64.h"
#include "codec/sha256.h"
#include "source/http/template.h"

namespace tarn::source::http {
namespace {

// Gathers the pieces of one request; each step notes its secrets.
class Builder {
 public:
  Builder(const RenderContext& context, PreparedRequest& out) : context_(context), out_(out) {}

  Result<Rendered> text(const std::string& source,
                        const std::function<std::string(std::string_view)>& encode = {}) {
    TARN_TRY(auto rendered, render(source, context_, encode));
    out_.secrets.insert(out_.secrets.end(), rendered.secrets.begin(), rendered.secrets.end());
    return rendered;
  }

  Status url(const std::string& source) {
    TARN_TRY(auto rendered, text(source, [](std::string_view value) { return net::url_encode(value); }));
    out_.request.url = rendered.text;
    out_.shown_url = rendered.shown;
    has_query_ = rendered.shown.find('?') != std::string::npos;
    return ok();
  }

  Status parameter(const std::string& name, const std::string& source) {
    TARN_TRY(auto rendered, text(source));
    add_parameter(name, net::url_encode(rendered.text),
                  rendered.secrets.empty() ? net::url_encode(rendered.shown) : rendered.shown);
    return ok();
  }

  void plain_parameter(const std::string& name, const std::string& value) {
    add_parameter(name, net::url_encode(value), net::url_encode(value));
  }

  Status header(const std::string& name, const std::string& source, const std::string& prefix = "") {
    TARN_TRY(auto rendered, text(source));
    if (rendered.text.find_first_of("\r\n") != std::string::npos) {
      return Error{Code::kInvalid, fmt::format("the value of header {} would hold a line break", name)};
    }
    out_.request.headers.emplace_back(name, prefix + rendered.text);
    return ok();
  }

 private:
  void add_parameter(const std::string& name, const std::string& value, const std::string& shown) {
    const char* separator = has_query_ ? "&" : "?";
    out_.request.url += separator + net::url_encode(name) + "=" + value;
    out_.shown_url += separator + net::url_encode(name) + "=" + shown;
    has_query_ = true;
  }

  const RenderContext& context_;
  PreparedRequest& out_;
  bool has_query_ = false;
};

Status add_parameters(Builder& builder, const HttpConfig& http, const FetchContext& context,
                      const PageState& page, const std::string& cursor) {
  for (const auto& [name, value] : http.query) {
    TARN_CHECK(builder.parameter(name, value));
  }
  const auto& since = context.config.since;
  if (since && !since->parameter.empty() && !cursor.empty()) {
    builder.plain_parameter(since->parameter, cursor);
  }
  const Pages& pages = http.pages;
  if (pages.kind == Pages::Kind::kNextToken && !page.token.empty()) {
    builder.plain_parameter(pages.parameter, page.token);
  }
  if (pages.kind == Pages::Kind::kPage || pages.kind == Pages::Kind::kOffset) {
    builder.plain_parameter(pages.parameter, std::to_string(page.offset));
    if (!pages.limit_parameter.empty()) {
      builder.plain_parameter(pages.limit_parameter, std::to_string(pages.limit));
    }
  }
  return ok();
}

Status add_auth(Builder& builder, PreparedRequest& out, const HttpConfig& http) {
  if (!http.bearer.empty()) {
    TARN_CHECK(builder.header("Authorization", http.bearer, "Bearer "));
  }
  if (!http.basic_user.empty()) {
    TARN_TRY(auto user, builder.text(http.basic_user));
    TARN_TRY(auto password, builder.text(http.basic_password));
    std::string pair = codec::base64(user.text + ":" + password.text);
    out.request.headers.emplace_back("Authorization", "Basic " + pair);
    out.secrets.push_back(pair);
  }
  return ok();
}

}  // namespace

Result<PreparedRequest> prepare(const HttpConfig& http, const FetchContext& context, const EachRow& row,
                                const PageState& page, const std::string& cursor) {
  FileSystem& files = *context.task.env.files;
  RenderContext values{.columns = row.columns,
                       .vars = context.project.vars,
                       .resolve_secret = [&](std::string_view reference) {
                         return project::resolve_secrets(files, context.project.root, reference);
                       }};
  values.columns.emplace("since", cursor);
  PreparedRequest out;
  out.request.method = http.method;
  Builder builder(values, out);
  TARN_CHECK(builder.url(http.url));
  bool other_origin = false;
  if (page.url.empty()) {
    TARN_CHECK(add_parameters(builder, http, context, page, cursor));
  } else {
    TARN_TRY(std::string first, net::url_origin(out.request.url));
    TARN_TRY(std::string next, net::url_origin(page.url));
    other_origin = first != next;
    out.request.url = page.url;
    out.shown_url = scrub(page.url, out.secrets);
  }
  TARN_TRY(auto body, builder.text(http.body));
  out.request.body = body.text;
  if (!other_origin) {  // headers and secrets belong to the origin that the project names
    for (const auto& [name, value] : http.headers) {
      TARN_CHECK(builder.header(name, value));
    }
    TARN_CHECK(add_auth(builder, out, http));
  }
  out.key = codec::sha256_hex(fmt::format("{}\n{}\n{}\n{}", http.method, out.shown_url, body.shown, row.json))
                .substr(0, 32);
  return out;
}

}  // namespace tarn::source::http
