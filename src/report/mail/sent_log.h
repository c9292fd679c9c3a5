// What was mailed, and what became of it: `_tarn.sent`, in control.sqlite. A sending is recorded before and
// after, so that one killed in between is seen as unknown rather than repeated. Thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/env/env.h"
#include "base/result.h"
#include "engine/table_source.h"
#include "store/store.h"

namespace tarn::report::mail {

// The states of a sending. kSending is of this process: what another left behind is kUnknown.
enum class SentState { kSending, kSent, kNoRows, kRefused, kNotSent, kUnknown };
std::string_view name_of(SentState state);
SentState sent_state_of(std::string_view name);  // kUnknown for none

struct SentRecord {
  std::string id;   // of the message
  std::string key;  // of the occasion: one is sent once
  std::string report, run;
  std::string sender, recipients, subject;
  SentState state = SentState::kSending;
  int attempts = 0;
  std::string answer;  // why not
  int64_t bytes = 0;   // of the workbook
  int64_t lake_version = 0;
  Timestamp started_at;
  std::optional<Timestamp> finished_at;
};

class SentLog {
 public:
  // What an earlier process was sending becomes unknown.
  static Result<std::unique_ptr<SentLog>> open(Env& env, store::Store& store);

  // The newest record of an occasion.
  Result<std::optional<SentRecord>> find(const std::string& key);
  // Records that it is about to be sent. kExists: it was sent. kConflict: it is being sent. kFailed: nobody
  // knows whether it was, and `repeatable` is false.
  Status begin(const SentRecord& record, bool repeatable);
  Status end(const SentRecord& record);

  Status scan(const std::function<bool(const SentRecord&)>& sink);  // newest first

 private:
  SentLog(Env& env, store::Store& store) : env_(env), store_(store) {}
  Env& env_;
  store::Store& store_;
};

// `_tarn.sent`. The log outlives it.
std::shared_ptr<engine::TableSource> sent_table(SentLog& log);

}  // namespace tarn::report::mail
