#include "iceberg/table_commit.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

namespace tarn::iceberg {
namespace {

using Kind = TableRequirement::Kind;

Error failed(std::string_view what) {
  return {Code::kConflict, fmt::format("Requirement failed: {}", what)};
}

bool same_uuid(const std::string& a, const std::string& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

Status check_ref(const TableRequirement& requirement, const TableMetadata& head) {
  const auto& name = requirement.text;
  const auto found = head.refs.find(name);
  if (found == head.refs.end()) {
    if (requirement.number) {
      return failed(fmt::format("branch or tag {} is missing, expected {}", name, *requirement.number));
    }
    return ok();
  }
  const auto& ref = found->second;
  if (!requirement.number) {
    return failed(fmt::format("{} {} was created concurrently", ref.type, name));
  }
  if (*requirement.number != ref.snapshot_id) {
    return failed(fmt::format("{} {} has changed: expected id {} != {}", ref.type, name, *requirement.number,
                              ref.snapshot_id));
  }
  return ok();
}

Status check_number(std::string_view what, int64_t expected, int64_t found) {
  if (expected == found) {
    return ok();
  }
  return failed(fmt::format("{} changed: expected id {} != {}", what, expected, found));
}

Status check(const TableRequirement& requirement, const TableMetadata& head) {
  const int64_t number = requirement.number.value_or(-1);
  switch (requirement.kind) {
    case Kind::kCreate: return failed("table already exists");
    case Kind::kUuid:
      if (!same_uuid(requirement.text, head.table_uuid)) {
        return failed(
            fmt::format("UUID does not match: expected {} != {}", head.table_uuid, requirement.text));
      }
      return ok();
    case Kind::kRefSnapshot: return check_ref(requirement, head);
    case Kind::kLastFieldId: return check_number("last assigned field id", number, head.last_column_id);
    case Kind::kCurrentSchema: return check_number("current schema", number, head.current_schema_id);
    case Kind::kLastPartitionId:
      return check_number("last assigned partition id", number, head.last_partition_id);
    case Kind::kDefaultSpec: return check_number("default partition spec", number, head.default_spec_id);
    case Kind::kDefaultSortOrder:
      return check_number("default sort order", number, head.default_sort_order_id);
  }
  return ok();
}

}  // namespace

bool TableCommit::creates() const {
  return std::any_of(requirements.begin(), requirements.end(),
                     [](const auto& requirement) { return requirement.kind == Kind::kCreate; });
}

Status check_requirements(const std::vector<TableRequirement>& requirements, const TableMetadata* head) {
  for (const auto& requirement : requirements) {
    if (head != nullptr) {
      TARN_CHECK(check(requirement, *head));
    } else if (requirement.kind != Kind::kCreate) {
      return Error{Code::kInvalid,
                   "a commit that creates a table can require only that it is not there (assert-create)"};
    }
  }
  return ok();
}

bool is_applied(const TableCommit& commit, const TableMetadata& head) {
  bool adds = false;
  for (const auto& update : commit.updates) {
    if (const auto* added = std::get_if<AddSnapshot>(&update)) {
      adds = true;
      const auto* there = head.snapshot(added->snapshot.snapshot_id);
      if (there == nullptr || there->manifest_list != added->snapshot.manifest_list) {
        return false;
      }
    }
  }
  return adds;
}

}  // namespace tarn::iceberg
