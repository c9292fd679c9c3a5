// /api/v1/reports: which there are, the form of one and what its values mean, the workbook
// itself, and its mail.
#pragma once

#include <string>
#include <string_view>

#include "base/env/env.h"
#include "net/http_server.h"
#include "serve/backend.h"
#include "serve/http/json.h"
#include "serve/http/run_hub.h"

namespace tarn::serve {

// Called by several handler threads at once.
class ReportsApi {
 public:
  ReportsApi(Env& env, Backend& backend, RunHub& hub, std::string spill_folder)
      : env_(env), backend_(backend), hub_(hub), spill_folder_(std::move(spill_folder)) {}

  // `rest` is the path behind /reports.
  void route(const net::HttpServerRequest& request, net::HttpServerResponse& response, std::string_view rest);

 private:
  void list(net::HttpServerResponse& response);
  void form(const std::string& name, net::HttpServerResponse& response);
  void values(const net::HttpServerRequest& request, const std::string& name,
              net::HttpServerResponse& response);
  void send(const net::HttpServerRequest& request, const std::string& name,
            net::HttpServerResponse& response);
  void make(const net::HttpServerRequest& request, const std::string& name,
            net::HttpServerResponse& response);

  Env& env_;
  Backend& backend_;
  RunHub& hub_;
  const std::string spill_folder_;  // absolute; for workbooks on their way out
};

Json to_json(const report::Form& form);
report::Form form_of(const Json& json);
report::FieldMeaning meaning_of(const Json& json);
Json to_json(const report::mail::SentRecord& record);
report::mail::SentRecord sent_of(const Json& json);
Json to_json(const ReportRequest& request);
// Parameters are texts, numbers, truth values, or lists of them.
Result<ReportRequest> report_request_of(const std::string& name, const Json& body);

}  // namespace tarn::serve
