// The part of the API about schedules: /api/v1/schedules, /upcoming, /calendar, /backfill.
#pragma once

#include <functional>
#include <string>

#include "base/time_zone.h"
#include "flow/scheduler.h"
#include "net/http_server.h"
#include "serve/http/run_hub.h"

namespace tarn::serve {

// Called by several handler threads at once.
class SchedulesApi {
 public:
  SchedulesApi(flow::Scheduler& scheduler, flow::SchedulerHost& host, RunHub& hub, Env& env,
               std::function<TimeZone()> project_zone)
      : scheduler_(scheduler), host_(host), hub_(hub), env_(env), project_zone_(std::move(project_zone)) {}

  // False: the path is not one of these, and nothing was answered.
  bool handle(const net::HttpServerRequest& request, net::HttpServerResponse& response);

 private:
  using Request = net::HttpServerRequest;
  using Response = net::HttpServerResponse;
  void list(Response& response);
  void act(const std::string& name, const std::string& action, Response& response);
  void history(const std::string& name, const Request& request, Response& response);
  void upcoming(const Request& request, Response& response);
  void calendar(const Request& request, Response& response);
  void list_backfills(const Request& request, Response& response);
  void start_backfill(const Request& request, Response& response);
  void show_backfill(const std::string& id, Response& response);
  void cancel_backfill(const std::string& id, Response& response);

  flow::Scheduler& scheduler_;
  flow::SchedulerHost& host_;
  RunHub& hub_;
  Env& env_;
  const std::function<TimeZone()> project_zone_;
};

}  // namespace tarn::serve
