// Episodes and alerts in control.sqlite. The end of a run puts the run's id into alert_ended by a trigger, in
// the transaction that records the end: nothing that ended can be missed, whatever is killed. Judging takes
// it out and adds episodes and alerts in one transaction; (episode, event, channel) is unique, so that one is
// told once. A message is recorded before and after it is given away: one killed between is unknown.
// Thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "alert/config.h"
#include "base/env/env.h"
#include "base/result.h"
#include "engine/table_source.h"
#include "store/store.h"

namespace tarn::alert {

// What an alert is about.
struct Fact {
  Event event = Event::kFailure;
  Event kind = Event::kFailure;  // of its episode: what a recovery is a recovery from
  std::string subject;           // a task's name, "schedule nightly", "run raw_bars+"
  std::string task, task_kind, path;
  std::string run, schedule;
  std::string text;  // the first line of the error, or what is the matter
  Timestamp at;
  Timestamp since;      // the episode's begin
  int64_t rows = 0;     // in quarantine
  int64_t skipped = 0;  // tasks behind it that did not run
};

enum class AlertState {
  kWaiting,  // to be sent
  kSending,  // of this process: what another left behind is unknown
  kSent,
  kOver,     // it was well again before anybody was told
  kRefused,  // for good
  kNotSent,  // given up
  kUnknown,  // it may have arrived
};
std::string_view name_of(AlertState state);
AlertState alert_state_of(std::string_view name);  // kUnknown for none

struct Alert {
  int64_t id = 0;
  std::string channel;
  AlertState state = AlertState::kWaiting;
  Fact fact;
  Timestamp created_at;
  int tries = 0;
  std::string message;  // id of the newest
  std::string answer;   // why it was not sent
  std::optional<Timestamp> finished_at;
  std::optional<Timestamp> over_at;  // its episode's end
};

// What is the matter now, from its begin to its end.
struct Episode {
  int64_t id = 0;
  Fact fact = {};                // of its begin
  int64_t failed_runs = 0;       // that failed of it
  std::string last_run = {};     // the newest run of its task
  std::vector<Alert> told = {};  // by channel
};

// Of a channel; a test tells of nothing.
struct LastMessage {
  AlertState state = AlertState::kSent;
  std::string answer;
  Timestamp at;
  bool is_test = false;
};

// A message on its way.
struct Message {
  std::string id;
  std::string channel;
  std::vector<Alert> alerts;  // oldest first; empty: a test
};

// Of a channel, while its receiver has trouble.
struct Trouble {
  int failures = 0;
  std::optional<Timestamp> not_before;
  std::string answer;
};

class AlertRecords {
 public:
  // The tables of runs and schedules stand already. What an earlier process was sending becomes unknown.
  static Result<std::unique_ptr<AlertRecords>> open(Env& env, store::Store& store);

  struct Taken {
    std::optional<Message> message;
    std::optional<Timestamp> look_again;  // when something waits, and may not be sent yet
  };
  // The channel's waiting alerts as one message, recorded as being sent, when it may send now: not before its
  // trouble is over, not in its quiet hours, not beyond its messages an hour.
  Result<Taken> take(const Channel& channel, const TimeZone& zone);
  // A message that tests the channel.
  Result<Message> begin_test(const Channel& channel);
  struct End {
    AlertState state = AlertState::kSent;  // kWaiting: to be tried again
    std::string answer;
    std::optional<Timestamp> not_before;
  };
  Status end(const Message& message, const End& end);
  Status end_test(const Message& message, AlertState state, const std::string& answer);
  // What an earlier process may have sent is sent again, where the channel says repeatable.
  Status repeat_unknown(const Channel& channel);

  Result<std::vector<Episode>> open_episodes();
  Result<std::vector<Alert>> newest(int limit);
  Result<Trouble> trouble(const std::string& channel);
  Result<std::optional<LastMessage>> last(const std::string& channel);
  Result<int64_t> waiting(const std::string& channel);

  [[nodiscard]] store::Store& store() { return store_; }

 private:
  AlertRecords(Env& env, store::Store& store) : env_(env), store_(store) {}
  Env& env_;
  store::Store& store_;
};

// `_tarn.alerts`. The store outlives it.
std::shared_ptr<engine::TableSource> alerts_table(store::Store& store);

}  // namespace tarn::alert
