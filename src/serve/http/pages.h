// The web UI's files, which the program carries, and login. The files hold no data, so they need no token;
// what they ask for does.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "net/http_server.h"
#include "serve/http/web_sessions.h"

namespace tarn::serve {

// A file of the built UI. All views are for the whole process.
struct UiFile {
  std::string_view path;  // "/assets/index-3f2a.js"
  std::string_view type;
  std::string_view bytes;  // compressed with gzip
  std::string_view etag;   // changes with the content
  bool is_hashed = false;  // its name does so, too: browsers may keep it for ever
};

// Thread-safe.
class Pages {
 public:
  struct Options {
    std::string token;
    std::span<const UiFile> files;
  };
  Pages(WebSessions& sessions, Options options) : sessions_(sessions), options_(std::move(options)) {}

  // Whether the request needs neither token nor cookie. Does not block.
  [[nodiscard]] bool is_open(const net::HttpServerRequest& request) const;
  // False when the request is not for this.
  bool handle(const net::HttpServerRequest& request, net::HttpServerResponse& response);

 private:
  [[nodiscard]] const UiFile* find(std::string_view path) const;
  static void send_file(const UiFile& file, const net::HttpServerRequest& request,
                        net::HttpServerResponse& response);
  void login_by_link(const net::HttpServerRequest& request, net::HttpServerResponse& response);
  void login(const net::HttpServerRequest& request, net::HttpServerResponse& response);
  void logout(const net::HttpServerRequest& request, net::HttpServerResponse& response);

  WebSessions& sessions_;
  const Options options_;
};

}  // namespace tarn::serve
