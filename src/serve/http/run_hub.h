// Runs that a server works on: one at a time, each on a thread of its own, watched by any number of clients.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/env/env.h"
#include "serve/backend.h"
#include "serve/http/json.h"

namespace tarn::serve {

// Thread-safe.
class RunHub {
 public:
  RunHub(Env& env, Backend& backend) : env_(env), backend_(backend) {}
  ~RunHub();

  // Starts it and returns its id once its records stand; kExists when another run is under way; a run that
  // cannot start, for mistakes in the project or words that select nothing, is this call's error.
  Result<std::string> start(RunRequest request);
  Result<std::string> start_replay(ReplayRequest request);

  // Hands the run's events to `sink`, from its start to its end, as they happen; a sink that fails ends this.
  // kNotFound when the run is not one of the newest that this process has started.
  Status watch(const std::string& id, const std::function<Status(const Json&)>& sink,
               const std::function<bool()>& is_gone);
  // kNotFound when it is not running.
  Status cancel(const std::string& id);
  // Cancels what runs and waits.
  void stop();

  struct Counts {
    int64_t started = 0, done = 0, failed = 0, running = 0;
  };
  Counts counts();

 private:
  struct Live {
    std::string id;
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<Json> events;
    bool ended = false;
    std::optional<Error> error;  // it could not start, or its records failed
    flow::CancelFlag cancel;
  };
  using Body = std::function<Result<flow::RunOutcome>(flow::RunObserver&, const flow::CancelFlag&)>;
  Result<std::string> launch(std::string id, Body body);
  Result<std::shared_ptr<Live>> spawn(std::string id, Body body);
  void work(const std::shared_ptr<Live>& live, const Body& body);
  std::shared_ptr<Live> find(const std::string& id);

  Env& env_;
  Backend& backend_;
  std::mutex mutex_;  // guards all below
  std::deque<std::shared_ptr<Live>> newest_;
  std::thread thread_;
  bool running_ = false;
  bool stopping_ = false;
  Counts counts_;
};

}  // namespace tarn::serve
