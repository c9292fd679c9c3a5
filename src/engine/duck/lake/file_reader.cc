#include "duckdb/parser/expression/constant_expression.hpp"
#include "duckdb/planner/expression/bound_constant_expression.hpp"
#include "engine/duck/lake/delete_filter.h"
#include "engine/duck/lake/filter.h"
#include "engine/duck/lake/foreign_file.h"
#include "engine/duck/lake/lake_database.h"
#include "engine/duck/lake/nan_filter.h"
#include "engine/duck/lake/scan.h"
#include "engine/duck/lake/table_definition.h"

namespace tarn::engine::lake {
namespace {

db::MultiFileColumnDefinition definition(const iceberg::Field& field, const db::LogicalType& type) {
  db::MultiFileColumnDefinition column(field.name, type);
  column.identifier = db::Value::INTEGER(field.id);
  column.default_expression = db::make_uniq<db::ConstantExpression>(db::Value(type));
  using iceberg::TypeKind;
  if (type.id() == db::LogicalTypeId::ARRAY) {
    return column;  // the list in the file is cast as a whole
  }
  for (size_t i = 0; i < field.type.fields.size(); ++i) {
    const auto& child = field.type.fields[i];
    const auto child_type = [&]() -> db::LogicalType {
      switch (field.type.kind) {
        case TypeKind::kStruct: return db::StructType::GetChildType(type, i);
        case TypeKind::kMap: return i == 0 ? db::MapType::KeyType(type) : db::MapType::ValueType(type);
        default: return db::ListType::GetChildType(type);
      }
    }();
    column.children.push_back(definition(child, child_type));
  }
  return column;
}

// The value that rows written before the column was added show.
db::unique_ptr<db::ParsedExpression> initial_value(const TableEntry& table, const iceberg::Field& field,
                                                   const db::LogicalType& type) {
  const auto& properties = table.metadata()->properties;
  const auto found = properties.find(column_property(field.id, "initial"));
  if (found == properties.end()) {
    return db::make_uniq<db::ConstantExpression>(db::Value(type));
  }
  return db::make_uniq<db::ConstantExpression>(db::Value(found->second).DefaultCastAs(type));
}

}  // namespace

db::shared_ptr<db::MultiFileList> FileReader::CreateFileList(db::ClientContext&,
                                                             const db::vector<db::string>&,
                                                             const db::FileGlobInput&) {
  return db::make_shared_ptr<FileList>(source_, iceberg::Filter{});
}

bool FileReader::Bind(db::MultiFileOptions&, db::MultiFileList&, db::vector<db::LogicalType>& return_types,
                      db::vector<db::string>& names, db::MultiFileReaderBindData& bind_data) {
  const auto& table = *source_->table;
  const auto& schema = table.metadata()->schema();
  bind_data.mapping = db::MultiFileColumnMappingMode::BY_FIELD_ID;
  size_t i = 0;
  for (const auto& column : table.GetColumns().Logical()) {
    const auto& field = schema.fields[i++];
    auto defined = definition(field, column.Type());
    defined.default_expression = initial_value(table, field, column.Type());
    bind_data.schema.push_back(std::move(defined));
    names.push_back(column.Name());
    return_types.push_back(column.Type());
  }
  return true;
}

void FileReader::BindOptions(db::MultiFileOptions&, db::MultiFileList&, db::vector<db::LogicalType>&,
                             db::vector<db::string>&, db::MultiFileReaderBindData&) {}

db::shared_ptr<db::BaseFileReader> FileReader::CreateReader(db::ClientContext& context,
                                                            db::GlobalTableFunctionState& gstate,
                                                            const db::OpenFileInfo& file, db::idx_t file_idx,
                                                            const db::MultiFileBindData& bind_data) {
  return naming_table(source_->table->table().name(), file.path, [&] {
    return db::MultiFileReader::CreateReader(context, gstate, file, file_idx, bind_data);
  });
}

db::ReaderInitializeType FileReader::InitializeReader(
    db::MultiFileReaderData& reader_data, const db::MultiFileBindData& bind_data,
    const db::vector<db::MultiFileColumnDefinition>& global_columns,
    const db::vector<db::ColumnIndex>& global_column_ids, db::optional_ptr<db::TableFilterSet> table_filters,
    db::ClientContext& context, db::MultiFileGlobalState& gstate) {
  auto& reader = *reader_data.reader;
  const auto plan = gstate.file_list.Cast<FileList>().plan();
  const auto& file = plan->files.at(reader.file_list_idx.GetIndex());
  const auto& metadata = *source_->table->metadata();
  return naming_table(source_->table->table().name(), file.file.path, [&] {
    check_rows(reader, file.file);
    give_field_ids(reader.columns, metadata, file.file);
    auto own = source_->rows_out_of(file.file);
    if (!file.deletes.empty() || own) {
      auto committed =
          file.deletes.empty() ? nullptr : source_->table->lake().deletes().read(context, metadata, file);
      reader.deletion_filter = delete_filter(std::move(committed), std::move(own));
    }
    const auto by_partition = with_partition_values(global_columns, reader.columns, metadata, file.file);
    const auto initialized = db::MultiFileReader::InitializeReader(
        reader_data, bind_data, by_partition ? *by_partition : global_columns, global_column_ids,
        table_filters, context, gstate);
    if (reader.filters) {
      look_for_both_zeros(*reader.filters);
      ask_rows_for_nan(reader, file.file);
    }
    return initialized;
  });
}

db::unique_ptr<db::Expression> FileReader::GetVirtualColumnExpression(
    db::ClientContext& context, db::MultiFileReaderData& reader_data,
    const db::vector<db::MultiFileColumnDefinition>& local_columns, db::idx_t& column_id,
    const db::LogicalType& type, db::MultiFileLocalIndex local_index,
    db::optional_ptr<db::MultiFileColumnDefinition>& global_column) {
  if (column_id != kSnapshotColumn) {
    return db::MultiFileReader::GetVirtualColumnExpression(context, reader_data, local_columns, column_id,
                                                           type, local_index, global_column);
  }
  const auto& options = reader_data.file_to_be_opened.extended_info->options;
  const auto& snapshot = options.at(kSnapshotOption);
  return db::make_uniq<db::BoundConstantExpression>(snapshot.GetValue<int64_t>() == 0 ? db::Value(type)
                                                                                      : snapshot);
}

db::unique_ptr<db::MultiFileReader> FileReader::Copy() const {
  return db::make_uniq<FileReader>(source_);
}

}  // namespace tarn::engine::lake
