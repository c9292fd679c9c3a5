// Takes out what is older than its retention, and never what is needed: the raw bytes and records of the
// newest run that loaded each source (so that it can be replayed), all newer runs of it, runs that are not
// over, the newest outcome of each task, fetches that a cursor names. Records go first, bytes after them: a
// kill between leaves files that no record names, which the next cleaning finds. May be repeated at any time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/env/env.h"
#include "base/result.h"
#include "lake/lake.h"
#include "retention/config.h"
#include "session/session.h"
#include "store/store.h"

namespace tarn::retention {

struct Removed {
  // "raw", "logs", "quarantine", "due", "runs", "sent", "fetches", "records" (pages of control.sqlite),
  // "history" (versions of tables), "orphans" (files of the lake)
  std::string what;
  int64_t count = 0;
  int64_t bytes = 0;                    // of files; 0: none
  std::vector<std::string> paths = {};  // of orphans, in the data folder; the first 1,000
};

struct Cleaning {
  std::vector<Removed> removed;  // each kind once; of a dry run what would be
  bool dry_run = false;
};

struct CleanerParts {
  Env& env;
  store::Store& store;
  session::SessionService& sessions;
  lake::Lake& lake;
  std::string data_folder;
};

// When a server cleaned last; remembered over restarts.
Status open_records(store::Store& store);
Result<std::optional<Timestamp>> last_cleaned_at(store::Store& store);

// `cancelled` is looked at between steps; what was done stays done.
Result<Cleaning> clean(const CleanerParts& parts, const Policy& policy, bool dry_run,
                       const std::function<bool()>& cancelled);

}  // namespace tarn::retention
