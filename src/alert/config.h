// `alerts:` of tarn.yml: who is told what, by name. Plain values; docs/alerts.md is the reference. Addresses
// and secrets are references until they are used, and an address of a webhook is never shown: whoever knows
// it can post.
#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "base/env/env.h"
#include "base/time_zone.h"
#include "codec/yaml.h"
#include "report/mail/settings.h"

namespace tarn::alert {

enum class Event {
  kFailure,     // a task or a run failed
  kRecovery,    // what was told of is well again
  kLateness,    // a task's newest success is older than its freshness allows (error_after)
  kTest,        // a data test failed or warned
  kQuarantine,  // rows landed in quarantine
};
std::string_view name_of(Event event);
std::optional<Event> event_of(std::string_view name);

enum class Kind { kMail, kSlack, kTeams, kNtfy, kWebhook };
std::string_view name_of(Kind kind);

// A stretch of the day, which may pass midnight: minutes since 00:00 of the clock on the wall.
struct Quiet {
  int from = 0, to = 0;
};
bool is_quiet(const Quiet& quiet, Timestamp at, const TimeZone& zone);
Timestamp end_of_quiet(const Quiet& quiet, Timestamp at, const TimeZone& zone);  // when `at` is in it

struct Channel {
  std::string name;
  Place place;
  Kind kind = Kind::kMail;
  std::vector<report::mail::Address> to;  // mail
  std::string url;                        // others; with references
  std::string secret;                     // webhook: signs; with references
  std::string token;                      // ntfy: access; with references
  std::set<Event> events;
  std::vector<std::string> of, except;         // selection; both empty: everything
  std::optional<std::set<std::string>> tasks;  // what it selects, filled by whoever knows the tasks
  int64_t quarantine_rows = 1;                 // fewer of one run are not told
  int per_hour = 10;                           // messages
  std::optional<Quiet> quiet;
  bool repeatable = false;  // a message that may have arrived is sent again
  Duration first_delay{10'000'000};
  Duration give_up{86'400'000'000};
  std::chrono::seconds timeout{30};

  [[nodiscard]] bool selects(const std::string& task) const { return !tasks || tasks->contains(task); }
};

// A null node: nobody is told. Channels with mistakes are left out.
std::vector<Channel> read_channels(const codec::YamlNode& node, Diagnostics& diagnostics);

// "ada@example.org, bob@example.org", or the kind and what it is reached by without its address, for people.
std::string target_of(const Channel& channel);

}  // namespace tarn::alert
