#include "serve/http/calendar.h"

#include <map>
#include <tuple>

#include "base/time.h"

namespace tarn::serve {
namespace {

using Key = std::tuple<std::string, std::string, std::string>;  // place, schedule, state

struct Cell {
  int64_t count = 0;
  Timestamp first, last;
  std::string run, reason;
};

std::string place_of(Timestamp at, const TimeZone& zone, CalendarStep step) {
  const auto text = format_utc(Timestamp(zone.wall_at(at).time_since_epoch()));
  return step == CalendarStep::kDay ? text.substr(0, 10) : text.substr(0, 13) + ":00";
}

}  // namespace

Json calendar_cells(const std::vector<flow::Due>& past, const std::vector<flow::Upcoming>& coming,
                    const TimeZone& zone, CalendarStep step) {
  std::map<Key, Cell> cells;
  const auto add = [&](Timestamp at, const std::string& schedule, std::string state, int64_t count) -> Cell& {
    auto& cell = cells[{place_of(at, zone, step), schedule, std::move(state)}];
    if (cell.count == 0 || at < cell.first)
      cell.first = at;
    if (cell.count == 0 || at > cell.last)
      cell.last = at;
    cell.count += count;
    return cell;
  };
  for (const auto& due : past) {
    auto& cell = add(due.due_at, due.schedule, std::string(flow::name_of(due.state)), due.count);
    cell.run = due.run_id;
    cell.reason = due.reason;
  }
  for (const auto& one : coming)
    add(one.at, one.schedule, "due", 1);
  Json all = Json::array();
  for (const auto& [key, cell] : cells) {
    all.push_back({{"at", std::get<0>(key)},
                   {"schedule", std::get<1>(key)},
                   {"state", std::get<2>(key)},
                   {"count", cell.count},
                   {"first_at", format_utc(cell.first)},
                   {"last_at", format_utc(cell.last)},
                   {"run", cell.run},
                   {"reason", cell.reason}});
  }
  return all;
}

}  // namespace tarn::serve
