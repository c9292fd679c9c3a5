#include "serve/board/tile_answers.h"

#include <algorithm>

#include <fmt/format.h>

#include "codec/sha256.h"
#include "serve/rows/json_value.h"

namespace tarn::serve {
namespace {

constexpr size_t kEtagLength = 20;
constexpr Duration kAgainMin{50'000};

std::string text_of(const engine::Parameter& value) {
  std::string out = fmt::format("{}:{}:", value.name, value.type);
  if (value.list) {
    for (const auto& one : *value.list)
      out += fmt::format("[{}:{}", one.size(), one);
  } else if (value.text) {
    out += fmt::format("={}", *value.text);
  }
  return out + "\n";
}

// "$name" stands in the text: maybe in a comment, which only asks once too often.
bool names_parameter(std::string_view sql, std::string_view name) {
  const auto wanted = engine::fold(fmt::format("${}", name));
  return engine::fold(sql).find(wanted) != std::string::npos;
}

// Writes rows as they come, up to the limits.
class RowsToJson {
 public:
  RowsToJson(TileAnswer& answer, const TileAnswers::Limits& limits) : answer_(answer), limits_(limits) {
    answer_.rows = "[";
  }

  // False: it is enough.
  bool add(const engine::TextBatch& batch) {
    for (size_t row = 0; row < batch.rows; ++row) {
      if (answer_.row_count >= limits_.answer_rows || answer_.rows.size() >= limits_.answer_bytes) {
        answer_.cut = true;
        return false;
      }
      answer_.rows += answer_.row_count++ == 0 ? "[" : ",[";
      for (size_t column = 0; column < batch.columns.size(); ++column) {
        if (column > 0)
          answer_.rows += ',';
        const auto& cells = batch.columns[column];
        if (cells.null[row])
          answer_.rows += "null";
        else
          append_json_string(cells.text[row], answer_.rows);
      }
      answer_.rows += ']';
    }
    return true;
  }

  void end() { answer_.rows += ']'; }

 private:
  TileAnswer& answer_;
  const TileAnswers::Limits& limits_;
};

}  // namespace

Result<TileQuestion> TileAnswers::question(const board::TileQuery& query,
                                           std::vector<engine::Parameter> values) {
  if (query.sql.empty())
    return Error{Code::kInvalid, query.mistake};
  TileQuestion out{.query = &query, .values = std::move(values)};
  TARN_TRY(const auto head, sessions_.catalog().head());
  TARN_TRY(out.reads, board::find_reads(*head, query.facts, sessions_.attachments()));
  std::string key = query.sql + "\n";
  for (const auto& value : out.values)
    key += names_parameter(query.sql, value.name) ? text_of(value) : "";
  out.subject = codec::sha256_hex(key).substr(0, kEtagLength);
  key += out.reads.identity;
  if (query.changes_by_itself || !out.reads.all_known) {
    const auto now = env_.clock->now().time_since_epoch();
    key += std::to_string(now / limits_.restless);
    out.good_for = limits_.restless - now % limits_.restless;
  }
  out.etag = codec::sha256_hex(key).substr(0, kEtagLength);
  return out;
}

std::shared_ptr<const TileAnswer> TileAnswers::find(const std::string& etag) {
  const std::lock_guard lock(mutex_);
  const auto found = kept_.find(etag);
  if (found == kept_.end())
    return nullptr;
  newest_first_.splice(newest_first_.begin(), newest_first_, found->second.place);
  return found->second.answer;
}

Result<std::shared_ptr<const TileAnswer>> TileAnswers::ask(const TileQuestion& question,
                                                           const flow::CancelFlag& gone) {
  if (auto answer = find(question.etag))
    return answer;
  std::unique_lock lock(mutex_);
  if (const auto found = flights_.find(question.etag); found != flights_.end()) {
    const auto flight = found->second;
    flight->waiting.push_back(&gone);
    return wait(flight, gone, lock);
  }
  const auto flight = std::make_shared<Flight>();
  flight->waiting.push_back(&gone);
  flights_.emplace(question.etag, flight);
  begin(question);
  lock.unlock();
  auto outcome = run(question, *flight);
  lock.lock();
  flights_.erase(question.etag);
  if (outcome)
    keep(question.etag, *outcome);
  end(question, outcome);
  flight->outcome = outcome;
  changed_.notify_all();
  return outcome;
}

// Needs mutex_.
void TileAnswers::begin(const TileQuestion& question) {
  const auto now = env_.clock->steady();
  std::erase_if(subjects_, [&](const auto& one) {
    return one.second.running == 0 && now - one.second.wanted > limits_.forgotten;
  });
  auto& subject = subjects_[question.subject];
  subject.began = subject.wanted = now;
  ++subject.running;
}

// Needs mutex_.
void TileAnswers::end(const TileQuestion& question, const Result<Answer>& outcome) {
  auto& subject = subjects_[question.subject];
  --subject.running;
  if (!outcome)
    return;
  subject.question = question;
  subject.took = (*outcome)->took;
}

// Between two times that a question is asked anew, so that all of them together keep within Limits::busy.
// Needs mutex_.
Duration TileAnswers::interval() {
  Duration all{0};
  const auto now = env_.clock->steady();
  for (const auto& [text, subject] : subjects_) {
    if (now - subject.wanted <= limits_.forgotten)
      all += subject.took;
  }
  return std::chrono::duration_cast<Duration>(all / limits_.busy);
}

std::optional<EarlierAnswer> TileAnswers::earlier(const TileQuestion& question) {
  const std::lock_guard lock(mutex_);
  const auto found = subjects_.find(question.subject);
  if (found == subjects_.end())
    return std::nullopt;
  auto& subject = found->second;
  subject.wanted = env_.clock->steady();
  const auto kept = kept_.find(subject.question.etag);
  if (kept == kept_.end())
    return std::nullopt;
  const auto due = subject.began + (subject.running > 0 ? std::max(interval(), subject.took) : interval());
  const auto again_in = due - subject.wanted;
  if (again_in <= Duration(0) && subject.running == 0)
    return std::nullopt;
  EarlierAnswer out{.question = subject.question, .answer = kept->second.answer};
  // The query of the question itself: the one of then may be gone with its board's former text.
  out.question.query = question.query;
  out.again_in = std::max(again_in, kAgainMin);
  return out;
}

Result<TileAnswers::Answer> TileAnswers::wait(const std::shared_ptr<Flight>& flight,
                                              const flow::CancelFlag& gone,
                                              std::unique_lock<std::mutex>& lock) {
  changed_.wait(lock, [&] { return flight->outcome.has_value() || gone.is_set(); });
  if (flight->outcome)
    return *flight->outcome;
  std::erase(flight->waiting, &gone);
  return Error{Code::kCancelled, "nobody waits for the answer any more"};
}

void TileAnswers::wake() {
  const std::lock_guard lock(mutex_);
  for (const auto& [etag, flight] : flights_) {
    const auto& waiting = flight->waiting;
    if (std::any_of(waiting.begin(), waiting.end(), [](const auto* gone) { return !gone->is_set(); }))
      continue;
    flight->stop->store(true);
    if (flight->session != nullptr)
      flight->session->cancel();
  }
  changed_.notify_all();
}

Result<TileAnswers::Answer> TileAnswers::run(const TileQuestion& question, Flight& flight) {
  const auto began = env_.clock->steady();
  asked_.fetch_add(1);
  const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(limits_.time);
  TARN_TRY(const auto session, sessions_.open({.time_limit = limit}));
  session->set_stop_flag(flight.stop);
  {
    const std::lock_guard lock(mutex_);
    flight.session = session.get();
  }
  // The session goes before the flight, and wake() must not find it then.
  struct Leave {
    std::mutex& mutex;
    Flight& flight;
    ~Leave() {
      const std::lock_guard lock(mutex);
      flight.session = nullptr;
    }
  };
  const Leave leave{mutex_, flight};
  TARN_TRY(const auto rows, session->query(question.query->sql, question.values));
  auto answer = std::make_shared<TileAnswer>();
  answer->columns = rows->columns();
  RowsToJson writer(*answer, limits_);
  while (true) {
    TARN_TRY(const auto batch, rows->next_text());
    if (!batch || !writer.add(*batch))
      break;
  }
  writer.end();
  answer->took = env_.clock->steady() - began;
  return Answer(std::move(answer));
}

// Needs mutex_.
void TileAnswers::keep(const std::string& etag, const Answer& answer) {
  if (kept_.contains(etag))
    return;
  newest_first_.push_front(etag);
  kept_.emplace(etag, Kept{answer, newest_first_.begin()});
  kept_bytes_ += size_of(*answer);
  while (kept_bytes_ > limits_.kept_bytes && newest_first_.size() > 1) {
    const auto oldest = kept_.find(newest_first_.back());
    kept_bytes_ -= size_of(*oldest->second.answer);
    kept_.erase(oldest);
    newest_first_.pop_back();
  }
}

}  // namespace tarn::serve
