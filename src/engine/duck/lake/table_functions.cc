#include "engine/duck/lake/table_functions.h"

#include <fmt/format.h>

#include <charconv>
#include <set>

#include "duckdb/common/types/column/column_data_collection.hpp"
#include "duckdb/function/table_function.hpp"
#include "duckdb/parser/qualified_name.hpp"
#include "duckdb/planner/binder.hpp"
#include "engine/duck/lake/lake_database.h"
#include "engine/duck/lake/scan.h"
#include "engine/duck/lake/table_entry.h"
#include "engine/duck/lake/types.h"

namespace tarn::engine::lake {
namespace {

using Row = std::vector<db::Value>;

struct Column {
  const char* name;
  db::LogicalType type;
};

struct Question {
  const TableEntry& table;
  const iceberg::TableMetadata& metadata;
  const FileList& files;
};

struct Answer : public db::TableFunctionData {
  std::vector<Row> rows;
};

struct Position : public db::GlobalTableFunctionState {
  size_t next = 0;
};

db::Value time_of(int64_t ms) {
  return db::Value::TIMESTAMPTZ(db::timestamp_tz_t(ms * 1000));
}

db::Value number_or_null(const std::string& text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && !text.empty() ? db::Value::BIGINT(number)
                                               : db::Value(db::LogicalType::BIGINT);
}

db::Value id_or_null(const std::optional<int64_t>& id) {
  return id ? db::Value::BIGINT(*id) : db::Value(db::LogicalType::BIGINT);
}

db::LogicalType text_map() {
  return db::LogicalType::MAP(db::LogicalType::VARCHAR, db::LogicalType::VARCHAR);
}

db::Value to_map(const std::map<std::string, db::Value>& entries) {
  db::vector<db::Value> keys;
  db::vector<db::Value> values;
  for (const auto& [key, value] : entries) {
    keys.emplace_back(key);
    values.push_back(value);
  }
  return db::Value::MAP(db::LogicalType::VARCHAR, db::LogicalType::VARCHAR, std::move(keys),
                        std::move(values));
}

// Snapshots from which the current one comes, itself among them.
std::set<int64_t> ancestors(const iceberg::TableMetadata& metadata) {
  std::set<int64_t> found;
  for (auto id = metadata.current_snapshot_id; id && found.insert(*id).second;) {
    const auto* snapshot = metadata.snapshot(*id);
    id = snapshot == nullptr ? std::nullopt : snapshot->parent_snapshot_id;
  }
  return found;
}

std::vector<Row> snapshots(const Question& question) {
  std::vector<Row> rows;
  for (const auto& snapshot : question.metadata.snapshots) {
    std::map<std::string, db::Value> summary;
    for (const auto& [key, value] : snapshot.summary) {
      summary[key] = db::Value(value);
    }
    const auto count = [&](const char* key) { return number_or_null(snapshot.summary_value(key)); };
    rows.push_back({db::Value::BIGINT(snapshot.snapshot_id), id_or_null(snapshot.parent_snapshot_id),
                    db::Value::BIGINT(snapshot.sequence_number), time_of(snapshot.timestamp_ms),
                    db::Value(snapshot.summary_value("operation")), count("tarn.lake-version"),
                    count("added-records"), count("deleted-records"), count("total-records"),
                    count("total-data-files"), count("total-files-size"),
                    db::Value::BOOLEAN(snapshot.snapshot_id == question.metadata.current_snapshot_id),
                    to_map(summary)});
  }
  return rows;
}

std::vector<Row> history(const Question& question) {
  std::vector<Row> rows;
  const auto current = ancestors(question.metadata);
  for (const auto& entry : question.metadata.snapshot_log) {
    const auto* snapshot = question.metadata.snapshot(entry.snapshot_id);
    rows.push_back({time_of(entry.timestamp_ms), db::Value::BIGINT(entry.snapshot_id),
                    id_or_null(snapshot == nullptr ? std::nullopt : snapshot->parent_snapshot_id),
                    db::Value::BOOLEAN(current.contains(entry.snapshot_id))});
  }
  return rows;
}

std::vector<Row> refs(const Question& question) {
  std::vector<Row> rows;
  for (const auto& [name, ref] : question.metadata.refs) {
    rows.push_back({db::Value(name), db::Value(ref.type), db::Value::BIGINT(ref.snapshot_id)});
  }
  return rows;
}

std::vector<Row> properties(const Question& question) {
  std::vector<Row> rows;
  for (const auto& [name, value] : question.metadata.properties) {
    rows.push_back({db::Value(name), db::Value(value)});
  }
  return rows;
}

db::Value partition_of(const iceberg::TableMetadata& metadata, const iceberg::DataFile& file) {
  std::map<std::string, db::Value> values;
  const auto* spec = metadata.spec(file.spec_id);
  for (size_t i = 0; spec != nullptr && i < spec->fields.size() && i < file.partition.size(); ++i) {
    const auto& field = spec->fields[i];
    auto type = metadata.partition_type(field);
    if (field.transform.kind == iceberg::TransformKind::kDay) {
      type.kind = iceberg::TypeKind::kDate;
    }
    values[field.name] = to_engine(file.partition[i], type).DefaultCastAs(db::LogicalType::VARCHAR);
  }
  return to_map(values);
}

const char* name_of(iceberg::Content content) {
  switch (content) {
    case iceberg::Content::kData: return "data";
    case iceberg::Content::kPositionDeletes: return "position deletes";
    case iceberg::Content::kEqualityDeletes: return "equality deletes";
  }
  return "data";
}

std::vector<Row> files(const Question& question) {
  std::vector<Row> rows;
  std::set<std::string> seen;
  const auto add = [&](const iceberg::DataFile& file, const db::Value& sequence_number) {
    if (seen.insert(file.path).second) {
      rows.push_back({db::Value(name_of(file.content)), db::Value(file.path), db::Value(file.format),
                      db::Value::BIGINT(file.record_count), db::Value::BIGINT(file.file_size_bytes),
                      partition_of(question.metadata, file), db::Value::INTEGER(file.spec_id),
                      sequence_number});
    }
  };
  const auto plan = question.files.plan();
  for (const auto& file : plan->files) {
    add(file.file, db::Value::BIGINT(file.sequence_number));
  }
  for (const auto& file : plan->files) {
    for (const auto& deletes : file.deletes) {
      add(deletes, db::Value(db::LogicalType::BIGINT));
    }
  }
  return rows;
}

std::vector<Row> partitions(const Question& question) {
  struct Sums {
    db::Value partition;
    int spec_id = 0;
    int64_t files = 0, rows = 0, bytes = 0, delete_files = 0;
  };
  std::map<std::string, Sums> sums;
  for (const auto& file : question.files.plan()->files) {
    auto& sum = sums[iceberg::partition_key(file.file.spec_id, file.file.partition)];
    if (sum.files++ == 0) {
      sum.partition = partition_of(question.metadata, file.file);
      sum.spec_id = file.file.spec_id;
    }
    sum.rows += file.file.record_count;
    sum.bytes += file.file.file_size_bytes;
    sum.delete_files += static_cast<int64_t>(file.deletes.size());
  }
  std::vector<Row> rows;
  for (const auto& [key, sum] : sums) {
    rows.push_back({sum.partition, db::Value::INTEGER(sum.spec_id), db::Value::BIGINT(sum.files),
                    db::Value::BIGINT(sum.rows), db::Value::BIGINT(sum.bytes),
                    db::Value::BIGINT(sum.delete_files)});
  }
  return rows;
}

TableEntry& find_table(db::ClientContext& context, const db::Value& name) {
  if (name.IsNull()) {
    throw_error({Code::kInvalid, "the name of the table is NULL: write it as text, 'schema.table'"});
  }
  auto parts = db::QualifiedName::Parse(name.ToString());
  db::Binder::BindSchemaOrCatalog(context, parts.catalog, parts.schema);
  auto& found =
      db::Catalog::GetEntry<db::TableCatalogEntry>(context, parts.catalog, parts.schema, parts.name);
  auto* table = dynamic_cast<TableEntry*>(&found);
  if (table == nullptr) {
    throw_error({Code::kInvalid, fmt::format("\"{}\" is no table of the lake: it has no snapshots and files",
                                             name.ToString())});
  }
  return *table;
}

using Ask = std::vector<Row> (*)(const Question&);

struct AskInfo : public db::TableFunctionInfo {
  AskInfo(std::vector<Column> c, Ask a) : columns(std::move(c)), ask(a) {}
  std::vector<Column> columns;
  Ask ask;
};

db::unique_ptr<db::FunctionData> bind(db::ClientContext& context, db::TableFunctionBindInput& input,
                                      db::vector<db::LogicalType>& types, db::vector<db::string>& names) {
  const auto& info = input.info->Cast<AskInfo>();
  for (const auto& column : info.columns) {
    names.emplace_back(column.name);
    types.push_back(column.type);
  }
  auto& table = find_table(context, input.inputs[0]);
  const FileList files(scan_source(context, table), {});
  auto answer = db::make_uniq<Answer>();
  answer->rows = info.ask({.table = table, .metadata = *table.metadata(), .files = files});
  return std::move(answer);
}

db::unique_ptr<db::GlobalTableFunctionState> start(db::ClientContext&, db::TableFunctionInitInput&) {
  return db::make_uniq<Position>();
}

void next(db::ClientContext&, db::TableFunctionInput& input, db::DataChunk& output) {
  const auto& rows = input.bind_data->Cast<Answer>().rows;
  auto& at = input.global_state->Cast<Position>().next;
  db::idx_t count = 0;
  for (; at < rows.size() && count < STANDARD_VECTOR_SIZE; ++at, ++count) {
    for (size_t i = 0; i < rows[at].size(); ++i) {
      output.SetValue(i, count, rows[at][i]);
    }
  }
  output.SetCardinality(count);
}

void add(db::ExtensionLoader& loader, const char* name, std::vector<Column> columns, Ask ask) {
  db::TableFunction function(name, {db::LogicalType::VARCHAR}, next, bind, start);
  function.function_info = db::make_shared_ptr<AskInfo>(std::move(columns), ask);
  loader.RegisterFunction(std::move(function));
}

}  // namespace

void register_table_functions(db::ExtensionLoader& loader) {
  const auto number = db::LogicalType::BIGINT;
  const auto text = db::LogicalType::VARCHAR;
  const auto time = db::LogicalType::TIMESTAMP_TZ;
  add(loader, "table_snapshots",
      {{"snapshot_id", number},
       {"parent_id", number},
       {"sequence_number", number},
       {"committed_at", time},
       {"operation", text},
       {"lake_version", number},
       {"added_rows", number},
       {"deleted_rows", number},
       {"total_rows", number},
       {"total_files", number},
       {"total_bytes", number},
       {"is_current", db::LogicalType::BOOLEAN},
       {"summary", text_map()}},
      snapshots);
  add(loader, "table_history",
      {{"made_current_at", time},
       {"snapshot_id", number},
       {"parent_id", number},
       {"is_current_ancestor", db::LogicalType::BOOLEAN}},
      history);
  add(loader, "table_refs", {{"name", text}, {"type", text}, {"snapshot_id", number}}, refs);
  add(loader, "table_properties", {{"name", text}, {"value", text}}, properties);
  add(loader, "table_files",
      {{"content", text},
       {"path", text},
       {"format", text},
       {"rows", number},
       {"bytes", number},
       {"partition", text_map()},
       {"spec_id", db::LogicalType::INTEGER},
       {"sequence_number", number}},
      files);
  add(loader, "table_partitions",
      {{"partition", text_map()},
       {"spec_id", db::LogicalType::INTEGER},
       {"files", number},
       {"rows", number},
       {"bytes", number},
       {"delete_files", number}},
      partitions);
}

}  // namespace tarn::engine::lake
