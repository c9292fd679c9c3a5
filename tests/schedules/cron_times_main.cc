// Says when cron texts are due: each line of standard input is zone, cron text, after, until, separated by
// tabs; each line of the output has the due times in (after, until], separated by blanks. For tests only.
#include <iostream>
#include <sstream>
#include <string>

#include <fmt/format.h>

#include "base/time.h"
#include "flow/cron.h"

namespace {

int complain(const std::string& line, const tarn::Error& error) {
  fmt::print(stderr, "{}: {}\n", line, error.message);
  return 2;
}

}  // namespace

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream words(line);
    std::string zone_name, text, after, until;
    std::getline(words, zone_name, '\t');
    std::getline(words, text, '\t');
    std::getline(words, after, '\t');
    std::getline(words, until, '\t');
    const auto zone = tarn::TimeZone::find(zone_name);
    if (!zone)
      return complain(line, zone.error());
    const auto cron = tarn::flow::parse_cron(text);
    if (!cron)
      return complain(line, cron.error());
    auto at = tarn::flow::next_due(*cron, *zone, tarn::parse_time(after).value());
    const auto end = tarn::parse_time(until).value();
    for (; at && *at <= end; at = tarn::flow::next_due(*cron, *zone, *at))
      fmt::print("{} ", tarn::format_utc(*at));
    fmt::print("\n");
  }
  return 0;
}
