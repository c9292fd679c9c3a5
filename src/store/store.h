// One SQLite file (WAL, synchronous FULL): one writer thread, a few reading connections. Thread-safe.
// What write() has answered with success is on the disk. Several components may keep their tables in one
// file, each with its own list of migrations.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <vector>

#include "base/env/fault.h"
#include "base/result.h"
#include "store/connection.h"

namespace tarn::store {

class FaultVfs;

// The tables of one component. Step i brings them from version i to i + 1; a step that was released never
// changes.
struct Migrations {
  std::string component;
  std::vector<std::string> steps;
};

struct StoreOptions {
  std::string path;                 // absolute; its folder must exist
  FaultInjector* faults = nullptr;  // tests: layer "sqlite"
};

// What became of a write that answered an error.
enum class Fate {
  kNotWritten,  // nothing of it is there, nor will be
  kInDoubt,     // the commit itself failed: after a crash it may be there, whole
};

class Store {
 public:
  static Result<std::unique_ptr<Store>> open(const StoreOptions& options);
  ~Store();  // waits for writes that are under way
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Brings the tables of a component up to date; kNewer when the file knows more steps than we do.
  Status migrate(const Migrations& migrations);

  // Runs fn(Connection&), which returns a Result, in a transaction on the writer thread: its error rolls
  // back. Returns after the durable commit. Writes that wait at the same time share one commit. Never call it
  // inside fn.
  template <class F>
  std::invoke_result_t<F, Connection&> write(F&& fn, Fate* fate = nullptr) {
    std::optional<std::invoke_result_t<F, Connection&>> result;
    Job job;
    job.run = [&](Connection& connection) -> Status {
      result.emplace(fn(connection));
      return *result ? ok() : Status(Error(result->error()));
    };
    Status done = run_write(job);
    if (fate != nullptr) {
      *fate = job.fate;
    }
    if (!done) {
      return Error(std::move(done).error());
    }
    return std::move(*result);
  }

  // Runs fn(Connection&) on this thread against one consistent state of the file. Waits when all readers are
  // busy.
  template <class F>
  std::invoke_result_t<F, Connection&> read(F&& fn) {
    TARN_TRY(auto reader, take_reader());
    auto result = fn(*reader);
    give_back(std::move(reader));
    return result;
  }

  // Gives pages that hold nothing any more back to the disk, but for some that the next writes take. In small
  // steps, between which other writes come. Returns the bytes; `cancelled` may be empty.
  Result<int64_t> shrink(const std::function<bool()>& cancelled);

  [[nodiscard]] const std::string& path() const { return options_.path; }

 private:
  struct Job {
    std::function<Status(Connection&)> run;
    Status outcome;
    Fate fate = Fate::kNotWritten;
    bool done = false;
  };

  explicit Store(const StoreOptions& options);
  Status run_write(Job& job);
  void write_loop();
  void run_batch(const std::vector<Job*>& batch);
  Result<std::unique_ptr<Connection>> take_reader();
  void give_back(std::unique_ptr<Connection> reader);

  const StoreOptions options_;
  std::unique_ptr<FaultVfs> vfs_;
  std::unique_ptr<Connection> writer_;  // used by the writer thread only, once it runs

  std::mutex mutex_;  // guards all below
  std::condition_variable work_;
  std::condition_variable finished_;
  std::deque<Job*> queue_;  // at most one job for each waiting thread
  bool stopping_ = false;
  std::vector<std::unique_ptr<Connection>> idle_readers_;
  int readers_ = 0;
  std::condition_variable reader_free_;
  std::thread thread_;
};

}  // namespace tarn::store
