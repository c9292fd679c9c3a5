#include "app/server/service_log.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/time.h"
#include "serve/http/json.h"

namespace tarn::app {
namespace {

constexpr std::array<std::pair<LogLevel, std::string_view>, 4> kLevels = {{{LogLevel::kDebug, "debug"},
                                                                           {LogLevel::kInfo, "info"},
                                                                           {LogLevel::kWarning, "warning"},
                                                                           {LogLevel::kError, "error"}}};
constexpr size_t kSecretBytesMin = 6;  // shorter ones would hide ordinary words
constexpr size_t kMessageBytesMax = 8000;

// With microseconds always, so that lines stand below each other.
std::string moment(Timestamp at) {
  auto text = format_utc(at);
  const auto dot = text.find('.');
  auto digits = dot == std::string::npos ? std::string() : text.substr(dot + 1, text.size() - dot - 2);
  digits.resize(6, '0');
  return text.substr(0, 19) + "." + digits + "Z";
}

// One line; a terminal obeys nothing of it.
std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; },
      ' ');
  return text;
}

}  // namespace

std::string_view name_of(LogLevel level) {
  for (const auto& [known, name] : kLevels) {
    if (known == level)
      return name;
  }
  return "info";
}

Result<LogOptions> read_log_options(const std::string& text) {
  LogOptions options;
  for (size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find(',', at), text.size());
    const auto word = text.substr(at, end - at);
    at = end + 1;
    const auto level =
        std::find_if(kLevels.begin(), kLevels.end(), [&](const auto& one) { return one.second == word; });
    options.asked_for = true;
    if (level != kLevels.end()) {
      options.level = level->first;
    } else if (word == "json" || word == "text") {
      options.json = word == "json";
    } else {
      return Error{Code::kInvalid,
                   fmt::format("there is no log '{}': write text or json, and debug, info, warning "
                               "or error, e.g. json,debug",
                               word)};
    }
  }
  return options;
}

void ServiceLog::hide(std::string secret) {
  const std::lock_guard lock(mutex_);
  if (secret.size() >= kSecretBytesMin)
    secrets_.push_back(std::move(secret));
}

// Needs mutex_.
std::string ServiceLog::hidden(std::string text) {
  for (const auto& secret : secrets_) {
    for (size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at))
      text.replace(at, secret.size(), "…");
  }
  return text;
}

void ServiceLog::write(LogLevel level, std::string_view message, const LogFields& fields) {
  if (!hears(level))
    return;
  const auto at = moment(env_.clock->now());
  const std::lock_guard lock(mutex_);
  auto text = hidden(std::string(message.substr(0, kMessageBytesMax)));
  std::string line;
  if (options_.json) {
    serve::Json json = {{"time", at}, {"level", name_of(level)}, {"message", std::move(text)}};
    for (const auto& [key, value] :
         {std::pair{"run", &fields.run}, {"task", &fields.task}, {"request", &fields.request}}) {
      if (!value->empty())
        json[key] = hidden(*value);
    }
    if (fields.took)
      json["duration_ms"] = static_cast<double>(fields.took->count()) / 1000;
    line = serve::dump(json) + "\n";
  } else {
    const auto& id = fields.run.empty() ? fields.request : fields.run;
    line = fmt::format("{} {:<7} {}{}{}{}{}\n", at, name_of(level), one_line(std::move(text)),
                       fields.took ? fmt::format(" ({})", format_duration(*fields.took)) : "",
                       id.empty() ? "" : fmt::format(" [{}", hidden(id)),
                       fields.task.empty() ? "" : (id.empty() ? "[" : " ") + fields.task,
                       id.empty() && fields.task.empty() ? "" : "]");
  }
  std::fwrite(line.data(), 1, line.size(), to_);
  std::fflush(to_);
}

}  // namespace tarn::app
