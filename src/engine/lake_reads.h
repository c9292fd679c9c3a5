// What SQL reads in one version of the lake, through its views and macros, however deep: for lineage, for the
// order of runs, and for how long an answer stays true.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "engine/lake_catalog.h"
#include "engine/parse.h"

namespace tarn::engine {

struct LakeReads {
  std::vector<std::shared_ptr<const LakeTable>> tables;
  std::vector<std::shared_ptr<const LakeView>> views;    // looked through
  std::vector<std::shared_ptr<const LakeMacro>> macros;  // the same
  // What the lake does not have: tables of databases of others (`database` set, `schema` where it is
  // written), `_tarn` and the like, and names of nothing.
  std::vector<TableUse> others;
};

struct LakeReadsOptions {
  const std::set<std::string>& databases;  // attached ones: "shop.t" and "shop.public.t" are theirs
  // True: the caller knows this table, so it is not looked for in the lake. Asked once for each name.
  std::function<bool(const TableName& name)> known = {};
};

// Macros count by their bare name, in whichever schema: one too many rather than one too few. Fails when a
// view or a macro is no SQL.
Result<LakeReads> lake_reads(const LakeVersion& version, std::span<const StatementFacts> statements,
                             const LakeReadsOptions& options);

}  // namespace tarn::engine
