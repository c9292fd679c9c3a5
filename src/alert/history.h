// What was told, looked back at: pages of alerts, what each channel was told of an episode, and what somebody
// says who looked whether a message arrived. Reads and writes control.sqlite; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "alert/records.h"
#include "base/result.h"
#include "store/store.h"

namespace tarn::alert {

inline constexpr std::string_view kAlertColumns =
    "a.id, a.channel, a.state, a.event, e.kind, e.subject, e.task, e.task_kind, e.path, a.run_id, "
    "e.schedule, a.text, a.created_at, e.opened_at, a.count, e.skipped, a.tries, a.message, a.answer, "
    "a.finished_at, e.closed_at";
inline constexpr std::string_view kAlertTables = "alerts a JOIN alert_episodes e ON e.id = a.episode";

Alert alert_of(const store::Rows& row);  // of kAlertColumns
Result<std::vector<Alert>> alerts_of(store::Rows rows);

// Which alerts, in which order. Empty: any.
struct PageQuery {
  std::string state, event, channel;
  std::string text;  // in the subject, the error, the run or the answer
  std::string sort;  // at, event, subject, channel or state; "-at": downwards. Empty: newest first
  int64_t offset = 0, limit = 100;
};
struct AlertPage {
  std::vector<Alert> alerts;
  int64_t total = 0;
};
// kInvalid names what cannot be sorted by, or is no state or event.
Result<AlertPage> alert_page(store::Store& store, const PageQuery& query);

// What an open episode has brought about since it began: runs that failed of it, and what was told.
Status add_told(store::Connection& db, Episode& episode);

// The newest message to a channel.
Result<std::optional<LastMessage>> last_message(store::Connection& db, const std::string& channel);

// Somebody looked whether a message arrived. `done`: it did. Else its alerts are to be sent again, also those
// that were refused or given up, but none of what is over meanwhile. Stands for all alerts of the message.
// Returns the channel.
Result<std::string> settle(store::Store& store, int64_t id, bool done, Timestamp now);

}  // namespace tarn::alert
