// /api/v1/alerts: who is told, what is the matter, what was told; and test messages. /api/v1/clean.
#pragma once

#include "net/http_server.h"
#include "serve/backend.h"
#include "serve/http/json.h"

namespace tarn::serve {

// Called by several handler threads at once.
class AlertsApi {
 public:
  explicit AlertsApi(Backend& backend) : backend_(backend) {}

  // False: the path is not one of these, and nothing was answered.
  bool handle(const net::HttpServerRequest& request, net::HttpServerResponse& response);

 private:
  void list(net::HttpServerResponse& response);
  void test(const net::HttpServerRequest& request, net::HttpServerResponse& response);

  void clean(const net::HttpServerRequest& request, net::HttpServerResponse& response);

  Backend& backend_;
};

Json to_json(const alert::Overview& overview);
alert::Overview overview_of(const Json& json);
Json to_json(const alert::TestResult& result);
alert::TestResult test_result_of(const Json& json);

}  // namespace tarn::serve
