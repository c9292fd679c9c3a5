// POST /api/v1/clean: takes out what is older than its retention, or says what would go.
#pragma once

#include "net/http_server.h"
#include "serve/backend.h"

namespace tarn::serve {

// Called by several handler threads at once.
class CleanApi {
 public:
  explicit CleanApi(Backend& backend) : backend_(backend) {}

  // False: the path is not this one, and nothing was answered.
  bool handle(const net::HttpServerRequest& request, net::HttpServerResponse& response);

 private:
  void clean(const net::HttpServerRequest& request, net::HttpServerResponse& response);

  Backend& backend_;
};

}  // namespace tarn::serve
