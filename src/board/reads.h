// Which tables a query reads, through views and macros, and what they stand at: what an answer is valid for.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/env/env.h"
#include "base/result.h"
#include "engine/lake_catalog.h"
#include "engine/parse.h"

namespace tarn::board {

struct TableRead {
  std::string table;  // "schema.name"; of an attachment with its name in front, as far as it is written
  int64_t snapshot_id = 0;
  std::optional<Timestamp> changed_at;  // none: it was never written to, or nobody knows
  bool outside = false;                 // in a database of others
};

struct Reads {
  std::vector<TableRead> tables;  // sorted
  // Another text when the same query could have another answer.
  std::string identity;
  // False: there may be another answer at any time. Something without versions is read, as _tarn.runs or a
  // database of others, or a view or macro asks for the time or for chance.
  bool all_known = true;
};

// `attachments`: the names of databases of others.
Result<Reads> find_reads(const engine::LakeVersion& version, const engine::StatementFacts& statement,
                         const std::set<std::string>& attachments);

// Whether the time or chance is asked for, wherever in the text: one word too many only makes an answer be
// asked for again.
bool names_restless(std::string_view sql);

}  // namespace tarn::board
