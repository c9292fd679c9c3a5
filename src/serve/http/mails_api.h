// /api/v1/mails: the mails of reports, page by page; what somebody says who looked whether one arrived; and
// sending one again.
#pragma once

#include "net/http_server.h"
#include "serve/backend.h"
#include "serve/http/event_feed.h"
#include "serve/http/run_hub.h"
#include "store/store.h"

namespace tarn::serve {

// Called by several handler threads at once.
class MailsApi {
 public:
  // `records`: control.sqlite.
  MailsApi(Backend& backend, RunHub& hub, store::Store& records, EventFeed& feed)
      : backend_(backend), hub_(hub), records_(records), feed_(feed) {}

  // False: the path is not one of these, and nothing was answered.
  bool handle(const net::HttpServerRequest& request, net::HttpServerResponse& response);

 private:
  void list(const net::HttpServerRequest& request, net::HttpServerResponse& response);
  void settle(const net::HttpServerRequest& request, net::HttpServerResponse& response);
  void send_again(const net::HttpServerRequest& request, net::HttpServerResponse& response);

  Backend& backend_;
  RunHub& hub_;
  store::Store& records_;
  EventFeed& feed_;
};

// With the parameters and under the occasion that it had: an occasion is mailed once.
Result<report::mail::SentRecord> send_mail_again(Backend& backend, const std::string& mail,
                                                 flow::RunObserver* observer, const flow::CancelFlag& cancel);

}  // namespace tarn::serve
