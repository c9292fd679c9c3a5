#include "iceberg/metadata_update.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace tarn::iceberg {
namespace {

constexpr size_t kMetadataLogMax = 100;

Error invalid(std::string message) {
  return Error{Code::kInvalid, std::move(message)};
}

std::string joined(const std::vector<std::string>& path) {
  return fmt::format("{}", fmt::join(path, "."));
}

std::string default_name(const PartitionRequest& request) {
  switch (request.transform.kind) {
    case TransformKind::kIdentity: return request.column;
    case TransformKind::kBucket:
      return fmt::format("{}_bucket_{}", request.column, request.transform.parameter);
    case TransformKind::kTruncate:
      return fmt::format("{}_trunc_{}", request.column, request.transform.parameter);
    case TransformKind::kVoid: return request.column + "_null";
    default: return request.column + "_" + to_string(request.transform);
  }
}

// Field id of the same source and transform in any spec, or nullopt.
std::optional<int> known_partition_field(const TableMetadata& metadata, int source_id,
                                         const Transform& transform) {
  for (const auto& spec : metadata.partition_specs) {
    for (const auto& field : spec.fields) {
      if (field.source_id == source_id && field.transform == transform) {
        return field.field_id;
      }
    }
  }
  return std::nullopt;
}

Result<std::vector<PartitionField>> partition_fields(TableMetadata& metadata,
                                                     const std::vector<PartitionRequest>& requests) {
  std::vector<PartitionField> fields;
  const auto& schema = metadata.schema();
  for (const auto& request : requests) {
    const auto* column = schema.find(request.column);
    if (column == nullptr) {
      return invalid(fmt::format("the partition column '{}' is not in the table", request.column));
    }
    TARN_CHECK(check_transform(request.transform, column->type));
    PartitionField field;
    field.source_id = column->id;
    field.transform = request.transform;
    field.name = request.name.empty() ? default_name(request) : request.name;
    auto known = known_partition_field(metadata, column->id, request.transform);
    field.field_id = known ? *known : ++metadata.last_partition_id;
    bool own_column = field.transform.kind == TransformKind::kIdentity && field.name == column->name;
    if (!own_column && schema.find(field.name) != nullptr) {
      return invalid(fmt::format("the partition field '{}' has the name of a column", field.name));
    }
    for (const auto& other : fields) {
      if (other.name == field.name || other.field_id == field.field_id) {
        return invalid(fmt::format("the partition field '{}' is given twice", field.name));
      }
    }
    fields.push_back(std::move(field));
  }
  return fields;
}

Result<std::vector<int>> identifier_ids(const Schema& schema, const std::vector<std::string>& columns) {
  std::vector<int> ids;
  for (const auto& name : columns) {
    const auto* field = schema.find(name);
    if (field == nullptr) {
      return invalid(fmt::format("the key column '{}' is not in the table", name));
    }
    ids.push_back(field->id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

void use_schema(TableMetadata& metadata, Schema schema) {
  int greatest = -1;
  for (const auto& known : metadata.schemas) {
    greatest = std::max(greatest, known.schema_id);
    if (same_fields(known, schema)) {
      metadata.current_schema_id = known.schema_id;
      return;
    }
  }
  schema.schema_id = greatest + 1;
  metadata.last_column_id = std::max(metadata.last_column_id, schema.max_field_id());
  metadata.current_schema_id = schema.schema_id;
  metadata.schemas.push_back(std::move(schema));
}

Status use_partitions(TableMetadata& metadata, const std::vector<PartitionRequest>& requests) {
  TARN_TRY(auto fields, partition_fields(metadata, requests));
  int greatest = -1;
  for (const auto& spec : metadata.partition_specs) {
    greatest = std::max(greatest, spec.spec_id);
    if (spec.fields == fields) {
      metadata.default_spec_id = spec.spec_id;
      return ok();
    }
  }
  metadata.default_spec_id = greatest + 1;
  metadata.partition_specs.push_back({.spec_id = greatest + 1, .fields = std::move(fields)});
  return ok();
}

Status check_change(const Field& before, const Field& after) {
  if (!before.required && after.required) {
    return invalid(
        fmt::format("column '{}' cannot become required: rows without a value may exist", after.name));
  }
  bool nested = before.type.is_nested() || after.type.is_nested();
  if (nested ? before.type.kind != after.type.kind : !can_promote(before.type, after.type)) {
    return invalid(
        fmt::format("column '{}' cannot change from {} to {}: only int to long, float to double and a "
                    "greater precision of decimals are possible",
                    after.name, to_string(before.type), to_string(after.type)));
  }
  return ok();
}

Status check_changes(const TableMetadata& base, const std::vector<Field>& fields) {
  for (const auto& field : fields) {
    const auto* before = base.schema().find(field.id);
    if (before == nullptr && field.id <= base.last_column_id && base.find_field(field.id) == nullptr) {
      return invalid(
          fmt::format("column '{}' has the id {}, which was given out before", field.name, field.id));
    }
    if (before != nullptr) {
      TARN_CHECK(check_change(*before, field));
    } else if (field.required && base.current_snapshot_id) {
      return invalid(fmt::format(
          "column '{}' cannot be added as required: the rows there are have no value for it", field.name));
    }
    TARN_CHECK(check_changes(base, field.type.fields));
  }
  return ok();
}

// The same type apart from the ids of what is inside it.
bool same_shape(const Type& a, const Type& b) {
  auto same_field = [](const Field& x, const Field& y) {
    return x.name == y.name && x.required == y.required && x.doc == y.doc && same_shape(x.type, y.type);
  };
  return a.kind == b.kind && a.precision == b.precision && a.scale == b.scale && a.length == b.length &&
         std::equal(a.fields.begin(), a.fields.end(), b.fields.begin(), b.fields.end(), same_field);
}

// What a partition spec, sort order or key still uses must stay in the schema.
Status check_uses(const TableMetadata& base, const Schema& schema) {
  for (const auto& field : base.spec().fields) {
    if (field.transform.kind != TransformKind::kVoid && schema.find(field.source_id) == nullptr) {
      return invalid(
          fmt::format("the column of the partition field '{}' cannot be dropped: the table is "
                      "partitioned by it",
                      field.name));
    }
  }
  for (const auto& order : base.sort_orders) {
    for (const auto& field : order.fields) {
      if (order.order_id == base.default_sort_order_id && schema.find(field.source_id) == nullptr) {
        return invalid(fmt::format("the column with the id {} cannot be dropped: the table is sorted by it",
                                   field.source_id));
      }
    }
  }
  return ok();
}

// The list of fields that holds the last name of `path`, and that field's place in it.
struct Place {
  std::vector<Field>* list;
  size_t at;
};

Result<Place> find_place(Schema& schema, const std::vector<std::string>& path) {
  auto* list = &schema.fields;
  for (size_t level = 0; level < path.size(); ++level) {
    auto at = std::find_if(list->begin(), list->end(), [&](const Field& f) { return f.name == path[level]; });
    if (at == list->end()) {
      break;
    }
    if (level + 1 == path.size()) {
      return Place{list, static_cast<size_t>(at - list->begin())};
    }
    list = &at->type.fields;
  }
  return Error{Code::kNotFound, fmt::format("there is no column '{}'", joined(path))};
}

// Whether the field at `path` is the element, key or value of a list or map rather than a field of a struct.
bool is_part_of_collection(Schema& schema, const std::vector<std::string>& path) {
  if (path.size() < 2) {
    return false;
  }
  auto parent = find_place(schema, {path.begin(), path.end() - 1});
  return parent && (*parent->list)[parent->at].type.kind != TypeKind::kStruct;
}

}  // namespace

Result<TableMetadata> new_table(const NewTable& request) {
  TableMetadata metadata;
  metadata.table_uuid = request.uuid;
  metadata.location = request.location;
  metadata.last_updated_ms = request.now_ms;
  metadata.properties = request.properties;
  Schema schema;
  schema.fields = request.fields;
  assign_field_ids(schema.fields, metadata.last_column_id);
  TARN_TRY(schema.identifier_field_ids, identifier_ids(schema, request.identifier_columns));
  TARN_CHECK(check_schema(schema));
  metadata.schemas.push_back(std::move(schema));
  metadata.sort_orders.emplace_back();
  TARN_CHECK(use_partitions(metadata, request.partitions));
  return metadata;
}

Result<TableMetadata> with_schema(const TableMetadata& base, Schema schema) {
  TARN_CHECK(check_schema(schema));
  TARN_CHECK(check_changes(base, schema.fields));
  TARN_CHECK(check_uses(base, schema));
  auto next = base;
  use_schema(next, std::move(schema));
  return next;
}

Result<TableMetadata> with_replaced_schema(const TableMetadata& base, std::vector<Field> fields,
                                           const std::vector<std::string>& identifier_columns) {
  auto next = base;
  Schema schema;
  for (auto& field : fields) {
    const auto* known = base.schema().find(field.name);
    if (known != nullptr && same_shape(known->type, field.type)) {
      field.id = known->id;
      field.type = known->type;
      schema.fields.push_back(std::move(field));
    } else {
      std::vector<Field> one = {std::move(field)};
      assign_field_ids(one, next.last_column_id);
      schema.fields.push_back(std::move(one[0]));
    }
  }
  TARN_TRY(schema.identifier_field_ids, identifier_ids(schema, identifier_columns));
  TARN_CHECK(check_schema(schema));
  use_schema(next, std::move(schema));
  next.default_sort_order_id = 0;  // the former order and spec name columns that are gone
  if (std::none_of(next.sort_orders.begin(), next.sort_orders.end(),
                   [](const SortOrder& order) { return order.order_id == 0; })) {
    next.sort_orders.emplace_back();
  }
  TARN_CHECK(use_partitions(next, {}));
  return next;
}

Result<TableMetadata> with_partitions(const TableMetadata& base,
                                      const std::vector<PartitionRequest>& requests) {
  auto next = base;
  TARN_CHECK(use_partitions(next, requests));
  return next;
}

TableMetadata with_properties(const TableMetadata& base, const std::map<std::string, std::string>& set,
                              const std::vector<std::string>& removed) {
  auto next = base;
  for (const auto& name : removed) {
    next.properties.erase(name);
  }
  for (const auto& [name, value] : set) {
    next.properties[name] = value;
  }
  return next;
}

bool same_layout(const TableMetadata& a, const TableMetadata& b) {
  auto same_schema = [](const Schema& x, const Schema& y) {
    return x.schema_id == y.schema_id && same_fields(x, y);
  };
  return a.current_schema_id == b.current_schema_id && a.default_spec_id == b.default_spec_id &&
         a.default_sort_order_id == b.default_sort_order_id && a.last_column_id == b.last_column_id &&
         std::equal(a.schemas.begin(), a.schemas.end(), b.schemas.begin(), b.schemas.end(), same_schema) &&
         a.partition_specs == b.partition_specs && a.sort_orders == b.sort_orders;
}

bool same_definition(const TableMetadata& a, const TableMetadata& b) {
  return same_layout(a, b) && a.properties == b.properties && a.location == b.location;
}

TableMetadata with_definition_of(const TableMetadata& head, const TableMetadata& changed) {
  auto next = head;
  next.schemas = changed.schemas;
  next.current_schema_id = changed.current_schema_id;
  next.partition_specs = changed.partition_specs;
  next.default_spec_id = changed.default_spec_id;
  next.sort_orders = changed.sort_orders;
  next.default_sort_order_id = changed.default_sort_order_id;
  next.properties = changed.properties;
  next.last_column_id = std::max(head.last_column_id, changed.last_column_id);
  next.last_partition_id = std::max(head.last_partition_id, changed.last_partition_id);
  return next;
}

void finish_version(TableMetadata& next, const TableMetadata* base, const std::string& base_location,
                    int64_t now_ms) {
  if (base != nullptr && !base_location.empty()) {
    next.metadata_log.push_back({.timestamp_ms = base->last_updated_ms, .metadata_file = base_location});
  }
  size_t keep = kMetadataLogMax;
  if (auto at = next.properties.find("write.metadata.previous-versions-max"); at != next.properties.end()) {
    size_t wanted = 0;
    auto [end, error] = std::from_chars(at->second.data(), at->second.data() + at->second.size(), wanted);
    keep = error == std::errc() && wanted > 0 ? wanted : keep;
  }
  if (next.metadata_log.size() > keep) {
    next.metadata_log.erase(next.metadata_log.begin(),
                            next.metadata_log.end() - static_cast<std::ptrdiff_t>(keep));
  }
  next.last_updated_ms = base == nullptr ? now_ms : std::max(now_ms, base->last_updated_ms);
}

Status add_field(Schema& schema, const std::vector<std::string>& parent, Field field, int& last_column_id) {
  auto* list = &schema.fields;
  if (!parent.empty()) {
    TARN_TRY(auto place, find_place(schema, parent));
    auto& holder = (*place.list)[place.at];
    if (holder.type.kind != TypeKind::kStruct) {
      return invalid(fmt::format("'{}' is not a struct: no field can be added to it", joined(parent)));
    }
    list = &holder.type.fields;
  }
  if (std::any_of(list->begin(), list->end(), [&](const Field& other) { return other.name == field.name; })) {
    return Error{Code::kExists, fmt::format("there is a column '{}' already", field.name)};
  }
  std::vector<Field> one = {std::move(field)};
  assign_field_ids(one, last_column_id);
  list->push_back(std::move(one[0]));
  return ok();
}

Status drop_field(Schema& schema, const std::vector<std::string>& path) {
  TARN_TRY(auto place, find_place(schema, path));
  if (is_part_of_collection(schema, path)) {
    return invalid(fmt::format("'{}' is part of a list or map and cannot be dropped alone", joined(path)));
  }
  int id = (*place.list)[place.at].id;
  if (std::count(schema.identifier_field_ids.begin(), schema.identifier_field_ids.end(), id) > 0) {
    return invalid(fmt::format("'{}' is part of the table's key and cannot be dropped", joined(path)));
  }
  if (place.list->size() == 1) {
    return invalid(fmt::format("'{}' is the only column and cannot be dropped", joined(path)));
  }
  place.list->erase(place.list->begin() + static_cast<std::ptrdiff_t>(place.at));
  return ok();
}

Status rename_field(Schema& schema, const std::vector<std::string>& path, const std::string& new_name) {
  TARN_TRY(auto place, find_place(schema, path));
  if (is_part_of_collection(schema, path)) {
    return invalid(fmt::format("'{}' is part of a list or map and has no name to change", joined(path)));
  }
  if (std::any_of(place.list->begin(), place.list->end(),
                  [&](const Field& f) { return f.name == new_name; })) {
    return Error{Code::kExists, fmt::format("there is a column '{}' already", new_name)};
  }
  (*place.list)[place.at].name = new_name;
  return ok();
}

Status widen_field(Schema& schema, const std::vector<std::string>& path, const Type& type) {
  TARN_TRY(auto place, find_place(schema, path));
  auto& field = (*place.list)[place.at];
  auto after = field;
  after.type = type;
  TARN_CHECK(check_change(field, after));
  if (!field.type.is_nested()) {
    field.type = type;
  }
  return ok();
}

Status set_field_doc(Schema& schema, const std::vector<std::string>& path, std::optional<std::string> doc) {
  TARN_TRY(auto place, find_place(schema, path));
  (*place.list)[place.at].doc = std::move(doc);
  return ok();
}

Status make_field_optional(Schema& schema, const std::vector<std::string>& path) {
  TARN_TRY(auto place, find_place(schema, path));
  auto& field = (*place.list)[place.at];
  if (std::count(schema.identifier_field_ids.begin(), schema.identifier_field_ids.end(), field.id) > 0) {
    return invalid(fmt::format("'{}' is part of the table's key and must stay required", joined(path)));
  }
  field.required = false;
  return ok();
}

}  // namespace tarn::iceberg
