#include "iceberg/metadata.h"

#include <algorithm>
#include <array>
#include <iterator>

#include <fmt/format.h>

#include "iceberg/json.h"
#include "iceberg/metadata_json.h"

namespace tarn::iceberg {
namespace {

constexpr std::array kKnownMembers = {
    "format-version",
    "table-uuid",
    "location",
    "last-sequence-number",
    "last-updated-ms",
    "last-column-id",
    "schemas",
    "current-schema-id",
    "schema",
    "partition-specs",
    "partition-spec",
    "default-spec-id",
    "last-partition-id",
    "default-sort-order-id",
    "sort-orders",
    "properties",
    "snapshots",
    "snapshot-log",
    "current-snapshot-id",
    "refs",
    "metadata-log",
};

constexpr std::array kKnownSnapshotMembers = {
    "snapshot-id",   "parent-snapshot-id", "sequence-number", "timestamp-ms",
    "manifest-list", "manifests",          "summary",         "schema-id",
};

template <size_t N>
std::string others(const Json& object, const std::array<const char*, N>& known) {
  Json rest = Json::object();
  for (const auto& [name, value] : object.items()) {
    bool empty_list = value.is_array() && value.empty();  // statistics: written again when absent
    if (!empty_list && std::find(known.begin(), known.end(), name) == known.end()) {
      rest[name] = value;
    }
  }
  return rest.empty() ? std::string() : rest.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void add_others(OrderedJson& json, const std::string& other_json) {
  if (other_json.empty()) {
    return;
  }
  auto rest = OrderedJson::parse(other_json, nullptr, false);
  if (!rest.is_object()) {
    return;
  }
  for (const auto& [name, value] : rest.items()) {
    if (!json.contains(name)) {
      json[name] = value;
    }
  }
}

Error corrupt(std::string message) {
  return Error{Code::kCorrupt, std::move(message)};
}

// Numbers from which the next one is counted; near the end of their type there would be none.
Status check_range(const char* name, int64_t number, int64_t greatest) {
  if (number < 0 || number > greatest) {
    return corrupt(fmt::format("'{}' is {}, which is out of range", name, number));
  }
  return ok();
}

constexpr int64_t kSequenceMax = int64_t{1} << 62;
constexpr int64_t kIdMax = 1 << 30;

// Reads each element of an array with `read`; an absent array is empty.
template <class T, class Read>
Result<std::vector<T>> list_of(const Json& object, const char* name, const Read& read) {
  std::vector<T> list;
  if (find_member(object, name) == nullptr) {
    return list;
  }
  TARN_TRY(const Json* entries, get_array(object, name));
  list.reserve(entries->size());
  for (const auto& entry : *entries) {
    Result<T> value = read(entry);
    if (!value) {
      return value.error().at(fmt::format("{}[{}]", name, list.size()));
    }
    list.push_back(std::move(*value));
  }
  return list;
}

}  // namespace

Result<std::map<std::string, std::string>> get_string_map(const Json& object, const char* name) {
  std::map<std::string, std::string> map;
  if (find_member(object, name) == nullptr) {
    return map;
  }
  TARN_TRY(const Json* members, get_object(object, name));
  for (const auto& [key, value] : members->items()) {
    if (!value.is_string()) {
      return corrupt(fmt::format("the member '{}' of '{}' is not a string", key, name));
    }
    map.emplace(key, value.get<std::string>());
  }
  return map;
}

Result<Snapshot> snapshot_from(const Json& json) {
  Snapshot snapshot;
  TARN_TRY(snapshot.snapshot_id, get_long(json, "snapshot-id"));
  TARN_TRY(snapshot.parent_snapshot_id, find_long(json, "parent-snapshot-id"));
  TARN_TRY(auto sequence, find_long(json, "sequence-number"));
  snapshot.sequence_number = sequence.value_or(0);
  TARN_TRY(snapshot.timestamp_ms, get_long(json, "timestamp-ms"));
  TARN_TRY(auto list, find_string(json, "manifest-list"));
  snapshot.manifest_list = list.value_or("");
  TARN_TRY(snapshot.manifests, list_of<std::string>(json, "manifests", [](const Json& entry) {
             return entry.is_string() ? Result<std::string>(entry.get<std::string>())
                                      : Result<std::string>(corrupt("not a string"));
           }));
  if (snapshot.manifest_list.empty() && find_member(json, "manifests") == nullptr) {
    return corrupt("the member 'manifest-list' is missing");
  }
  TARN_TRY(snapshot.summary, get_string_map(json, "summary"));
  TARN_TRY(snapshot.schema_id, find_int(json, "schema-id"));
  snapshot.other_json = others(json, kKnownSnapshotMembers);
  return snapshot;
}

Result<SnapshotRef> ref_from(const Json& json) {
  SnapshotRef ref;
  TARN_TRY(ref.snapshot_id, get_long(json, "snapshot-id"));
  TARN_TRY(ref.type, get_string(json, "type"));
  if (ref.type != "branch" && ref.type != "tag") {
    return corrupt(fmt::format("the type '{}' is neither branch nor tag", ref.type));
  }
  TARN_TRY(ref.min_snapshots_to_keep, find_int(json, "min-snapshots-to-keep"));
  TARN_TRY(ref.max_snapshot_age_ms, find_long(json, "max-snapshot-age-ms"));
  TARN_TRY(ref.max_ref_age_ms, find_long(json, "max-ref-age-ms"));
  return ref;
}

namespace {

Result<SnapshotLogEntry> snapshot_log_entry_from(const Json& json) {
  SnapshotLogEntry entry;
  TARN_TRY(entry.timestamp_ms, get_long(json, "timestamp-ms"));
  TARN_TRY(entry.snapshot_id, get_long(json, "snapshot-id"));
  return entry;
}

Result<MetadataLogEntry> metadata_log_entry_from(const Json& json) {
  MetadataLogEntry entry;
  TARN_TRY(entry.timestamp_ms, get_long(json, "timestamp-ms"));
  TARN_TRY(entry.metadata_file, get_string(json, "metadata-file"));
  return entry;
}

Status read_schemas(const Json& json, TableMetadata& metadata) {
  TARN_TRY(metadata.schemas, list_of<Schema>(json, "schemas", schema_from));
  if (metadata.schemas.empty()) {
    if (metadata.format_version > 1) {
      return corrupt("the member 'schemas' is missing or empty");
    }
    TARN_TRY(const Json* schema, get_object(json, "schema"));
    TARN_TRY(auto only, schema_from(*schema));
    metadata.current_schema_id = only.schema_id;
    metadata.schemas.push_back(std::move(only));
  } else {
    TARN_TRY(metadata.current_schema_id, get_int(json, "current-schema-id"));
  }
  if (metadata.schema(metadata.current_schema_id) == nullptr) {
    return corrupt(
        fmt::format("'current-schema-id' is {}, which is not in 'schemas'", metadata.current_schema_id));
  }
  TARN_TRY(metadata.last_column_id, get_int(json, "last-column-id"));
  TARN_CHECK(check_range("last-column-id", metadata.last_column_id, kMaxFieldId));
  for (const auto& schema : metadata.schemas) {
    TARN_CHECK(check_range("schema-id", schema.schema_id, kIdMax));
    if (schema.max_field_id() > metadata.last_column_id) {
      return corrupt(fmt::format("'last-column-id' is {}, but schema {} has the field id {}",
                                 metadata.last_column_id, schema.schema_id, schema.max_field_id()));
    }
  }
  return ok();
}

Status read_specs(const Json& json, TableMetadata& metadata) {
  TARN_TRY(metadata.partition_specs, list_of<PartitionSpec>(json, "partition-specs", spec_from));
  if (metadata.partition_specs.empty()) {
    if (metadata.format_version > 1) {
      return corrupt("the member 'partition-specs' is missing or empty");
    }
    TARN_TRY(const Json* fields, get_array(json, "partition-spec"));
    TARN_TRY(auto spec, spec_from(*fields));
    metadata.partition_specs.push_back(std::move(spec));
  } else {
    TARN_TRY(metadata.default_spec_id, get_int(json, "default-spec-id"));
  }
  if (metadata.spec(metadata.default_spec_id) == nullptr) {
    return corrupt(
        fmt::format("'default-spec-id' is {}, which is not in 'partition-specs'", metadata.default_spec_id));
  }
  int greatest = 999;
  for (const auto& spec : metadata.partition_specs) {
    TARN_CHECK(check_range("spec-id", spec.spec_id, kIdMax));
    for (const auto& field : spec.fields) {
      greatest = std::max(greatest, field.field_id);
    }
  }
  TARN_TRY(auto last, find_int(json, "last-partition-id"));
  if (!last && metadata.format_version > 1) {
    return corrupt("the member 'last-partition-id' is missing");
  }
  metadata.last_partition_id = std::max(last.value_or(greatest), greatest);
  return check_range("last-partition-id", metadata.last_partition_id, kIdMax);
}

Status read_sort_orders(const Json& json, TableMetadata& metadata) {
  TARN_TRY(metadata.sort_orders, list_of<SortOrder>(json, "sort-orders", sort_order_from));
  TARN_TRY(auto id, find_int(json, "default-sort-order-id"));
  metadata.default_sort_order_id = id.value_or(0);
  bool known =
      std::any_of(metadata.sort_orders.begin(), metadata.sort_orders.end(),
                  [&](const SortOrder& order) { return order.order_id == metadata.default_sort_order_id; });
  if (known) {
    return ok();
  }
  if (metadata.default_sort_order_id != 0) {
    return corrupt(fmt::format("'default-sort-order-id' is {}, which is not in 'sort-orders'",
                               metadata.default_sort_order_id));
  }
  metadata.sort_orders.insert(metadata.sort_orders.begin(), SortOrder{});
  return ok();
}

Status read_refs(const Json& json, TableMetadata& metadata) {
  TARN_TRY(auto current, find_long(json, "current-snapshot-id"));
  if (current && *current != -1) {
    metadata.current_snapshot_id = current;
    if (metadata.snapshot(*current) == nullptr) {
      return corrupt(fmt::format("'current-snapshot-id' is {}, which is not in 'snapshots'", *current));
    }
  }
  if (find_member(json, "refs") != nullptr) {
    TARN_TRY(const Json* refs, get_object(json, "refs"));
    for (const auto& [name, value] : refs->items()) {
      auto ref = ref_from(value);
      if (!ref) {
        return ref.error().at(fmt::format("ref '{}'", name));
      }
      if (metadata.snapshot(ref->snapshot_id) == nullptr) {
        return corrupt(fmt::format("ref '{}' names the snapshot {}, which is not in 'snapshots'", name,
                                   ref->snapshot_id));
      }
      metadata.refs.emplace(name, std::move(*ref));
    }
  }
  auto main = metadata.refs.find("main");
  if (main == metadata.refs.end()) {
    if (metadata.current_snapshot_id) {
      metadata.refs["main"].snapshot_id = *metadata.current_snapshot_id;
    }
  } else if (metadata.current_snapshot_id != main->second.snapshot_id) {
    return corrupt(fmt::format("ref 'main' names the snapshot {}, but 'current-snapshot-id' is {}",
                               main->second.snapshot_id, metadata.current_snapshot_id.value_or(-1)));
  }
  return ok();
}

Status read_head(const Json& json, TableMetadata& metadata) {
  TARN_TRY(metadata.format_version, get_int(json, "format-version"));
  if (metadata.format_version > 2) {
    return Error{
        Code::kUnsupported,
        fmt::format("the table has Iceberg format version {}, but Tarn reads 1 and 2: write it anew as "
                    "version 2 with the program that made it",
                    metadata.format_version)};
  }
  if (metadata.format_version < 1) {
    return corrupt(fmt::format("'format-version' is {}", metadata.format_version));
  }
  TARN_TRY(auto uuid, find_string(json, "table-uuid"));
  if (!uuid && metadata.format_version > 1) {
    return corrupt("the member 'table-uuid' is missing");
  }
  metadata.table_uuid = uuid.value_or("");
  TARN_TRY(metadata.location, get_string(json, "location"));
  while (metadata.location.size() > 1 && metadata.location.ends_with('/')) {
    metadata.location.pop_back();
  }
  TARN_TRY(auto sequence, find_long(json, "last-sequence-number"));
  if (!sequence && metadata.format_version > 1) {
    return corrupt("the member 'last-sequence-number' is missing");
  }
  metadata.last_sequence_number = sequence.value_or(0);
  TARN_CHECK(check_range("last-sequence-number", metadata.last_sequence_number, kSequenceMax));
  TARN_TRY(metadata.last_updated_ms, get_long(json, "last-updated-ms"));
  TARN_CHECK(check_range("last-updated-ms", metadata.last_updated_ms, kSequenceMax));
  return ok();
}

Result<TableMetadata> metadata_from(const Json& json) {
  if (!json.is_object()) {
    return corrupt("the document is not a JSON object");
  }
  TableMetadata metadata;
  TARN_CHECK(read_head(json, metadata));
  TARN_CHECK(read_schemas(json, metadata));
  TARN_CHECK(read_specs(json, metadata));
  TARN_CHECK(read_sort_orders(json, metadata));
  TARN_TRY(metadata.properties, get_string_map(json, "properties"));
  TARN_TRY(metadata.snapshots, list_of<Snapshot>(json, "snapshots", snapshot_from));
  TARN_CHECK(read_refs(json, metadata));
  TARN_TRY(metadata.snapshot_log, list_of<SnapshotLogEntry>(json, "snapshot-log", snapshot_log_entry_from));
  TARN_TRY(metadata.metadata_log, list_of<MetadataLogEntry>(json, "metadata-log", metadata_log_entry_from));
  metadata.other_json = others(json, kKnownMembers);
  return metadata;
}

OrderedJson object_of(const std::map<std::string, std::string>& map) {
  auto json = OrderedJson::object();
  for (const auto& [key, value] : map) {
    json[key] = value;
  }
  return json;
}

// The lists that grow with a table's history are written as text: a thousand snapshots as JSON values would
// cost more than all else of a commit.
void write_text(std::string& out, std::string_view text) {
  const bool is_plain = std::all_of(text.begin(), text.end(),
                                    [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; });
  if (is_plain) {
    out.append(1, '"').append(text).append(1, '"');
  } else {
    out += dump_json(OrderedJson(std::string(text)));
  }
}

void write_snapshot(std::string& out, const Snapshot& snapshot) {
  fmt::format_to(std::back_inserter(out), R"({{"sequence-number":{},"snapshot-id":{})",
                 snapshot.sequence_number, snapshot.snapshot_id);
  if (snapshot.parent_snapshot_id) {
    fmt::format_to(std::back_inserter(out), R"(,"parent-snapshot-id":{})", *snapshot.parent_snapshot_id);
  }
  fmt::format_to(std::back_inserter(out), R"(,"timestamp-ms":{},"summary":{{)", snapshot.timestamp_ms);
  const auto write_summary = [&out](const std::map<std::string, std::string>& summary) {
    for (const auto& [name, value] : summary) {
      write_text(out, name);
      out += ':';
      write_text(out, value);
      out += ',';
    }
  };
  if (snapshot.summary.contains("operation")) {
    write_summary(snapshot.summary);
  } else {
    auto summary = snapshot.summary;
    summary["operation"] = "append";  // version 2 asks for it, version 1 does not
    write_summary(summary);
  }
  out.back() = '}';
  if (!snapshot.manifest_list.empty()) {
    out += R"(,"manifest-list":)";
    write_text(out, snapshot.manifest_list);
  } else {
    out += R"(,"manifests":)" + dump_json(OrderedJson(snapshot.manifests));
  }
  if (snapshot.schema_id) {
    fmt::format_to(std::back_inserter(out), R"(,"schema-id":{})", *snapshot.schema_id);
  }
  if (snapshot.other_json.size() > 2) {  // an object of members that are not among these
    out.append(1, ',').append(snapshot.other_json, 1, snapshot.other_json.size() - 2);
  }
  out += '}';
}

OrderedJson ref_to_json(const SnapshotRef& ref) {
  OrderedJson json;
  json["snapshot-id"] = ref.snapshot_id;
  json["type"] = ref.type;
  if (ref.min_snapshots_to_keep) {
    json["min-snapshots-to-keep"] = *ref.min_snapshots_to_keep;
  }
  if (ref.max_snapshot_age_ms) {
    json["max-snapshot-age-ms"] = *ref.max_snapshot_age_ms;
  }
  if (ref.max_ref_age_ms) {
    json["max-ref-age-ms"] = *ref.max_ref_age_ms;
  }
  return json;
}

template <class List, class Write>
OrderedJson array_of(const List& list, const Write& write) {
  auto json = OrderedJson::array();
  for (const auto& entry : list) {
    json.push_back(write(entry));
  }
  return json;
}

template <class List, class Write>
void write_list(std::string& out, std::string_view name, const List& list, const Write& write) {
  fmt::format_to(std::back_inserter(out), R"(,"{}":[)", name);
  for (const auto& entry : list) {
    write(entry);
    out += ',';
  }
  if (!list.empty()) {
    out.pop_back();
  }
  out += ']';
}

void write_history(std::string& out, const TableMetadata& metadata) {
  write_list(out, "snapshots", metadata.snapshots,
             [&](const Snapshot& snapshot) { write_snapshot(out, snapshot); });
  write_list(out, "snapshot-log", metadata.snapshot_log, [&](const SnapshotLogEntry& entry) {
    fmt::format_to(std::back_inserter(out), R"({{"timestamp-ms":{},"snapshot-id":{}}})", entry.timestamp_ms,
                   entry.snapshot_id);
  });
  write_list(out, "metadata-log", metadata.metadata_log, [&](const MetadataLogEntry& entry) {
    fmt::format_to(std::back_inserter(out), R"({{"timestamp-ms":{},"metadata-file":)", entry.timestamp_ms);
    write_text(out, entry.metadata_file);
    out += '}';
  });
}

const Field* find_in_schemas(const std::vector<Schema>& schemas, int field_id) {
  for (auto schema = schemas.rbegin(); schema != schemas.rend(); ++schema) {
    if (const auto* field = schema->find(field_id)) {
      return field;
    }
  }
  return nullptr;
}

template <class List, class Same>
auto find_by(const List& list, const Same& same) -> decltype(list.data()) {
  auto at = std::find_if(list.begin(), list.end(), same);
  return at == list.end() ? nullptr : &*at;
}

}  // namespace

std::string Snapshot::summary_value(const std::string& key) const {
  auto at = summary.find(key);
  return at == summary.end() ? std::string() : at->second;
}

const Schema& TableMetadata::schema() const {
  const auto* found = schema(current_schema_id);
  return found != nullptr ? *found : schemas.at(0);
}

const Schema* TableMetadata::schema(int schema_id) const {
  return find_by(schemas, [&](const Schema& schema) { return schema.schema_id == schema_id; });
}

const PartitionSpec& TableMetadata::spec() const {
  const auto* found = spec(default_spec_id);
  return found != nullptr ? *found : partition_specs.at(0);
}

const PartitionSpec* TableMetadata::spec(int spec_id) const {
  return find_by(partition_specs, [&](const PartitionSpec& spec) { return spec.spec_id == spec_id; });
}

const Snapshot* TableMetadata::current_snapshot() const {
  return current_snapshot_id ? snapshot(*current_snapshot_id) : nullptr;
}

const Snapshot* TableMetadata::snapshot(int64_t snapshot_id) const {
  return find_by(snapshots, [&](const Snapshot& snapshot) { return snapshot.snapshot_id == snapshot_id; });
}

const Field* TableMetadata::find_field(int field_id) const {
  const auto* field = schema().find(field_id);
  return field != nullptr ? field : find_in_schemas(schemas, field_id);
}

Type TableMetadata::partition_type(const PartitionField& field) const {
  const auto* source = find_field(field.source_id);
  return result_type(field.transform, source != nullptr ? source->type : Type{});
}

Result<TableMetadata> parse_table_metadata(std::string_view text) {
  auto json = parse_json(text);
  if (!json) {
    return json.error().at("table metadata");
  }
  auto metadata = metadata_from(*json);
  if (!metadata) {
    return metadata.error().at("table metadata");
  }
  return metadata;
}

std::string to_json(const TableMetadata& metadata) {
  OrderedJson json;
  json["format-version"] = metadata.format_version;
  json["table-uuid"] = metadata.table_uuid;
  json["location"] = metadata.location;
  json["last-sequence-number"] = metadata.last_sequence_number;
  json["last-updated-ms"] = metadata.last_updated_ms;
  json["last-column-id"] = metadata.last_column_id;
  json["current-schema-id"] = metadata.current_schema_id;
  json["schemas"] = array_of(metadata.schemas, schema_to_json);
  if (metadata.format_version == 1) {  // where its oldest readers look
    json["schema"] = schema_to_json(metadata.schema());
    json["partition-spec"] = partition_fields_to_json(metadata.spec());
  }
  json["default-spec-id"] = metadata.default_spec_id;
  json["partition-specs"] = array_of(metadata.partition_specs, spec_to_json);
  json["last-partition-id"] = metadata.last_partition_id;
  json["default-sort-order-id"] = metadata.default_sort_order_id;
  json["sort-orders"] = array_of(metadata.sort_orders, sort_order_to_json);
  json["properties"] = object_of(metadata.properties);
  json["current-snapshot-id"] = metadata.current_snapshot_id.value_or(-1);
  json["refs"] = OrderedJson::object();
  for (const auto& [name, ref] : metadata.refs) {
    json["refs"][name] = ref_to_json(ref);
  }
  std::string text = dump_json(json);
  text.pop_back();
  write_history(text, metadata);
  OrderedJson last;
  add_others(last, metadata.other_json);
  for (const char* name : {"statistics", "partition-statistics"}) {
    if (!last.contains(name)) {
      last[name] = OrderedJson::array();
    }
  }
  return text + "," + dump_json(last).substr(1);
}

}  // namespace tarn::iceberg
