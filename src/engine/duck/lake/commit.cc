#include <fmt/format.h>

#include "engine/duck/lake/lake_database.h"
#include "engine/duck/lake/transaction.h"

namespace tarn::engine::lake {
namespace {

using Tables = std::map<std::string, std::shared_ptr<const LakeTable>>;  // by uuid
using Views = std::map<std::string, std::shared_ptr<const LakeView>>;    // by uuid

Tables tables_of(const LakeVersion& version) {
  Tables tables;
  for (const auto& [key, schema] : version.schemas) {
    for (const auto& [name, table] : schema->tables) {
      tables[table->uuid()] = table;
    }
  }
  return tables;
}

Views views_of(const LakeVersion& version) {
  Views views;
  for (const auto& [key, schema] : version.schemas) {
    for (const auto& [name, view] : schema->views) {
      views[view->uuid] = view;
    }
  }
  return views;
}

std::map<std::string, std::shared_ptr<const LakeMacro>> macros_of(const LakeVersion& version) {
  std::map<std::string, std::shared_ptr<const LakeMacro>> macros;
  for (const auto& [key, schema] : version.schemas) {
    for (const auto& [name, macro] : schema->macros) {
      macros[macro->uuid] = macro;
    }
  }
  return macros;
}

void take_files(TableChange& change, const FileChange& files) {
  change.remove_all = files.remove_all;
  change.removed.assign(files.removed.begin(), files.removed.end());
  change.added = files.added;
  change.alone = files.alone;
  if (files.new_keys && change.base) {
    change.keys_as_of = files.keys_as_of.value_or(change.base->current_snapshot_id.value_or(-1));
  }
}

void take_delta(TableChange& change, const RowDelta& delta) {
  std::erase_if(change.added, [&](const auto& file) { return delta.emptied.contains(file.path); });
  change.removed.insert(change.removed.end(), delta.removed.begin(), delta.removed.end());
  change.added.insert(change.added.end(), delta.deletes.begin(), delta.deletes.end());
  change.touched = delta.touched;
}

}  // namespace

Status Transaction::add_table_changes(CommitRequest& request, const RowDeltas& deltas) {
  Tables before;
  Tables after;
  if (working_ != base_ || !files_.empty()) {
    before = tables_of(*base_);
    after = tables_of(*working_);
  }
  for (const auto& [uuid, table] : before) {
    if (!after.contains(uuid)) {
      TARN_TRY(auto metadata, table->metadata());
      request.tables.push_back(
          {.kind = TableChange::Kind::kDrop, .name = table->name(), .uuid = uuid, .base = metadata});
    }
  }
  for (const auto& [uuid, table] : after) {
    const auto origin = before.find(uuid);
    const auto files = files_.find(uuid);
    TableChange change{.name = table->name(), .uuid = uuid};
    if (origin == before.end()) {
      change.kind = TableChange::Kind::kCreate;
      TARN_TRY(change.changed, table->metadata());
    } else if (origin->second != table) {
      change.name = origin->second->name();
      TARN_TRY(change.base, origin->second->metadata());
      TARN_TRY(change.changed, table->metadata());
      if (change.changed == change.base) {
        change.changed = nullptr;
      }
      if (table->name() != change.name) {
        change.rename_to = table->name();
      }
    } else if (files != files_.end()) {
      TARN_TRY(change.base, table->metadata());
    } else {
      continue;
    }
    if (files != files_.end()) {
      take_files(change, files->second);
      if (const auto delta = deltas.find(uuid); delta != deltas.end()) {
        take_delta(change, delta->second);
      }
    }
    request.tables.push_back(std::move(change));
  }
  return ok();
}

void Transaction::add_view_changes(CommitRequest& request) {
  if (working_ == base_) {
    return;
  }
  const Views before = views_of(*base_);
  const Views after = views_of(*working_);
  for (const auto& [uuid, view] : before) {
    if (!after.contains(uuid)) {
      LakeView dropped{.name = view->name, .uuid = uuid};
      request.views.push_back({.kind = ViewChange::Kind::kDrop, .view = std::move(dropped)});
    }
  }
  for (const auto& [uuid, view] : after) {
    const auto origin = before.find(uuid);
    if (origin == before.end()) {
      request.views.push_back({.kind = ViewChange::Kind::kCreate, .view = *view});
    } else if (origin->second != view) {
      ViewChange change{.kind = ViewChange::Kind::kReplace, .view = *view};
      if (origin->second->name != view->name) {
        change.view.name = origin->second->name;
        change.rename_to = view->name;
      }
      request.views.push_back(std::move(change));
    }
  }
}

// One that was replaced has another uuid.
void Transaction::add_macro_changes(CommitRequest& request) {
  if (working_ == base_) {
    return;
  }
  const auto before = macros_of(*base_);
  const auto after = macros_of(*working_);
  for (const auto& [uuid, macro] : before) {
    if (!after.contains(uuid)) {
      request.macros.push_back({.kind = MacroChange::Kind::kDrop, .macro = *macro});
    }
  }
  for (const auto& [uuid, macro] : after) {
    if (!before.contains(uuid)) {
      request.macros.push_back({.kind = MacroChange::Kind::kCreate, .macro = *macro});
    }
  }
}

void Transaction::add_schema_changes(CommitRequest& request) {
  if (working_ == base_) {
    return;
  }
  for (const auto& [key, schema] : base_->schemas) {
    if (!working_->schemas.contains(key)) {
      request.schemas.push_back({.kind = SchemaChange::Kind::kDrop, .name = schema->name});
    }
  }
  for (const auto& [key, schema] : working_->schemas) {
    const auto origin = base_->schemas.find(key);
    if (origin == base_->schemas.end()) {
      request.schemas.push_back(
          {.kind = SchemaChange::Kind::kCreate, .name = schema->name, .properties = schema->properties});
    } else if (origin->second->properties != schema->properties) {
      request.schemas.push_back(
          {.kind = SchemaChange::Kind::kUpdate, .name = schema->name, .properties = schema->properties});
    }
  }
}

Result<CommitRequest> Transaction::request(const CommitNote& note, const RowDeltas& deltas) {
  CommitRequest request;
  request.token = note.token;
  request.cursors = note.cursors;
  version();
  add_schema_changes(request);
  TARN_CHECK(add_table_changes(request, deltas));
  add_view_changes(request);
  add_macro_changes(request);
  for (auto& change : request.tables) {
    change.summary = note.summary;
  }
  return request;
}

Result<CommitOutcome> Transaction::commit(const CommitNote& note, const RowDeltas& deltas) {
  try {
    TARN_TRY(auto request_made, request(note, deltas));
    return lake_.service().commit(std::move(request_made));
  } catch (const std::exception& exception) {
    return to_error(exception);
  }
}

}  // namespace tarn::engine::lake
