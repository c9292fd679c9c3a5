// A database of others as long as the process lives: opened when it is first needed, asked by threads of its
// own, so that whoever waits for it can be stopped and waits no longer than its patience. After a failure it
// is left alone for a few seconds: many statements that ask a dead server fail at once. Thread-safe.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/duck/outside/instance.h"

namespace tarn::engine::outside {

// Asked often while something is waited for; true: stop waiting.
using Stopped = std::function<bool()>;

struct Shape {
  db::vector<std::string> names;
  db::vector<db::LogicalType> types;
  db::idx_t rows_about = 0;  // as the other side estimates
  bool operator==(const Shape& other) const { return names == other.names && types == other.types; }
};

// The rows of one SELECT on the other side, read ahead by a thread. Any number of threads take chunks.
class Rows {
 public:
  virtual ~Rows() = default;  // stops the statement
  // The next chunk, null at the end.
  virtual Result<db::unique_ptr<db::DataChunk>> next(const Stopped& stopped) = 0;
};

class Attachment : public std::enable_shared_from_this<Attachment> {
 public:
  Attachment(OutsideDatabase outside, std::string extensions_folder, Limits limits);
  // Waits a moment for its threads, not for ever.
  void stop();

  [[nodiscard]] const OutsideDatabase& outside() const { return outside_; }
  [[nodiscard]] const std::string& name() const { return outside_.name; }

  // The tables, no older than `age_max`.
  Result<std::vector<TableId>> tables(std::chrono::milliseconds age_max, const Stopped& stopped);
  // The same for those who only look around: waits for the first answer only, and a short time; else answers
  // what is known.
  std::vector<TableId> tables_known(const Stopped& stopped);
  // Lists the tables and looks at the columns of those that nobody has named yet; goes on behind the scenes
  // when that takes longer than `patience`.
  void look_around(std::chrono::milliseconds patience, const Stopped& stopped);
  // Columns of a table that tables() listed, no older than a few seconds.
  Result<Shape> shape(const TableId& table, const Stopped& stopped);
  // Nothing: it was not asked for yet.
  std::optional<Shape> shape_known(const TableId& table);
  // Rows of a SELECT that Tarn made.
  Result<std::unique_ptr<Rows>> read(const std::string& sql);
  // The newest failure; empty: none, or it answered since.
  std::string problem();
  // What was learnt of a table is not true any more.
  void forget(const TableId& table);

 private:
  using Clock = std::chrono::steady_clock;
  friend class ReadAhead;

  // Runs `work` on a thread, at most for the patience of this attachment.
  template <class T>
  Result<T> call(const Stopped& stopped, std::chrono::milliseconds patience,
                 std::function<Result<T>(Instance& instance)> work);
  Result<std::shared_ptr<Instance>> instance();
  Status admit();
  // A scan that nobody wants any more goes on: stops it on the other side, unless others are asking just now.
  void stop_unwanted();
  void wanted(int change);
  // Starts a thread that keeps this alive.
  Status start_thread(std::function<void()> work);
  Result<std::vector<TableId>> list(Instance& instance);
  Result<Shape> ask_shape(Instance& instance, const TableId& table);
  void look_at(Instance& instance, const std::vector<TableId>& tables);
  void note(const Error& error);
  void rest(const Error& error);
  void note_success();
  [[nodiscard]] Error timed_out(std::chrono::milliseconds patience) const;

  const OutsideDatabase outside_;
  const std::string extensions_folder_;
  const Limits limits_;

  std::mutex opening_;  // held while it connects, and while what nobody wants is stopped

  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  int threads_ = 0;
  int wanted_ = 0;  // reads and calls that somebody waits for
  std::shared_ptr<Instance> instance_;
  std::optional<Error> failure_;
  Clock::time_point rests_until_{};
  std::optional<std::vector<TableId>> tables_;
  Clock::time_point listed_at_{};
  bool looked_around_ = false;
  struct Known {
    Shape shape;
    Clock::time_point at;
  };
  std::map<TableId, Known> shapes_;
};

}  // namespace tarn::engine::outside
