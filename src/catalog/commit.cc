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
#include "iceberg/table_commit.h"
#include "iceberg/view_metadata.h"

namespace tarn::catalog {
namespace {

using engine::CommitRequest;
using engine::MacroChange;
using engine::SchemaChange;
using engine::TableChange;
using engine::ViewChange;
using iceberg::TableMetadata;

int64_t ms_of(Timestamp time) {
  return time.time_since_epoch().count() / 1000;
}

// What the changes from outside make of their tables, by uuid. A table that stays as it is has none.
using OutsideDocuments = std::map<std::string, TableMetadata>;

bool changes_something(const TableChange& change, const OutsideDocuments& outside) {
  return change.kind != TableChange::Kind::kUpdate || change.changed != nullptr || change.rename_to ||
         change.writes_files() || outside.contains(change.uuid);
}

Result<OutsideDocuments> outside_documents(const engine::LakeVersion& head, const CommitRequest& request,
                                           Timestamp time) {
  const VersionEditor editor(head, head.number, head.time);
  OutsideDocuments documents;
  for (const TableChange& change : request.tables) {
    if (change.outside == nullptr || change.kind != TableChange::Kind::kUpdate) {
      continue;
    }
    TARN_TRY(auto table, editor.find_table(change.name, change.uuid));
    TARN_TRY(auto metadata, table->metadata());
    if (iceberg::is_applied(*change.outside, *metadata)) {
      return OutsideDocuments();  // all tables of a request change together, so all was done
    }
    TARN_CHECK(iceberg::check_requirements(change.outside->requirements, metadata.get()));
    TARN_TRY(auto next, iceberg::apply_updates(metadata.get(), change.outside->updates, ms_of(time)));
    if (next) {
      documents.emplace(change.uuid, std::move(*next));
    }
  }
  return documents;
}

class CommitMaker {
 public:
  CommitMaker(const CommitTools& tools, const engine::LakeVersion& head, const CommitRequest& request,
              OutsideDocuments outside, Timestamp time)
      : tools_(tools),
        request_(request),
        outside_(std::move(outside)),
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
      if (change.kind != TableChange::Kind::kDrop && changes_something(change, outside_)) {
        TARN_CHECK(put_table(change));
      }
    }
    for (const ViewChange& change : request_.views) {
      if (change.kind != ViewChange::Kind::kDrop) {
        TARN_CHECK(put_view(change));
      }
    }
    for (const MacroChange& change : request_.macros) {
      if (change.kind == MacroChange::Kind::kCreate) {
        TARN_CHECK(put_macro(change.macro));
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
      TARN_CHECK(editor_.update_schema(change.name, change.properties, change.base));
      commit_.rows.ended_schemas.push_back(engine::fold(change.name));
    }
    commit_.rows.schemas.push_back({editor_.proper_schema(change.name), change.properties});
    return ok();
  }

