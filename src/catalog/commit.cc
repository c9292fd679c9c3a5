#include "catalog/commit.h"

#include <set>

#include <fmt/format.h>

#include "base/ids.h"
#include "catalog/layout.h"
#include "catalog/snapshot_history.h"
#include "catalog/table.h"
#include "catalog/version_editor.h"
#include "catalog/view_metadata.h"
#include "iceberg/metadata_update.h"
#include "iceberg/planner.h"
#include "iceberg/snapshot_builder.h"

namespace tarn::catalog {
namespace {

using engine::CommitRequest;
using engine::SchemaChange;
using engine::TableChange;
using engine::ViewChange;
using iceberg::TableMetadata;

int64_t ms_of(Timestamp time) {
  return time.time_since_epoch().count() / 1000;
}

bool changes_something(const TableChange& change) {
  return change.kind != TableChange::Kind::kUpdate || change.changed != nullptr || change.rename_to ||
         change.writes_files();
}

class CommitMaker {
 public:
  CommitMaker(const CommitTools& tools, const engine::LakeVersion& head, const CommitRequest& request,
              Timestamp time)
      : tools_(tools),
        request_(request),
        time_(time),
        editor_(head, head.number + 1, time),
        commit_{FileBatch(tools.env), {}, nullptr} {
    commit_.rows.version = head.number + 1;
    commit_.rows.time = time;
    commit_.rows.new_version = true;
  }

  Result<PreparedCommit> make() {
    for (const SchemaChange& change : request_.schemas) {
      if (change.kind != SchemaChange::Kind::kDrop) {
        TARN_CHECK(change_schema(change));
      }
    }
    TARN_CHECK(take_old_names());
    for (const TableChange& change : request_.tables) {
      if (change.kind != TableChange::Kind::kDrop && changes_something(change)) {
        TARN_CHECK(put_table(change));
      }
    }
    for (const ViewChange& change : request_.views) {
      if (change.kind != ViewChange::Kind::kDrop) {
        TARN_CHECK(put_view(change));
      }
    }
    for (const SchemaChange& change : request_.schemas) {
      if (change.kind == SchemaChange::Kind::kDrop) {
        TARN_CHECK(editor_.drop_schema(change.name));
        commit_.rows.ended_schemas.push_back(engine::fold(change.name));
      }
    }
    commit_.next = editor_.finish();
    return std::move(commit_);
  }

 private:
  Status change_schema(const SchemaChange& change) {
    if (change.kind == SchemaChange::Kind::kCreate) {
      TARN_CHECK(editor_.create_schema(change.name, change.properties));
    } else {
      TARN_CHECK(editor_.update_schema(change.name, change.properties));
      commit_.rows.ended_schemas.push_back(engine::fold(change.name));
    }
    commit_.rows.schemas.push_back({editor_.proper_schema(change.name), change.properties});
    return ok();
  }

  // All old names go first, so that tables can trade theirs within one transaction.
  Status take_old_names() {
    for (const TableChange& change : request_.tables) {
      if (change.kind == TableChange::Kind::kCreate || !changes_something(change)) {
        continue;
      }
      TARN_TRY(auto table, editor_.find_table(change.name, change.uuid));
      editor_.take_table(change.name);
      commit_.rows.ended_tables.push_back(change.uuid);
      taken_tables_[change.uuid] = table;
    }
    for (const ViewChange& change : request_.views) {
      if (change.kind == ViewChange::Kind::kCreate) {
        continue;
      }
      TARN_TRY(auto view, editor_.find_view(change.view.name, change.view.uuid));
      editor_.take_view(change.view.name);
      commit_.rows.ended_views.push_back(change.view.uuid);
      taken_views_[change.view.uuid] = view;
    }
    return ok();
  }

  Status put_table(const TableChange& change) {
    std::shared_ptr<const engine::LakeTable> table;
    if (change.kind == TableChange::Kind::kCreate) {
      TARN_TRY(table, create_table(change));
    } else {
      TARN_TRY(table, update_table(change, *taken_tables_[change.uuid]));
    }
    commit_.rows.tables.push_back({table->name(), table->uuid(), table->metadata_location()});
    return editor_.put_table(std::move(table));
  }

