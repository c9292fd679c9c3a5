// What happens in a run as lines of JSON, and back: GET /api/v1/runs/{id}/events.
#pragma once

#include <string>

#include "flow/executor.h"
#include "serve/http/json.h"

namespace tarn::serve {

// Turns calls into events; `emit` is called one at a time.
class EventWriter : public flow::RunObserver {
 public:
  explicit EventWriter(std::function<void(const Json&)> emit) : emit_(std::move(emit)) {}
  void run_started(const flow::RunRecord& run, size_t tasks) override;
  void task_started(const flow::TaskRecord& task) override;
  void task_progress(const std::string& task, const std::string& text) override;
  void task_line(const std::string& task, const std::string& text) override;
  void task_retried(const std::string& task, const std::string& error, Duration delay) override;
  void task_ended(const flow::TaskRecord& task) override;
  void run_ended(const flow::RunRecord& run) override;
  void run_waiting(const std::string& run_id, const std::string& reason) override;

 private:
  std::function<void(const Json&)> emit_;
};

// Calls the observer as the event says, and gathers the outcome. False for an event that is not known.
bool apply_event(const Json& event, flow::RunObserver& observer, flow::RunOutcome& outcome);

}  // namespace tarn::serve
