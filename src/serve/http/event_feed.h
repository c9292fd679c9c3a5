// GET /api/v1/events: what changes, pushed to every open page as server-sent events.
//   run, task       what happens in runs: its record, or that it waits and why
//   progress        the newest word of a running task; the last one counts
//   lines           log lines of the run that the page follows (?run=ID)
//   schedule        one was paused, came due, ended
//   lake            a new lake version and the tables that changed
//   status          something became fresh, late or failed
//   alert           an episode began or ended, or what became of a message
//   refresh         events were missed: ask for everything again
// One thread watches and sends; a page costs a socket and a queue with a limit, no thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/env/env.h"
#include "net/http_server.h"
#include "serve/backend.h"
#include "serve/http/json.h"
#include "serve/insight.h"

namespace tarn::serve {

// Thread-safe.
class EventFeed {
 public:
  EventFeed(Env& env, Insight& insight, Backend& backend);
  ~EventFeed();

  void open(const net::HttpServerRequest& request, net::HttpServerResponse& response);
  // An event of a run, as run_events.h writes them.
  void hear_run(const std::string& run, const Json& event);
  // What is open or was told has changed.
  void hear_alerts();
  void stop();

  // The log of a run that is under way, as far as it is kept; nullopt when the run is not.
  struct Lines {
    std::vector<Json> lines;
    size_t first = 0;  // index of the first one that is kept
  };
  std::optional<Lines> live_lines(const std::string& run);
  // Goes up with every event: what was computed before may be out of date.
  int64_t changes();
  size_t pages();

 private:
  struct Page {
    std::shared_ptr<net::HttpPush> push;
    std::string run;  // whose log it follows
  };
  struct Sent {
    int64_t number = 0;
    std::string text;
  };
  struct LiveRun {
    std::deque<Json> lines;
    size_t first = 0;
    size_t sent = 0;
  };
  void work();
  void look_at_lake();
  void look_at_status();
  void publish(const char* kind, const Json& data);             // under mutex_
  void send_lines();                                            // under mutex_
  void push_to_all(const std::string& text);                    // under mutex_
  void catch_up(net::HttpPush& push, const std::string& last);  // under mutex_

  Env& env_;
  Insight& insight_;
  Backend& backend_;
  const std::string epoch_;
  // The feed's own thread only.
  std::shared_ptr<const engine::LakeVersion> seen_;
  std::string seen_status_;

  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::list<Page> pages_;
  std::deque<Sent> sent_;
  int64_t last_number_ = 0;
  std::map<std::string, LiveRun> live_;
  std::map<std::pair<std::string, std::string>, std::string> progress_;
  bool status_due_ = true;
  bool alerts_due_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tarn::serve
