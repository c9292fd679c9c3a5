// What the web UI's rooms ask for besides the general API: the graph, one table with its versions and files,
// one run with its attempts, pages of its log, raw bytes.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/env/env.h"
#include "flow/runs.h"
#include "net/http_server.h"
#include "serve/backend.h"
#include "serve/http/event_feed.h"
#include "serve/http/json.h"
#include "serve/insight.h"

namespace tarn::serve {

// Thread-safe.
class RoomsApi {
 public:
  struct Options {
    std::string version;
  };
  RoomsApi(Env& env, Insight& insight, Backend& backend, flow::Runs& runs, EventFeed& feed, Options options)
      : env_(env),
        insight_(insight),
        backend_(backend),
        runs_(runs),
        feed_(feed),
        options_(std::move(options)) {}

  // False when the request is not for this.
  bool handle(const net::HttpServerRequest& request, net::HttpServerResponse& response);

 private:
  using Request = net::HttpServerRequest;
  using Response = net::HttpServerResponse;
  Result<Json> overview();
  Result<std::string> fresh_overview();
  Result<Json> table(const std::string& schema, const std::string& name, const Request& request);
  Result<Json> run(const std::string& id);
  Result<Json> tasks_of(const std::string& run);
  Result<Json> lines(const std::string& id, const Request& request);
  Json attachments();
  Result<Json> attachment(const std::string& name);
  void raw(std::string_view rest, const Request& request, Response& response);

  Env& env_;
  Insight& insight_;
  Backend& backend_;
  flow::Runs& runs_;
  EventFeed& feed_;
  const Options options_;

  // Many pages ask at the same moment, when something has changed: one of them computes.
  std::mutex mutex_;  // guards all below; held while it is computed
  std::string overview_;
  int64_t overview_changes_ = -1;
  std::optional<Duration> overview_at_;
};

}  // namespace tarn::serve
