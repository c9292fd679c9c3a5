#include "store/store.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "store/fault_vfs.h"

namespace tarn::store {
namespace {

constexpr int kReadersMax = 4;
constexpr size_t kBatchMax = 64;
constexpr int64_t kPagesSpared = 1'024;  // 4 MB
constexpr int64_t kPagesAtOnce = 256;

// A file of before auto_vacuum is rewritten once, which a pragma before made the way it is to be; not where
// the disk is too full for two of it: then it is as it was, and only stays as large as it became.
void make_shrinkable(Connection& connection, const std::string& path) {
  const auto mode = connection.integer("PRAGMA auto_vacuum");
  if (!mode || mode->value_or(1) != 0)
    return;
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  const auto space = std::filesystem::space(path, error);
  if (!error && space.available > 3 * bytes)
    (void)connection.script("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);");
}

// Moves pages from the end of the file into gaps, at most `kPagesAtOnce`; returns how many pages it is
// shorter.
Result<int64_t> shrink_a_little(Connection& connection) {
  TARN_TRY(const auto before, connection.integer("PRAGMA freelist_count"));
  if (before.value_or(0) <= kPagesSpared)
    return 0;
  TARN_TRY(auto rows, connection.query(fmt::format("PRAGMA incremental_vacuum({})",
                                                   std::min(kPagesAtOnce, *before - kPagesSpared))));
  bool more = true;
  while (more) {  // a page with each row
    TARN_TRY(more, rows.next());
  }
  TARN_TRY(const auto after, connection.integer("PRAGMA freelist_count"));
  return *before - after.value_or(0);
}

Status apply_steps(Connection& connection, const Migrations& migrations, const std::string& path) {
  TARN_TRY(auto found, connection.integer("SELECT version FROM tarn_components WHERE component = ?",
                                          {migrations.component}));
  auto known = static_cast<int64_t>(migrations.steps.size());
  int64_t version = found.value_or(0);
  if (version > known) {
    return Error{
        Code::kNewer,
        fmt::format("{} was written by a newer Tarn ({} {}, this one knows {}); install that version again",
                    path, migrations.component, version, known)};
  }
  for (; version < known; ++version) {
    auto done = connection.script(migrations.steps[static_cast<size_t>(version)]);
    if (!done) {
      return done.error().at(fmt::format("migration {} of {}", version + 1, migrations.component));
    }
  }
  if (found == known) {
    return ok();
  }
  return connection.run(
      "INSERT INTO tarn_components VALUES (?, ?) ON CONFLICT (component) DO UPDATE SET version = "
      "excluded.version",
      {migrations.component, known});
}

}  // namespace

Store::Store(const StoreOptions& options) : options_(options) {}

Result<std::unique_ptr<Store>> Store::open(const StoreOptions& options) {
  std::unique_ptr<Store> store(new Store(options));
  std::string vfs;
  if (options.faults != nullptr) {
    store->vfs_ = std::make_unique<FaultVfs>(*options.faults);
    vfs = store->vfs_->name();
  }
  TARN_TRY(store->writer_, Connection::open({.path = options.path, .vfs = vfs, .writes = true}));
  TARN_CHECK(
      store->writer_->script("CREATE TABLE IF NOT EXISTS tarn_components (component TEXT PRIMARY KEY, "
                             "version INTEGER NOT NULL) STRICT"));
  make_shrinkable(*store->writer_, options.path);
  store->thread_ = std::thread([raw = store.get()] { raw->write_loop(); });
  return store;
}

Store::~Store() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
  idle_readers_.clear();
  writer_.reset();
}

Status Store::migrate(const Migrations& migrations) {
  return write([&](Connection& connection) { return apply_steps(connection, migrations, options_.path); });
}

Status Store::run_write(Job& job) {
  if (std::this_thread::get_id() == thread_.get_id()) {
    return Error{Code::kInternal, "a write was asked for inside a write"};
  }
  std::unique_lock lock(mutex_);
  queue_.push_back(&job);
  work_.notify_one();
  finished_.wait(lock, [&] { return job.done; });
  return job.outcome;
}

void Store::write_loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    work_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) {
      return;
    }
    std::vector<Job*> batch;
    while (!queue_.empty() && batch.size() < kBatchMax) {
      batch.push_back(queue_.front());
      queue_.pop_front();
    }
    lock.unlock();
    run_batch(batch);
    lock.lock();
    for (Job* job : batch) {
      job->done = true;
    }
    finished_.notify_all();
  }
}

// Each job has a savepoint, so that one that fails takes nothing of the others with it.
void Store::run_batch(const std::vector<Job*>& batch) {
  Status all = writer_->run("BEGIN IMMEDIATE");
  for (Job* job : batch) {
    if (!all) {
      break;
    }
    all = writer_->run("SAVEPOINT job");
    if (!all) {
      break;
    }
    job->outcome = job->run(*writer_);
    if (!writer_->in_transaction()) {
      all = job->outcome ? Status(Error{Code::kInternal, "a write ended its own transaction"}) : job->outcome;
    } else if (!job->outcome) {
      all = writer_->run("ROLLBACK TO job");
    }
    if (all) {
      all = writer_->run("RELEASE job");
    }
  }
  bool in_doubt = false;
  if (all) {
    all = writer_->run("COMMIT");
    in_doubt = !all;
  }
  if (writer_->in_transaction()) {
    (void)writer_->run("ROLLBACK");
  }
  for (Job* job : batch) {
    if (!all && job->outcome) {
      job->outcome = all;
      job->fate = in_doubt ? Fate::kInDoubt : Fate::kNotWritten;
    }
  }
}

Result<int64_t> Store::shrink(const std::function<bool()>& cancelled) {
  TARN_TRY(const auto page_bytes,
           read([](Connection& connection) { return connection.integer("PRAGMA page_size"); }));
  int64_t bytes = 0;
  while (!cancelled || !cancelled()) {
    TARN_TRY(const auto pages, write(shrink_a_little));
    if (pages <= 0) {
      break;
    }
    bytes += pages * page_bytes.value_or(0);
  }
  return bytes;
}

Result<std::unique_ptr<Connection>> Store::take_reader() {
  std::unique_ptr<Connection> reader;
  {
    std::unique_lock lock(mutex_);
    reader_free_.wait(lock, [&] { return !idle_readers_.empty() || readers_ < kReadersMax; });
    if (!idle_readers_.empty()) {
      reader = std::move(idle_readers_.back());
      idle_readers_.pop_back();
    } else {
      ++readers_;
    }
  }
  auto opened = ok();
  if (reader == nullptr) {
    auto made = Connection::open({.path = options_.path, .vfs = vfs_ ? vfs_->name() : ""});
    if (made) {
      reader = std::move(*made);
    } else {
      opened = Error(made.error());
    }
  }
  if (opened) {
    opened = reader->run("BEGIN");
  }
  if (!opened) {
    std::lock_guard lock(mutex_);
    --readers_;
    reader_free_.notify_one();
    return Error(opened.error());
  }
  return reader;
}

void Store::give_back(std::unique_ptr<Connection> reader) {
  auto ended = reader->in_transaction() ? reader->run("COMMIT") : ok();
  std::lock_guard lock(mutex_);
  if (ended) {
    idle_readers_.push_back(std::move(reader));
  } else {
    --readers_;
  }
  reader_free_.notify_one();
}

}  // namespace tarn::store
