#include "report/mail/mail_config.h"

#include <fmt/format.h>

#include "base/time.h"
#include "codec/text_distance.h"

namespace tarn::report::mail {
namespace {

constexpr size_t kRecipientsMax = 100;
constexpr int64_t kRowsMax = 1000;

}  // namespace

MailConfig read_mail(const codec::YamlNode& node, Diagnostics& diagnostics) {
  MailConfig config;
  config.place = node.place;
  codec::YamlReader reader(node, "mail", diagnostics);
  config.to = read_addresses(reader, "to", node, diagnostics);
  config.cc = read_addresses(reader, "cc", node, diagnostics);
  config.bcc = read_addresses(reader, "bcc", node, diagnostics);
  const auto all = config.to.size() + config.cc.size() + config.bcc.size();
  if (all == 0 && node.find("to") == nullptr)
    reader.mistake(node, "a mail needs somebody it goes to: 'to: ada@example.org'");
  if (all > kRecipientsMax)
    reader.mistake(
        node, fmt::format("a mail goes to at most {} people: give them a list's address", kRecipientsMax));
  const auto place_of = [&](std::string_view key) {
    const auto* found = node.find(key);
    return found != nullptr ? found->place : node.place;
  };
  config.subject = reader.text("subject", "{title}");
  config.subject_place = place_of("subject");
  config.text = reader.text("text");
  config.text_place = place_of("text");
  config.table = read_query(reader, "table", node, false);
  config.table_rows = reader.integer("table_rows").value_or(config.table_rows);
  if (config.table_rows < 1 || config.table_rows > kRowsMax)
    reader.mistake(*node.find("table_rows"), fmt::format("table_rows is between 1 and {}", kRowsMax));
  if (const auto* chart = reader.child("chart")) {
    config.chart = chart::read_chart(*chart, diagnostics);
    if (config.chart->query.text.empty())
      config.chart->query = config.table;
    if (config.chart->query.text.empty())
      reader.mistake(*chart, "the chart needs a query, here or as the mail's table");
  }
  config.attach = reader.boolean("attach", true);
  config.only_if_rows = reader.boolean("only_if_rows", false);
  config.repeatable = reader.boolean("repeatable", false);
  config.attempts = reader.integer("attempts").value_or(config.attempts);
  if (config.attempts < 1 || config.attempts > 20)
    reader.mistake(*node.find("attempts"), "attempts is between 1 and 20");
  if (const auto delay = reader.text("first_delay"); !delay.empty()) {
    const auto parsed = parse_duration(delay);
    if (!parsed || *parsed > std::chrono::hours(1)) {
      reader.mistake(*node.find("first_delay"), "first_delay is a time of at most 1h, e.g. 30s");
    } else {
      config.first_delay = *parsed;
    }
  }
  reader.finish();
  return config;
}

Result<std::string> put_values(std::string_view text, const std::map<std::string, std::string>& values) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text.substr(at).starts_with("{{")) {
      out += '{';
      ++at;
      continue;
    }
    const auto end = text[at] == '{' ? text.find('}', at) : std::string_view::npos;
    if (end == std::string_view::npos) {
      out += text[at];
      continue;
    }
    const std::string name(text.substr(at + 1, end - at - 1));
    const auto found = values.find(name);
    if (found == values.end()) {
      std::vector<std::string> names;
      for (const auto& [one, value] : values)
        names.push_back(one);
      const auto near = codec::nearest(name, names);
      return Error{Code::kInvalid,
                   fmt::format("there is no {{{}}} to put in: {}", name,
                               near.empty() ? fmt::format("there are {}", fmt::join(names, ", "))
                                            : fmt::format("did you mean {{{}}}?", near))};
    }
    out += found->second;
    at = end;
  }
  return out;
}

std::string all_recipients(const MailConfig& config) {
  std::string out;
  for (const auto* list : {&config.to, &config.cc, &config.bcc}) {
    for (const auto& one : *list)
      out += (out.empty() ? "" : ", ") + to_string(one);
  }
  return out;
}

}  // namespace tarn::report::mail
