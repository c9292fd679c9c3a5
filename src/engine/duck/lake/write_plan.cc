#include <map>

#include <fmt/format.h>

#include "duckdb/catalog/catalog_entry/copy_function_catalog_entry.hpp"
#include "duckdb/common/types/uuid.hpp"
#include "duckdb/execution/operator/order/physical_order.hpp"
#include "duckdb/execution/operator/persistent/physical_batch_copy_to_file.hpp"
#include "duckdb/execution/operator/persistent/physical_copy_to_file.hpp"
#include "duckdb/execution/operator/projection/physical_projection.hpp"
#include "duckdb/execution/physical_plan_generator.hpp"
#include "duckdb/function/copy_function.hpp"
#include "duckdb/function/function_binder.hpp"
#include "duckdb/parser/parsed_data/copy_info.hpp"
#include "duckdb/planner/expression/bound_cast_expression.hpp"
#include "duckdb/planner/expression/bound_constant_expression.hpp"
#include "duckdb/planner/expression/bound_reference_expression.hpp"
#include "engine/duck/lake/coded_text.h"
#include "engine/duck/lake/insert.h"
#include "engine/duck/lake/lake_database.h"
#include "engine/duck/lake/partition_key.h"
#include "engine/duck/lake/sort_order.h"
#include "engine/duck/lake/transaction.h"
#include "engine/duck/lake/types.h"

