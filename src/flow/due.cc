#include "flow/due.h"

#include <algorithm>
#include <deque>

#include <fmt/format.h>

namespace tarn::flow {
namespace {

// Later than this after its time, a due run was missed: nobody was there to start it.
constexpr Duration kGrace{60'000'000};

// All due times of a stretch: how many, and the newest of them.
struct Missed {
  Timestamp first;
  int64_t count = 0;
  std::deque<Timestamp> newest;
};

Missed gather(const Schedule& schedule, Timestamp after, Timestamp now, size_t keep) {
  Missed missed;
  // After a long time without anybody a short `every` has many: those that are not kept are only counted.
  if (const auto first = next_due(schedule, after); schedule.every.count() > 0 && first && *first <= now) {
    const auto all = (now - *first) / schedule.every + 1;
    const auto skipped = std::max<int64_t>(0, all - static_cast<int64_t>(keep));
    missed.first = *first;
    missed.count = skipped;
    after = *first + schedule.every * skipped - Duration(1);
  }
  for (auto at = next_due(schedule, after); at && *at <= now; at = next_due(schedule, *at)) {
    if (missed.count++ == 0)
      missed.first = *at;
    missed.newest.push_back(*at);
    if (missed.newest.size() > keep)
      missed.newest.pop_front();
  }
  return missed;
}

DueSpan left_out(const Missed& missed, Timestamp last, int64_t count, std::string reason) {
  return {.first = missed.first, .last = last, .count = count, .runs = false, .reason = std::move(reason)};
}

void decide_none(const Missed& missed, Timestamp now, std::vector<DueSpan>& due) {
  const auto newest = missed.newest.back();
  if (now - newest > kGrace) {
    due.push_back(left_out(missed, newest, missed.count, "nobody was there at its time (catch_up: none)"));
    return;
  }
  if (missed.count > 1) {
    due.push_back(left_out(missed, missed.newest.front(), missed.count - 1,
                           "nobody was there at its time (catch_up: none)"));
  }
  due.push_back({.first = newest, .last = newest});
}

void decide_all(const Missed& missed, size_t most, std::vector<DueSpan>& due) {
  auto newest = missed.newest;
  if (newest.size() > most) {
    const auto last = newest.front();
    newest.pop_front();
    due.push_back(left_out(missed, last, missed.count - static_cast<int64_t>(newest.size()),
                           fmt::format("more than catch_up_max ({}) were missed", most)));
  }
  for (const auto at : newest)
    due.push_back({.first = at, .last = at});
}

}  // namespace

std::optional<Timestamp> next_due(const Schedule& schedule, Timestamp after) {
  if (schedule.cron)
    return next_due(*schedule.cron, schedule.zone.value_or(TimeZone()), after);
  if (schedule.every.count() > 0)
    return next_due(schedule.every, after);
  return std::nullopt;
}

Decision decide(const Schedule& schedule, Timestamp last_due_at, Timestamp now) {
  Decision decision;
  const auto most = static_cast<size_t>(schedule.catch_up_max);
  const auto missed =
      gather(schedule, last_due_at, now, schedule.catch_up == CatchUp::kAll ? most + 1 : size_t{2});
  decision.next = next_due(schedule, missed.count == 0 ? std::max(last_due_at, now) : now);
  if (missed.count == 0)
    return decision;
  switch (schedule.catch_up) {
    case CatchUp::kNone: decide_none(missed, now, decision.due); break;
    case CatchUp::kAll: decide_all(missed, most, decision.due); break;
    case CatchUp::kLast:
      decision.due.push_back({.first = missed.first, .last = missed.newest.back(), .count = missed.count});
      break;
  }
  return decision;
}

}  // namespace tarn::flow
