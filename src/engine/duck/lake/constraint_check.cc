#include "engine/duck/lake/constraint_check.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "duckdb/main/connection.hpp"
#include "duckdb/parser/keyword_helper.hpp"
#include "engine/duck/lake/lake_database.h"
#include "engine/duck/lake/scan.h"
#include "engine/duck/lake/table_definition.h"
#include "engine/duck/lake/types.h"

namespace tarn::engine::lake {
namespace {

// Asks the files of a table directly, by a connection of its own: the one that asks is in the middle of a
// statement, and what it changed is in no committed version.
class Files {
 public:
  Files(db::ClientContext& context, std::shared_ptr<const ScanSource> source, iceberg::Filter filter)
      : context_(context),
        table_(*source->table),
        source_(std::move(source)),
        plan_(FileList(source_, std::move(filter)).plan()) {
    for (const auto& file : plan_->files) {
      by_path_[path_of(file.file.path)] = &file;
    }
  }

  [[nodiscard]] std::vector<std::string> paths() const {
    std::vector<std::string> paths;
    for (const auto& [path, file] : by_path_) {
      paths.push_back(path);
    }
    return paths;
  }

  // FROM … of these files, with columns named c0, c1, …, filename and file_row_number.
  [[nodiscard]] std::string rows(const std::vector<std::string>& paths,
                                 const std::vector<size_t>& columns) const {
    const auto& metadata = *table_.metadata();
    std::string list;
    for (const auto& path : paths) {
      list += (list.empty() ? "" : ", ") + quoted(path);
    }
    std::string schema;
    for (size_t i = 0; i < columns.size(); ++i) {
      const auto& field = metadata.schema().fields[columns[i]];
      const auto initial = metadata.properties.find(column_property(field.id, "initial"));
      schema += fmt::format("{}{}: {{'name': 'c{}', 'type': {}, 'default_value': {}}}", i == 0 ? "" : ", ",
                            field.id, i, quoted(engine_type(field.type).ToString()),
                            initial == metadata.properties.end() ? "NULL" : quoted(initial->second));
    }
    return fmt::format(
        "system.main.parquet_scan([{}], schema = MAP {{{}}}, filename = true, file_row_number = true)", list,
        schema);
  }

  // Calls with each row that the transaction sees, until one is answered with true. `sql` gives the name of
  // the file and the number of the row first.
  void each_live(const std::string& sql, const std::function<bool(db::DataChunk&, db::idx_t)>& row) {
    db::Connection reader(*context_.db);
    auto answer = reader.SendQuery(sql);
    if (answer->HasError()) {
      throw_error(to_error(answer->GetErrorObject()));
    }
    while (auto chunk = answer->Fetch()) {
      for (db::idx_t i = 0; i < chunk->size(); ++i) {
        if (is_live(chunk->GetValue(0, i).ToString(), chunk->GetValue(1, i).GetValue<int64_t>()) &&
            row(*chunk, i)) {
          return;
        }
      }
    }
    if (answer->HasError()) {
      throw_error(to_error(answer->GetErrorObject()));
    }
  }

 private:
  struct Gone {
    std::shared_ptr<const Positions> committed;
    std::shared_ptr<const Positions> own;
  };

  static std::string quoted(const std::string& text) { return db::KeywordHelper::WriteQuoted(text, '\''); }

  bool is_live(const std::string& path, int64_t row) {
    auto known = gone_.find(path);
    if (known == gone_.end()) {
      const auto& file = *by_path_.at(path);
      Gone gone{.committed = nullptr, .own = source_->rows_out_of(file.file)};
      if (!file.deletes.empty()) {
        gone.committed = table_.lake().deletes().read(context_, *table_.metadata(), file);
      }
      known = gone_.emplace(path, std::move(gone)).first;
    }
    const auto& gone = known->second;
    return (!gone.committed || !gone.committed->contains(row)) && (!gone.own || !gone.own->contains(row));
  }

