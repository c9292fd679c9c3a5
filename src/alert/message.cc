#include "alert/message.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/time.h"
#include "codec/base64.h"
#include "codec/sha256.h"
#include "report/mail/html.h"

namespace tarn::alert {
namespace {

using Json = nlohmann::json;
using report::mail::html_escaped;

constexpr size_t kShownMax = 20;        // of a summary
constexpr size_t kErrorBytesMax = 600;  // of one, in a chat
constexpr size_t kTitleBytesMax = 150;
constexpr size_t kNtfyBytesMax = 3900;  // it takes 4,096 as a message, and more as a file

std::string cut(std::string text, size_t bytes_max) {
  if (text.size() <= bytes_max)
    return text;
  size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
    --end;  // no letter is cut
  text.resize(end);
  return text + "…";
}

// One line, without control characters.
std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; },
      ' ');
  return text;
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string when(Timestamp at, const TimeZone& zone) {
  const auto wall = format_utc(Timestamp(zone.wall_at(at).time_since_epoch()));
  return fmt::format("{} {} ({})", wall.substr(0, 10), wall.substr(11, 5), zone.name());
}

// "run 20261129T…, of schedule nightly, at …; 3 tasks behind it did not run"
std::string circumstances(const Letter& letter, const Fact& fact) {
  std::string text = when(fact.at, letter.zone);
  if (!fact.run.empty())
    text += fmt::format(", run {}", fact.run);
  if (!fact.schedule.empty() && fact.subject != "schedule " + fact.schedule)
    text += fmt::format(" of schedule {}", fact.schedule);
  if (fact.event == Event::kRecovery) {
    text += fmt::format("; it was so for {}",
                        format_duration(std::chrono::duration_cast<Duration>(fact.at - fact.since)));
  } else if (fact.skipped > 0) {
    text += fmt::format("; {} task{} behind it did not run", fact.skipped, fact.skipped == 1 ? "" : "s");
  }
  return one_line(text);
}

std::string link_of(const Letter& letter, const Fact& fact) {
  if (letter.url.empty())
    return "";
  return fact.run.empty() ? letter.url + "/" : fmt::format("{}/flow/runs/{}", letter.url, fact.run);
}

std::string matter(const Fact& fact) {
  const auto text = cut(one_line(fact.text), kErrorBytesMax);
  return fact.event == Event::kRecovery && !text.empty() ? "before: " + text : text;
}

std::string more_line(const Letter& letter) {
  if (letter.alerts.size() <= kShownMax)
    return "";
  return fmt::format("and {} more: SELECT * FROM _tarn.alerts WHERE message = '{}'",
                     letter.alerts.size() - kShownMax, letter.id);
}

std::vector<const Alert*> shown(const Letter& letter) {
  std::vector<const Alert*> all;
  for (const auto& alert : letter.alerts)
    all.push_back(&alert);
  std::sort(all.begin(), all.end(), [](const Alert* a, const Alert* b) {
    const auto rank = [](const Alert* one) {
      return std::pair(one->fact.event == Event::kRecovery, one);  // else as they stand
    };
    return rank(a) < rank(b);
  });
  all.resize(std::min(all.size(), kShownMax));
  return all;
}

std::string_view counted(Event event) {
  switch (event) {
    case Event::kFailure: return "failed";
    case Event::kRecovery: return "well again";
    case Event::kLateness: return "late";
    case Event::kTest: return "data tests";
    case Event::kQuarantine: return "in quarantine";
  }
  return "";
}

std::string test_text() {
  return "This is a test message: alerts of this project arrive here.";
}

// Slack's three, and what would end a block of code.
std::string slack_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '`': out += '\''; break;
      default: out += c;
    }
  }
  return out;
}

// What would be a link or bold stands for itself between letters that are not seen.
std::string slack_words(std::string_view text) {
  std::string out;
  for (const char c : slack_text(text)) {
    if (c == '*' || c == '_' || c == '~' || c == '@' || c == '#')
      out += "\xE2\x81\xA0";  // word joiner
    out += c;
  }
  return out;
}

Json slack_section(const std::string& text) {
  return {{"type", "section"}, {"text", {{"type", "mrkdwn"}, {"text", text}, {"verbatim", true}}}};
}

