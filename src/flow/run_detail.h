// What the records say of one run beyond its tasks, and of the tables that runs read and wrote: for pages.
// Thread-safe; reads only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/env/env.h"
#include "base/result.h"
#include "flow/records.h"
#include "store/store.h"

namespace tarn::flow {

struct AttemptRecord {
  std::string task;
  int number = 0;
  State state = State::kRunning;
  Timestamp started_at;
  std::optional<Timestamp> finished_at;
  std::string error;
};

struct TaskVersion {
  std::string task;
  TableVersion version;
};

struct LogPage {
  std::vector<LogLine> lines;
  int64_t total = 0;
};

struct LogQuery {
  std::string run_id;
  std::string task;  // empty: of all tasks, by time
  int64_t offset = 0;
  int64_t limit = 0;
};

// A task that read or wrote a table, and the newest run in which it did.
struct TableUser {
  std::string task;
  std::string kind;
  bool written = false;
  std::string run_id;
};

Result<std::vector<AttemptRecord>> attempts_of(store::Store& store, const std::string& run_id);
Result<std::vector<TaskVersion>> versions_of(store::Store& store, const std::string& run_id);
Result<LogPage> log_page(store::Store& store, const LogQuery& query);
// `table` is "schema.name".
Result<std::vector<TableUser>> users_of(store::Store& store, const std::string& table);

}  // namespace tarn::flow
