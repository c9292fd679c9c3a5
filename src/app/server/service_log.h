// What a server tells whoever runs it: one line an event on stderr, as text for people or as JSON for
// machines. No secret comes into it: those that are known are hidden wherever they stand. Thread-safe; a line
// is written whole.
#pragma once

#include <cstdio>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/env/env.h"
#include "base/result.h"

namespace tarn::app {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
std::string_view name_of(LogLevel level);

struct LogOptions {
  bool json = false;
  LogLevel level = LogLevel::kInfo;
  bool asked_for =
      false;  // by --log or TARN_LOG: what is printed is for a log, not for a person at a terminal
};

// "json", "text", "debug", "json,debug"; empty: the defaults.
Result<LogOptions> read_log_options(const std::string& text);

struct LogFields {
  std::string run, task, request;  // empty: left out
  std::optional<Duration> took;
};

class ServiceLog {
 public:
  ServiceLog(Env& env, LogOptions options, std::FILE* to = stderr) : env_(env), options_(options), to_(to) {}

  [[nodiscard]] bool hears(LogLevel level) const { return level >= options_.level; }
  [[nodiscard]] const LogOptions& options() const { return options_; }
  // From now on it is "…" wherever it stands.
  void hide(std::string secret);
  void write(LogLevel level, std::string_view message, const LogFields& fields = {});

 private:
  [[nodiscard]] std::string hidden(std::string text);

  Env& env_;
  const LogOptions options_;
  std::FILE* to_;
  std::mutex mutex_;  // guards the next, and the file
  std::vector<std::string> secrets_;
};

}  // namespace tarn::app
