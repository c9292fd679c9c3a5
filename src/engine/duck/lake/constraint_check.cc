#include "engine/duck/lake/constraint_check.h"

#include <algorithm>

#include <fmt/format.h>

#include "duckdb/main/connection.hpp"
#include "duckdb/parser/keyword_helper.hpp"
#include "engine/duck/lake/lake_database.h"

namespace tarn::engine::lake {
namespace {

using Row = db::vector<db::Value>;

// Asks by a connection of its own: the one that asks is in the middle of a statement, and what it changed is
// in no committed version.
class Reader {
 public:
  explicit Reader(db::ClientContext& context) : connection_(*context.db) {}

  // What stands behind FROM for these rows.
  std::string rows(std::shared_ptr<const ScanSource> source) {
    auto& known = LakeClientState::of(*connection_.context)->rows;
    known.push_back(std::move(source));
    return fmt::format("lake_rows({})", known.size() - 1);
  }

  // The first row of the answer.
  std::optional<Row> ask(const std::string& sql) {
    auto answer = connection_.Query(sql);
    if (answer->HasError()) {
      throw_error(to_error(answer->GetErrorObject()));
    }
    const auto chunk = answer->Fetch();
    if (!chunk || chunk->size() == 0) {
      return std::nullopt;
    }
    Row row;
    for (db::idx_t i = 0; i < chunk->ColumnCount(); ++i) {
      row.push_back(chunk->GetValue(i, 0));
    }
    return row;
  }

 private:
  db::Connection connection_;
};

const iceberg::Field& field_of(const ScanSource& source, size_t column) {
  return source.table->metadata()->schema().fields[column];
}

std::string quoted_name(const ScanSource& source, size_t column) {
  return db::KeywordHelper::WriteQuoted(field_of(source, column).name, '"');
}

// "a", "b"; or o."a", o."b".
std::string list_of(const ScanSource& source, const std::vector<size_t>& columns, const char* prefix = "") {
  std::string text;
  for (const size_t column : columns) {
    text += (text.empty() ? "" : ", ") + (prefix + quoted_name(source, column));
  }
  return text;
}

// "(symbol = 'A', day = '2026-01-01'::DATE)"
std::string key_text(const ScanSource& source, const std::vector<size_t>& columns, const Row& key) {
  std::string text;
  for (size_t i = 0; i < columns.size(); ++i) {
    text +=
        fmt::format("{}{} = {}", i == 0 ? "" : ", ", field_of(source, columns[i]).name, key[i].ToSQLString());
  }
  return "(" + text + ")";
}

std::shared_ptr<const ScanSource> only(const ScanSource& source,
                                       const std::vector<iceberg::DataFile>& files) {
  auto rows = std::make_shared<ScanSource>(source);
  rows->without_base = true;
  rows->added = files;
  return rows;
}

std::shared_ptr<const ScanSource> without(const ScanSource& source,
                                          const std::vector<iceberg::DataFile>& files) {
  auto rows = std::make_shared<ScanSource>(source);
  std::set<std::string> gone;
  for (const auto& file : files) {
    gone.insert(file.path);
  }
  std::erase_if(rows->added, [&](const auto& file) { return gone.contains(file.path); });
  return rows;
}

// A key that comes twice.
std::optional<Row> find_twice(Reader& reader, const ScanSource& source, const std::vector<size_t>& columns,
                              const std::string& rows) {
  const auto names = list_of(source, columns);
  return reader.ask(fmt::format("SELECT {0} FROM {1} GROUP BY {0} HAVING count(*) > 1 LIMIT 1", names, rows));
}

// A key of `fresh` that another row of the source has. The join tells the scan the range of the keys.
std::optional<Row> find_old(Reader& reader, const ScanSource& source, const std::vector<size_t>& columns,
                            const std::vector<iceberg::DataFile>& fresh) {
  std::string same;
  for (const size_t column : columns) {
    same += fmt::format("{0}o.{1} = n.{1}", same.empty() ? "" : " AND ", quoted_name(source, column));
  }
  return reader.ask(fmt::format("SELECT {} FROM {} o SEMI JOIN {} n ON {} LIMIT 1",
                                list_of(source, columns, "o."), reader.rows(without(source, fresh)),
                                reader.rows(only(source, fresh)), same));
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

void check_new_keys(db::ClientContext& context, const ScanSource& source,
                    const std::vector<iceberg::DataFile>& fresh) {
  const auto columns = key_columns(*source.table->metadata());
  if (columns.empty() || fresh.empty()) {
    return;
  }
  Reader reader(context);
  if (const auto key = find_twice(reader, source, columns, reader.rows(only(source, fresh)))) {
    throw_error({Code::kInvalid, fmt::format("two new rows of table \"{}\" have the same key {}, which its "
                                             "PRIMARY KEY forbids",
                                             source.table->name, key_text(source, columns, *key))});
  }
  if (const auto key = find_old(reader, source, columns, fresh)) {
    throw_error(
        {Code::kInvalid, fmt::format("table \"{}\" has a row with the key {} already, which its PRIMARY KEY "
                                     "forbids: INSERT … ON CONFLICT says what becomes of it",
                                     source.table->name, key_text(source, columns, *key))});
  }
}

void check_keys_again(db::ClientContext& context, const ScanSource& source,
                      const std::vector<iceberg::DataFile>& fresh) {
  const auto columns = key_columns(*source.table->metadata());
  if (columns.empty() || fresh.empty()) {
    return;
  }
  Reader reader(context);
  if (const auto key = find_old(reader, source, columns, fresh)) {
    throw_error({Code::kConflict, fmt::format("40001: a row of table \"{}\" with the key {} was added "
                                              "meanwhile: run the transaction again",
                                              source.table->name, key_text(source, columns, *key))});
  }
}

void check_key(db::ClientContext& context, const std::shared_ptr<const ScanSource>& source,
               const std::vector<size_t>& columns) {
  for (const size_t column : columns) {
    check_no_null(context, source, column);
  }
  Reader reader(context);
  if (const auto key = find_twice(reader, *source, columns, reader.rows(source))) {
    throw_error(
        {Code::kInvalid, fmt::format("table \"{}\" has two rows with the key {}: delete one of them first",
                                     source->table->name, key_text(*source, columns, *key))});
  }
}

void check_no_null(db::ClientContext& context, const std::shared_ptr<const ScanSource>& source,
                   size_t column) {
  const auto& field = field_of(*source, column);
  if (field.required) {
    return;
  }
  Reader reader(context);
  if (reader.ask(fmt::format("SELECT 1 FROM {} WHERE {} IS NULL LIMIT 1", reader.rows(source),
                             quoted_name(*source, column)))) {
    throw_error({Code::kInvalid,
                 fmt::format("column \"{0}\" of table \"{1}\" has rows without a value: give them one first "
                             "(UPDATE \"{1}\" SET \"{0}\" = … WHERE \"{0}\" IS NULL)",
                             field.name, source->table->name)});
  }
}

}  // namespace tarn::engine::lake
