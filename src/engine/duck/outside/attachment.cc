#include "engine/duck/outside/attachment.h"

#include <charconv>
#include <thread>

#include <fmt/format.h>

#include "engine/duck/errors.h"

namespace tarn::engine::outside {
namespace {

using std::chrono::milliseconds;

constexpr int kThreadsMax = 24;                // of one attachment; more statements are refused
constexpr milliseconds kRest{3'000};           // after a failure
constexpr milliseconds kShapeAgeMax{5'000};    // then the columns of a table are asked for again
constexpr milliseconds kTablesAgeMax{60'000};  // of tables that are only looked around for
constexpr milliseconds kFirstLook{2'000};      // how long they are waited for
constexpr milliseconds kLookAtAll{20'000};     // at their columns
constexpr milliseconds kGlance{20};            // between two looks whether to stop
constexpr milliseconds kPartingWait{1'000};
constexpr milliseconds kStopAfter{300};  // then what was interrupted is stopped on the other side
constexpr int kStopsMax = 200;
constexpr size_t kChunksAhead = 16;
constexpr size_t kShapesMax = 10'000;

// Waits until `done`, or reports why it stopped.
enum class Waited { kDone, kStopped, kTooLong };

Waited wait(std::unique_lock<std::mutex>& lock, std::condition_variable& changed, const Stopped& stopped,
            milliseconds patience, const std::function<bool()>& done) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!done()) {
    if (stopped && stopped()) {
      return Waited::kStopped;
    }
    if (std::chrono::steady_clock::now() >= until) {
      return Waited::kTooLong;
    }
    changed.wait_for(lock, kGlance);
  }
  return Waited::kDone;
}

Error cancelled() {
  return Error{Code::kCancelled, "the statement was cancelled"};
}

// Out of EXPLAIN (FORMAT json): what the scan at the bottom expects.
db::idx_t estimated_rows(const std::string& plan) {
  static constexpr std::string_view kKey = "\"Estimated Cardinality\"";
  const auto at = plan.rfind(kKey);
  if (at == std::string::npos) {
    return 0;
  }
  const auto digits = plan.find_first_of("0123456789", at + kKey.size());
  uint64_t rows = 0;
  if (digits != std::string::npos) {
    std::from_chars(plan.data() + digits, plan.data() + plan.size(), rows);
  }
  return rows;
}

}  // namespace

// What the thread that reads and those that take share; each keeps it alive.
class ReadAhead {
 public:
  ReadAhead(std::shared_ptr<Attachment> attachment, std::string sql)
      : attachment_(std::move(attachment)), sql_(std::move(sql)) {}

  void work() {
    auto instance = attachment_->instance();
    if (!instance) {
      end(instance.error());
      return;
    }
    try {
      end(read(**instance));
    } catch (const std::exception& exception) {
      end((*instance)->explain(exception));
    }
    const std::lock_guard lock(mutex_);
    connection_.reset();
  }

  Result<db::unique_ptr<db::DataChunk>> next(const Stopped& stopped) {
    std::unique_lock lock(mutex_);
    const auto patience = attachment_->outside().patience;
    const auto waited = wait(lock, changed_, stopped, patience, [&] { return !chunks_.empty() || ended_; });
    if (waited == Waited::kStopped) {
      return cancelled();
    }
    if (waited == Waited::kTooLong) {
      auto error = attachment_->timed_out(patience);
      lock.unlock();
      attachment_->note(error);
      return error;
    }
    if (!chunks_.empty()) {
      auto chunk = std::move(chunks_.front());
      chunks_.pop_front();
      changed_.notify_all();
      return chunk;
    }
    if (error_) {
      return *error_;
    }
    return db::unique_ptr<db::DataChunk>();
  }

  // Once, by whoever took the rows.
  static void close(const std::shared_ptr<ReadAhead>& ahead) {
    ahead->attachment_->wanted(-1);
    {
      const std::lock_guard lock(ahead->mutex_);
      ahead->closed_ = true;
      ahead->chunks_.clear();
      if (ahead->connection_) {
        ahead->connection_->Interrupt();
      }
      ahead->changed_.notify_all();
      if (ahead->ended_ || ahead->attachment_->outside().kind != OutsideKind::kPostgres) {
        return;
      }
    }
    (void)ahead->attachment_->start_thread([ahead] { ahead->see_it_end(); });
  }

 private:
  // A call into the client library goes on for as long as the other side sends nothing, interrupted or not.
  void see_it_end() {
    for (int i = 0; i < kStopsMax; ++i) {
      {
        std::unique_lock lock(mutex_);
        if (changed_.wait_for(lock, kStopAfter, [&] { return ended_; })) {
          return;
        }
      }
      attachment_->stop_unwanted();
    }
  }

  std::optional<Error> read(Instance& instance) {
    {
      const std::lock_guard lock(mutex_);
      connection_ = std::make_unique<db::Connection>(instance.database());
    }
    auto result = connection_->SendQuery(sql_);
    while (!result->HasError()) {
      auto chunk = result->Fetch();
      if (!chunk || chunk->size() == 0 || !push(std::move(chunk))) {
        break;
      }
    }
    return result->HasError() ? std::optional(instance.explain(result->GetErrorObject())) : std::nullopt;
  }

  // False: nobody wants more.
  bool push(db::unique_ptr<db::DataChunk> chunk) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return closed_ || chunks_.size() < kChunksAhead; });
    if (!closed_) {
      chunks_.push_back(std::move(chunk));
      changed_.notify_all();
    }
    return !closed_;
  }

  void end(const std::optional<Error>& error) {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
      error_ = error;
      changed_.notify_all();
      if (closed_) {  // by whoever took the rows: then the error is its interrupt
        return;
      }
    }
    error ? attachment_->note(*error) : attachment_->note_success();
  }

