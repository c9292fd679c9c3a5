// /api/v1/flows: which there are, the form and tasks of one with its newest runs, and its start.
#pragma once

#include <string>
#include <string_view>

#include "flow/runs.h"
#include "net/http_server.h"
#include "serve/backend.h"
#include "serve/http/json.h"
#include "serve/http/run_hub.h"

namespace tarn::serve {

// Called by several handler threads at once.
class FlowsApi {
 public:
  FlowsApi(Backend& backend, flow::Runs& runs, RunHub& hub) : backend_(backend), runs_(runs), hub_(hub) {}

  // False: the path is not one of these, and nothing was answered.
  bool handle(const net::HttpServerRequest& request, net::HttpServerResponse& response);

 private:
  Result<Json> list();
  Result<Json> one(const std::string& name);
  Result<Json> start(const std::string& name, const net::HttpServerRequest& request);

  Backend& backend_;
  flow::Runs& runs_;
  RunHub& hub_;
};

Json to_json(const flowfile::FlowSummary& flow);
flowfile::FlowSummary flow_of(const Json& json);

}  // namespace tarn::serve
