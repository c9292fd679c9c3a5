// What was mailed, and what became of it: `_tarn.sent`, in control.sqlite. A sending is recorded before and
// after, so that one killed in between is seen as unknown rather than repeated. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

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
  std::map<std::string, std::vector<std::string>> parameters;  // of the report, as they were settled
  Timestamp started_at;
  std::optional<Timestamp> finished_at;
};

// Which mails, in which order. Empty: any.
struct SentQuery {
  std::string state, report;
  std::string text;  // in the recipients, the subject, the run or the answer
  std::string sort;  // at, report, state, bytes or attempts; "-at": downwards. Empty: newest first
  int64_t offset = 0, limit = 100;
};
struct SentPage {
  std::vector<SentRecord> mails;
  int64_t total = 0;
  int64_t unknown = 0;  // of all, whatever was asked for
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

  // Somebody looked whether a mail arrived, which is named by its id or its occasion: `done`, it did; else it
  // may be sent again, which one that was refused or not sent may be in any case. Returns what it is now.
  Result<SentRecord> settle(const std::string& mail, bool done);

 private:
  SentLog(Env& env, store::Store& store) : env_(env), store_(store) {}
  Env& env_;
  store::Store& store_;
};

// kInvalid names what cannot be sorted by, or is no state.
Result<SentPage> sent_page(store::Store& store, const SentQuery& query);

// `_tarn.sent`. The store outlives it.
std::shared_ptr<engine::TableSource> sent_table(store::Store& store);

}  // namespace tarn::report::mail
