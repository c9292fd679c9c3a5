#include "iceberg/view_metadata.h"

#include <algorithm>

#include <fmt/format.h>

#include "iceberg/metadata_json.h"
#include "iceberg/view_metadata_json.h"

namespace tarn::iceberg {
namespace {

constexpr int64_t kTimeMax = int64_t{1} << 62;
constexpr int kIdMax = 1 << 30;

Error corrupt(std::string message) {
  return {Code::kCorrupt, std::move(message)};
}

Error as_request(const Error& error) {
  return {error.code == Code::kCorrupt ? Code::kInvalid : error.code, error.message};
}

template <class Item, class Read>
Result<std::vector<Item>> list_of(const Json& json, const char* name, const Read& read) {
  TARN_TRY(const Json* list, get_array(json, name));
  std::vector<Item> items;
  for (const auto& entry : *list) {
    Result<Item> item = read(entry);
    if (!item) {
      return item.error().at(fmt::format("{}[{}]", name, items.size()));
    }
    items.push_back(std::move(*item));
  }
  return items;
}

Result<std::string> text_from(const Json& json) {
  return json.is_string() ? Result<std::string>(json.get<std::string>())
                          : Result<std::string>(corrupt("not a text"));
}

Result<ViewRepresentation> representation_from(const Json& json) {
  ViewRepresentation one;
  TARN_TRY(one.type, get_string(json, "type"));
  if (one.type != "sql") {
    return Error{Code::kUnsupported,
                 fmt::format("view representations of type '{}' are not known", one.type.substr(0, 80))};
  }
  TARN_TRY(one.sql, get_string(json, "sql"));
  TARN_TRY(one.dialect, get_string(json, "dialect"));
  return one;
}

Result<ViewLogEntry> log_entry_from(const Json& json) {
  ViewLogEntry entry;
  TARN_TRY(entry.timestamp_ms, get_long(json, "timestamp-ms"));
  TARN_TRY(entry.version_id, get_int(json, "version-id"));
  return entry;
}

Result<ViewMetadata> metadata_from(const Json& json) {
  ViewMetadata metadata;
  TARN_TRY(metadata.view_uuid, get_string(json, "view-uuid"));
  TARN_TRY(metadata.format_version, get_int(json, "format-version"));
  if (metadata.format_version != 1) {
    return Error{Code::kUnsupported,
                 fmt::format("the view has format version {}, but Tarn reads 1", metadata.format_version)};
  }
  TARN_TRY(metadata.location, get_string(json, "location"));
  TARN_TRY(metadata.schemas, list_of<Schema>(json, "schemas", schema_from));
  TARN_TRY(metadata.current_version_id, get_int(json, "current-version-id"));
  TARN_TRY(metadata.versions, list_of<ViewVersion>(json, "versions", view_version_from));
  TARN_TRY(metadata.version_log, list_of<ViewLogEntry>(json, "version-log", log_entry_from));
  TARN_TRY(metadata.properties, get_string_map(json, "properties"));
  if (metadata.current_version() == nullptr) {
    return corrupt(
        fmt::format("'current-version-id' is {}, which is not in 'versions'", metadata.current_version_id));
  }
  for (const auto& version : metadata.versions) {
    if (metadata.schema(version.schema_id) == nullptr) {
      return corrupt(fmt::format("version {} has the schema {}, which is not in 'schemas'",
                                 version.version_id, version.schema_id));
    }
  }
  return metadata;
}

OrderedJson version_to_json(const ViewVersion& version) {
  OrderedJson json;
  json["version-id"] = version.version_id;
  json["timestamp-ms"] = version.timestamp_ms;
  json["schema-id"] = version.schema_id;
  json["summary"] = OrderedJson::object();
  for (const auto& [name, value] : version.summary) {
    json["summary"][name] = value;
  }
  if (version.default_catalog) {
    json["default-catalog"] = *version.default_catalog;
  }
  json["default-namespace"] = version.default_namespace;
  json["representations"] = OrderedJson::array();
  for (const auto& one : version.representations) {
    json["representations"].push_back({{"type", one.type}, {"sql", one.sql}, {"dialect", one.dialect}});
  }
  return json;
}

Result<ViewUpdate> update_from(const Json& json) {
  if (!json.is_object()) {
    return Error{Code::kInvalid, "it is not an object"};
  }
  TARN_TRY(const auto action, get_string(json, "action"));
  if (action == "assign-uuid") {
    TARN_TRY(auto uuid, get_string(json, "uuid"));
    return AssignViewUuid{std::move(uuid)};
  }
  if (action == "upgrade-format-version") {
    TARN_TRY(const int version, get_int(json, "format-version"));
    return UpgradeViewFormat{version};
  }
  if (action == "add-schema") {
    TARN_TRY(const Json* schema, get_object(json, "schema"));
    TARN_TRY(auto parsed, schema_from(*schema));
    return AddViewSchema{std::move(parsed)};
  }
  if (action == "set-location") {
    TARN_TRY(auto location, get_string(json, "location"));
    return SetViewLocation{std::move(location)};
  }
  if (action == "set-properties") {
    TARN_TRY(auto properties, get_string_map(json, "updates"));
    return SetViewProperties{std::move(properties)};
  }
  if (action == "remove-properties") {
    TARN_TRY(auto names, list_of<std::string>(json, "removals", text_from));
    return RemoveViewProperties{std::move(names)};
  }
  if (action == "add-view-version") {
    TARN_TRY(const Json* version, get_object(json, "view-version"));
    TARN_TRY(auto parsed, view_version_from(*version));
    return AddViewVersion{std::move(parsed)};
  }
  if (action == "set-current-view-version") {
    TARN_TRY(const int id, get_int(json, "view-version-id"));
    return SetCurrentViewVersion{id};
  }
  return Error{Code::kInvalid, fmt::format("the update '{}' is not known of views", action.substr(0, 80))};
}

Result<std::string> requirement_from(const Json& json) {
  if (!json.is_object()) {
    return Error{Code::kInvalid, "it is not an object"};
  }
  TARN_TRY(const auto type, get_string(json, "type"));
  if (type != "assert-view-uuid") {
    return Error{Code::kInvalid,
                 fmt::format("the requirement '{}' is not known of views", type.substr(0, 80))};
  }
  return get_string(json, "uuid");
}

}  // namespace

const ViewVersion* ViewMetadata::version(int version_id) const {
  const auto at = std::find_if(versions.begin(), versions.end(),
                               [&](const auto& version) { return version.version_id == version_id; });
  return at == versions.end() ? nullptr : &*at;
}

const Schema* ViewMetadata::schema(int schema_id) const {
  const auto at = std::find_if(schemas.begin(), schemas.end(),
                               [&](const auto& schema) { return schema.schema_id == schema_id; });
  return at == schemas.end() ? nullptr : &*at;
}

const ViewRepresentation* ViewMetadata::representation(std::string_view dialect) const {
  const auto* version = current_version();
  if (version == nullptr) {
    return nullptr;
  }
  const auto same = [&](const ViewRepresentation& one) {
    return std::equal(one.dialect.begin(), one.dialect.end(), dialect.begin(), dialect.end(),
                      [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
  };
  const auto at = std::find_if(version->representations.begin(), version->representations.end(), same);
  return at == version->representations.end() ? nullptr : &*at;
}

Result<ViewVersion> view_version_from(const Json& json) {
  ViewVersion version;
  TARN_TRY(version.version_id, get_int(json, "version-id"));
  TARN_TRY(version.schema_id, get_int(json, "schema-id"));
  TARN_TRY(version.timestamp_ms, get_long(json, "timestamp-ms"));
  if (version.version_id < 0 || version.version_id > kIdMax || version.timestamp_ms < 0 ||
      version.timestamp_ms > kTimeMax) {
    return corrupt("the id or the time of the version is out of range");
  }
  TARN_TRY(version.summary, get_string_map(json, "summary"));
  TARN_TRY(version.representations,
           list_of<ViewRepresentation>(json, "representations", representation_from));
  TARN_TRY(version.default_catalog, find_string(json, "default-catalog"));
  TARN_TRY(version.default_namespace, list_of<std::string>(json, "default-namespace", text_from));
  return version;
}

Result<ViewCommit> view_commit_from(const Json& json) {
  if (!json.is_object()) {
    return Error{Code::kInvalid, "the commit is not a JSON object"};
  }
  ViewCommit commit;
  if (find_member(json, "requirements") != nullptr) {
    auto uuids = list_of<std::string>(json, "requirements", requirement_from);
    if (!uuids) {
      return as_request(uuids.error());
    }
    commit.uuids = std::move(*uuids);
  }
  auto updates = list_of<ViewUpdate>(json, "updates", update_from);
  if (!updates) {
    return as_request(updates.error());
  }
  commit.updates = std::move(*updates);
  return commit;
}

Result<ViewMetadata> parse_view_metadata(std::string_view text) {
  auto json = parse_json(text);
  if (!json) {
    return json.error().at("view metadata");
  }
  auto metadata = metadata_from(*json);
  return metadata ? metadata : metadata.error().at("view metadata");
}

std::string to_json(const ViewMetadata& metadata) {
  OrderedJson json;
  json["view-uuid"] = metadata.view_uuid;
  json["format-version"] = metadata.format_version;
  json["location"] = metadata.location;
  json["current-version-id"] = metadata.current_version_id;
  json["schemas"] = OrderedJson::array();
  for (const auto& schema : metadata.schemas) {
    json["schemas"].push_back(schema_to_json(schema));
  }
  json["versions"] = OrderedJson::array();
  for (const auto& version : metadata.versions) {
    json["versions"].push_back(version_to_json(version));
  }
  json["version-log"] = OrderedJson::array();
  for (const auto& entry : metadata.version_log) {
    json["version-log"].push_back({{"timestamp-ms", entry.timestamp_ms}, {"version-id", entry.version_id}});
  }
  json["properties"] = OrderedJson::object();
  for (const auto& [name, value] : metadata.properties) {
    json["properties"][name] = value;
  }
  return dump_json(json);
}

}  // namespace tarn::iceberg
