// Links to one board: /api/v1/shares makes, lists and ends them; /share/SECRET is the page that whoever has
// one opens, and /api/v1/shared all that this page may ask. The secret of a request stands in the header
// x-tarn-share, so that it is in no address but the link's own.
#pragma once

#include <atomic>
#include <string>
#include <string_view>

#include "base/env/env.h"
#include "net/http_server.h"
#include "serve/board/boards_api.h"
#include "serve/share/shares.h"

namespace tarn::serve {

// Called by several handler threads at once.
class SharesApi {
 public:
  SharesApi(Env& env, Shares& shares, BoardShelf& shelf, BoardsApi& boards)
      : env_(env), shares_(shares), shelf_(shelf), boards_(boards) {}

  // Tells the server's gate which paths need no login.
  static void admit(net::HttpServerOptions& options);
  // What needs no login; before the pages, which have the file behind /share. False: not for this, or go on.
  bool handle_guest(const net::HttpServerRequest& request, net::HttpServerResponse& response);
  // What needs one.
  bool handle(const net::HttpServerRequest& request, net::HttpServerResponse& response);

 private:
  using Request = net::HttpServerRequest;
  using Response = net::HttpServerResponse;
  bool open_page(std::string_view secret, Response& response);
  void ask(std::string_view what, const Request& request, Response& response);
  void list(const Request& request, Response& response);
  void make(const Request& request, Response& response);

  Env& env_;
  Shares& shares_;
  BoardShelf& shelf_;
  BoardsApi& boards_;
  std::atomic<int> guests_{0};  // requests under way
};

}  // namespace tarn::serve
