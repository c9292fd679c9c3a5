#include "app/server/serve_log.h"

#include <algorithm>
#include <atomic>
#include <memory>

#include <fmt/format.h>

#include "base/ids.h"
#include "base/time.h"

namespace tarn::app {
namespace {

using flow::State;
using serve::Json;

constexpr size_t kTokenBytesMin = 32;
constexpr size_t kRequestIdBytesMax = 64;

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

std::optional<Duration> took(const std::optional<Timestamp>& from, const std::optional<Timestamp>& to) {
  if (!from || !to)
    return std::nullopt;
  return std::chrono::duration_cast<Duration>(*to - *from);
}

LogLevel level_of(State state) {
  switch (state) {
    case State::kFailed:
    case State::kInterrupted: return LogLevel::kError;
    case State::kSkipped:
    case State::kUnknown: return LogLevel::kWarning;
    case State::kWaiting:
    case State::kRunning:
    case State::kDone:
    case State::kCancelled: return LogLevel::kInfo;
  }
  return LogLevel::kInfo;
}

void log_task_end(ServiceLog& log, const std::string& run, const flow::TaskRecord& task) {
  auto text = fmt::format("{} {}: {}", task.kind, task.name, flow::name_of(task.state));
  if (task.state == State::kDone && task.report.counts.rows_written > 0)
    text += fmt::format(", {} rows", task.report.counts.rows_written);
  if (task.report.counts.rows_quarantined > 0)
    text += fmt::format(", {} in quarantine", task.report.counts.rows_quarantined);
  if (!task.error.empty())
    text += ": " + first_line(task.error);
  log.write(level_of(task.state), text,
            {.run = run, .task = task.name, .request = "", .took = took(task.started_at, task.finished_at)});
}

void log_run_end(ServiceLog& log, const flow::RunRecord& run) {
  auto text = fmt::format("run of {}: {}", run.selection.empty() ? "everything" : run.selection,
                          flow::name_of(run.state));
  if (!run.error.empty())
    text += ": " + first_line(run.error);
  log.write(level_of(run.state), text,
            {.run = run.id, .task = "", .request = "", .took = took(run.started_at, run.finished_at)});
}

bool looks_like_token(std::string_view segment) {
  return segment.size() >= kTokenBytesMin &&
         std::any_of(segment.begin(), segment.end(), [](char c) { return c >= '0' && c <= '9'; }) &&
         std::all_of(segment.begin(), segment.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
                  c == '_';
         });
}

bool is_request_id(std::string_view text) {
  return !text.empty() && text.size() <= kRequestIdBytesMax &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
                  c == '_' || c == '.';
         });
}

// Passes everything on, and keeps the status.
class NotedResponse final : public net::HttpServerResponse {
 public:
  NotedResponse(net::HttpServerResponse& inner, std::string id) : inner_(inner), id_(std::move(id)) {}

  void answer(int status, std::string_view content_type, std::string body) override {
    answer(status, content_type, {}, std::move(body));
  }
  void answer(int status, std::string_view content_type, const net::HttpHeaders& headers,
              std::string body) override {
    status_ = status;
    inner_.answer(status, content_type, with_id(headers), std::move(body));
  }
  Status begin(int status, std::string_view content_type, const net::HttpHeaders& headers) override {
    status_ = status;
    return inner_.begin(status, content_type, with_id(headers));
  }
  std::shared_ptr<net::HttpPush> detach(int status, std::string_view content_type,
                                        const net::HttpHeaders& headers) override {
    status_ = status;
    return inner_.detach(status, content_type, with_id(headers));
  }
  Status write(std::string_view bytes) override { return inner_.write(bytes); }
  void break_off() override { inner_.break_off(); }
  [[nodiscard]] bool is_gone() const override { return inner_.is_gone(); }
  void on_gone(std::function<void()> callback) override { inner_.on_gone(std::move(callback)); }
  [[nodiscard]] int status() const { return status_; }

 private:
  [[nodiscard]] net::HttpHeaders with_id(net::HttpHeaders headers) const {
    headers.emplace_back("X-Request-Id", id_);
    return headers;
  }

  net::HttpServerResponse& inner_;
  const std::string id_;
  int status_ = 0;
};

}  // namespace

void log_event(ServiceLog& log, const std::string& run, const Json& event) {
  const auto kind = serve::text_of(event, "event");
  const auto name = serve::text_of(event, "name");
  if (kind == "run_started") {
    const auto record = serve::run_of(event.value("run", Json()));
    log.write(LogLevel::kInfo,
              fmt::format("run of {} starts{}: {} tasks",
                          record.selection.empty() ? "everything" : record.selection,
                          record.schedule.empty() ? "" : " by schedule " + record.schedule,
                          serve::integer_of(event, "tasks")),
              {.run = record.id});
  } else if (kind == "run_waiting") {
    log.write(LogLevel::kInfo, "the run waits: " + serve::text_of(event, "reason"),
              {.run = serve::text_of(event, "id")});
  } else if (kind == "task_started") {
    const auto task = serve::task_of(event.value("task", Json()));
    log.write(LogLevel::kDebug, fmt::format("{} {} starts", task.kind, task.name),
              {.run = run, .task = task.name});
  } else if (kind == "task_line") {
    log.write(LogLevel::kDebug, serve::text_of(event, "text"), {.run = run, .task = name});
  } else if (kind == "task_retried") {
    log.write(LogLevel::kWarning,
              fmt::format("{} is tried again in {}: {}", name,
                          format_duration(Duration(serve::integer_of(event, "delay_us"))),
                          first_line(serve::text_of(event, "error"))),
              {.run = run, .task = name});
  } else if (kind == "task_ended") {
    log_task_end(log, run, serve::task_of(event.value("task", Json())));
  } else if (kind == "run_ended") {
    log_run_end(log, serve::run_of(event.value("run", Json())));
  }
}

std::string shown_path(const std::string& path) {
  std::string out;
  for (size_t at = 0; at < path.size();) {
    const auto end = std::min(path.find('/', at), path.size());
    const auto segment = std::string_view(path).substr(at, end - at);
    out += looks_like_token(segment) ? "…" : std::string(segment);
    if (end < path.size())
      out += '/';
    at = end + 1;
  }
  return out;
}

net::HttpHandler with_request_log(Env& env, ServiceLog& log, net::HttpHandler handler) {
  const auto start = new_uuid(*env.random).substr(0, 8);
  const auto count = std::make_shared<std::atomic<int64_t>>(0);
  return [&env, &log, handler = std::move(handler), start, count](const net::HttpServerRequest& request,
                                                                  net::HttpServerResponse& response) {
    const auto given = request.headers.find("x-request-id");
    const auto id = given != request.headers.end() && is_request_id(given->second)
                        ? given->second
                        : fmt::format("{}-{}", start, ++*count);
    NotedResponse noted(response, id);
    const auto began = env.clock->steady();
    handler(request, noted);
    if (log.hears(LogLevel::kDebug)) {
      log.write(LogLevel::kDebug,
                fmt::format("{} {} {}", request.method, shown_path(request.path), noted.status()),
                {.run = "", .task = "", .request = id, .took = env.clock->steady() - began});
    }
  };
}

}  // namespace tarn::app
