// Which versions of tables are past their time. A version of a table is a row of lake_tables and the document
// that it names. One that has expired keeps its row, so that whoever asks for it is told; its files are left
// to sweep.h, which comes a day later: what was being read then is read to its end.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "catalog/commit.h"

namespace tarn::catalog {

struct HistoryPolicy {
  std::optional<Duration> age;              // nothing: for ever, unless a table's properties say otherwise
  std::map<std::string, Duration> at_most;  // for some tables, by folded "schema.name"
};

struct Expiry {
  int64_t versions = 0;             // of tables, that can be asked for no more
  int64_t snapshots = 0;            // that the newest documents name no more
  std::vector<std::string> unread;  // tables whose document cannot be read: all of theirs stays; why
};

struct PreparedExpiry {
  Expiry found;
  PreparedCommit commit;  // the newest documents without what has expired, and the rows
};

// Changes nothing. The caller lets no commit come between this and publishing it.
Result<PreparedExpiry> prepare_expiry(const CommitTools& tools,
                                      const std::shared_ptr<const engine::LakeVersion>& head,
                                      const HistoryPolicy& policy);

}  // namespace tarn::catalog
