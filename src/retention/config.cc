#include "retention/config.h"

#include <fmt/format.h>

#include "base/time.h"

namespace tarn::retention {
namespace {

std::optional<Duration> read_span(codec::YamlReader& reader, const codec::YamlNode& map, std::string_view key,
                                  std::optional<Duration> fallback) {
  const auto text = reader.text(key);
  if (text.empty())
    return fallback;
  if (text == "forever")
    return std::nullopt;
  const auto span = parse_duration(text);
  if (!span || *span < kDay) {
    reader.mistake(*map.find(key), fmt::format("{} is a time of at least a day, e.g. 90d, or forever", key));
    return fallback;
  }
  return *span;
}

bool is_shorter(const std::optional<Duration>& a, const std::optional<Duration>& b) {
  return a && (!b || *a < *b);
}

}  // namespace

Policy read_policy(const codec::YamlNode& node, Diagnostics& diagnostics) {
  Policy policy;
  if (node.kind == codec::YamlNode::Kind::kNull)
    return policy;
  if (node.kind != codec::YamlNode::Kind::kMap) {
    diagnostics.push_back({node.place, "retention is a map: {raw: 90d, logs: 30d, runs: forever}"});
    return policy;
  }
  codec::YamlReader reader(node, "retention", diagnostics);
  policy.raw = read_span(reader, node, "raw", policy.raw);
  policy.logs = read_span(reader, node, "logs", policy.logs);
  policy.quarantine = read_span(reader, node, "quarantine", policy.quarantine);
  policy.due = read_span(reader, node, "due", policy.due);
  policy.runs = read_span(reader, node, "runs", policy.runs);
  policy.sent = read_span(reader, node, "sent", policy.sent);
  policy.fetches = read_span(reader, node, "fetches", policy.fetches);
  policy.history = read_span(reader, node, "history", policy.history);
  policy.orphans = read_span(reader, node, "orphans", policy.orphans);
  reader.finish();
  if (is_shorter(policy.fetches, policy.raw) &&
      (node.find("fetches") != nullptr || node.find("raw") != nullptr)) {
    const auto* at = node.find("fetches") != nullptr ? node.find("fetches") : node.find("raw");
    diagnostics.push_back(
        {at->place, "fetches are kept at least as long as raw: they say what the bytes are"});
  }
  return policy;
}

}  // namespace tarn::retention
