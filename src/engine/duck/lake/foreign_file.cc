#include "engine/duck/lake/foreign_file.h"

#include <algorithm>

#include <fmt/format.h>

#include "duckdb/common/multi_file/multi_file_reader.hpp"
#include "duckdb/common/multi_file/union_by_name.hpp"
#include "duckdb/parser/expression/constant_expression.hpp"
#include "engine/duck/lake/types.h"
#include "engine/unreadable.h"

namespace tarn::engine::lake {
namespace {

using Definition = db::MultiFileColumnDefinition;

// The row number is no column of the file.
bool is_virtual(const Definition& column) {
  return !column.identifier.IsNull() && column.identifier.type().id() == db::LogicalTypeId::INTEGER &&
         column.identifier.GetValue<int32_t>() == db::MultiFileReader::ORDINAL_FIELD_ID;
}

bool has_ids(const ColumnDefinitions& columns) {
  return std::any_of(columns.begin(), columns.end(), [](const Definition& column) {
    return !is_virtual(column) && (!column.identifier.IsNull() || has_ids(column.children));
  });
}

class IdGiver {
 public:
  // What the mapping does not name gets an id that no field has: the engine would stop at a column without.
  void give(ColumnDefinitions& columns, const iceberg::NameMapping& mapping) {
    for (auto& column : columns) {
      const auto* mapped = iceberg::find_mapped(mapping, column.name);
      if (column.identifier.IsNull()) {
        column.identifier =
            db::Value::INTEGER(mapped != nullptr && mapped->field_id ? *mapped->field_id : --unknown_);
      }
      give_inside(column, mapped == nullptr ? iceberg::NameMapping() : mapped->fields);
    }
  }

 private:
  // Files have names of their own for what is in lists and maps; the mapping has fixed ones.
  void give_inside(Definition& column, const iceberg::NameMapping& mapping) {
    auto* inner = &column.children;
    if (column.type.id() == db::LogicalTypeId::MAP && inner->size() == 1) {
      if (inner->front().identifier.IsNull()) {
        inner->front().identifier = db::Value::INTEGER(--unknown_);
      }
      inner = &inner->front().children;  // the entries
    }
    if (column.type.id() == db::LogicalTypeId::MAP && inner->size() == 2) {
      rename_and_give((*inner)[0], "key", mapping);
      rename_and_give((*inner)[1], "value", mapping);
    } else if (column.type.id() == db::LogicalTypeId::LIST && inner->size() == 1) {
      rename_and_give(inner->front(), "element", mapping);
    } else {
      give(*inner, mapping);
    }
  }

  void rename_and_give(Definition& part, const std::string& name, const iceberg::NameMapping& mapping) {
    const auto* mapped = iceberg::find_mapped(mapping, name);
    if (part.identifier.IsNull()) {
      part.identifier =
          db::Value::INTEGER(mapped != nullptr && mapped->field_id ? *mapped->field_id : --unknown_);
    }
    give_inside(part, mapped == nullptr ? iceberg::NameMapping() : mapped->fields);
  }

  int unknown_ = -1'000'000;
};

bool has_column(const ColumnDefinitions& columns, int id) {
  return std::any_of(columns.begin(), columns.end(), [id](const Definition& column) {
    return !column.identifier.IsNull() &&
           (column.GetIdentifierFieldId() == id ||
            (column.type.id() == db::LogicalTypeId::STRUCT && has_column(column.children, id)));
  });
}

Definition* find_column(ColumnDefinitions& columns, int id) {
  for (auto& column : columns) {
    if (column.identifier.IsNull()) {
      continue;
    }
    if (column.GetIdentifierFieldId() == id) {
      return &column;
    }
    if (column.type.id() == db::LogicalTypeId::STRUCT) {
      if (auto* inner = find_column(column.children, id)) {
        return inner;
      }
    }
  }
  return nullptr;
}

}  // namespace

void throw_unreadable(const TableName& table, const std::string& path, const std::exception& exception) {
  // What a query's own expressions throw while the scan filters is not the file's fault.
  const db::ErrorData data(exception);
  const auto type = data.Type();
  const bool file_is_to_blame = type == db::ExceptionType::IO || type == db::ExceptionType::SERIALIZATION ||
                                type == db::ExceptionType::INVALID_INPUT ||
                                type == db::ExceptionType::INVALID || type == db::ExceptionType::INTERNAL ||
                                type == db::ExceptionType::UNKNOWN_TYPE;
  if (type == db::ExceptionType::PERMISSION) {
    throw_error(
        {Code::kDenied,
         fmt::format("table {}.{} cannot be read: {} does not lie in the lake's folder, nor in one that "
                     "'iceberg: locations' of tarn.yml names: copy the table here, or name its folder",
                     table.schema, table.name, path)});
  }
  auto error = to_error(exception);
  const bool is_ours = data.RawMessage().find("TARN[") != std::string::npos;
  if (!file_is_to_blame && !is_ours) {
    throw;
  }
  const auto name = path.substr(path.rfind('/') + 1);
  throw_error(unreadable(table, error.message.find(name) == std::string::npos ? error.at(path) : error));
}

void check_rows(db::BaseFileReader& reader, const iceberg::DataFile& file) {
  const auto rows = reader.GetUnionData(0)->TryGetCardinalityEstimate();
  if (rows.IsValid() && static_cast<int64_t>(rows.GetIndex()) != file.record_count) {
    throw_error({Code::kCorrupt, fmt::format("{} has {} rows, but the table's manifest says {}", file.path,
                                             rows.GetIndex(), file.record_count)});
  }
}

iceberg::NameMapping name_mapping(const iceberg::TableMetadata& metadata) {
  const auto found = metadata.properties.find("schema.name-mapping.default");
  return found == metadata.properties.end() ? iceberg::NameMapping()
                                            : value_or_throw(iceberg::parse_name_mapping(found->second));
}

void give_field_ids(ColumnDefinitions& columns, const iceberg::TableMetadata& metadata,
                    const iceberg::DataFile& file) {
  iceberg::NameMapping mapping;
  if (!has_ids(columns)) {
    mapping = name_mapping(metadata);
    if (mapping.empty()) {
      throw_error({Code::kUnsupported,
                   fmt::format("the columns of {} have no field ids, and the table has no property "
                               "schema.name-mapping.default that would tell which is which: set it with the "
                               "program that added the file",
                               file.path)});
    }
  }
  IdGiver().give(columns, mapping);
}

std::optional<ColumnDefinitions> with_partition_values(const ColumnDefinitions& columns,
                                                       const ColumnDefinitions& in_file,
                                                       const iceberg::TableMetadata& metadata,
                                                       const iceberg::DataFile& file) {
  const auto* spec = metadata.spec(file.spec_id);
  if (spec == nullptr || spec->fields.size() != file.partition.size()) {
    return std::nullopt;
  }
  std::optional<ColumnDefinitions> changed;
  for (size_t i = 0; i < spec->fields.size(); ++i) {
    const auto& key = spec->fields[i];
    if (key.transform.kind != iceberg::TransformKind::kIdentity || has_column(in_file, key.source_id) ||
        !has_column(columns, key.source_id)) {
      continue;
    }
    if (!changed) {
      changed = columns;
    }
    auto* column = find_column(*changed, key.source_id);
    const auto type = metadata.partition_type(key);
    const auto value = value_or_throw(iceberg::promote(type, file.partition[i]));
    column->default_expression =
        db::make_uniq<db::ConstantExpression>(to_engine(value, type).DefaultCastAs(column->type));
  }
  return changed;
}

}  // namespace tarn::engine::lake
