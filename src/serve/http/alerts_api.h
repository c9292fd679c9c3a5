// /api/v1/alerts: who is told, what is the matter, what was told, page by page; test messages; and what
// somebody says who looked whether one arrived.
#pragma once

#include "net/http_server.h"
#include "serve/backend.h"
#include "serve/http/json.h"
#include "store/store.h"

namespace tarn::serve {

// Called by several handler threads at once.
class AlertsApi {
 public:
  // `records`: control.sqlite, for the history.
  AlertsApi(Backend& backend, store::Store& records) : backend_(backend), records_(records) {}

  // False: the path is not one of these, and nothing was answered.
  bool handle(const net::HttpServerRequest& request, net::HttpServerResponse& response);

 private:
  void list(net::HttpServerResponse& response);
  void history(const net::HttpServerRequest& request, net::HttpServerResponse& response);
  void settle(std::string_view id, const net::HttpServerRequest& request, net::HttpServerResponse& response);
  void test(const net::HttpServerRequest& request, net::HttpServerResponse& response);

  Backend& backend_;
  store::Store& records_;
};

Json to_json(const alert::Overview& overview);
alert::Overview overview_of(const Json& json);
Json to_json(const alert::TestResult& result);
alert::TestResult test_result_of(const Json& json);

}  // namespace tarn::serve
