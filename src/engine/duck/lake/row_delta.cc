#include <algorithm>

#include <fmt/format.h>

#include "duckdb/main/connection.hpp"
#include "engine/duck/lake/constraint_check.h"
#include "engine/duck/lake/delete_file.h"
#include "engine/duck/lake/lake_database.h"
#include "engine/duck/lake/scan.h"
#include "engine/duck/lake/transaction.h"

namespace tarn::engine::lake {
namespace {

std::map<std::string, ScanFile> live_files(LakeDatabase& lake, const iceberg::TableMetadata& metadata,
                                           const FileChange& change) {
  std::map<std::string, ScanFile> files;
  const auto* snapshot = metadata.current_snapshot();
  if (snapshot != nullptr && !change.remove_all) {
    auto plan = value_or_throw(lake.service().plan(metadata, snapshot->snapshot_id, {}));
    for (auto& file : plan.files) {
      if (!change.removed.contains(file.file.path)) {
        files.emplace(path_of(file.file.path), std::move(file));
      }
    }
  }
  return files;
}

// Whether a delete file holds rows of this data file only, so that a new one can take its place.
bool is_only_for(const iceberg::DataFile& deletes, const std::string& data_path) {
  if (deletes.referenced_data_file) {
    return *deletes.referenced_data_file == data_path;
  }
  const auto lower = deletes.lower_bounds.find(kDeletePathField);
  const auto upper = deletes.upper_bounds.find(kDeletePathField);
  return lower != deletes.lower_bounds.end() && upper != deletes.upper_bounds.end() &&
         lower->second == data_path && upper->second == data_path;
}

std::shared_ptr<const LakeTable> table_of(const LakeVersion& version, const std::string& uuid) {
  for (const auto& [key, schema] : version.schemas) {
    for (const auto& [name, table] : schema->tables) {
      if (table->uuid() == uuid) {
        return table;
      }
    }
  }
  return nullptr;
}

}  // namespace

RowDelta Transaction::write_row_delta(db::ClientContext& context, const LakeTable& table,
                                      const FileChange& change) {
  const auto metadata = value_or_throw(table.metadata());
  const std::string folder =
      value_or_throw(lake_.service().data_folder(table.name(), table.uuid(), metadata.get()));
  const auto base = live_files(lake_, *metadata, change);
  RowDelta delta;
  for (const auto& [path, rows] : change.rows_out) {
    const auto own = std::find_if(change.added.begin(), change.added.end(),
                                  [&, &path = path](const auto& file) { return path_of(file.path) == path; });
    if (own != change.added.end()) {
      if (rows->count() == own->record_count) {
        delta.emptied.insert(own->path);
      } else {
        delta.deletes.push_back(write_deletes(context, folder, tag_, *own, *rows));
      }
      continue;
    }
    const auto found = base.find(path);
    if (found != base.end()) {
      take_out_of(context, folder, *metadata, found->second, *rows, delta);
    } else if (!change.remove_all && !change.removed.contains(uri_of(path))) {
      throw_error({Code::kConflict, fmt::format("40001: rows of {}.{} that are to be changed were moved "
                                                "meanwhile: run the transaction again",
                                                table.name().schema, table.name().name)});
    }
  }
  return delta;
}

void Transaction::take_out_of(db::ClientContext& context, const std::string& folder,
                              const iceberg::TableMetadata& metadata, const ScanFile& file,
                              const Positions& rows, RowDelta& delta) {
  Positions all = rows;
  if (!file.deletes.empty()) {
    const auto committed = lake_.deletes().read(context, metadata, file);
    if (committed->intersects(rows)) {
      throw_error({Code::kConflict,
                   "40001: a row that is to be changed was changed meanwhile: run the transaction again"});
    }
    all.add_all(*committed);
  }
  auto& known = delta.touched[file.file.path];
  for (const auto& old : file.deletes) {
    known.push_back(old.path);
    if (is_only_for(old, file.file.path)) {
      delta.removed.insert(old.path);
    }
  }
  if (all.count() == file.file.record_count) {
    delta.removed.insert(file.file.path);
  } else {
    delta.deletes.push_back(write_deletes(context, folder, tag_, file.file, all));
  }
}

bool Transaction::takes_out_rows() const {
  return std::any_of(files_.begin(), files_.end(),
                     [](const auto& entry) { return !entry.second.rows_out.empty(); });
}

bool Transaction::brings_keys() const {
  return std::any_of(files_.begin(), files_.end(), [](const auto& entry) { return entry.second.new_keys; });
}

Status Transaction::check_keys(db::ClientContext& context, const LakeVersion& version) {
  if (!brings_keys()) {
    return ok();
  }
  try {
    db::Connection reader(*context.db);
    reader.BeginTransaction();
    for (const auto& [key, schema] : version.schemas) {
      for (const auto& [name, table] : schema->tables) {
        const auto change = files_.find(table->uuid());
        if (change == files_.end() || !change->second.new_keys) {
          continue;
        }
        const auto entry = lake_.make_table_entry(*reader.context, table, true);
        check_keys_again(*reader.context, *changed_source(entry, change->second), change->second.added);
        change->second.keys_as_of = entry->metadata()->current_snapshot_id.value_or(-1);
      }
    }
    reader.Commit();
    return ok();
  } catch (const std::exception& exception) {
    return to_error(exception);
  }
}

Result<RowDeltas> Transaction::write_row_deltas(db::ClientContext& context, const LakeVersion& version) {
  RowDeltas deltas;
  if (!takes_out_rows()) {
    return deltas;
  }
  try {
    // A connection of its own: this one has no transaction any more while it commits.
    db::Connection writer(*context.db);
    writer.BeginTransaction();
    for (const auto& [uuid, change] : files_) {
      const auto mine = change.rows_out.empty() ? nullptr : table_of(*working_, uuid);
      if (mine == nullptr) {
        continue;  // dropped by this transaction
      }
      const bool is_new = table_of(*base_, uuid) == nullptr;
      const auto table = is_new ? mine : table_of(version, uuid);
      if (table == nullptr) {
        return Error{Code::kConflict,
                     fmt::format("40001: table {}.{} was dropped or made anew meanwhile; run "
                                 "the transaction again",
                                 mine->name().schema, mine->name().name)};
      }
      deltas[uuid] = write_row_delta(*writer.context, *table, change);
    }
    writer.Commit();
    return deltas;
  } catch (const std::exception& exception) {
    return to_error(exception);
  }
}

}  // namespace tarn::engine::lake
