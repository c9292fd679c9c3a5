#include "serve/http/pages.h"

#include <algorithm>
#include <array>

#include "codec/json_depth.h"
#include "serve/http/json.h"

namespace tarn::serve {
namespace {

// The first part of a page's path: the UI's own router knows the rest.
constexpr std::array<std::string_view, 11> kRooms = {"/",       "/login",    "/data",   "/flow",
                                                     "/alerts", "/sql",      "/boards", "/reports",
                                                     "/sent",   "/settings", "/share"};
constexpr std::string_view kLogin = "/api/v1/login";
constexpr std::string_view kLogout = "/api/v1/logout";
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'";

bool is_room(std::string_view path) {
  return std::any_of(kRooms.begin(), kRooms.end(), [path](std::string_view room) {
    return path == room || (room != "/" && path.starts_with(room) && path[room.size()] == '/');
  });
}

bool reads(const net::HttpServerRequest& request) {
  return request.method == "GET" || request.method == "HEAD";
}

void refuse(net::HttpServerResponse& response, Code code, std::string message) {
  response.answer(http_status_of(code), "application/json",
                  dump(to_json(Error{code, std::move(message)})) + "\n");
}

}  // namespace

const UiFile* Pages::find(std::string_view path) const {
  const auto wanted = is_room(path) ? std::string_view("/index.html") : path;
  const auto found = std::find_if(options_.files.begin(), options_.files.end(),
                                  [wanted](const UiFile& file) { return file.path == wanted; });
  return found == options_.files.end() ? nullptr : &*found;
}

bool Pages::is_open(const net::HttpServerRequest& request) const {
  if (request.method == "POST")
    return request.path == kLogin;
  return reads(request) && (request.path == "/login" || find(request.path) != nullptr);
}

bool Pages::handle(const net::HttpServerRequest& request, net::HttpServerResponse& response) {
  if (request.method == "POST" && request.path == kLogin) {
    login(request, response);
    return true;
  }
  if (request.method == "POST" && request.path == kLogout) {
    logout(request, response);
    return true;
  }
  if (!reads(request))
    return false;
  if (request.path == "/login" && request.query.contains("token")) {
    login_by_link(request, response);
    return true;
  }
  const auto* file = find(request.path);
  if (file == nullptr)
    return false;
  send_file(*file, request, response);
  return true;
}

void Pages::send_file(const UiFile& file, const net::HttpServerRequest& request,
                      net::HttpServerResponse& response) {
  const auto held = request.headers.find("if-none-match");
  const bool is_held = held != request.headers.end() && held->second.find(file.etag) != std::string::npos;
  net::HttpHeaders headers = {
      {"Cache-Control", file.is_hashed ? "public, max-age=31536000, immutable" : "no-cache"},
      {"ETag", std::string(file.etag)},
      {"Content-Security-Policy", std::string(kPolicy)},
      {"Cross-Origin-Opener-Policy", "same-origin"}};
  if (is_held)
    return response.answer(304, file.type, headers, "");
  headers.emplace_back("Content-Encoding", "gzip");
  response.answer(200, file.type, headers, std::string(file.bytes));
}

// Answered by a redirect, so that no page is ever shown under the address with the token.
void Pages::login_by_link(const net::HttpServerRequest& request, net::HttpServerResponse& response) {
  const bool is_right = net::same_secret(request.query.at("token"), options_.token);
  net::HttpHeaders headers = {{"Location", is_right ? "/" : "/login?refused=1"}};
  if (is_right)
    headers.emplace_back("Set-Cookie", session_set_cookie(request, sessions_.open()));
  response.answer(303, "text/plain", headers, "");
}

void Pages::login(const net::HttpServerRequest& request, net::HttpServerResponse& response) {
  if (!request.headers.contains(std::string(net::kPageHeader)))
    return refuse(response, Code::kDenied, "a login comes from Tarn's own page only");
  if (codec::json_depth(request.body) > codec::kJsonDepthMax)
    return refuse(response, Code::kInvalid, "the body must be a JSON object");
  const auto body = Json::parse(request.body, nullptr, false);
  const auto token = text_of(body, "token");
  if (token.empty() || !net::same_secret(token, options_.token)) {
    return refuse(response, Code::kDenied,
                  "this is not the token: the start of 'tarn serve' prints it, and the file 'token' in the "
                  "data folder holds it");
  }
  response.answer(200, "application/json", {{"Set-Cookie", session_set_cookie(request, sessions_.open())}},
                  "{}\n");
}

void Pages::logout(const net::HttpServerRequest& request, net::HttpServerResponse& response) {
  sessions_.close(net::session_cookie(request));
  response.answer(200, "application/json", {{"Set-Cookie", session_set_cookie(request, "")}}, "{}\n");
}

}  // namespace tarn::serve
