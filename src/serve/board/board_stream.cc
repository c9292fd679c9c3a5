#include "serve/board/board_stream.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include "base/time.h"

namespace tarn::serve {
namespace {

constexpr size_t kThreadsMax = 4;

struct Job {
  const StreamPart* part;
  TileQuestion question;
};

// How long an answer is worth showing.
struct Worth {
  std::optional<Duration> again_in;  // it is an earlier one
  std::optional<Duration> good_for;  // see TileQuestion
};

void put(Json& line, const Worth& worth) {
  const auto whole_ms = [](Duration time) {
    return std::chrono::ceil<std::chrono::milliseconds>(time).count();
  };
  if (worth.again_in)
    line["again_in_ms"] = whole_ms(*worth.again_in);
  if (worth.good_for)
    line["good_for_ms"] = whole_ms(*worth.good_for);
}

std::string failed_line(const StreamPart& part, const Error& error, const Worth& worth = {}) {
  Json line = to_json(part.is_guest ? Error{error.code, "this cannot be shown now"} : error);
  line[part.kind] = part.id;
  put(line, worth);
  return dump(line) + "\n";
}

std::string unchanged_line(const StreamPart& part, const Worth& worth) {
  Json line = {{part.kind, part.id}, {"etag", part.known_etag}, {"unchanged", true}};
  put(line, worth);
  return dump(line) + "\n";
}

std::string answer_line(const StreamPart& part, const TileQuestion& question, const TileAnswer& answer,
                        const Worth& worth) {
  Json reads = Json::array();
  for (const auto& read : question.reads.tables) {
    reads.push_back({{"table", part.is_guest ? "" : read.table},
                     {"changed_at", read.changed_at ? Json(format_utc(*read.changed_at)) : Json()},
                     {"outside", read.outside}});
  }
  Json columns = Json::array();
  for (const auto& column : answer.columns)
    columns.push_back({{"name", column.name}, {"type", column.type}});
  Json head = {{part.kind, part.id}, {"etag", question.etag}, {"reads", reads},
               {"columns", columns}, {"cut", answer.cut},     {"took_ms", answer.took.count() / 1000}};
  put(head, worth);
  auto line = dump(head);
  line.pop_back();  // the brace: the rows are JSON already
  return fmt::format("{},\"rows\":{}}}\n", line, answer.rows);
}

// Answers what was not at hand, with threads of its own, while the caller writes.
class Workers {
 public:
  Workers(TileAnswers& answers, std::vector<Job> jobs, const flow::CancelFlag& gone)
      : answers_(answers), jobs_(std::move(jobs)), gone_(gone) {
    const auto count = std::min(kThreadsMax, jobs_.size());
    left_ = jobs_.size();
    for (size_t i = 0; i < count; ++i)
      threads_.emplace_back([this] { work(); });
  }
  ~Workers() {
    for (auto& thread : threads_)
      thread.join();
  }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // The next line; empty when all came.
  std::string next() {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [this] { return !lines_.empty() || left_ == 0; });
    if (lines_.empty())
      return "";
    auto line = std::move(lines_.front());
    lines_.pop_front();
    return line;
  }

 private:
  void work() {
    while (true) {
      const Job* job = nullptr;
      {
        const std::lock_guard lock(mutex_);
        if (taken_ == jobs_.size())
          return;
        job = &jobs_[taken_++];
      }
      const auto answer =
          gone_.is_set()
              ? Result<std::shared_ptr<const TileAnswer>>(Error{Code::kCancelled, "the page is gone"})
              : answers_.ask(job->question, gone_);
      const Worth worth{.again_in = {}, .good_for = job->question.good_for};
      auto line = answer ? answer_line(*job->part, job->question, **answer, worth)
                         : failed_line(*job->part, answer.error(), worth);
      const std::lock_guard lock(mutex_);
      lines_.push_back(std::move(line));
      --left_;
      ready_.notify_one();
    }
  }

  TileAnswers& answers_;
  const std::vector<Job> jobs_;
  const flow::CancelFlag& gone_;
  std::mutex mutex_;  // guards all below
  std::condition_variable ready_;
  std::deque<std::string> lines_;
  size_t taken_ = 0, left_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace

void stream_board(TileAnswers& answers, const Json& head, const std::vector<StreamPart>& parts,
                  const std::vector<engine::Parameter>& values, net::HttpServerResponse& response) {
  flow::CancelFlag gone;
  response.on_gone([&] {
    gone.set();
    answers.wake();
  });
  bool writes = response.begin(200, "application/x-ndjson", {{"Cache-Control", "no-store"}}).has_value();
  const auto write = [&](const std::string& line) { writes = writes && response.write(line).has_value(); };
  std::string at_hand = dump(head) + "\n";
  std::vector<Job> jobs;
  for (const auto& part : parts) {
    auto question = answers.question(*part.query, values);
    if (!question) {
      at_hand += failed_line(part, question.error());
    } else if (question->etag == part.known_etag) {
      at_hand += unchanged_line(part, {.again_in = {}, .good_for = question->good_for});
    } else if (const auto kept = answers.find(question->etag)) {
      at_hand += answer_line(part, *question, *kept, {.again_in = {}, .good_for = question->good_for});
    } else if (const auto earlier = answers.earlier(*question)) {
      at_hand += earlier->question.etag == part.known_etag
                     ? unchanged_line(part, {.again_in = earlier->again_in, .good_for = {}})
                     : answer_line(part, earlier->question, *earlier->answer,
                                   {.again_in = earlier->again_in, .good_for = {}});
    } else {
      jobs.push_back({&part, std::move(*question)});
    }
  }
  write(at_hand);
  {
    Workers workers(answers, std::move(jobs), gone);
    for (auto line = workers.next(); !line.empty(); line = workers.next())
      write(line);
  }
  response.on_gone({});
  if (!writes)
    response.break_off();
}

}  // namespace tarn::serve
