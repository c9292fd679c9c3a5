#include "serve/http/schedules_api.h"

#include <charconv>

#include <fmt/format.h>

#include "base/time.h"
#include "serve/http/calendar.h"
#include "serve/http/exchange.h"
#include "serve/http/json.h"

namespace tarn::serve {
namespace {

constexpr std::string_view kPrefix = "/api/v1";
constexpr size_t kListedMax = 1000;
constexpr int kHistoryMax = 1000;
constexpr int kCalendarDaysMax = 42;
constexpr size_t kCalendarTimesMax = 50'000;
constexpr Duration kUpcomingSpan{24LL * 3600 * 1'000'000};

Result<size_t> limit_of(const net::HttpServerRequest& request, size_t fallback, size_t most) {
  const auto asked = request.query.find("limit");
  if (asked == request.query.end())
    return fallback;
  size_t limit = 0;
  const auto& text = asked->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (error != std::errc() || end != text.data() + text.size() || limit < 1 || limit > most)
    return Error{Code::kInvalid, fmt::format("limit must be between 1 and {}", most)};
  return limit;
}

}  // namespace

bool SchedulesApi::handle(const Request& request, Response& response) {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  const bool posts = request.method == "POST";
  std::string_view path = request.path;
  if (!path.starts_with(kPrefix))
    return false;
  path.remove_prefix(kPrefix.size());
  if (reads && path == "/schedules")
    return list(response), true;
  if (reads && path == "/upcoming")
    return upcoming(request, response), true;
  if (reads && path == "/calendar")
    return calendar(request, response), true;
  if (reads && path == "/backfill")
    return list_backfills(request, response), true;
  if (posts && path == "/backfill")
    return start_backfill(request, response), true;
  const bool of_schedule = path.starts_with("/schedules/");
  if (!of_schedule && !path.starts_with("/backfill/"))
    return false;
  path.remove_prefix(of_schedule ? 11 : 10);
  const auto slash = path.rfind('/');
  const std::string name(path.substr(0, slash));
  const std::string action(slash == std::string_view::npos ? "" : path.substr(slash + 1));
  if (of_schedule && posts && (action == "run" || action == "pause" || action == "resume"))
    return act(name, action, response), true;
  if (of_schedule && reads && action == "due")
    return history(name, request, response), true;
  if (!of_schedule && reads && action.empty())
    return show_backfill(name, response), true;
  if (!of_schedule && posts && action == "cancel")
    return cancel_backfill(name, response), true;
  return false;
}

void SchedulesApi::list(Response& response) {
  auto all = scheduler_.list();
  if (!all)
    return answer(response, all.error());
  Json schedules = Json::array();
  for (auto& one : *all) {
    // Its own turn has come; other runs may still be before it.
    for (auto& due : one.open) {
      if (due.state == flow::DueState::kRunning)
        due.reason = hub_.waits_for(due.run_id);
    }
    schedules.push_back(to_json(one));
  }
  answer(response, 200, {{"schedules", schedules}, {"problem", scheduler_.problem()}});
}

void SchedulesApi::act(const std::string& name, const std::string& action, Response& response) {
  if (action != "run") {
    const auto done = scheduler_.set_paused(name, action == "pause");
    if (!done)
      return answer(response, done.error());
    host_.changed(name);
    return answer(response, 200, {{"name", name}, {"paused", action == "pause"}});
  }
  const auto id = scheduler_.run_now(name, host_);
  const auto run = id ? hub_.wait_for_start(*id) : Result<RunHub::Submitted>(id.error());
  if (!run)
    return answer(response, run.error());
  answer(response, 202, {{"id", run->id}, {"waits_for", run->waits_for}});
}

void SchedulesApi::history(const std::string& name, const Request& request, Response& response) {
  const auto limit = limit_of(request, 50, kHistoryMax);
  const auto all = limit ? scheduler_.history(name, static_cast<int>(*limit))
                         : Result<std::vector<flow::Due>>(limit.error());
  if (!all)
    return answer(response, all.error());
  Json due = Json::array();
  for (const auto& one : *all)
    due.push_back(to_json(one));
  answer(response, 200, {{"due", due}});
}

void SchedulesApi::upcoming(const Request& request, Response& response) {
  auto until = env_.clock->now() + kUpcomingSpan;
  if (const auto asked = request.query.find("until"); asked != request.query.end()) {
    const auto time = parse_time(asked->second);
    if (!time)
      return answer(response, time.error().at("until"));
    until = *time;
  }
  const auto limit = limit_of(request, 100, kListedMax);
  if (!limit)
    return answer(response, limit.error());
  Json all = Json::array();
  for (const auto& one : scheduler_.upcoming(until, *limit))
    all.push_back({{"at", format_utc(one.at)}, {"schedule", one.schedule}});
  answer(response, 200, {{"upcoming", all}});
}

void SchedulesApi::calendar(const Request& request, Response& response) {
  const auto zone = project_zone_();
  const auto now = env_.clock->now();
  const auto given = [&request](const char* name) {
    const auto found = request.query.find(name);
    return found == request.query.end() ? std::string() : found->second;
  };
  const auto today = format_utc(Timestamp(zone.wall_at(now).time_since_epoch())).substr(0, 10);
  const auto from_text = given("from").empty() ? today : given("from");
  const auto day = from_text.size() == 10 ? parse_time(from_text)
                                          : Result<Timestamp>(Error{Code::kInvalid, "from must be a date"});
  const auto days_text = given("days");
  int days = 7;
  if (!days_text.empty())
    std::from_chars(days_text.data(), days_text.data() + days_text.size(), days);
  if (!day)
    return answer(response, day.error());
  if (days < 1 || days > kCalendarDaysMax)
    return answer(response,
                  Error{Code::kInvalid, fmt::format("days must be between 1 and {}", kCalendarDaysMax)});
  const WallTime wall(day->time_since_epoch());
  const auto from = zone.first_at(wall);
  const auto to = zone.first_at(wall + std::chrono::hours(24) * days);
  const auto past = scheduler_.due_between(from, to, kCalendarTimesMax);
  if (!past)
    return answer(response, past.error());
  std::vector<flow::Upcoming> coming;
  if (to > now) {
    coming = scheduler_.upcoming(to - Duration(1), kCalendarTimesMax);
    std::erase_if(coming, [from](const auto& one) { return one.at < from; });
  }
  const auto step = given("by") == "hour" ? CalendarStep::kHour : CalendarStep::kDay;
  answer(response, 200,
         {{"time_zone", zone.name()},
          {"from", from_text},
          {"days", days},
          {"today", today},
          {"cells", calendar_cells(*past, coming, zone, step)},
          {"cut", past->size() == kCalendarTimesMax || coming.size() == kCalendarTimesMax}});
}

void SchedulesApi::list_backfills(const Request& request, Response& response) {
  const auto limit = limit_of(request, 50, kHistoryMax);
  const auto all = limit ? scheduler_.backfills(static_cast<int>(*limit))
                         : Result<std::vector<flow::BackfillProgress>>(limit.error());
  if (!all)
    return answer(response, all.error());
  Json backfills = Json::array();
  for (const auto& one : *all) {
    Json steps = Json::object();
    int64_t total = 0;
    for (const auto& [state, count] : one.steps) {
      steps[std::string(flow::name_of(state))] = count;
      total += count;
    }
    backfills.push_back({{"id", one.backfill.id},
                         {"selection", one.backfill.selection},
                         {"exclude", one.backfill.exclude},
                         {"from", one.backfill.from},
                         {"to", one.backfill.to},
                         {"step", one.backfill.step},
                         {"full_refresh", one.backfill.full_refresh},
                         {"created_at", format_utc(one.backfill.created_at)},
                         {"finished_at", one.finished_at ? Json(format_utc(*one.finished_at)) : Json()},
                         {"total", total},
                         {"steps", steps}});
  }
  answer(response, 200, {{"backfills", backfills}, {"time_zone", project_zone_().name()}});
}

void SchedulesApi::start_backfill(const Request& request, Response& response) {
  const auto body = body_of(request);
  if (!body)
    return answer(response, body.error());
  flow::BackfillRequest asked;
  asked.selection = texts_of(*body, "selection");
  asked.exclude = texts_of(*body, "exclude");
  asked.from = text_of(*body, "from");
  asked.to = text_of(*body, "to");
  asked.full_refresh = truth_of(*body, "full_refresh");
  if (auto step = text_of(*body, "step"); !step.empty())
    asked.step = std::move(step);
  if (asked.from.empty() || asked.to.empty())
    return answer(response, Error{Code::kInvalid, "the body must have 'from' and 'to', e.g. 2026-01-01"});
  const auto zone = project_zone_();
  auto steps = flow::backfill_steps(asked, zone);
  if (!steps)
    return answer(response, steps.error());
  // Mistakes in the project and words that select nothing are told now, not by each step.
  RunRequest first;
  first.selection = asked.selection;
  first.exclude = asked.exclude;
  first.vars = {{"from", steps->front().from}, {"to", steps->front().to}};
  if (const auto checked = hub_.check(first); !checked)
    return answer(response, checked.error());
  if (truth_of(*body, "dry_run"))
    return answer(response, 200, to_json(flow::BackfillPlan{.id = "", .steps = std::move(*steps)}));
  const auto plan = scheduler_.backfill(asked, zone);
  plan ? answer(response, 202, to_json(*plan)) : answer(response, plan.error());
}

void SchedulesApi::show_backfill(const std::string& id, Response& response) {
  constexpr int kStepsShownMax = 10'000;
  const auto all = scheduler_.history("backfill " + id, kStepsShownMax);
  if (!all)
    return answer(response, all.error());
  if (all->empty())
    return answer(response, Error{Code::kNotFound, fmt::format("there is no backfill '{}'", id)});
  Json steps = Json::array();
  for (auto one = all->rbegin(); one != all->rend(); ++one)
    steps.push_back(to_json(*one));
  answer(response, 200, {{"id", id}, {"steps", steps}});
}

void SchedulesApi::cancel_backfill(const std::string& id, Response& response) {
  const auto running = scheduler_.cancel_waiting("backfill " + id);
  if (!running)
    return answer(response, Error{Code::kNotFound, fmt::format("backfill '{}' is not under way", id)});
  for (const auto& run : *running)
    (void)hub_.cancel(run);  // it may have ended by itself
  answer(response, 202, {{"id", id}});
}

}  // namespace tarn::serve
