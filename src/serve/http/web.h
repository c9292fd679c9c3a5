// Everything that the web UI needs of a server: its files, login, events and rooms; the general API stands
// behind it.
#pragma once

#include <span>
#include <string>

#include "base/env/env.h"
#include "flow/runs.h"
#include "net/http_server.h"
#include "serve/backend.h"
#include "serve/http/event_feed.h"
#include "serve/http/pages.h"
#include "serve/http/rooms_api.h"
#include "serve/http/web_sessions.h"
#include "serve/insight.h"

namespace tarn::serve {

// Called by several handler threads at once.
class Web {
 public:
  struct Project {
    Insight& insight;
    Backend& backend;
    flow::Runs& runs;
  };
  struct Options {
    std::string token;
    std::string version;
    std::span<const UiFile> files;
  };
  Web(Env& env, const Project& project, const Options& options)
      : sessions_(env),
        pages_(sessions_, {.token = options.token, .files = options.files}),
        feed_(env, project.insight, project.backend),
        rooms_(env, project.insight, project.backend, project.runs, feed_, {.version = options.version}) {}

  // Tells the server's gate of pages that are open to all, and of cookies.
  void admit(net::HttpServerOptions& options) {
    options.is_open = [this](const net::HttpServerRequest& request) { return pages_.is_open(request); };
    options.knows_session = [this](std::string_view secret) { return sessions_.knows(secret); };
  }
  // False when the request is not for this.
  bool handle(const net::HttpServerRequest& request, net::HttpServerResponse& response) {
    return pages_.handle(request, response) || rooms_.handle(request, response);
  }
  EventFeed& feed() { return feed_; }
  // Before the server stops.
  void stop() { feed_.stop(); }

 private:
  WebSessions sessions_;
  Pages pages_;
  EventFeed feed_;
  RoomsApi rooms_;
};

}  // namespace tarn::serve
