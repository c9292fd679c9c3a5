#include "flow/cron.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <span>
#include <vector>

#include <fmt/format.h>

namespace tarn::flow {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

// The calendar repeats after 400 years, days of the week too: what has not come by then never comes.
constexpr int kMonthsMax = 400 * 12;

struct Field {
  std::string_view name;
  int first, last;
  std::string_view example;
  std::span<const std::string_view> names;  // of first, first + 1, ...
};

constexpr std::array<std::string_view, 12> kMonths = {"jan", "feb", "mar", "apr", "may", "jun",
                                                      "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kDays = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::array<Field, 5> kFields = {{{"minute", 0, 59, "0, */15 or 0,30", {}},
                                           {"hour", 0, 23, "6, 8-18 or */2", {}},
                                           {"day of month", 1, 31, "1, 1-7 or L", {}},
                                           {"month", 1, 12, "1, jan or 6-8", kMonths},
                                           {"day of week", 0, 7, "1, mon or mon-fri", kDays}}};

std::string lower(std::string_view text) {
  std::string folded(text);
  std::transform(folded.begin(), folded.end(), folded.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return folded;
}

Error mistake_in(const Field& field, std::string_view text) {
  return Error{Code::kInvalid, fmt::format("'{}' is not a {} ({} to {}); write e.g. {}", text, field.name,
                                           field.first, field.last, field.example)};
}

Result<int> parse_value(const Field& field, std::string_view text) {
  for (size_t i = 0; i < field.names.size(); ++i) {
    if (lower(text) == field.names[i])
      return field.first + static_cast<int>(i);
  }
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || value < field.first ||
      value > field.last) {
    return mistake_in(field, text);
  }
  return value;
}

// One member of a list: *, 5, 1-5, */2, 1-9/2, 5/10 (from 5 on).
Status add_member(const Field& field, std::string_view text, uint64_t& bits) {
  const auto slash = text.find('/');
  auto range = text.substr(0, slash);
  int step = 1;
  if (slash != std::string_view::npos) {
    const auto digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), step);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() || step < 1)
      return mistake_in(field, text);
    if (step > field.last - field.first + 1) {
      return Error{Code::kInvalid, fmt::format("the step of '{}' is longer than the {} goes ({} to {})", text,
                                               field.name, field.first, field.last)};
    }
  }
  int first = field.first;
  int last = field.last == 7 ? 6 : field.last;  // a week has one Sunday
  if (range != "*") {
    const auto dash = range.find('-');
    TARN_TRY(first, parse_value(field, range.substr(0, dash)));
    if (dash != std::string_view::npos) {
      TARN_TRY(last, parse_value(field, range.substr(dash + 1)));
    } else if (slash == std::string_view::npos) {
      last = first;
    }
    if (last == 0 && first > 0 && field.last == 7)
      last = 7;  // fri-sun
    if (last < first) {
      return Error{Code::kInvalid,
                   fmt::format("'{}' runs backwards; write it as two ranges with a comma: "
                               "{}-{},{}-{}",
                               range, first, field.last == 7 ? 6 : field.last, field.first, last)};
    }
  }
  for (int value = first; value <= last; value += step)
    bits |= uint64_t{1} << value;
  return ok();
}

Status parse_field(const Field& field, std::string_view text, uint64_t& bits, bool* has_last) {
  size_t start = 0;
  while (true) {
    const auto comma = text.find(',', start);
    const auto member = text.substr(start, comma == std::string_view::npos ? comma : comma - start);
    if (has_last != nullptr && (member == "L" || member == "l")) {
      *has_last = true;
    } else {
      TARN_CHECK(add_member(field, member, bits));
    }
    if (comma == std::string_view::npos)
      return ok();
    start = comma + 1;
  }
}

struct Word {
  std::string_view text;
  size_t at = 0;
};

std::vector<Word> words_of(std::string_view text) {
  std::vector<Word> words;
  size_t at = 0;
  while (at < text.size()) {
    const auto start = text.find_first_not_of(" \t\r\n", at);
    if (start == std::string_view::npos)
      break;
    const auto end = std::min(text.find_first_of(" \t\r\n", start), text.size());
    words.push_back({text.substr(start, end - start), start});
    at = end;
  }
  return words;
}

Result<std::string_view> expand_name(std::string_view word) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kNamed = {
      {{"@hourly", "0 * * * *"},
       {"@daily", "0 0 * * *"},
       {"@midnight", "0 0 * * *"},
       {"@weekly", "0 0 * * 0"},
       {"@monthly", "0 0 1 * *"},
       {"@yearly", "0 0 1 1 *"},
       {"@annually", "0 0 1 1 *"}}};
  for (const auto& [name, fields] : kNamed) {
    if (lower(word) == name)
      return fields;
  }
  return Error{Code::kInvalid,
               fmt::format("'{}' is not known; write @hourly, @daily, @weekly, @monthly or @yearly, or five "
                           "fields, e.g. '0 6 * * *' for every day at 6:00",
                           word)};
}

bool has(uint64_t bits, unsigned number) {
  return (bits >> number & 1U) != 0;
}