  const std::shared_ptr<Attachment> attachment_;
  const std::string sql_;
  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::unique_ptr<db::Connection> connection_;
  std::deque<db::unique_ptr<db::DataChunk>> chunks_;
  bool ended_ = false;
  bool closed_ = false;
  std::optional<Error> error_;
};

namespace {

class RowsAhead final : public Rows {
 public:
  explicit RowsAhead(std::shared_ptr<ReadAhead> ahead) : ahead_(std::move(ahead)) {}
  ~RowsAhead() override { ReadAhead::close(ahead_); }
  RowsAhead(const RowsAhead&) = delete;
  RowsAhead& operator=(const RowsAhead&) = delete;
  Result<db::unique_ptr<db::DataChunk>> next(const Stopped& stopped) override {
    return ahead_->next(stopped);
  }

 private:
  std::shared_ptr<ReadAhead> ahead_;
};

}  // namespace

Attachment::Attachment(OutsideDatabase outside, std::string extensions_folder, Limits limits)
    : outside_(std::move(outside)),
      extensions_folder_(std::move(extensions_folder)),
      limits_(std::move(limits)) {}

void Attachment::stop() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kPartingWait, [&] { return threads_ == 0; });
}

Error Attachment::timed_out(milliseconds patience) const {
  return Error{Code::kTimeout,
               fmt::format("attachment {}: no answer within {} ms; 'timeout' in tarn.yml says how "
                           "long to wait",
                           outside_.name, patience.count())};
}

Status Attachment::admit() {
  const std::lock_guard lock(mutex_);
  if (failure_ && Clock::now() < rests_until_) {
    return *failure_;
  }
  return ok();
}

void Attachment::note(const Error& error) {
  const std::lock_guard lock(mutex_);
  // A mistake in the statement says nothing about the other side.
  if (error.code == Code::kUnavailable || error.code == Code::kTimeout) {
    failure_ = error;
    instance_.reset();  // with its connections; the next statement makes new ones
  }
  if (error.code == Code::kTimeout) {
    rests_until_ = Clock::now() + kRest;
  }
}

void Attachment::rest(const Error& error) {
  const std::lock_guard lock(mutex_);
  failure_ = error;
  rests_until_ = Clock::now() + kRest;
}

void Attachment::note_success() {
  const std::lock_guard lock(mutex_);
  failure_.reset();
}

std::string Attachment::problem() {
  const std::lock_guard lock(mutex_);
  return failure_ ? failure_->message : "";
}

Result<std::shared_ptr<Instance>> Attachment::instance() {
  const std::lock_guard opening(opening_);
  {
    const std::lock_guard lock(mutex_);
    if (instance_) {
      return instance_;
    }
  }
  TARN_CHECK(admit());
  auto opened = Instance::open(outside_, extensions_folder_, limits_);
  if (!opened) {
    rest(opened.error());
    return opened;
  }
  const std::lock_guard lock(mutex_);
  instance_ = *opened;
  return opened;
}

void Attachment::wanted(int change) {
  const std::lock_guard lock(mutex_);
  wanted_ += change;
}

void Attachment::stop_unwanted() {
  // Whoever begins meanwhile waits here, in instance().
  const std::lock_guard opening(opening_);
  std::shared_ptr<Instance> instance;
  {
    const std::lock_guard lock(mutex_);
    if (wanted_ == 0) {
      instance = instance_;
    }
  }
  if (instance) {
    instance->stop_all();
  }
}

Status Attachment::start_thread(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (threads_ >= kThreadsMax) {
      return Error{Code::kExhausted,
                   fmt::format("attachment {}: {} statements read it already; try again later", outside_.name,
                               threads_)};
    }
    ++threads_;
  }
  std::thread([self = shared_from_this(), work = std::move(work)] {
    work();
    const std::lock_guard lock(self->mutex_);
    --self->threads_;
    self->changed_.notify_all();
  }).detach();
  return ok();
}