namespace tarn::engine::lake {
namespace {

constexpr uint64_t kTargetFileBytes = uint64_t{512} << 20;

// The writer's FIELD_IDS option: a struct of names, nested as the type is.
db::Value field_ids(const iceberg::Field& field) {
  auto id = db::Value::INTEGER(field.id);
  if (field.type.fields.empty()) {
    return id;
  }
  db::child_list_t<db::Value> children;
  children.emplace_back("__duckdb_field_id", id);
  for (const auto& child : field.type.fields) {
    children.emplace_back(child.name, field_ids(child));
  }
  return db::Value::STRUCT(std::move(children));
}

db::Value field_ids(const iceberg::Schema& schema) {
  db::child_list_t<db::Value> children;
  for (const auto& field : schema.fields) {
    children.emplace_back(field.name, field_ids(field));
  }
  return db::Value::STRUCT(std::move(children));
}

struct Output {
  db::vector<db::string> names;
  db::vector<db::LogicalType> types;
  db::vector<db::idx_t> partition_columns;  // the last ones; they are not written
  db::vector<db::unique_ptr<db::Expression>> expressions;
  bool changes_rows = false;
};

// A field of a column, by its id: the column itself, or what it is reached by through structs.
db::unique_ptr<db::Expression> reach_field(db::ClientContext& context, const iceberg::Field& field, int id,
                                           db::unique_ptr<db::Expression> column) {
  if (field.id == id) {
    return column;
  }
  if (field.type.kind != iceberg::TypeKind::kStruct) {
    return nullptr;
  }
  for (const auto& inner : field.type.fields) {
    db::vector<db::unique_ptr<db::Expression>> arguments;
    arguments.push_back(column->Copy());
    arguments.push_back(db::make_uniq<db::BoundConstantExpression>(db::Value(inner.name)));
    db::ErrorData error;
    auto part = db::FunctionBinder(context).BindScalarFunction(DEFAULT_SCHEMA, "struct_extract",
                                                               std::move(arguments), error);
    if (!part) {
      error.Throw();
    }
    if (auto found = reach_field(context, inner, id, std::move(part))) {
      return found;
    }
  }
  return nullptr;
}

// A column, or a field in one, by its id, under a transform; null: the table has none, or only inside lists
// or maps. `columns` are the stored columns in the order of the table's.
db::unique_ptr<db::Expression> transformed(db::ClientContext& context, const iceberg::Schema& schema, int id,
                                           const iceberg::Transform& transform,
                                           const db::vector<db::unique_ptr<db::Expression>>& columns) {
  for (size_t i = 0; i < schema.fields.size(); ++i) {
    if (auto column = reach_field(context, schema.fields[i], id, columns[i]->Copy())) {
      return transform_expression(transform, schema.find(id)->type, std::move(column));
    }
  }
  return nullptr;
}

// What the rows of a file have in common by one field of the spec.
db::unique_ptr<db::Expression> partition_value(db::ClientContext& context,
                                               const iceberg::TableMetadata& metadata,
                                               const iceberg::PartitionField& key, const Output& output) {
  if (key.transform.kind == iceberg::TransformKind::kVoid) {  // its column may be gone
    return db::make_uniq<db::BoundConstantExpression>(db::Value(db::LogicalType::INTEGER));
  }
  if (key.transform.kind == iceberg::TransformKind::kUnknown) {
    throw_error({Code::kUnsupported,
                 fmt::format("the table is partitioned by {}({}), which Tarn does not know: write to it with "
                             "the program that partitioned it, or ALTER TABLE … SET PARTITIONED BY first",
                             key.transform.text, key.name)});
  }
  if (auto value =
          transformed(context, metadata.schema(), key.source_id, key.transform, output.expressions)) {
    return value;
  }
  throw_error({Code::kUnsupported,
               fmt::format("the table is partitioned by '{}', whose column is gone: ALTER TABLE … SET "
                           "PARTITIONED BY other columns first",
                           key.name)});
}

void add_partition_columns(db::ClientContext& context, const iceberg::TableMetadata& metadata,
                           Output& output) {
  for (const auto& key : metadata.spec().fields) {
    auto value = partition_value(context, metadata, key, output);
    if (value->return_type.id() == db::LogicalTypeId::BLOB) {
      // The writer would take the bytes of a partition value for text.
      value = db::BoundCastExpression::AddCastToType(context, std::move(value), db::LogicalType::VARCHAR);
    }
    output.partition_columns.push_back(output.types.size());
    output.names.push_back(key.name);
    output.types.push_back(value->return_type);
    output.expressions.push_back(std::move(value));
  }
}

// Types of other writers that the Parquet writer has no form for.
void need_writable(const std::vector<iceberg::Field>& fields, const std::string& table) {
  for (const auto& field : fields) {
    if (field.type.kind == iceberg::TypeKind::kFixed) {
      throw_error({Code::kUnsupported,
                   fmt::format("column \"{}\" of table \"{}\" has the type {}, which Tarn reads and does not "
                               "write: write to the table with the program that made it",
                               field.name, table, iceberg::to_string(field.type))});
    }
    need_writable(field.type.fields, table);
  }
}

Output output_of(db::ClientContext& context, WriteTarget& target, db::PhysicalOperator& plan) {
  Output output;
  const auto& fields = target.metadata->schema().fields;
  const bool as_they_come =
      target.metadata->spec().is_unpartitioned() && write_order(*target.metadata) == nullptr;
  for (size_t i = 0; i < fields.size(); ++i) {
    auto stored = engine_type(fields[i].type);
    auto given = target.types[i];
    if (given == stored && as_they_come && code_text_column(plan, i)) {
      stored = given = plan.types[i];
      if (db::EnumType::GetSize(given) == 1) {
        target.constants[fields[i].id] = db::EnumType::GetString(given, 0).GetString();
      }
    }
    db::unique_ptr<db::Expression> column = db::make_uniq<db::BoundReferenceExpression>(given, i);
    if (given != stored) {
      column = db::BoundCastExpression::AddCastToType(context, std::move(column), stored);
      output.changes_rows = true;
    }
    output.names.push_back(fields[i].name);
    output.types.push_back(stored);
    output.expressions.push_back(std::move(column));
  }
  if (!target.metadata->spec().is_unpartitioned()) {
    add_partition_columns(context, *target.metadata, output);
    output.changes_rows = true;
  }
  return output;
}

// Whether the query asks for an order; then the rows of a file keep it, which makes its statistics sharp.
bool asks_for_order(const db::PhysicalOperator& plan) {
  switch (plan.type) {
    case db::PhysicalOperatorType::ORDER_BY:
    case db::PhysicalOperatorType::TOP_N: return true;
    case db::PhysicalOperatorType::PROJECTION:
    case db::PhysicalOperatorType::FILTER:
    case db::PhysicalOperatorType::LIMIT:
    case db::PhysicalOperatorType::STREAMING_LIMIT:
    case db::PhysicalOperatorType::EXTENSION:
      return !plan.children.empty() && asks_for_order(plan.children[0].get());
    default: return false;
  }
}

uint64_t target_file_bytes(const iceberg::TableMetadata& metadata) {
  const auto found = metadata.properties.find("write.target-file-size-bytes");
  if (found == metadata.properties.end()) {
    return kTargetFileBytes;
  }
  const auto bytes = std::strtoull(found->second.c_str(), nullptr, 10);
  return bytes == 0 ? kTargetFileBytes : bytes;
}

struct Writer {
  db::CopyFunction function;
  db::unique_ptr<db::FunctionData> bind_data;
};

// DuckDB's name of the codec that the table asks for; those it does not write are zstd, as by default.
std::string codec_of(const iceberg::TableMetadata& metadata) {
  static const std::map<std::string, std::string> codecs{
      {"snappy", "snappy"}, {"gzip", "gzip"},         {"brotli", "brotli"},
      {"lz4", "lz4_raw"},   {"none", "uncompressed"}, {"uncompressed", "uncompressed"}};
  const auto asked = metadata.properties.find("write.parquet.compression-codec");
  const auto known = asked == metadata.properties.end() ? codecs.end() : codecs.find(fold(asked->second));
  return known == codecs.end() ? "zstd" : known->second;
}

Writer bind_writer(db::ClientContext& context, const WriteTarget& target, const Output& output,
                   const std::string& folder) {
  db::CopyInfo info;
  info.file_path = folder;
  info.format = "parquet";
  info.is_from = false;
  info.options["field_ids"] = {field_ids(target.metadata->schema())};
  info.options["compression"] = {db::Value(codec_of(*target.metadata))};
  auto& parquet = db::Catalog::GetSystemCatalog(context).GetEntry<db::CopyFunctionCatalogEntry>(
      context, DEFAULT_SCHEMA, "parquet");
  db::CopyFunctionBindInput input(info);
  const auto written = output.names.size() - output.partition_columns.size();
  db::vector<db::string> names(output.names.begin(), output.names.begin() + static_cast<ptrdiff_t>(written));
  db::vector<db::LogicalType> types(output.types.begin(),
                                    output.types.begin() + static_cast<ptrdiff_t>(written));
  return {parquet.function, parquet.function.copy_to_bind(context, input, names, types)};
}

db::PhysicalOperator& ordered_writer(db::PhysicalPlanGenerator& planner, Writer writer,
                                     const std::string& folder, const std::string& tag) {
  auto types = db::GetCopyFunctionReturnLogicalTypes(db::CopyFunctionReturnType::WRITTEN_FILE_STATISTICS);
  auto& copy = planner
                   .Make<db::PhysicalBatchCopyToFile>(std::move(types), std::move(writer.function),
                                                      std::move(writer.bind_data), 1)
                   .Cast<db::PhysicalBatchCopyToFile>();
  copy.file_path =
      fmt::format("{}/{}-{}.parquet", folder, tag, db::UUID::ToString(db::UUID::GenerateRandomUUID()));
  copy.use_tmp_file = false;
  copy.return_type = db::CopyFunctionReturnType::WRITTEN_FILE_STATISTICS;
  copy.write_empty_file = false;
  return copy;
}

db::PhysicalOperator& parallel_writer(db::PhysicalPlanGenerator& planner, Writer writer,
                                      const WriteTarget& target, Output& output, const std::string& folder,
                                      const std::string& tag) {
  auto types = db::GetCopyFunctionReturnLogicalTypes(db::CopyFunctionReturnType::WRITTEN_FILE_STATISTICS);
  auto& copy = planner
                   .Make<db::PhysicalCopyToFile>(std::move(types), std::move(writer.function),
                                                 std::move(writer.bind_data), 1)
                   .Cast<db::PhysicalCopyToFile>();
  const bool partitioned = !output.partition_columns.empty();
  copy.file_path = folder;
  copy.use_tmp_file = false;
  copy.filename_pattern.SetFilenamePattern(tag + "-{uuidv7}");
  copy.file_extension = "parquet";
  copy.overwrite_mode = db::CopyOverwriteMode::COPY_OVERWRITE_OR_IGNORE;
  copy.parallel = true;
  copy.per_thread_output = false;
  copy.rotate = !partitioned;
  if (!partitioned) {
    copy.file_size_bytes = target_file_bytes(*target.metadata);
  }
  copy.return_type = db::CopyFunctionReturnType::WRITTEN_FILE_STATISTICS;
  copy.partition_output = partitioned;
  copy.write_partition_columns = false;
  // Without rotation the writer would otherwise open the folder itself as its one file.
  copy.write_empty_file = partitioned;
  copy.hive_file_pattern = true;
  copy.partition_columns = std::move(output.partition_columns);
  copy.names = std::move(output.names);
  copy.expected_types = std::move(output.types);
  return copy;
}

// Passes rows on in the order in which they come: the writer of partitions would take them from many threads.
class OneThread : public db::PhysicalOperator {
 public:
  OneThread(db::PhysicalPlan& plan, const db::PhysicalOperator& rows)
      : db::PhysicalOperator(plan, db::PhysicalOperatorType::EXTENSION, rows.types,
                             rows.estimated_cardinality) {}

