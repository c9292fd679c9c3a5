#include "alert/config.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/time.h"
#include "project/project.h"

namespace tarn::alert {
namespace {

using codec::YamlNode;
using codec::YamlReader;

constexpr std::array<std::pair<Event, std::string_view>, 5> kEvents = {{{Event::kFailure, "failure"},
                                                                        {Event::kRecovery, "recovery"},
                                                                        {Event::kLateness, "lateness"},
                                                                        {Event::kTest, "test"},
                                                                        {Event::kQuarantine, "quarantine"}}};
constexpr std::array<std::pair<Kind, std::string_view>, 5> kKinds = {{{Kind::kMail, "mail"},
                                                                      {Kind::kSlack, "slack"},
                                                                      {Kind::kTeams, "teams"},
                                                                      {Kind::kNtfy, "ntfy"},
                                                                      {Kind::kWebhook, "webhook"}}};
constexpr size_t kChannelsMax = 50;
constexpr size_t kPeopleMax = 100;
constexpr int kDayMinutes = 24 * 60;
constexpr std::chrono::minutes kMinute{1};

// Reads one member of `alerts:`.
class ChannelReader {
 public:
  ChannelReader(const YamlNode::Entry& entry, Diagnostics& diagnostics)
      : map_(entry.value),
        reader_(entry.value, fmt::format("alert {}", entry.key), diagnostics),
        diagnostics_(diagnostics) {
    channel_.name = entry.key;
    channel_.place = entry.place;
  }

