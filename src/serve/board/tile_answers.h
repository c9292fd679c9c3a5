// Answers to queries that pages ask again and again: kept until a table that they read has another version,
// and computed once when many ask at the same moment.
#pragma once

#include <atomic>
#include <condition_variable>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/env/env.h"
#include "base/result.h"
#include "board/board.h"
#include "board/reads.h"
#include "engine/connection.h"
#include "flow/task.h"
#include "session/session.h"

namespace tarn::serve {

struct TileAnswer {
  std::vector<engine::Column> columns;
  std::string rows;  // JSON: an array of arrays of texts and nulls, so that no digit is lost
  int64_t row_count = 0;
  bool cut = false;  // there are more rows than are shown
  Duration took{0};
};

// What is asked, and what its answer is valid for.
struct TileQuestion {
  const board::TileQuery* query;
  std::vector<engine::Parameter> values;
  board::Reads reads;
  std::string etag;     // the same: the same answer
  std::string subject;  // the same: the same query and values, whatever the tables stand at
  // Until the answer may be another one though no table changed; none: never.
  std::optional<Duration> good_for;
};

// An answer of a moment ago, from before the tables changed.
struct EarlierAnswer {
  TileQuestion question;
  std::shared_ptr<const TileAnswer> answer;
  Duration again_in{0};  // then the question is worth asking again
};

// Thread-safe.
class TileAnswers {
 public:
  struct Limits {
    size_t kept_bytes = size_t{64} << 20U;
    size_t answer_bytes = size_t{8} << 20U;  // more is cut
    int64_t answer_rows = 20'000;            // more is cut
    Duration time{60'000'000};
    // Answers to questions that were answered before, together, may take so many seconds a second: with
    // tables that change all the time, what costs more is asked again less often than they change.
    double busy = 0.9;
    // A question that nobody asked for so long no longer counts in that.
    Duration forgotten{60'000'000};
    // How long an answer stays good that depends on the clock, chance, or tables without versions.
    Duration restless{60'000'000};
  };
  TileAnswers(Env& env, session::SessionService& sessions) : TileAnswers(env, sessions, Limits()) {}
  TileAnswers(Env& env, session::SessionService& sessions, Limits limits)
      : env_(env), sessions_(sessions), limits_(limits) {}

  // Runs nothing.
  Result<TileQuestion> question(const board::TileQuery& query, std::vector<engine::Parameter> values);
  // Waits for the answer. Stops with kCancelled when `gone` is set and wake() was called; the query itself is
  // stopped when nobody waits for it any more.
  Result<std::shared_ptr<const TileAnswer>> ask(const TileQuestion& question, const flow::CancelFlag& gone);
  // The kept answer, or null.
  std::shared_ptr<const TileAnswer> find(const std::string& etag);
  // What to show instead of asking again, when the question was asked so lately that asking it each time
  // would exceed Limits::busy.
  std::optional<EarlierAnswer> earlier(const TileQuestion& question);
  // A `gone` was set.
  void wake();

  [[nodiscard]] int64_t asked() const { return asked_; }  // queries that were run

 private:
  using Answer = std::shared_ptr<const TileAnswer>;
  struct Flight {
    std::vector<const flow::CancelFlag*> waiting;
    std::shared_ptr<std::atomic<bool>> stop = std::make_shared<std::atomic<bool>>(false);
    session::Session* session = nullptr;
    std::optional<Result<Answer>> outcome;
  };
  struct Kept {
    Answer answer;
    std::list<std::string>::iterator place;
  };
  // One query with its values, over all versions of what it reads.
  struct Subject {
    TileQuestion question;  // of the newest answer
    Duration began{0}, took{0};
    Duration wanted{0};  // by somebody, last
    int running = 0;
  };
  Result<Answer> run(const TileQuestion& question, Flight& flight);
  void begin(const TileQuestion& question);
  void end(const TileQuestion& question, const Result<Answer>& outcome);
  Duration interval();
  Result<Answer> wait(const std::shared_ptr<Flight>& flight, const flow::CancelFlag& gone,
                      std::unique_lock<std::mutex>& lock);
  void keep(const std::string& etag, const Answer& answer);
  static size_t size_of(const TileAnswer& answer) { return answer.rows.size() + sizeof(TileAnswer); }

  Env& env_;
  session::SessionService& sessions_;
  const Limits limits_;
  std::atomic<int64_t> asked_{0};

  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::map<std::string, std::shared_ptr<Flight>> flights_;
  std::map<std::string, Kept> kept_;
  std::map<std::string, Subject> subjects_;
  std::list<std::string> newest_first_;
  size_t kept_bytes_ = 0;
};

}  // namespace tarn::serve
