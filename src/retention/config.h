// `retention:` of tarn.yml: how long what is by the way is kept. A plain value; docs/retention.md is the
// reference.
#pragma once

#include <optional>

#include "base/diagnostic.h"
#include "base/env/env.h"
#include "codec/yaml.h"

namespace tarn::retention {

constexpr Duration kDay{86'400'000'000};

// Nothing: for ever.
struct Policy {
  std::optional<Duration> raw = 90 * kDay;         // bytes as fetched
  std::optional<Duration> logs = 30 * kDay;        // lines of attempts
  std::optional<Duration> quarantine = 90 * kDay;  // rows
  std::optional<Duration> due = 90 * kDay;
  std::optional<Duration> runs = 400 * kDay;     // runs, tasks, attempts, versions read and written
  std::optional<Duration> sent = 400 * kDay;     // mails and alerts
  std::optional<Duration> fetches = 400 * kDay;  // records of fetches; their bytes go by `raw`
  std::optional<Duration> history = 400 * kDay;  // versions of tables
  std::optional<Duration> orphans = kDay;  // files of the lake that nothing names, since they were written
};

// A null node: the defaults.
Policy read_policy(const codec::YamlNode& node, Diagnostics& diagnostics);

}  // namespace tarn::retention
