#include "engine/duck/lake/written_file.h"

#include <fmt/format.h>

#include "engine/duck/lake/lake_fs.h"
#include "engine/duck/lake/partition_key.h"
#include "engine/duck/lake/types.h"
#include "iceberg/bounds.h"

namespace tarn::engine::lake {
namespace {

// Splits "\"a\".\"b.c\"" into a and b.c; a quote inside a name is doubled.
std::vector<std::string> split_path(const std::string& path) {
  std::vector<std::string> parts;
  std::string part;
  bool quoted = false;
  for (size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    if (c == '"' && quoted && i + 1 < path.size() && path[i + 1] == '"') {
      part += '"';
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == '.' && !quoted) {
      parts.push_back(std::move(part));
      part.clear();
    } else {
      part += c;
    }
  }
  parts.push_back(std::move(part));
  return parts;
}

struct Found {
  const iceberg::Field* field = nullptr;
  bool in_collection = false;
};

Found find_field(const std::vector<iceberg::Field>& fields, const std::vector<std::string>& path) {
  Found found;
  const auto* level = &fields;
  for (const auto& part : path) {
    found.field = nullptr;
    for (const auto& field : *level) {
      if (field.name == part) {
        found.field = &field;
      }
    }
    if (found.field == nullptr) {
      return found;
    }
    const auto kind = found.field->type.kind;
    found.in_collection |= kind == iceberg::TypeKind::kList || kind == iceberg::TypeKind::kMap;
    level = &found.field->type.fields;
  }
  return found;
}

std::optional<int64_t> number(const std::string& text) {
  const db::Value value(text);
  db::Value cast;
  db::string error;
  if (!value.DefaultTryCastAs(db::LogicalType::BIGINT, cast, &error, true)) {
    return std::nullopt;
  }
  return cast.GetValue<int64_t>();
}

iceberg::ColumnStatistics column_statistics(const db::Value& entries) {
  iceberg::ColumnStatistics statistics;
  for (const auto& entry : db::MapValue::GetChildren(entries)) {
    const auto& pair = db::StructValue::GetChildren(entry);
    if (pair[1].IsNull()) {
      continue;
    }
    const auto& name = db::StringValue::Get(pair[0]);
    const std::string text = pair[1].ToString();
    if (name == "min") {
      statistics.min = text;
    } else if (name == "max") {
      statistics.max = text;
    } else if (name == "null_count") {
      statistics.null_count = number(text);
    } else if (name == "num_values") {
      statistics.value_count = number(text);
    } else if (name == "column_size_bytes") {
      statistics.size_bytes = number(text);
    } else if (name == "has_nan") {
      statistics.has_nan = text == "true";
    }
  }
  return statistics;
}

void read_partition(const db::Value& keys, const iceberg::TableMetadata& metadata, iceberg::DataFile& file) {
  const auto& spec = metadata.spec();
  file.spec_id = spec.spec_id;
  if (spec.is_unpartitioned()) {
    return;
  }
  const auto& entries = db::MapValue::GetChildren(keys);
  if (entries.size() != spec.fields.size()) {
    throw_error({Code::kInternal, fmt::format("the writer of {} gave no partition values", file.path)});
  }
  for (size_t i = 0; i < spec.fields.size(); ++i) {
    const auto type = metadata.partition_type(spec.fields[i]);
    const auto& text = db::StructValue::GetChildren(entries[i])[1];
    if (text.IsNull()) {
      file.partition.emplace_back();
      continue;
    }
    // Days come as numbers, as they are stored; an identity value comes as DuckDB prints its type.
    const bool is_days = spec.fields[i].transform.kind == iceberg::TransformKind::kDay;
    iceberg::Type read_as = type;
    if (is_days) {
      read_as.kind = iceberg::TypeKind::kInt;
    }
    const auto value = to_iceberg(text, read_as);
    if (!value) {
      throw_error({Code::kInternal,
                   fmt::format("partition value '{}' of {} cannot be read", text.ToString(), file.path)});
    }
    file.partition.push_back(*value);
  }
}

}  // namespace

iceberg::DataFile read_written_file(db::DataChunk& chunk, db::idx_t row,
                                    const iceberg::TableMetadata& metadata,
                                    const std::map<int, std::string>& constants) {
  iceberg::DataFile file;
  file.path = uri_of(fitting_path(chunk.GetValue(0, row).GetValue<std::string>()));
  file.record_count = chunk.GetValue(1, row).GetValue<int64_t>();
  file.file_size_bytes = chunk.GetValue(2, row).GetValue<int64_t>();
  file.split_offsets = {4};
  const db::Value statistics = chunk.GetValue(4, row);
  for (const auto& entry : db::MapValue::GetChildren(statistics)) {
    const auto& pair = db::StructValue::GetChildren(entry);
    const auto found = find_field(metadata.schema().fields, split_path(db::StringValue::Get(pair[0])));
    if (found.field != nullptr && !found.field->type.is_nested()) {
      auto known = column_statistics(pair[1]);
      const auto constant = constants.find(found.field->id);
      if (constant != constants.end() && known.null_count.value_or(0) < file.record_count) {
        known.min = known.max = constant->second;
      }
      iceberg::add_statistics(file, *found.field, known, found.in_collection);
    }
  }
  read_partition(chunk.GetValue(5, row), metadata, file);
  return file;
}

}  // namespace tarn::engine::lake
