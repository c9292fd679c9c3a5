#include "iceberg/table_commit_json.h"

#include <limits>

#include <fmt/format.h>

#include "iceberg/metadata_json.h"

namespace tarn::iceberg {
namespace {

// What a client sent is its mistake, not a damaged file.
Error as_request(const Error& error) {
  return {error.code == Code::kCorrupt ? Code::kInvalid : error.code, error.message};
}

Result<std::string> kind_of(const Json& json, const char* member) {
  if (!json.is_object()) {
    return Error{Code::kInvalid, "it is not an object"};
  }
  return get_string(json, member);
}

template <class Number>
Result<std::vector<Number>> numbers_of(const Json& json, const char* name) {
  TARN_TRY(const Json* list, get_array(json, name));
  std::vector<Number> numbers;
  for (const auto& entry : *list) {
    const bool fits = entry.is_number_integer() &&
                      (!entry.is_number_unsigned() ||
                       entry.get<uint64_t>() <= static_cast<uint64_t>(std::numeric_limits<Number>::max()));
    if (!fits || entry.get<int64_t>() < std::numeric_limits<Number>::min()) {
      return Error{Code::kInvalid, fmt::format("the member '{}' is not a list of ids", name)};
    }
    numbers.push_back(static_cast<Number>(entry.get<int64_t>()));
  }
  return numbers;
}

Result<std::vector<std::string>> texts_of(const Json& json, const char* name) {
  TARN_TRY(const Json* list, get_array(json, name));
  std::vector<std::string> texts;
  for (const auto& entry : *list) {
    if (!entry.is_string()) {
      return Error{Code::kInvalid, fmt::format("the member '{}' is not a list of texts", name)};
    }
    texts.push_back(entry.get<std::string>());
  }
  return texts;
}

Result<TableRequirement> requirement_from(const Json& json) {
  using Kind = TableRequirement::Kind;
  struct Form {
    std::string_view type;
    Kind kind;
    const char* number;  // the member with the id, or null
  };
  constexpr Form kForms[] = {
      {"assert-create", Kind::kCreate, nullptr},
      {"assert-table-uuid", Kind::kUuid, nullptr},
      {"assert-ref-snapshot-id", Kind::kRefSnapshot, nullptr},
      {"assert-last-assigned-field-id", Kind::kLastFieldId, "last-assigned-field-id"},
      {"assert-current-schema-id", Kind::kCurrentSchema, "current-schema-id"},
      {"assert-last-assigned-partition-id", Kind::kLastPartitionId, "last-assigned-partition-id"},
      {"assert-default-spec-id", Kind::kDefaultSpec, "default-spec-id"},
      {"assert-default-sort-order-id", Kind::kDefaultSortOrder, "default-sort-order-id"},
  };
  TARN_TRY(const auto type, kind_of(json, "type"));
  for (const auto& form : kForms) {
    if (form.type != type) {
      continue;
    }
    TableRequirement requirement{.kind = form.kind};
    if (form.number != nullptr) {
      TARN_TRY(requirement.number, get_int(json, form.number));
    } else if (form.kind == Kind::kUuid) {
      TARN_TRY(requirement.text, get_string(json, "uuid"));
    } else if (form.kind == Kind::kRefSnapshot) {
      TARN_TRY(requirement.text, get_string(json, "ref"));
      TARN_TRY(requirement.number, find_long(json, "snapshot-id"));
    }
    return requirement;
  }
  return Error{Code::kInvalid, fmt::format("the requirement '{}' is not known", type.substr(0, 80))};
}

// Unlike in a metadata document, a field may come without an id: the catalog gives it one.
Result<PartitionSpec> new_spec_from(const Json& json) {
  TARN_TRY(auto spec, spec_from(json));
  const Json& list = json.is_array() ? json : json.at("fields");
  for (size_t i = 0; i < spec.fields.size(); ++i) {
    if (find_member(list.at(i), "field-id") == nullptr) {
      spec.fields[i].field_id = 0;
    }
  }
  return spec;
}

Result<TableUpdate> add_part(const std::string& action, const Json& json) {
  if (action == "add-schema") {
    TARN_TRY(const Json* schema, get_object(json, "schema"));
    TARN_TRY(auto parsed, schema_from(*schema));
    return AddSchema{std::move(parsed)};
  }
  if (action == "add-spec") {
    TARN_TRY(const Json* spec, get_object(json, "spec"));
    TARN_TRY(auto parsed, new_spec_from(*spec));
    return AddSpec{std::move(parsed)};
  }
  if (action == "add-sort-order") {
    TARN_TRY(const Json* order, get_object(json, "sort-order"));
    TARN_TRY(auto parsed, sort_order_from(*order));
    return AddSortOrder{std::move(parsed)};
  }
  TARN_TRY(const Json* snapshot, get_object(json, "snapshot"));
  TARN_TRY(auto parsed, snapshot_from(*snapshot));
  return AddSnapshot{std::move(parsed)};
}

Result<TableUpdate> set_statistics_from(const std::string& list, const Json& json) {
  TARN_TRY(const Json* file, get_object(json, list.c_str()));
  SetStatistics update{.list = list};
  TARN_TRY(update.snapshot_id, get_long(*file, "snapshot-id"));
  TARN_TRY(update.path, get_string(*file, "statistics-path"));
  TARN_TRY(update.bytes, get_long(*file, "file-size-in-bytes"));
  update.json = file->dump(-1, ' ', false, Json::error_handler_t::replace);
  return update;
}

Result<TableUpdate> set_ref_from(const Json& json) {
  SetRef update;
  TARN_TRY(update.name, get_string(json, "ref-name"));
  TARN_TRY(update.ref, ref_from(json));
  return update;
}

// Those that hold one value only.
Result<std::optional<TableUpdate>> simple_update(const std::string& action, const Json& json) {
  if (action == "assign-uuid") {
    TARN_TRY(auto uuid, get_string(json, "uuid"));
    return TableUpdate(AssignUuid{std::move(uuid)});
  }
  if (action == "upgrade-format-version") {
    TARN_TRY(const int version, get_int(json, "format-version"));
    return TableUpdate(UpgradeFormat{version});
  }
  if (action == "set-current-schema") {
    TARN_TRY(const int id, get_int(json, "schema-id"));
    return TableUpdate(SetCurrentSchema{id});
  }
  if (action == "set-default-spec") {
    TARN_TRY(const int id, get_int(json, "spec-id"));
    return TableUpdate(SetDefaultSpec{id});
  }
  if (action == "set-default-sort-order") {
    TARN_TRY(const int id, get_int(json, "sort-order-id"));
    return TableUpdate(SetDefaultSortOrder{id});
  }
  if (action == "remove-snapshot-ref") {
    TARN_TRY(auto name, get_string(json, "ref-name"));
    return TableUpdate(RemoveRef{std::move(name)});
  }
  if (action == "set-location") {
    TARN_TRY(auto location, get_string(json, "location"));
    return TableUpdate(SetLocation{std::move(location)});
  }
  if (action == "remove-statistics" || action == "remove-partition-statistics") {
    TARN_TRY(const auto id, get_long(json, "snapshot-id"));
    return TableUpdate(RemoveStatistics{action.substr(7), id});
  }
  return std::optional<TableUpdate>();
}

Result<TableUpdate> update_from(const Json& json) {
  TARN_TRY(const auto action, kind_of(json, "action"));
  TARN_TRY(auto simple, simple_update(action, json));
  if (simple) {
    return std::move(*simple);
  }
  if (action == "add-schema" || action == "add-spec" || action == "add-sort-order" ||
      action == "add-snapshot") {
    return add_part(action, json);
  }
  if (action == "set-snapshot-ref") {
    return set_ref_from(json);
  }
  if (action == "remove-snapshots") {
    TARN_TRY(auto ids, numbers_of<int64_t>(json, "snapshot-ids"));
    return RemoveSnapshots{std::move(ids)};
  }
  if (action == "set-properties") {
    TARN_TRY(auto properties, get_string_map(json, "updates"));
    return SetProperties{std::move(properties)};
  }
  if (action == "remove-properties") {
    TARN_TRY(auto names, texts_of(json, "removals"));
    return RemoveProperties{std::move(names)};
  }
  if (action == "set-statistics" || action == "set-partition-statistics") {
    return set_statistics_from(action.substr(4), json);
  }
  if (action == "remove-partition-specs") {
    TARN_TRY(auto ids, numbers_of<int>(json, "spec-ids"));
    return RemoveSpecs{std::move(ids)};
  }
  if (action == "remove-schemas") {
    TARN_TRY(auto ids, numbers_of<int>(json, "schema-ids"));
    return RemoveSchemas{std::move(ids)};
  }
  if (action == "add-encryption-key" || action == "remove-encryption-key") {
    return Error{Code::kUnsupported,
                 "keys for encryption belong to Iceberg format version 3, which Tarn does "
                 "not write yet"};
  }
  return Error{Code::kInvalid, fmt::format("the update '{}' is not known", action.substr(0, 80))};
}

template <class Item, class Read>
Status read_list(const Json& json, const char* name, const Read& read, std::vector<Item>& items) {
  if (find_member(json, name) == nullptr) {
    return ok();
  }
  auto list = get_array(json, name);
  if (!list) {
    return as_request(list.error());
  }
  for (const auto& entry : **list) {
    Result<Item> item = read(entry);
    if (!item) {
      return as_request(item.error()).at(fmt::format("{}[{}]", name, items.size()));
    }
    items.push_back(std::move(*item));
  }
  return ok();
}

}  // namespace

Result<TableCommit> table_commit_from(const Json& json) {
  if (!json.is_object()) {
    return Error{Code::kInvalid, "the commit is not a JSON object"};
  }
  TableCommit commit;
  TARN_CHECK(read_list<TableRequirement>(json, "requirements", requirement_from, commit.requirements));
  TARN_CHECK(read_list<TableUpdate>(json, "updates", update_from, commit.updates));
  return commit;
}

}  // namespace tarn::iceberg