  Result<std::shared_ptr<const engine::LakeTable>> create_table(const TableChange& change) {
    if (change.changed == nullptr || change.changed->table_uuid != change.uuid) {
      return Error{Code::kInternal,
                   fmt::format("new table {} came without its metadata", to_string(change.name))};
    }
    TARN_CHECK(check_name(change.name.name, "table"));
    TableMetadata next = *change.changed;
    if (next.location.empty()) {
      next.location = to_location(object_folder(tools_.lake, change.name, change.uuid));
    }
    TARN_TRY(std::string folder, to_path(next.location));
    if (!folder.starts_with(tools_.lake + "/") || folder.find("/..") != std::string::npos) {
      return Error{Code::kDenied,
                   fmt::format("the location {} of {} is not in the lake's folder; leave it out",
                               next.location, to_string(change.name))};
    }
    TARN_CHECK(tools_.env.files->make_folders(folder + "/metadata"));
    TARN_CHECK(add_snapshot(change, next));
    iceberg::finish_version(next, nullptr, "", ms_of(time_));
    return write_version(change.rename_to.value_or(change.name), std::move(next),
                         metadata_path(folder, 0, new_id()));
  }

  Result<std::shared_ptr<const engine::LakeTable>> update_table(const TableChange& change,
                                                                const engine::LakeTable& table) {
    engine::TableName name = editor_.proper(change.rename_to.value_or(table.name()));
    if (change.changed == nullptr && !change.writes_files()) {
      return std::make_shared<const CatalogTable>(tools_.env, name, table.uuid(), table.metadata_location(),
                                                  nullptr);
    }
    TARN_TRY(auto head, table.metadata());
    TARN_CHECK(check_rebase(change, *head));
    TableMetadata next =
        change.changed == nullptr ? *head : iceberg::with_definition_of(*head, *change.changed);
    TARN_CHECK(add_snapshot(change, next));
    iceberg::finish_version(next, head.get(), table.metadata_location(),
                            std::max(ms_of(time_), head->last_updated_ms));
    TARN_TRY(std::string folder, to_path(next.location));
    int64_t version = version_of(table.metadata_location()) + 1;
    return write_version(name, std::move(next), metadata_path(folder, version, new_id()));
  }

  // What other commits may have done since the transaction read `base`.
  [[nodiscard]] Status check_rebase(const TableChange& change, const TableMetadata& head) {
    if (change.base == nullptr) {
      return Error{Code::kInternal,
                   fmt::format("the change of {} does not say on what it builds", to_string(change.name))};
    }
    if (change.base.get() == &head) {
      return ok();
    }
    if (!iceberg::same_layout(*change.base, head)) {
      return conflict(
          fmt::format("the columns or partitions of {} were changed meanwhile", to_string(change.name)));
    }
    if (change.changed != nullptr && !iceberg::same_definition(*change.base, head)) {
      return conflict(fmt::format("the definition of {} was changed meanwhile", to_string(change.name)));
    }
    if (change.remove_all && change.base->current_snapshot_id != head.current_snapshot_id) {
      return conflict(
          fmt::format("{} is to be replaced, but was written to meanwhile", to_string(change.name)));
    }
    if (change.base->current_snapshot_id != head.current_snapshot_id) {
      if (change.alone) {
        return conflict(fmt::format("{} was written to meanwhile", to_string(change.name)));
      }
      return check_touched(change, head);
    }
    return ok();
  }

  // Rows are deleted by file and position: the files must still be there, with the deletes that they had.
  [[nodiscard]] Status check_touched(const TableChange& change, const TableMetadata& head) {
    if (change.touched.empty()) {
      return ok();
    }
    iceberg::Plan plan;
    if (head.current_snapshot_id) {
      TARN_TRY(plan, iceberg::plan_scan(head, *head.current_snapshot_id, {}, tools_.manifests));
    }
    std::map<std::string, std::set<std::string>> now;
    for (const auto& file : plan.files) {
      auto& deletes = now[file.file.path];
      for (const auto& applied : file.deletes) {
        deletes.insert(applied.path);
      }
    }
    for (const auto& [path, deletes] : change.touched) {
      const auto found = now.find(path);
      if (found == now.end() || found->second != std::set<std::string>(deletes.begin(), deletes.end())) {
        return conflict(
            fmt::format("rows of {} that are to be changed were changed meanwhile", to_string(change.name)));
      }
    }
    return ok();
  }