Json facts_of(const Letter& letter, const Alert& alert) {
  const auto& fact = alert.fact;
  Json json = {{"id", alert.id},
               {"event", name_of(fact.event)},
               {"subject", fact.subject},
               {"headline", headline(fact)},
               {"text", fact.text},
               {"at", format_utc(fact.at)},
               {"since", format_utc(fact.since)},
               {"url", link_of(letter, fact)}};
  if (fact.event == Event::kRecovery)
    json["recovered_from"] = name_of(fact.kind);
  const auto add = [&json](const char* key, const std::string& value) {
    json[key] = value.empty() ? Json() : Json(value);
  };
  add("task", fact.task);
  add("kind", fact.task_kind);
  add("path", fact.path);
  add("run", fact.run);
  add("schedule", fact.schedule);
  json["rows_quarantined"] = fact.rows;
  json["tasks_skipped"] = fact.skipped;
  return json;
}

}  // namespace

std::string headline(const Fact& fact) {
  const auto subject = one_line(fact.subject);
  switch (fact.event) {
    case Event::kFailure: return subject + " failed";
    case Event::kLateness: return subject + " is late";
    case Event::kTest:
      return fact.text.starts_with("warning: ") ? subject + ": a data test warns"
                                                : subject + ": a data test failed";
    case Event::kQuarantine:
      return fmt::format("{}: {} row{} in quarantine", subject, fact.rows, fact.rows == 1 ? "" : "s");
    case Event::kRecovery: break;
  }
  switch (fact.kind) {
    case Event::kLateness: return subject + " is no longer late";
    case Event::kTest: return subject + ": its data tests pass again";
    case Event::kQuarantine: return subject + ": no more rows go to quarantine";
    case Event::kFailure:
    case Event::kRecovery: break;
  }
  return subject + " is well again";
}

std::string title(const Letter& letter) {
  const auto front = fmt::format("[{}] ", one_line(letter.project));
  if (letter.alerts.empty())
    return front + "a test message";
  if (letter.alerts.size() == 1)
    return cut(front + headline(letter.alerts.front().fact), kTitleBytesMax);
  std::map<Event, int> counts;
  for (const auto& alert : letter.alerts)
    ++counts[alert.fact.event];
  std::string text;
  for (const auto event :
       {Event::kFailure, Event::kTest, Event::kLateness, Event::kQuarantine, Event::kRecovery}) {
    if (counts[event] > 0)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", counts[event], counted(event));
  }
  return cut(front + text, kTitleBytesMax);
}

std::string plain_text(const Letter& letter) {
  if (letter.alerts.empty())
    return test_text() + "\n";
  std::string out;
  for (const auto* alert : shown(letter)) {
    const auto& fact = alert->fact;
    out += headline(fact) + "\n";
    if (!matter(fact).empty())
      out += "  " + matter(fact) + "\n";
    out += "  " + circumstances(letter, fact) + "\n";
    if (const auto link = link_of(letter, fact); !link.empty())
      out += "  " + link + "\n";
    out += "\n";
  }
  if (const auto more = more_line(letter); !more.empty())
    out += more + "\n";
  return out;
}

std::string html_text(const Letter& letter) {
  std::string out =
      "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"></head>\n"
      "<body style=\"font-family:sans-serif;font-size:14px;color:#222\">\n";
  if (letter.alerts.empty())
    out += fmt::format("<p>{}</p>\n", html_escaped(test_text()));
  for (const auto* alert : shown(letter)) {
    const auto& fact = alert->fact;
    const bool well = fact.event == Event::kRecovery;
    out += fmt::format(
        "<div style=\"border-left:4px solid {};padding:2px 12px;margin:0 0 16px\">\n"
        "<p style=\"margin:4px 0;font-size:16px;font-weight:600\">{}</p>\n",
        well ? "#2e7d32" : "#b3261e", html_escaped(headline(fact)));
    if (!matter(fact).empty())
      out += fmt::format("<p style=\"margin:4px 0;font-family:monospace;white-space:pre-wrap\">{}</p>\n",
                         html_escaped(matter(fact)));
    out += fmt::format("<p style=\"margin:4px 0;color:#666\">{}</p>\n",
                       html_escaped(circumstances(letter, fact)));
    if (const auto link = link_of(letter, fact); !link.empty())
      out += fmt::format("<p style=\"margin:4px 0\"><a href=\"{0}\">{0}</a></p>\n", html_escaped(link));
    out += "</div>\n";
  }
  if (const auto more = more_line(letter); !more.empty())
    out += fmt::format("<p style=\"color:#666\">{}</p>\n", html_escaped(more));
  return out + fmt::format("<p style=\"color:#666;font-size:12px\">{}: message {}</p>\n</body></html>\n",
                           html_escaped(letter.project), html_escaped(letter.id));
}

