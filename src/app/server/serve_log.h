// What happens in a server, as lines of its log: runs and their tasks, requests, its end.
#pragma once

#include "app/server/service_log.h"
#include "net/http_server.h"
#include "serve/http/json.h"

namespace tarn::app {

// An event of the run hub, see serve::RunHub::listen().
void log_event(ServiceLog& log, const std::string& run, const serve::Json& event);

// Answers carry X-Request-Id: the one that the request brought, or a new one; at level debug each request is
// a line when it is answered. Neither a query nor what looks like a token in a path is shown.
net::HttpHandler with_request_log(Env& env, ServiceLog& log, net::HttpHandler handler);

// The path as it may be shown.
std::string shown_path(const std::string& path);

}  // namespace tarn::app