template <class T>
Result<T> Attachment::call(const Stopped& stopped, milliseconds patience,
                           std::function<Result<T>(Instance& instance)> work) {
  struct Answer {
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<Result<T>> result;
  };
  TARN_CHECK(admit());
  auto answer = std::make_shared<Answer>();
  TARN_CHECK(start_thread([this, answer, work = std::move(work)] {
    wanted(1);
    auto opened = instance();
    Result<T> result = opened ? work(**opened) : Result<T>(opened.error());
    wanted(-1);
    if (!result) {
      note(result.error());
    }
    const std::lock_guard lock(answer->mutex);
    answer->result = std::move(result);
    answer->changed.notify_all();
  }));
  std::unique_lock lock(answer->mutex);
  switch (wait(lock, answer->changed, stopped, patience, [&] { return answer->result.has_value(); })) {
    case Waited::kDone: break;
    case Waited::kStopped: return cancelled();
    case Waited::kTooLong: {
      auto error = timed_out(patience);
      if (patience >= outside_.patience) {
        note(error);
      }
      return error;
    }
  }
  if (*answer->result) {
    note_success();
  }
  return std::move(*answer->result);
}

Result<std::vector<TableId>> Attachment::list(Instance& instance) {
  TARN_TRY(auto tables, instance.list());
  const std::lock_guard lock(mutex_);
  tables_ = tables;
  listed_at_ = Clock::now();
  return tables;
}

Result<std::vector<TableId>> Attachment::tables(milliseconds age_max, const Stopped& stopped) {
  {
    const std::lock_guard lock(mutex_);
    if (tables_ && Clock::now() - listed_at_ <= age_max) {
      return *tables_;
    }
  }
  return call<std::vector<TableId>>(stopped, outside_.patience,
                                    [this](Instance& instance) { return list(instance); });
}

std::vector<TableId> Attachment::tables_known(const Stopped& stopped) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    if (tables_ && Clock::now() - listed_at_ <= kTablesAgeMax) {
      return *tables_;
    }
    first = !looked_around_ && !tables_;
    looked_around_ = true;
  }
  look_around(first ? kFirstLook : milliseconds(0), stopped);
  const std::lock_guard lock(mutex_);
  return tables_.value_or(std::vector<TableId>());
}

void Attachment::look_around(milliseconds patience, const Stopped& stopped) {
  const auto work = [this](Instance& instance) -> Result<std::vector<TableId>> {
    TARN_TRY(auto tables, list(instance));
    look_at(instance, tables);
    return tables;
  };
  // Shorter than the patience of statements: who only looks around does not find the other side hanging.
  (void)call<std::vector<TableId>>(stopped, std::min(patience, outside_.patience / 2), work);
}

std::optional<Shape> Attachment::shape_known(const TableId& table) {
  const std::lock_guard lock(mutex_);
  const auto found = shapes_.find(table);
  return found == shapes_.end() ? std::nullopt : std::optional(found->second.shape);
}

void Attachment::forget(const TableId& table) {
  const std::lock_guard lock(mutex_);
  shapes_.erase(table);
}

Result<Shape> Attachment::shape(const TableId& table, const Stopped& stopped) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = shapes_.find(table);
    if (found != shapes_.end() && Clock::now() - found->second.at <= kShapeAgeMax) {
      return found->second.shape;
    }
  }
  return call<Shape>(stopped, outside_.patience,
                     [this, table](Instance& instance) { return ask_shape(instance, table); });
}

Result<Shape> Attachment::ask_shape(Instance& instance, const TableId& table) {
  try {
    db::Connection connection(instance.database());
    const auto sql = fmt::format("SELECT * FROM {}", relation_of(outside_, table));
    auto statement = connection.Prepare(sql);
    if (statement->HasError()) {
      return instance.explain(statement->error);
    }
    Shape shape{.names = statement->GetNames(), .types = statement->GetTypes()};
    auto plan = connection.Query("EXPLAIN (FORMAT json) " + sql);
    if (!plan->HasError() && plan->RowCount() > 0) {
      shape.rows_about = estimated_rows(plan->GetValue(1, 0).ToString());
    }
    const std::lock_guard lock(mutex_);
    if (shapes_.size() >= kShapesMax) {
      shapes_.clear();
    }
    shapes_[table] = {shape, Clock::now()};
    return shape;
  } catch (const std::exception& exception) {
    return instance.explain(exception);
  }
}

// So that lists have columns, too; those that cannot be looked at are shown without.
void Attachment::look_at(Instance& instance, const std::vector<TableId>& tables) {
  const auto until = Clock::now() + kLookAtAll;
  for (const auto& table : tables) {
    if (Clock::now() > until) {
      return;
    }
    if (!shape_known(table)) {
      (void)ask_shape(instance, table);
    }
  }
}

Result<std::unique_ptr<Rows>> Attachment::read(const std::string& sql) {
  TARN_CHECK(admit());
  auto ahead = std::make_shared<ReadAhead>(shared_from_this(), sql);
  auto rows = std::make_unique<RowsAhead>(ahead);
  wanted(1);  // until the rows are let go
  TARN_CHECK(start_thread([ahead] { ahead->work(); }));
  return std::unique_ptr<Rows>(std::move(rows));
}

}  // namespace tarn::engine::outside
