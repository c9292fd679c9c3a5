#include "catalog/history.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/ids.h"
#include "catalog/layout.h"
#include "catalog/table.h"
#include "catalog/version_editor.h"
#include "iceberg/expiry.h"
#include "iceberg/metadata_update.h"

namespace tarn::catalog {
namespace {

using iceberg::TableMetadata;

int64_t ms_of(Timestamp time) {
  return time.time_since_epoch().count() / 1000;
}

// A version of a table: good until `end`.
struct Version {
  engine::TableName name;
  std::string metadata_location;
  int64_t begin = 0;
  std::optional<Timestamp> end;  // nothing: it is the newest of a table that is there
};
using Versions = std::map<std::string, std::vector<Version>>;  // by uuid; oldest first

Result<Versions> load_versions(store::Store& store) {
  return store.read([](store::Connection& db) -> Result<Versions> {
    TARN_TRY(auto rows,
             db.query("SELECT t.uuid, t.schema, t.name, t.metadata_location, t.begin_version, "
                      "v.time_us FROM lake_tables t LEFT JOIN lake_versions v ON v.number = "
                      "t.end_version WHERE t.expired_at IS NULL ORDER BY t.uuid, t.begin_version"));
    Versions versions;
    while (true) {
      TARN_TRY(const bool more, rows.next());
      if (!more)
        return versions;
      versions[rows.text(0)].push_back({.name = {rows.text(1), rows.text(2)},
                                        .metadata_location = rows.text(3),
                                        .begin = rows.integer(4),
                                        .end = rows.optional_time(5)});
    }
  });
}

class Maker {
 public:
  Maker(const CommitTools& tools, const engine::LakeVersion& head, const HistoryPolicy& policy)
      : tools_(tools),
        policy_(policy),
        now_(tools.env.clock->now()),
        time_(std::max(now_, head.time + Duration(1))),
        editor_(head, head.number + 1, time_),
        made_{.found = {}, .commit = {FileBatch(tools.env), {}, nullptr}} {
    rows().version = head.number + 1;
    rows().time = time_;
  }

  Result<PreparedExpiry> make() {
    TARN_TRY(const auto all, load_versions(tools_.store));
    for (const auto& [uuid, versions] : all) {
      const auto done = look_at(uuid, versions);
      if (!done && done.error().code == Code::kConflict)
        return done.error();
      if (!done)
        made_.found.unread.push_back(done.error().message);
    }
    rows().new_version = !rows().tables.empty();
    if (rows().new_version)
      made_.commit.next = editor_.finish();
    return std::move(made_);
  }

 private:
  RowChanges& rows() { return made_.commit.rows; }

  [[nodiscard]] std::optional<Duration> age_of(const engine::TableName& name) const {
    const auto at_most = policy_.at_most.find(engine::fold(name.schema + "." + name.name));
    if (at_most == policy_.at_most.end())
      return policy_.age;
    return policy_.age ? std::min(*policy_.age, at_most->second) : at_most->second;
  }

  // A table whose document cannot be read keeps all it has.
  Status look_at(const std::string& uuid, const std::vector<Version>& versions) {
    const auto& newest = versions.back();
    const CatalogTable table(tools_.env, newest.name, uuid, newest.metadata_location, nullptr);
    TARN_TRY(const auto metadata, table.metadata());
    const auto age = age_of(newest.name);
    const auto rules =
        iceberg::history_rules(*metadata, age ? std::optional(age->count() / 1000) : std::nullopt);
    if (!rules.may_remove)
      return ok();
    expire_versions(uuid, versions, rules);
    return newest.end ? ok() : expire_snapshots(table, *metadata, rules);
  }

  void expire_versions(const std::string& uuid, const std::vector<Version>& versions,
                       const iceberg::HistoryRules& rules) {
    if (!rules.age_ms)
      return;
    // Of a table that is there the newest ones stay, however old; of one that was dropped none does.
    const auto kept = versions.back().end ? size_t{0} : static_cast<size_t>(rules.min_snapshots);
    for (size_t i = 0; i + kept < versions.size(); ++i) {
      const auto& one = versions[i];
      if (one.end && ms_of(now_) - ms_of(*one.end) > *rules.age_ms) {
        rows().expired.push_back({uuid, one.begin});
        ++made_.found.versions;
      }
    }
  }

  Status expire_snapshots(const CatalogTable& table, const TableMetadata& base,
                          const iceberg::HistoryRules& rules) {
    const auto expired = iceberg::find_expired(base, rules, ms_of(now_));
    if (expired.empty())
      return ok();
    made_.found.snapshots += static_cast<int64_t>(expired.snapshots.size());
    auto next = iceberg::without(base, expired);
    iceberg::finish_version(next, &base, table.metadata_location(), ms_of(time_));
    TARN_TRY(const auto folder, to_path(next.location));
    const auto path =
        metadata_path(folder, version_of(table.metadata_location()) + 1, new_uuid(*tools_.env.random));
    made_.commit.files.add(path, iceberg::to_json(next));
    TARN_CHECK(editor_.find_table(table.name(), table.uuid()));
    editor_.take_table(table.name());
    rows().ended_tables.push_back(table.uuid());
    rows().tables.push_back({table.name(), table.uuid(), to_location(path)});
    return editor_.put_table(
        std::make_shared<const CatalogTable>(tools_.env, table.name(), table.uuid(), to_location(path),
                                             std::make_shared<const TableMetadata>(std::move(next))));
  }

  const CommitTools& tools_;
  const HistoryPolicy& policy_;
  const Timestamp now_, time_;
  VersionEditor editor_;
  PreparedExpiry made_;
};

}  // namespace

Result<PreparedExpiry> prepare_expiry(const CommitTools& tools,
                                      const std::shared_ptr<const engine::LakeVersion>& head,
                                      const HistoryPolicy& policy) {
  TARN_TRY(auto made, Maker(tools, *head, policy).make());
  if (made.commit.next == nullptr) {
    made.commit.next = head;
    made.commit.rows.version = head->number;
  }
  return made;
}

}  // namespace tarn::catalog
