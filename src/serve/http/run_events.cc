#include "serve/http/run_events.h"

namespace tarn::serve {

void EventWriter::run_started(const flow::RunRecord& run, size_t tasks) {
  emit_({{"event", "run_started"}, {"run", to_json(run)}, {"tasks", tasks}});
}

void EventWriter::task_started(const flow::TaskRecord& task) {
  emit_({{"event", "task_started"}, {"task", to_json(task)}});
}

void EventWriter::task_progress(const std::string& task, const std::string& text) {
  emit_({{"event", "task_progress"}, {"name", task}, {"text", text}});
}

void EventWriter::task_line(const std::string& task, const std::string& text) {
  emit_({{"event", "task_line"}, {"name", task}, {"text", text}});
}

void EventWriter::task_retried(const std::string& task, const std::string& error, Duration delay) {
  emit_({{"event", "task_retried"}, {"name", task}, {"error", error}, {"delay_us", delay.count()}});
}

void EventWriter::task_ended(const flow::TaskRecord& task) {
  emit_({{"event", "task_ended"}, {"task", to_json(task)}});
}

void EventWriter::run_ended(const flow::RunRecord& run) {
  emit_({{"event", "run_ended"}, {"run", to_json(run)}});
}

void EventWriter::run_waiting(const std::string& run_id, const std::string& reason) {
  emit_({{"event", "run_waiting"}, {"id", run_id}, {"reason", reason}});
}

bool apply_event(const Json& event, flow::RunObserver& observer, flow::RunOutcome& outcome) {
  const auto kind = text_of(event, "event");
  if (kind == "run_started") {
    outcome.run = run_of(event.value("run", Json()));
    observer.run_started(outcome.run, static_cast<size_t>(integer_of(event, "tasks")));
  } else if (kind == "task_started") {
    observer.task_started(task_of(event.value("task", Json())));
  } else if (kind == "task_progress") {
    observer.task_progress(text_of(event, "name"), text_of(event, "text"));
  } else if (kind == "task_line") {
    observer.task_line(text_of(event, "name"), text_of(event, "text"));
  } else if (kind == "task_retried") {
    observer.task_retried(text_of(event, "name"), text_of(event, "error"),
                          Duration(integer_of(event, "delay_us")));
  } else if (kind == "task_ended") {
    outcome.tasks.push_back(task_of(event.value("task", Json())));
    observer.task_ended(outcome.tasks.back());
  } else if (kind == "run_waiting") {
    observer.run_waiting(text_of(event, "id"), text_of(event, "reason"));
  } else if (kind == "run_ended") {
    outcome.run = run_of(event.value("run", Json()));
    observer.run_ended(outcome.run);
  } else {
    return false;
  }
  return true;
}

}  // namespace tarn::serve
