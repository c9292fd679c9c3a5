// The HTTP API: /healthz, /metrics, /api/v1. A handler for net::HttpServer, which has checked Host, Origin
// and token.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "base/env/env.h"
#include "flow/runs.h"
#include "net/http_server.h"
#include "serve/backend.h"
#include "serve/http/json.h"
#include "serve/http/reports_api.h"
#include "serve/http/run_hub.h"
#include "serve/http/sql_sessions.h"

namespace tarn::serve {

struct ApiOptions {
  std::string version;
  std::string spill_folder;  // absolute; for exports on their way out
  RunHubOptions hub;
};

// Called by several handler threads at once.
class Api {
 public:
  Api(Env& env, Backend& backend, flow::Runs& runs, ApiOptions options)
      : env_(env),
        backend_(backend),
        runs_(runs),
        options_(std::move(options)),
        hub_(env, backend, runs, options_.hub),
        sessions_(env, backend),
        reports_(env, backend, hub_, options_.spill_folder) {}

  // More paths, asked before "there is no such path"; true: it has answered. Before the server starts.
  using Routes = std::function<bool(const net::HttpServerRequest&, net::HttpServerResponse&)>;
  void add_routes(Routes routes) { routes_.push_back(std::move(routes)); }

  void handle(const net::HttpServerRequest& request, net::HttpServerResponse& response);
  RunHub& hub() { return hub_; }
  // Cancels runs and waits for them.
  void stop() {
    hub_.stop();
    sessions_.close_all();
  }

 private:
  using Request = net::HttpServerRequest;
  using Response = net::HttpServerResponse;
  void route(const Request& request, Response& response);
  void route_runs(const Request& request, Response& response, std::string_view rest);
  void metrics(Response& response);
  void sql(const Request& request, Response& response);
  void route_sessions(const Request& request, Response& response, std::string_view rest);
  void send_rows(SqlAnswer& rows, const std::string& format, Response& response);
  void send_book(SqlAnswer& rows, const std::string& sql, Response& response);
  void sql_parquet(const SqlRequest& request, Response& response);
  void start_run(const Request& request, Response& response);
  void start_replay(const Request& request, Response& response);
  void list_runs(const Request& request, Response& response);
  void get_run(const std::string& id, Response& response);
  void run_log(const Request& request, const std::string& id, Response& response);
  void resume_run(const std::string& id, Response& response);
  void settle_effect(const std::string& id, const Request& request, Response& response);
  void run_events(const std::string& id, Response& response);
  void status(Response& response);
  void check(const Request& request, Response& response);
  void tables(Response& response);

  Env& env_;
  Backend& backend_;
  flow::Runs& runs_;
  const ApiOptions options_;
  RunHub hub_;
  SqlSessions sessions_;
  std::vector<Routes> routes_;
  ReportsApi reports_;
  std::atomic<int64_t> requests_{0}, errors_{0}, statements_{0}, rows_out_{0};
};

// The API's description, as GET /api/v1/openapi.json answers it.
std::string_view openapi_document();

}  // namespace tarn::serve
