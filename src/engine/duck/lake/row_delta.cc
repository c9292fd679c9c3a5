#include <algorithm>

#include "duckdb/main/connection.hpp"
#include "engine/duck/lake/delete_file.h"
#include "engine/duck/lake/lake_database.h"
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
  constexpr int kPathField = 2147483546;
  if (deletes.referenced_data_file) {
    return *deletes.referenced_data_file == data_path;
  }
  const auto lower = deletes.lower_bounds.find(kPathField);
  const auto upper = deletes.upper_bounds.find(kPathField);
  return lower != deletes.lower_bounds.end() && upper != deletes.upper_bounds.end() &&
         lower->second == data_path && upper->second == data_path;
}

}  // namespace

void Transaction::write_row_delta(db::ClientContext& context, const LakeTable& table, FileChange& change) {
  const auto metadata = value_or_throw(table.metadata());
  const std::string folder =
      value_or_throw(lake_.service().data_folder(table.name(), table.uuid(), metadata.get()));
  const auto base = live_files(lake_, *metadata, change);
  std::vector<iceberg::DataFile> deletes;
  for (const auto& [path, rows] : change.rows_out) {
    const auto own = std::find_if(change.added.begin(), change.added.end(),
                                  [&, &path = path](const auto& file) { return path_of(file.path) == path; });
    if (own != change.added.end()) {
      if (rows->count() == own->record_count) {
        change.added.erase(own);
      } else {
        deletes.push_back(write_deletes(context, folder, tag_, *own, *rows));
      }
      continue;
    }
    const auto found = base.find(path);
    if (found == base.end()) {
      continue;  // the whole file was taken out afterwards
    }
    const auto& file = found->second;
    Positions all = *rows;
    if (!file.deletes.empty()) {
      all.add_all(*lake_.deletes().read(context, file));
    }
    auto& known = change.touched[file.file.path];
    for (const auto& old : file.deletes) {
      known.push_back(old.path);
    }
    for (const auto& old : file.deletes) {
      if (is_only_for(old, file.file.path)) {
        change.removed.insert(old.path);
      }
    }
    if (all.count() == file.file.record_count) {
      change.removed.insert(file.file.path);
    } else {
      deletes.push_back(write_deletes(context, folder, tag_, file.file, all));
    }
  }
  change.added.insert(change.added.end(), deletes.begin(), deletes.end());
  change.rows_out.clear();
}

Status Transaction::write_row_deltas(db::ClientContext& context) {
  const bool none = std::all_of(files_.begin(), files_.end(),
                                [](const auto& entry) { return entry.second.rows_out.empty(); });
  if (none) {
    return ok();
  }
  try {
    // A connection of its own: this one has no transaction any more while it commits.
    db::Connection writer(*context.db);
    writer.BeginTransaction();
    for (auto& [uuid, change] : files_) {
      if (change.rows_out.empty()) {
        continue;
      }
      for (const auto& [key, schema] : working_->schemas) {
        for (const auto& [name, table] : schema->tables) {
          if (table->uuid() == uuid) {
            write_row_delta(*writer.context, *table, change);
          }
        }
      }
    }
    writer.Commit();
    return ok();
  } catch (const std::exception& exception) {
    return to_error(exception);
  }
}

}  // namespace tarn::engine::lake
