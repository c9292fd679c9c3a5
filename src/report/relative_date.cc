#include "report/relative_date.h"

#include <charconv>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "base/time.h"

namespace tarn::report {
namespace {

using std::chrono::days;
using std::chrono::months;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr int kStepMax = 100'000;

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words(1);
  for (const char c : text) {
    if (c == ' ' || c == '+' || c == '-') {
      words.emplace_back();
      if (c != ' ')
        words.insert(words.end(), {std::string(1, c), std::string()});
    } else {
      words.back() += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  std::erase(words, "");
  return words;
}

year_month_day last_of_month(std::chrono::year_month month) {
  return month / std::chrono::last;
}

year_month_day add_months(year_month_day date, int count) {
  const auto moved = date + months(count);
  return moved.ok() ? moved : last_of_month(moved.year() / moved.month());
}

std::optional<year_month_day> add(year_month_day date, int count, std::string unit) {
  if (unit.ends_with("s"))
    unit.pop_back();
  if (unit == "day")
    return year_month_day(sys_days(date) + days(count));
  if (unit == "week")
    return year_month_day(sys_days(date) + days(7 * count));
  if (unit == "month" || unit == "quarter" || unit == "year")
    return add_months(date, count * (unit == "month" ? 1 : unit == "quarter" ? 3 : 12));
  return std::nullopt;
}

std::optional<year_month_day> start_of(year_month_day date, const std::string& unit) {
  const auto month = static_cast<unsigned>(date.month());
  if (unit == "week") {
    const auto weekday = std::chrono::weekday(sys_days(date)).iso_encoding();
    return year_month_day(sys_days(date) - days(weekday - 1));
  }
  if (unit == "month")
    return date.year() / date.month() / 1;
  if (unit == "quarter")
    return date.year() / std::chrono::month((month - 1) / 3 * 3 + 1) / 1;
  if (unit == "year")
    return date.year() / 1 / 1;
  return std::nullopt;
}

// Takes the words of the day that is counted from.
std::optional<year_month_day> take_base(const std::vector<std::string>& words, size_t& next,
                                        year_month_day today) {
  if (words.empty())
    return std::nullopt;
  const auto& word = words[next++];
  if (word == "today")
    return today;
  if (word == "yesterday" || word == "tomorrow")
    return year_month_day(sys_days(today) + days(word == "tomorrow" ? 1 : -1));
  if ((word != "start" && word != "end") || words.size() < 3 || words[1] != "of")
    return std::nullopt;
  next = 3;
  const auto start = start_of(today, words[2]);
  if (!start || word == "start")
    return start;
  const auto after = add(*start, 1, words[2]);
  return year_month_day(sys_days(*after) - days(1));
}

std::optional<year_month_day> read_words(std::string_view text, year_month_day today) {
  const auto words = words_of(text);
  size_t next = 0;
  auto date = take_base(words, next, today);
  for (; date && next < words.size(); next += 3) {
    int count = 0;
    if (next + 2 >= words.size() || (words[next] != "+" && words[next] != "-"))
      return std::nullopt;
    const auto& number = words[next + 1];
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), count);
    if (error != std::errc() || end != number.data() + number.size() || count < 0 || count > kStepMax)
      return std::nullopt;
    date = add(*date, words[next] == "+" ? count : -count, words[next + 2]);
  }
  return date;
}

}  // namespace

Result<year_month_day> resolve_date(std::string_view text, year_month_day today) {
  if (text.size() == 10) {
    if (const auto time = parse_time(text))
      return year_month_day(std::chrono::floor<days>(*time));
  }
  const auto date = read_words(text, today);
  if (date && date->ok() && date->year() >= std::chrono::year(1) && date->year() <= std::chrono::year(9999))
    return *date;
  return Error{
      Code::kInvalid,
      fmt::format("'{}' is not a date: write 2026-11-21, today - 30 days, start of month or end of year - 1 "
                  "year",
                  text)};
}

std::string format_date(year_month_day date) {
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

}  // namespace tarn::report