std::string slack_body(const Letter& letter) {
  Json blocks = Json::array();
  if (letter.alerts.empty())
    blocks.push_back(slack_section(test_text()));
  for (const auto* alert : shown(letter)) {
    const auto& fact = alert->fact;
    auto text = fmt::format("*{}*", slack_words(headline(fact)));
    if (!matter(fact).empty())
      text += fmt::format("\n```{}```", slack_text(matter(fact)));
    text += "\n" + slack_words(circumstances(letter, fact));
    if (const auto link = link_of(letter, fact); !link.empty())
      text += fmt::format("\n<{}|Open the run>", slack_text(link));
    blocks.push_back(slack_section(text));
  }
  if (const auto more = more_line(letter); !more.empty())
    blocks.push_back(slack_section(slack_text(more)));
  return dump({{"text", slack_words(title(letter))}, {"blocks", blocks}});
}

// Text runs, which unlike text blocks are no Markdown.
std::string teams_body(const Letter& letter) {
  const auto rich = [](const std::string& text, bool bold, bool mono) {
    return Json{{"type", "RichTextBlock"},
                {"inlines", Json::array({Json{{"type", "TextRun"},
                                              {"text", text},
                                              {"weight", bold ? "Bolder" : "Default"},
                                              {"fontType", mono ? "Monospace" : "Default"}}})}};
  };
  Json body = Json::array({rich(title(letter), true, false)});
  if (letter.alerts.empty())
    body.push_back(rich(test_text(), false, false));
  for (const auto* alert : shown(letter)) {
    const auto& fact = alert->fact;
    Json items = Json::array({rich(headline(fact), true, false)});
    if (!matter(fact).empty())
      items.push_back(rich(matter(fact), false, true));
    items.push_back(rich(circumstances(letter, fact), false, false));
    Json container = {{"type", "Container"},
                      {"style", fact.event == Event::kRecovery ? "good" : "attention"},
                      {"items", items}};
    if (const auto link = link_of(letter, fact); !link.empty())
      container["selectAction"] = {{"type", "Action.OpenUrl"}, {"url", link}};
    body.push_back(container);
  }
  if (const auto more = more_line(letter); !more.empty())
    body.push_back(rich(more, false, false));
  const Json card = {{"type", "AdaptiveCard"},
                     {"$schema", "http://adaptivecards.io/schemas/adaptive-card.json"},
                     {"version", "1.4"},
                     {"body", body}};
  return dump({{"type", "message"},
               {"attachments", Json::array({Json{{"contentType", "application/vnd.microsoft.card.adaptive"},
                                                 {"contentUrl", nullptr},
                                                 {"content", card}}})}});
}

std::string ntfy_body(const Letter& letter, const std::string& topic) {
  const bool all_well = std::all_of(letter.alerts.begin(), letter.alerts.end(),
                                    [](const auto& alert) { return alert.fact.event == Event::kRecovery; });
  Json json = {{"topic", topic},
               {"title", title(letter)},
               {"message", cut(plain_text(letter), kNtfyBytesMax)},
               {"priority", all_well ? 3 : 4},
               {"tags", Json::array({all_well ? "white_check_mark" : "rotating_light"})}};
  if (letter.alerts.size() == 1 && !letter.url.empty())
    json["click"] = link_of(letter, letter.alerts.front().fact);
  return dump(json);
}

std::string webhook_body(const Letter& letter) {
  Json alerts = Json::array();
  for (const auto& alert : letter.alerts)
    alerts.push_back(facts_of(letter, alert));
  return dump({{"type", letter.alerts.empty() ? "test" : "alerts"},
               {"id", letter.id},
               {"project", letter.project},
               {"sent_at", format_utc(letter.at)},
               {"title", title(letter)},
               {"alerts", alerts}});
}

std::string signature(std::string_view secret, std::string_view id, int64_t seconds, std::string_view body) {
  std::string key(secret);
  if (secret.starts_with("whsec_"))
    key = codec::from_base64(secret.substr(6)).value_or(key);
  return "v1," + codec::base64(codec::hmac_sha256(key, fmt::format("{}.{}.{}", id, seconds, body)));
}

}  // namespace tarn::alert