bool matches_day(const Cron& cron, std::chrono::year_month_day day) {
  const auto number = static_cast<unsigned>(day.day());
  const bool last = cron.last_day && (day.year() / day.month() / std::chrono::last).day() == day.day();
  const bool by_month = has(cron.month_days, number) || last;
  const bool by_week = has(cron.week_days, std::chrono::weekday(std::chrono::sys_days(day)).c_encoding());
  return cron.either_day ? by_month || by_week : by_month && by_week;
}

// The first matching hour and minute of a day from `from` on (minutes of the day).
std::optional<int> match_in_day(const Cron& cron, int from) {
  for (int hour = from / 60; hour < 24; ++hour) {
    if (!has(cron.hours, static_cast<unsigned>(hour)))
      continue;
    const int first = hour == from / 60 ? from % 60 : 0;
    for (int minute = first; minute < 60; ++minute) {
      if (has(cron.minutes, static_cast<unsigned>(minute)))
        return hour * 60 + minute;
    }
  }
  return std::nullopt;
}

}  // namespace

Result<Cron> parse_cron(std::string_view text, size_t* mistake_at) {
  const auto told = [mistake_at](size_t at, Error error) {
    if (mistake_at != nullptr)
      *mistake_at = at;
    return error;
  };
  auto words = words_of(text);
  Cron cron;
  cron.text = text;
  if (words.size() == 1 && words[0].text.starts_with("@")) {
    auto fields = expand_name(words[0].text);
    if (!fields)
      return told(words[0].at, fields.error());
    words = words_of(*fields);
  }
  if (words.size() != kFields.size()) {
    return told(words.empty() ? 0 : words[std::min(words.size() - 1, kFields.size())].at,
                Error{Code::kInvalid,
                      fmt::format("a cron text has five fields (minute hour day month weekday), '{}' has {}; "
                                  "write e.g. '0 6 * * *' for every day at 6:00, or use 'every: 10s'",
                                  text, words.size())});
  }
  std::array<uint64_t, 5> bits{};
  for (size_t i = 0; i < kFields.size(); ++i) {
    if (auto parsed = parse_field(kFields[i], words[i].text, bits[i], i == 2 ? &cron.last_day : nullptr);
        !parsed)
      return told(words[i].at, parsed.error());
  }
  cron.minutes = bits[0];
  cron.hours = static_cast<uint32_t>(bits[1]);
  cron.month_days = static_cast<uint32_t>(bits[2]);
  cron.months = static_cast<uint32_t>(bits[3]);
  cron.week_days = static_cast<uint32_t>((bits[4] | bits[4] >> 7U) & 0x7FU);
  cron.either_day = !words[2].text.starts_with("*") && !words[4].text.starts_with("*");
  cron.every_hour = words[1].text == "*";
  return cron;
}

std::optional<WallTime> next_on_wall(const Cron& cron, WallTime after) {
  using std::chrono::year_month_day;
  const auto start = std::chrono::floor<minutes>(after.time_since_epoch()) + minutes(1);
  auto date = std::chrono::sys_days(std::chrono::floor<days>(start));
  int from = static_cast<int>((start - std::chrono::floor<days>(start)) / minutes(1));
  for (int month = 0; month <= kMonthsMax;) {
    const year_month_day day(date);
    if (!has(cron.months, static_cast<unsigned>(day.month()))) {
      date = std::chrono::sys_days((day.year() / day.month() + std::chrono::months(1)) / 1);
      from = 0;
      ++month;
      continue;
    }
    if (matches_day(cron, day)) {
      if (const auto found = match_in_day(cron, from))
        return WallTime(date.time_since_epoch() + minutes(*found));
    }
    date += days(1);
    from = 0;
    month += year_month_day(date).month() != day.month() ? 1 : 0;
  }
  return std::nullopt;
}

std::optional<Timestamp> next_due(const Cron& cron, const TimeZone& zone, Timestamp after) {
  if (!cron.every_hour) {
    auto wall = zone.wall_at(after);
    while (true) {
      const auto next = next_on_wall(cron, wall);
      if (!next)
        return std::nullopt;
      // Not later where the clock shows a time for the second time, or several were left out together.
      if (const auto due = zone.first_at(*next); due > after)
        return due;
      wall = *next;
    }
  }
  while (true) {
    const auto span = zone.span_at(after);
    const auto next = next_on_wall(cron, WallTime(after.time_since_epoch() + span.offset));
    if (!next)
      return std::nullopt;
    const Timestamp due(next->time_since_epoch() - span.offset);
    if (due < span.end)
      return due;
    after = span.end - Duration(1);
    // The moment of the change itself belongs to the next span.
    const auto there = zone.span_at(span.end);
    const auto first = next_on_wall(cron, WallTime(after.time_since_epoch() + there.offset));
    if (!first)
      return std::nullopt;
    const Timestamp candidate(first->time_since_epoch() - there.offset);
    if (candidate < there.end)
      return candidate;
    after = there.end - Duration(1);
  }
}

Timestamp next_due(Duration every, Timestamp after) {
  const auto count = after.time_since_epoch().count();
  auto whole = count / every.count();
  if (count < 0 && count % every.count() != 0)
    --whole;
  return Timestamp(Duration((whole + 1) * every.count()));
}

}  // namespace tarn::flow
