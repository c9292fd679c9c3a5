#include "board/reads.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace tarn::board {
namespace {

constexpr const char* kDefaultSchema = "public";
constexpr const char* kLake = "lake";

class Finder {
 public:
  Finder(const engine::LakeVersion& version, Reads& reads) : version_(version), reads_(reads) {}

  Status find(const std::vector<engine::TableUse>& tables) {
    for (const auto& table : tables)
      TARN_CHECK(find(table));
    return ok();
  }

 private:
  Status find(const engine::TableUse& use) {
    // "lake.t" is a schema's or the database's: what is not there as the one is the other.
    // A database of others has no versions.
    if (!use.database.empty() && engine::fold(use.database) != kLake) {
      reads_.all_known = false;
      return ok();
    }
    const bool qualified = use.database.empty() && engine::fold(use.schema) == kLake;
    const auto schema = engine::fold(use.schema.empty() || qualified ? kDefaultSchema : use.schema);
    const auto name = engine::fold(use.name);
    if (!seen_.insert(schema + "." + name).second)
      return ok();
    const auto found = version_.schemas.find(schema);
    if (found == version_.schemas.end()) {
      reads_.all_known = false;
      return ok();
    }
    if (const auto table = found->second->tables.find(name); table != found->second->tables.end())
      return add(*table->second);
    if (const auto view = found->second->views.find(name); view != found->second->views.end())
      return look_into(*view->second);
    reads_.all_known = false;
    return ok();
  }

  Status add(const engine::LakeTable& table) {
    TARN_TRY(const auto metadata, table.metadata());
    const auto* snapshot = metadata->current_snapshot();
    TableRead read{.table = fmt::format("{}.{}", table.name().schema, table.name().name)};
    if (snapshot != nullptr) {
      read.snapshot_id = snapshot->snapshot_id;
      read.changed_at = Timestamp(std::chrono::milliseconds(snapshot->timestamp_ms));
    }
    reads_.identity += fmt::format("{} {} {}\n", table.uuid(), read.snapshot_id, metadata->current_schema_id);
    reads_.tables.push_back(std::move(read));
    return ok();
  }

  Status look_into(const engine::LakeView& view) {
    reads_.identity += fmt::format("{} {}\n", view.uuid, view.sql);
    TARN_TRY(const auto facts, engine::parse(view.sql));
    for (const auto& one : facts)
      TARN_CHECK(find(one.tables));
    return ok();
  }

  const engine::LakeVersion& version_;
  Reads& reads_;
  std::set<std::string> seen_;
};

}  // namespace

Result<Reads> find_reads(const engine::LakeVersion& version, const std::vector<engine::TableUse>& tables) {
  Reads reads;
  TARN_CHECK(Finder(version, reads).find(tables));
  std::sort(reads.tables.begin(), reads.tables.end(),
            [](const TableRead& a, const TableRead& b) { return a.table < b.table; });
  return reads;
}

}  // namespace tarn::board