  db::ClientContext& context_;
  const TableEntry& table_;
  std::shared_ptr<const ScanSource> source_;
  std::shared_ptr<const ScanPlan> plan_;
  std::map<std::string, const ScanFile*> by_path_;
  std::map<std::string, Gone> gone_;
};

const iceberg::Field& field_of(const TableEntry& table, size_t column) {
  return table.metadata()->schema().fields[column];
}

std::string numbered(const std::vector<size_t>& columns, const char* pattern, const char* between) {
  std::string text;
  for (size_t i = 0; i < columns.size(); ++i) {
    text += (i == 0 ? "" : between) + fmt::format(fmt::runtime(pattern), i);
  }
  return text;
}

// "(symbol = 'A', day = 2026-01-01)"; the values begin at column `first` of the answer.
std::string key_text(const TableEntry& table, const std::vector<size_t>& columns, db::DataChunk& chunk,
                     db::idx_t row, db::idx_t first) {
  std::string text;
  for (size_t i = 0; i < columns.size(); ++i) {
    text += fmt::format("{}{} = {}", i == 0 ? "" : ", ", field_of(table, columns[i]).name,
                        chunk.GetValue(first + i, row).ToSQLString());
  }
  return "(" + text + ")";
}

std::optional<iceberg::Value> end_of(const std::vector<iceberg::DataFile>& files, const iceberg::Field& field,
                                     bool upper) {
  std::optional<iceberg::Value> end;
  for (const auto& file : files) {
    const auto& bounds = upper ? file.upper_bounds : file.lower_bounds;
    const auto bytes = bounds.find(field.id);
    if (bytes == bounds.end()) {
      return std::nullopt;
    }
    auto value = iceberg::from_bytes(field.type, bytes->second);
    if (!value) {
      return std::nullopt;
    }
    const int order = end ? iceberg::compare(*value, *end) : 0;
    if (!end || (upper ? order > 0 : order < 0)) {
      end = std::move(*value);
    }
  }
  return end;
}

// Only files whose keys may be among these.
iceberg::Filter range_of_keys(const TableEntry& table, const std::vector<size_t>& columns,
                              const std::vector<iceberg::DataFile>& fresh) {
  iceberg::Filter filter;
  for (const size_t column : columns) {
    const auto& field = field_of(table, column);
    if (table.metadata()->properties.contains(column_property(field.id, "initial"))) {
      continue;  // older files show a value that is in no bounds of theirs
    }
    if (auto lower = end_of(fresh, field, false)) {
      filter.conditions.push_back({field.id, iceberg::Operator::kGreaterEqual, {std::move(*lower)}});
    }
    if (auto upper = end_of(fresh, field, true)) {
      filter.conditions.push_back({field.id, iceberg::Operator::kLessEqual, {std::move(*upper)}});
    }
  }
  return filter;
}

}  // namespace

std::vector<size_t> key_columns(const iceberg::TableMetadata& metadata) {
  const auto& schema = metadata.schema();
  std::vector<size_t> columns;
  for (const int id : schema.identifier_field_ids) {
    const auto at = std::find_if(schema.fields.begin(), schema.fields.end(),
                                 [&](const iceberg::Field& field) { return field.id == id; });
    if (at == schema.fields.end()) {
      return {};
    }
    columns.push_back(static_cast<size_t>(at - schema.fields.begin()));
  }
  return columns;
}

namespace {

const char* const kSameKeys = "SELECT o.filename, o.file_row_number, {} FROM {} o SEMI JOIN {} n ON {}";

// Calls with the first row of the table that has a key of `fresh`; the key begins at column 2.
void find_old_keys(Files& files, const std::vector<size_t>& columns, const std::vector<std::string>& fresh,
                   const std::function<bool(db::DataChunk&, db::idx_t)>& found) {
  auto others = files.paths();
  std::erase_if(others,
                [&](const auto& path) { return std::find(fresh.begin(), fresh.end(), path) != fresh.end(); });
  if (!others.empty()) {
    files.each_live(
        fmt::format(fmt::runtime(kSameKeys), numbered(columns, "o.c{}", ", "), files.rows(others, columns),
                    files.rows(fresh, columns), numbered(columns, "o.c{0} = n.c{0}", " AND ")),
        found);
  }
}

std::vector<std::string> paths_of(const std::vector<iceberg::DataFile>& files) {
  std::vector<std::string> paths;
  for (const auto& file : files) {
    paths.push_back(path_of(file.path));
  }
  return paths;
}

}  // namespace

void check_new_keys(db::ClientContext& context, const std::shared_ptr<const ScanSource>& source,
                    const std::vector<iceberg::DataFile>& fresh) {
  const auto& table = *source->table;
  const auto columns = key_columns(*table.metadata());
  if (columns.empty() || fresh.empty()) {
    return;
  }
  Files files(context, source, range_of_keys(table, columns, fresh));
  const auto written = paths_of(fresh);
  const auto names = numbered(columns, "c{}", ", ");
  files.each_live(
      fmt::format("SELECT any_value(filename), any_value(file_row_number), {} FROM {} GROUP BY {} "
                  "HAVING count(*) > 1 LIMIT 1",
                  names, files.rows(written, columns), names),
      [&](db::DataChunk& chunk, db::idx_t row) -> bool {
        throw_error(
            {Code::kInvalid, fmt::format("two new rows of table \"{}\" have the same key {}, which its "
                                         "PRIMARY KEY forbids",
                                         table.name, key_text(table, columns, chunk, row, 2))});
      });
  find_old_keys(files, columns, written, [&](db::DataChunk& chunk, db::idx_t row) -> bool {
    throw_error(
        {Code::kInvalid, fmt::format("table \"{}\" has a row with the key {} already, which its PRIMARY KEY "
                                     "forbids: INSERT … ON CONFLICT says what becomes of it",
                                     table.name, key_text(table, columns, chunk, row, 2))});
  });
}

void check_keys_again(db::ClientContext& context, const std::shared_ptr<const ScanSource>& source,
                      const std::vector<iceberg::DataFile>& fresh) {
  const auto& table = *source->table;
  const auto columns = key_columns(*table.metadata());
  if (columns.empty() || fresh.empty()) {
    return;
  }
  Files files(context, source, range_of_keys(table, columns, fresh));
  find_old_keys(files, columns, paths_of(fresh), [&](db::DataChunk& chunk, db::idx_t row) -> bool {
    throw_error({Code::kConflict, fmt::format("40001: a row of table \"{}\" with the key {} was added "
                                              "meanwhile: run the transaction again",
                                              table.name, key_text(table, columns, chunk, row, 2))});
  });
}

void check_key(db::ClientContext& context, const std::shared_ptr<const ScanSource>& source,
               const std::vector<size_t>& columns) {
  const auto& table = *source->table;
  for (const size_t column : columns) {
    check_no_null(context, source, column);
  }
  Files files(context, source, {});
  if (files.paths().empty()) {
    return;
  }
  const auto names = numbered(columns, "c{}", ", ");
  const auto rows = files.rows(files.paths(), columns);
  db::vector<db::Value> before;
  files.each_live(
      fmt::format(
          "SELECT filename, file_row_number, {0} FROM {1} SEMI JOIN (SELECT {0} FROM {1} GROUP BY {0} "
          "HAVING count(*) > 1) USING ({0}) ORDER BY {0}",
          names, rows),
      [&](db::DataChunk& chunk, db::idx_t row) {
        db::vector<db::Value> key;
        for (size_t i = 0; i < columns.size(); ++i) {
          key.push_back(chunk.GetValue(2 + i, row));
        }
        if (key == before) {
          throw_error({Code::kInvalid,
                       fmt::format("table \"{}\" has two rows with the key {}: delete one of them first",
                                   table.name, key_text(table, columns, chunk, row, 2))});
        }
        before = std::move(key);
        return false;
      });
}

void check_no_null(db::ClientContext& context, const std::shared_ptr<const ScanSource>& source,
                   size_t column) {
  const auto& table = *source->table;
  const auto& field = field_of(table, column);
  if (field.required) {
    return;
  }
  iceberg::Filter filter;
  if (!table.metadata()->properties.contains(column_property(field.id, "initial"))) {
    filter.conditions.push_back({field.id, iceberg::Operator::kIsNull, {}});
  }
  Files files(context, source, std::move(filter));
  const auto paths = files.paths();
  if (paths.empty()) {
    return;
  }
  files.each_live(
      fmt::format("SELECT filename, file_row_number FROM {} WHERE c0 IS NULL", files.rows(paths, {column})),
      [&](db::DataChunk&, db::idx_t) -> bool {
        throw_error({Code::kInvalid,
                     fmt::format("column \"{0}\" of table \"{1}\" has rows without a value: give them one "
                                 "first (UPDATE \"{1}\" SET \"{0}\" = … WHERE \"{0}\" IS NULL)",
                                 field.name, table.name)});
      });
}

}  // namespace tarn::engine::lake
