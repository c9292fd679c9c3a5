// What a message says, for each kind of channel. Pure. Whatever comes from data (errors, names, values) stays
// text: it cannot mention, link, format or end anything.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "alert/records.h"
#include "base/time_zone.h"

namespace tarn::alert {

struct Letter {
  std::string project;
  std::string id;   // of the message
  std::string url;  // of the web UI, for links; empty: none
  TimeZone zone;
  Timestamp at;
  std::vector<Alert> alerts;  // empty: a test
};

// "raw_bars failed"
std::string headline(const Fact& fact);
// "[home] raw_bars failed", "[home] 3 failed, 1 well again"
std::string title(const Letter& letter);
std::string plain_text(const Letter& letter);
std::string html_text(const Letter& letter);

// Bodies, as JSON.
std::string slack_body(const Letter& letter);
std::string teams_body(const Letter& letter);
std::string ntfy_body(const Letter& letter, const std::string& topic);
std::string webhook_body(const Letter& letter);  // all facts of all alerts

// "v1,<base64>" over "id.seconds.body", as Standard Webhooks says. A secret that begins with whsec_ is
// base64.
std::string signature(std::string_view secret, std::string_view id, int64_t seconds, std::string_view body);

}  // namespace tarn::alert
