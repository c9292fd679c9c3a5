// Tells people: judges what ended and what is late, and sends what waits. One thread judges; each channel
// that has something to send gets a thread while it sends, so that a receiver that hangs delays nobody else.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "alert/judge.h"
#include "alert/plan.h"
#include "alert/records.h"
#include "alert/send.h"
#include "base/env/env.h"
#include "base/result.h"

namespace tarn::alert {

struct ChannelInfo {
  std::string name, kind, target;
  std::vector<std::string> events, of;
  int64_t waiting = 0;
  Trouble trouble;
  std::optional<LastMessage> last;
};

struct Overview {
  std::vector<ChannelInfo> channels;
  std::vector<Episode> open;
  std::vector<Alert> newest;
  std::string problem;  // why the channels may not be what the text says; empty: they are
};

struct TestResult {
  std::string channel, kind, target;
  AlertState state = AlertState::kSent;
  std::string answer;
  Duration took{0};
};

// Called with what is worth a line of the server's log.
using Tell = std::function<void(bool is_trouble, const std::string& text)>;
// Called when what overview() answers has changed; from any thread, and must not wait.
using Changed = std::function<void()>;

// Thread-safe.
class Desk {
 public:
  // Another way to send, for tests.
  using Sender = std::function<Sent(const project::Project&, const Channel&, const Letter&,
                                    const std::function<bool()>& cancelled)>;

  static Result<std::unique_ptr<Desk>> open(Env& env, store::Store& store, Sender sender = {});
  ~Desk();
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;

  // Channels with mistakes are left out of the plan, the others hold.
  void load(Plan plan);
  [[nodiscard]] bool has_plan();
  [[nodiscard]] bool is_running() const { return running_; }
  void start(Tell tell, Changed changed = {});
  // What is being sent is broken off; what nobody has taken waits for the next start.
  void stop();
  // Something ended: it is looked at soon.
  void nudge();

  // One round: judges, and sends what may be sent, here, one channel after the other. Returns when to call it
  // again at the latest. Tests do this by hand.
  Result<Timestamp> step();

  Result<Overview> overview(int newest);
  // Somebody looked whether the alert arrived: see settle() of history.h. kNotFound also when its channel is
  // no longer in the plan and it is to be sent again.
  Status settle(int64_t id, bool done);
  // Sends a message to the channel, or to each; kNotFound names what there is.
  Result<std::vector<TestResult>> test(const std::string& channel, const std::function<bool()>& cancelled);

  [[nodiscard]] AlertRecords& records() { return *records_; }

 private:
  struct Sending {
    std::thread thread;
    std::atomic<bool> over{false};
  };

  Desk(Env& env, std::unique_ptr<AlertRecords> records, Sender sender);
  void loop();
  Result<Timestamp> judge_all();
  // Sends one message of the channel, if it may; when to look again.
  Result<Timestamp> serve(const Channel& channel, const Plan& plan);
  Status end(const Channel& channel, const Message& message, const Sent& sent);
  Letter letter_of(const Plan& plan, const Message& message) const;
  void start_sending(const std::shared_ptr<const Plan>& plan);
  void join_sendings(bool all);
  void say(bool is_trouble, const std::string& text);
  void tell_change();
  std::shared_ptr<const Plan> plan();

  Env& env_;
  const std::unique_ptr<AlertRecords> records_;
  const Sender sender_;
  Tell tell_;        // set before the thread starts
  Changed changed_;  // the same
  std::atomic<bool> running_{false}, stopping_{false};

  std::mutex mutex_;  // guards all below
  std::condition_variable wake_;
  std::shared_ptr<const Plan> plan_ = std::make_shared<const Plan>();
  bool loaded_ = false;
  bool nudged_ = true, repeated_ = false;
  std::optional<Timestamp> judge_at_;         // when a promise may break next
  std::map<std::string, Timestamp> send_at_;  // by channel
  std::map<std::string, std::unique_ptr<Sending>> sendings_;
  std::thread thread_;
};

}  // namespace tarn::alert