  // All old names go first, so that tables can trade theirs within one transaction.
  Status take_old_names() {
    for (const TableChange& change : request_.tables) {
      if (change.kind == TableChange::Kind::kCreate || !changes_something(change, outside_)) {
        continue;
      }
      TARN_TRY(auto table, editor_.find_table(change.name, change.uuid));
      editor_.take_table(change.name);
      commit_.rows.ended_tables.push_back(change.uuid);
      if (change.kind == TableChange::Kind::kDrop && change.purge) {
        purge(*table);
      }
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
    for (const MacroChange& change : request_.macros) {
      if (change.kind == MacroChange::Kind::kDrop) {
        TARN_CHECK(editor_.take_macro(change.macro));
        commit_.rows.ended_macros.push_back(change.macro.uuid);
      }
    }
    return ok();
  }

  // Its versions are past their time from now on; sweep.h takes the files. A table may forbid that.
  void purge(const engine::LakeTable& table) {
    const auto metadata = table.metadata();
    if (!metadata) {
      return;  // whether it does cannot be read
    }
    const auto gc = (*metadata)->properties.find("gc.enabled");
    if (gc == (*metadata)->properties.end() || gc->second != "false") {
      commit_.rows.purged_tables.push_back(table.uuid());
    }
  }

  Status put_macro(engine::LakeMacro macro) {
    macro.name = editor_.proper(macro.name);
    commit_.rows.macros.push_back(macro);
    return editor_.put_macro(std::make_shared<const engine::LakeMacro>(std::move(macro)));
  }

  Status put_table(const TableChange& change) {
    std::shared_ptr<const engine::LakeTable> table;
    if (change.kind == TableChange::Kind::kCreate) {
      TARN_TRY(table, create_table(change));
    } else {
      TARN_TRY(table, update_table(change, *taken_tables_[change.uuid]));
    }
    commit_.rows.tables.push_back({table->name(), table->uuid(), table->metadata_location()});
    commit_.rows.outcome.metadata_locations[table->uuid()] = table->metadata_location();
    return editor_.put_table(std::move(table));
  }

  Result<std::shared_ptr<const engine::LakeTable>> create_table(const TableChange& change) {
    if (change.changed == nullptr || change.changed->table_uuid != change.uuid) {
      return Error{Code::kInternal,
                   fmt::format("new table {} came without its metadata", to_string(change.name))};
    }
    TARN_CHECK(check_name(change.name.name, "table"));
    if (!change.registered_location.empty()) {
      return register_table(change);
    }
    TableMetadata next = *change.changed;
    if (next.location.empty()) {
      next.location = to_location(object_folder(tools_.locations.lake, change.name, change.uuid));
    }
    TARN_TRY(std::string folder, tools_.locations.allow(next.location));
    TARN_CHECK(tools_.env.files->make_folders(folder + "/metadata"));
    TARN_CHECK(add_snapshot(change, next));
    iceberg::finish_version(next, nullptr, "", ms_of(time_));
    return write_version(change.rename_to.value_or(change.name), std::move(next),
                         metadata_path(folder, 0, new_id()));
  }

  // The document that is there is the first version; the next one says where it was.
  Result<std::shared_ptr<const engine::LakeTable>> register_table(const TableChange& change) {
    TARN_TRY([[maybe_unused]] const auto path, tools_.locations.allow(change.registered_location));
    TARN_TRY([[maybe_unused]] const auto folder, tools_.locations.allow(change.changed->location));
    if (const auto* other = editor_.find_table_of(change.uuid)) {
      return Error{Code::kConflict, fmt::format("the table of this metadata is here already, as {}",
                                                to_string(other->name()))};
    }
    return std::make_shared<const CatalogTable>(tools_.env, editor_.proper(change.name), change.uuid,
                                                change.registered_location, change.changed);
  }

  Result<std::shared_ptr<const engine::LakeTable>> update_outside(const TableChange& change,
                                                                  const engine::LakeTable& table,
                                                                  TableMetadata next) {
    TARN_TRY(auto head, table.metadata());
    TARN_TRY(std::string folder, tools_.locations.allow(next.location));
    if (next.location != head->location) {
      TARN_CHECK(tools_.env.files->make_folders(folder + "/metadata"));
    }
    if (next.current_snapshot_id && next.current_snapshot_id != head->current_snapshot_id) {
      commit_.rows.outcome.snapshot_ids[change.uuid] = *next.current_snapshot_id;
    }
    const int64_t newest_ms = next.snapshot_log.empty() ? 0 : next.snapshot_log.back().timestamp_ms;
    iceberg::finish_version(next, head.get(), table.metadata_location(), std::max(ms_of(time_), newest_ms));
    const int64_t version = version_of(table.metadata_location()) + 1;
    return write_version(table.name(), std::move(next), metadata_path(folder, version, new_id()));
  }

  Result<std::shared_ptr<const engine::LakeTable>> update_table(const TableChange& change,
                                                                const engine::LakeTable& table) {
    if (auto next = outside_.find(change.uuid); next != outside_.end()) {
      return update_outside(change, table, std::move(next->second));
    }
    engine::TableName name = editor_.proper(change.rename_to.value_or(table.name()));
    if (change.changed == nullptr && !change.writes_files()) {
      return std::make_shared<const CatalogTable>(tools_.env, name, table.uuid(), table.metadata_location(),
                                                  nullptr);
    }
    TARN_TRY(auto head, table.metadata());
    TARN_CHECK(check_rebase(change, *head));
    TableMetadata next =
        change.changed == nullptr ? *head : iceberg::with_definition_of(*head, *change.changed);
    next.format_version = std::max(2, next.format_version);
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
      if (change.alone ||
          (change.keys_as_of && *change.keys_as_of != head.current_snapshot_id.value_or(-1))) {
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
    if (before && is_only_renamed(change)) {
      view->metadata_location = before->metadata_location;
      commit_.rows.views.push_back({*view, before->metadata_location, before->version_id});
      return editor_.put_view(std::move(view));
    }
    const int64_t version_id = before ? before->version_id + 1 : 1;
    const std::string own = to_location(object_folder(tools_.locations.lake, view->name, view->uuid));
    TARN_TRY(std::string folder, view_folder(change, *view, before, own));
    view->metadata_location = fmt::format("{}/{:05}-{}.metadata.json", folder, version_id - 1, new_id());
    TARN_TRY(std::string path, tools_.locations.allow(view->metadata_location));
    TARN_CHECK(tools_.env.files->make_folders(path.substr(0, path.rfind('/'))));
    if (change.document != nullptr) {
      commit_.files.add(path, outside_view(change, own, *view));
    } else {
      commit_.files.add(path, view_metadata_json(*view, {.location = folder.substr(0, folder.rfind('/')),
                                                         .version_id = version_id,
                                                         .timestamp_ms = ms_of(time_)}));
    }
    commit_.rows.views.push_back({*view, view->metadata_location, version_id});
    commit_.rows.outcome.metadata_locations[view->uuid] = view->metadata_location;
    return editor_.put_view(std::move(view));
  }

  // A view's document does not hold its name.
  [[nodiscard]] bool is_only_renamed(const ViewChange& change) const {
    const auto old = taken_views_.find(change.view.uuid);
    if (old == taken_views_.end() || !change.rename_to || change.document != nullptr) {
      return false;
    }
    const auto same = [](const engine::ViewColumn& a, const engine::ViewColumn& b) {
      return a.name == b.name && a.type == b.type && a.comment == b.comment;
    };
    const auto& [before, after] = std::pair(*old->second, change.view);
    return before.sql == after.sql && before.comment == after.comment &&
           std::equal(before.columns.begin(), before.columns.end(), after.columns.begin(),
                      after.columns.end(), same);
  }

  // Where the view's next document goes, as a location; `own` is the view's when nobody asked for another.
  static Result<std::string> view_folder(const ViewChange& change, const engine::LakeView& view,
                                         const std::optional<ViewFile>& before, const std::string& own) {
    if (change.document == nullptr) {
      const auto& old = before ? before->metadata_location : own + "/metadata/";
      return old.substr(0, old.rfind('/'));
    }
    if (change.kind == ViewChange::Kind::kReplace &&
        (!before || before->metadata_location != change.base_location)) {
      return conflict(fmt::format("view {} was changed meanwhile", to_string(view.name)));
    }
    const auto asked = change.document->properties.find("write.metadata.path");
    if (asked != change.document->properties.end() && !asked->second.empty()) {
      return asked->second.ends_with('/') ? asked->second.substr(0, asked->second.size() - 1) : asked->second;
    }
    auto folder = change.document->location.empty() ? own : change.document->location;
    while (folder.ends_with('/')) {
      folder.pop_back();
    }
    return folder + "/metadata";
  }

  // The document of a view that comes from outside. Its text is run here only when it is one of ours that
  // stays as it was: another one has not been checked.
  std::string outside_view(const ViewChange& change, const std::string& own, engine::LakeView& view) {
    auto document = *change.document;
    if (document.location.empty()) {
      document.location = own;
    }
    view.sql.clear();
    view.columns.clear();
    const auto before = taken_views_.find(view.uuid);
    const auto* text = document.representation("duckdb");
    if (before != taken_views_.end() && text != nullptr && !text->sql.empty() &&
        text->sql == before->second->sql) {
      view.sql = before->second->sql;
      view.columns = before->second->columns;
    } else {
      view.columns = columns_of(document);
    }
    const auto comment = document.properties.find("comment");
    view.comment = comment == document.properties.end() ? "" : comment->second;
    return iceberg::to_json(document);
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
  OutsideDocuments outside_;
  const Timestamp time_;
  VersionEditor editor_;
  PreparedCommit commit_;
  std::map<std::string, std::shared_ptr<const engine::LakeTable>> taken_tables_;  // by uuid
  std::map<std::string, std::shared_ptr<const engine::LakeView>> taken_views_;    // by uuid
};

bool changes_lake(const CommitRequest& request, const OutsideDocuments& outside) {
  return !request.schemas.empty() || !request.views.empty() || !request.macros.empty() ||
         std::any_of(request.tables.begin(), request.tables.end(),
                     [&](const TableChange& change) { return changes_something(change, outside); });
}

// Where the tables are that a commit from outside names but leaves as they are.
Status note_unchanged(const engine::LakeVersion& head, const CommitRequest& request, PreparedCommit& commit) {
  const VersionEditor editor(head, head.number, head.time);
  for (const TableChange& change : request.tables) {
    auto& locations = commit.rows.outcome.metadata_locations;
    if (change.outside != nullptr && change.kind == TableChange::Kind::kUpdate &&
        !locations.contains(change.uuid)) {
      TARN_TRY(auto table, editor.find_table(change.name, change.uuid));
      locations[change.uuid] = table->metadata_location();
    }
  }
  return ok();
}

}  // namespace

Result<PreparedCommit> prepare_commit(const CommitTools& tools,
                                      const std::shared_ptr<const engine::LakeVersion>& head,
                                      const CommitRequest& request) {
  PreparedCommit commit{FileBatch(tools.env), {}, head};
  commit.rows.version = head->number;
  commit.rows.time = head->time;
  const Timestamp time = std::max(tools.env.clock->now(), head->time + Duration(1));
  TARN_TRY(auto outside, outside_documents(*head, request, time));
  if (changes_lake(request, outside)) {
    TARN_TRY(commit, CommitMaker(tools, *head, request, std::move(outside), time).make());
  }
  TARN_CHECK(note_unchanged(*head, request, commit));
  commit.rows.cursors = request.cursors;
  commit.rows.token = request.token;
  commit.rows.repeatable = request.repeatable;
  commit.rows.asked_at = tools.env.clock->now();
  commit.rows.outcome.lake_version = commit.rows.version;
  commit.rows.outcome.time = commit.rows.time;
  return commit;
}

}  // namespace tarn::catalog
