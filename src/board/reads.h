// Which tables a query reads, through views, and what they stand at: what an answer is valid for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/env/env.h"
#include "base/result.h"
#include "engine/lake_catalog.h"
#include "engine/parse.h"

namespace tarn::board {

struct TableRead {
  std::string table;  // "schema.name"
  int64_t snapshot_id = 0;
  std::optional<Timestamp> changed_at;  // none: it was never written to
};

struct Reads {
  std::vector<TableRead> tables;  // sorted
  // Another text when the same query could have another answer.
  std::string identity;
  bool all_known = true;  // false: something that has no versions is read, as _tarn.runs
};

Result<Reads> find_reads(const engine::LakeVersion& version, const std::vector<engine::TableUse>& tables);

}  // namespace tarn::board