  Channel read() {
    read_target();
    read_events();
    channel_.of = reader_.texts("of").value_or(std::vector<std::string>());
    channel_.except = reader_.texts("except").value_or(std::vector<std::string>());
    channel_.quarantine_rows = read_count("quarantine_rows", 1, 1'000'000'000);
    channel_.per_hour = static_cast<int>(read_count("per_hour", channel_.per_hour, 3600));
    channel_.repeatable = reader_.boolean("repeatable", false);
    channel_.first_delay =
        read_time("first_delay", channel_.first_delay, std::chrono::milliseconds(1), std::chrono::hours(1));
    channel_.give_up =
        read_time("give_up", channel_.give_up, std::chrono::seconds(1), std::chrono::hours(24 * 30));
    channel_.timeout = std::chrono::duration_cast<std::chrono::seconds>(
        read_time("timeout", channel_.timeout, std::chrono::seconds(1), std::chrono::minutes(5)));
    read_quiet();
    reader_.finish();
    return std::move(channel_);
  }

 private:
  void mistake(std::string_view key, std::string message) {
    const auto* node = map_.find(key);
    reader_.mistake(node == nullptr ? map_ : *node, std::move(message));
  }

  void read_target() {
    int given = 0;
    for (const auto& [kind, key] : kKinds) {
      if (reader_.child(key) == nullptr)
        continue;
      ++given;
      channel_.kind = kind;
      if (kind == Kind::kMail) {
        const auto mistakes = diagnostics_.size();
        channel_.to = report::mail::read_addresses(reader_, "mail", map_, diagnostics_);
        if (channel_.to.empty() && diagnostics_.size() == mistakes)
          mistake("mail", "mail names somebody: ada@example.org");
        if (channel_.to.size() > kPeopleMax)
          mistake("mail", fmt::format("an alert goes to at most {} people", kPeopleMax));
      } else {
        channel_.url = reader_.text(key);
        check_url(key);
      }
    }
    if (given != 1) {
      reader_.mistake(map_, fmt::format("alert {} needs exactly one of mail, slack, teams, ntfy and webhook, "
                                        "e.g. mail: ada@example.org",
                                        channel_.name));
    }
    channel_.secret = read_secret("secret", Kind::kWebhook);
    channel_.token = read_secret("token", Kind::kNtfy);
  }

  // The address of a Slack or Teams hook is all that one needs to post there.
  void check_url(std::string_view key) {
    const auto& url = channel_.url;
    if (url.empty())
      return mistake(key, fmt::format("{} is the address that takes messages", key));
    const bool is_hook = channel_.kind == Kind::kSlack || channel_.kind == Kind::kTeams;
    if (is_hook && !project::has_secret(url)) {
      return mistake(key, fmt::format("who knows a {} address can post there: write it as a reference, "
                                      "${{env:NAME}} or ${{file:path}}",
                                      key));
    }
    const bool starts_well = url.starts_with("https://") || url.starts_with("http://");
    if (!starts_well && !project::has_secret(url))
      mistake(key, fmt::format("'{}' is no address: it begins with https://", url));
  }

  std::string read_secret(std::string_view key, Kind of) {
    auto text = reader_.text(key);
    if (text.empty())
      return text;
    if (channel_.kind != of)
      mistake(key, fmt::format("{} belongs to a channel of kind {}", key, name_of(of)));
    if (!project::has_secret(text))
      mistake(key, fmt::format("write the {} as a reference: ${{env:NAME}} or ${{file:path}}", key));
    return text;
  }

  void read_events() {
    const auto words = reader_.texts("events");
    if (!words) {
      for (const auto& [event, name] : kEvents)
        channel_.events.insert(event);
      return;
    }
    if (words->empty())
      mistake("events", "an alert without events tells nothing: take it out, or name some");
    for (const auto& word : *words) {
      if (const auto event = event_of(word)) {
        channel_.events.insert(*event);
        continue;
      }
      mistake("events", fmt::format("there is no event '{}': write failure, recovery, lateness, test or "
                                    "quarantine",
                                    word));
    }
  }

  int64_t read_count(std::string_view key, int64_t fallback, int64_t max) {
    const auto count = reader_.integer(key);
    if (!count)
      return fallback;
    if (*count >= 1 && *count <= max)
      return *count;
    mistake(key, fmt::format("{} {} is not between 1 and {}", key, *count, max));
    return fallback;
  }

  Duration read_time(std::string_view key, Duration fallback, Duration least, Duration most) {
    const auto text = reader_.text(key);
    if (text.empty())
      return fallback;
    const auto parsed = parse_duration(text);
    if (parsed && *parsed >= least && *parsed <= most)
      return *parsed;
    mistake(key, fmt::format("{} is a time between {} and {}, e.g. 30s", key, format_duration(least),
                             format_duration(most)));
    return fallback;
  }

  // "22:00-07:00"
  void read_quiet() {
    const auto text = reader_.text("quiet");
    if (text.empty())
      return;
    const auto dash = text.find('-');
    const auto from = dash == std::string::npos ? -1 : minutes_of(text.substr(0, dash));
    const auto to = dash == std::string::npos ? -1 : minutes_of(text.substr(dash + 1));
    if (from < 0 || to < 0 || from == to) {
      return mistake("quiet",
                     fmt::format("quiet '{}' is not a stretch of the day such as \"22:00-07:00\"", text));
    }
    channel_.quiet = Quiet{from, to};
  }

  // -1: it is no time of the day.
  static int minutes_of(std::string text) {
    std::erase(text, ' ');
    const bool shape = text.size() == 5 && text[2] == ':' &&
                       std::all_of(text.begin(), text.end(),
                                   [&](const char& c) { return &c == &text[2] || (c >= '0' && c <= '9'); });
    if (!shape)
      return -1;
    const int hours = (text[0] - '0') * 10 + text[1] - '0';
    const int minutes = (text[3] - '0') * 10 + text[4] - '0';
    return hours < 24 && minutes < 60 ? hours * 60 + minutes : -1;
  }

  const YamlNode& map_;
  YamlReader reader_;
  Diagnostics& diagnostics_;
  Channel channel_;
};

int64_t minute_of_day(WallTime wall) {
  const auto minutes = std::chrono::floor<std::chrono::minutes>(wall.time_since_epoch()).count();
  return (minutes % kDayMinutes + kDayMinutes) % kDayMinutes;
}

}  // namespace

std::string_view name_of(Event event) {
  for (const auto& [known, name] : kEvents) {
    if (known == event)
      return name;
  }
  return "failure";
}

std::optional<Event> event_of(std::string_view name) {
  for (const auto& [event, known] : kEvents) {
    if (known == name)
      return event;
  }
  return std::nullopt;
}

std::string_view name_of(Kind kind) {
  for (const auto& [known, name] : kKinds) {
    if (known == kind)
      return name;
  }
  return "mail";
}

bool is_quiet(const Quiet& quiet, Timestamp at, const TimeZone& zone) {
  const auto minute = minute_of_day(zone.wall_at(at));
  if (quiet.from < quiet.to)
    return minute >= quiet.from && minute < quiet.to;
  return minute >= quiet.from || minute < quiet.to;
}

Timestamp end_of_quiet(const Quiet& quiet, Timestamp at, const TimeZone& zone) {
  const auto wall = zone.wall_at(at);
  const auto minute = minute_of_day(wall);
  const auto left = (quiet.to - minute + kDayMinutes) % kDayMinutes;
  const auto start = std::chrono::floor<std::chrono::minutes>(wall.time_since_epoch());
  return zone.first_at(WallTime(start + left * kMinute));
}

std::vector<Channel> read_channels(const YamlNode& node, Diagnostics& diagnostics) {
  std::vector<Channel> channels;
  if (node.kind == YamlNode::Kind::kNull)
    return channels;
  if (node.kind != YamlNode::Kind::kMap) {
    diagnostics.push_back({node.place, "alerts is a map of names: 'me: {mail: ada@example.org}'"});
    return channels;
  }
  if (node.entries.size() > kChannelsMax)
    diagnostics.push_back({node.place, fmt::format("there are at most {} alerts", kChannelsMax)});
  for (const auto& entry : node.entries) {
    const auto mistakes = diagnostics.size();
    if (entry.value.kind != YamlNode::Kind::kMap) {
      diagnostics.push_back(
          {entry.value.place,
           fmt::format("alert {} is a map with one of mail, slack, teams, ntfy and webhook", entry.key)});
      continue;
    }
    auto channel = ChannelReader(entry, diagnostics).read();
    if (entry.key.empty() || entry.key.find_first_of("/ \t\n?#%") != std::string::npos) {
      diagnostics.push_back({entry.place, fmt::format("the alert's name '{}' may not have blanks and none of "
                                                      "/ ? # %",
                                                      entry.key)});
    }
    if (diagnostics.size() == mistakes)
      channels.push_back(std::move(channel));
  }
  return channels;
}

std::string target_of(const Channel& channel) {
  if (channel.kind != Kind::kMail)
    return std::string(name_of(channel.kind));
  std::string out;
  for (const auto& one : channel.to)
    out += (out.empty() ? "" : ", ") + report::mail::to_string(one);
  return out;
}

}  // namespace tarn::alert