  db::OperatorResultType Execute(db::ExecutionContext&, db::DataChunk& input, db::DataChunk& chunk,
                                 db::GlobalOperatorState&, db::OperatorState&) const override {
    chunk.Reference(input);
    return db::OperatorResultType::NEED_MORE_INPUT;
  }
  bool ParallelOperator() const override { return false; }
  db::OrderPreservationType OperatorOrder() const override { return db::OrderPreservationType::FIXED_ORDER; }
  db::string GetName() const override { return "ONE_THREAD"; }
};

db::BoundOrderByNode ascending(db::unique_ptr<db::Expression> expression) {
  return {db::OrderType::ASCENDING, db::OrderByNullType::NULLS_FIRST, std::move(expression)};
}

// The rows of the output in the table's order, those of a partition behind one another; `rows` themselves
// when the table has none. Says in the target what the files may say.
db::PhysicalOperator& plan_sort(db::ClientContext& context, db::PhysicalPlanGenerator& planner,
                                WriteTarget& target, const Output& output, db::PhysicalOperator& rows) {
  const auto* order = write_order(*target.metadata);
  if (order == nullptr) {
    return rows;
  }
  db::vector<db::unique_ptr<db::Expression>> columns;
  db::vector<db::idx_t> all;
  for (db::idx_t i = 0; i < output.types.size(); ++i) {
    columns.push_back(db::make_uniq<db::BoundReferenceExpression>(output.types[i], i));
    all.push_back(i);
  }
  db::vector<db::BoundOrderByNode> keys;
  for (const auto column : output.partition_columns) {
    keys.push_back(ascending(columns[column]->Copy()));
  }
  for (const auto& field : order->fields) {
    auto value = transformed(context, target.metadata->schema(), field.source_id, field.transform, columns);
    if (!value) {
      return rows;
    }
    keys.emplace_back(field.descending ? db::OrderType::DESCENDING : db::OrderType::ASCENDING,
                      field.nulls_first ? db::OrderByNullType::NULLS_FIRST : db::OrderByNullType::NULLS_LAST,
                      std::move(value));
  }
  target.sort_order_id = sort_order_id(*target.metadata, *order);
  auto& sorted = planner.Make<db::PhysicalOrder>(output.types, std::move(keys), std::move(all),
                                                 rows.estimated_cardinality);
  sorted.children.push_back(rows);
  if (output.partition_columns.empty()) {
    return sorted;
  }
  auto& behind = planner.Make<OneThread>(sorted);
  behind.children.push_back(sorted);
  return behind;
}

}  // namespace

db::PhysicalOperator& plan_write(db::ClientContext& context, db::PhysicalPlanGenerator& planner,
                                 WriteTarget& target, db::PhysicalOperator& plan) {
  const auto& tag = Transaction::of(context, *target.lake).tag();
  const std::string folder =
      value_or_throw(target.lake->service().data_folder(target.name, target.uuid, target.metadata.get()));
  need_writable(target.metadata->schema().fields, target.name.name);
  auto output = output_of(context, target, plan);
  auto writer = bind_writer(context, target, output, folder);
  const bool asked = asks_for_order(plan) && db::PhysicalPlanGenerator::UseBatchIndex(context, plan);
  std::reference_wrapper<db::PhysicalOperator> rows = plan;
  if (output.changes_rows) {
    auto& projection = planner.Make<db::PhysicalProjection>(output.types, std::move(output.expressions),
                                                            plan.estimated_cardinality);
    projection.children.push_back(plan);
    rows = projection;
  }
  auto& sorted = plan_sort(context, planner, target, output, rows);
  const bool in_order = output.partition_columns.empty() && (asked || &sorted != &rows.get());
  auto& copy = in_order ? ordered_writer(planner, std::move(writer), folder, tag)
                        : parallel_writer(planner, std::move(writer), target, output, folder, tag);
  copy.children.push_back(sorted);
  return copy;
}

}  // namespace tarn::engine::lake