  Status add_snapshot(const TableChange& change, TableMetadata& next) {
    if (!change.writes_files()) {
      return ok();
    }
    iceberg::SnapshotChange snapshot;
    snapshot.remove_all = change.remove_all;
    snapshot.removed = change.removed;
    snapshot.added = change.added;
    snapshot.summary = change.summary;
    snapshot.summary["tarn.lake-version"] = std::to_string(commit_.rows.version);
    if (!request_.token.empty()) {
      snapshot.summary["tarn.commit-token"] = request_.token;
    }
    snapshot.snapshot_id = new_snapshot_id(next);
    snapshot.timestamp_ms = std::max(ms_of(time_), next.last_updated_ms);
    snapshot.file_id = new_id();
    auto built = iceberg::build_snapshot(next, snapshot, tools_.manifests);
    if (!built) {
      return built.error().code == Code::kConflict
                 ? conflict(fmt::format("{}: {}", to_string(change.name), built.error().message))
                 : built.error().at(to_string(change.name));
    }
    for (auto& file : built->files) {
      TARN_TRY(std::string path, to_path(file.path));
      commit_.files.add(std::move(path), std::move(file.bytes));
    }
    next = std::move(built->metadata);
    thin_snapshots(next, snapshot.timestamp_ms);
    commit_.rows.outcome.snapshot_ids[change.uuid] = snapshot.snapshot_id;
    return ok();
  }

  Result<std::shared_ptr<const engine::LakeTable>> write_version(const engine::TableName& name,
                                                                 TableMetadata next,
                                                                 const std::string& path) {
    commit_.files.add(path, iceberg::to_json(next));
    std::string uuid = next.table_uuid;
    return std::make_shared<const CatalogTable>(tools_.env, name, uuid, to_location(path),
                                                std::make_shared<const TableMetadata>(std::move(next)));
  }

  Status put_view(const ViewChange& change) {
    auto view = std::make_shared<engine::LakeView>(change.view);
    if (change.rename_to) {
      view->name = *change.rename_to;
    } else if (auto old = taken_views_.find(view->uuid); old != taken_views_.end()) {
      view->name = old->second->name;
    }
    view->name = editor_.proper(view->name);
    TARN_CHECK(check_name(view->name.name, "view"));
    std::optional<ViewFile> before;
    if (change.kind == ViewChange::Kind::kReplace) {
      TARN_TRY(before,
               tools_.store.read([&](store::Connection& c) { return load_view_file(c, view->uuid); }));
    }
    std::string folder = object_folder(tools_.lake, view->name, view->uuid);
    if (before) {
      TARN_TRY(std::string path, to_path(before->metadata_location));
      folder = path.substr(0, path.rfind("/metadata/"));
    }
    int64_t version_id = before ? before->version_id + 1 : 1;
    TARN_CHECK(tools_.env.files->make_folders(folder + "/metadata"));
    std::string path = metadata_path(folder, version_id - 1, new_id());
    commit_.files.add(path, view_metadata_json(*view, {.location = to_location(folder),
                                                       .version_id = version_id,
                                                       .timestamp_ms = ms_of(time_)}));
    commit_.rows.views.push_back({*view, to_location(path), version_id});
    return editor_.put_view(std::move(view));
  }

  std::string new_id() { return new_uuid(*tools_.env.random); }

  int64_t new_snapshot_id(const TableMetadata& metadata) {
    for (;;) {
      auto id = static_cast<int64_t>(tools_.env.random->next() >> 1U);
      if (id > 0 && metadata.snapshot(id) == nullptr) {
        return id;
      }
    }
  }

  const CommitTools& tools_;
  const CommitRequest& request_;
  const Timestamp time_;
  VersionEditor editor_;
  PreparedCommit commit_;
  std::map<std::string, std::shared_ptr<const engine::LakeTable>> taken_tables_;  // by uuid
  std::map<std::string, std::shared_ptr<const engine::LakeView>> taken_views_;    // by uuid
};

bool changes_lake(const CommitRequest& request) {
  return !request.schemas.empty() || !request.views.empty() ||
         std::any_of(request.tables.begin(), request.tables.end(), changes_something);
}

}  // namespace

Result<PreparedCommit> prepare_commit(const CommitTools& tools,
                                      const std::shared_ptr<const engine::LakeVersion>& head,
                                      const CommitRequest& request) {
  PreparedCommit commit{FileBatch(tools.env), {}, head};
  commit.rows.version = head->number;
  commit.rows.time = head->time;
  if (changes_lake(request)) {
    Timestamp time = std::max(tools.env.clock->now(), head->time + Duration(1));
    TARN_TRY(commit, CommitMaker(tools, *head, request, time).make());
  }
  commit.rows.cursors = request.cursors;
  commit.rows.token = request.token;
  commit.rows.outcome.lake_version = commit.rows.version;
  commit.rows.outcome.time = commit.rows.time;
  return commit;
}

}  // namespace tarn::catalog
