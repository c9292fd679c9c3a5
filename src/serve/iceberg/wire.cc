#include "serve/iceberg/wire.h"

#include <algorithm>
#include <charconv>
#include <set>

#include <fmt/format.h>

#include "codec/json_depth.h"
#include "iceberg/metadata_json.h"
#include "iceberg/table_commit_json.h"
#include "iceberg/view_metadata_json.h"

namespace tarn::serve::rest {
namespace {

constexpr int kPageMax = 10'000;
constexpr const char* kFormatVersion = "format-version";

Error invalid(std::string message) {
  return {Code::kInvalid, std::move(message)};
}

// What a client sent is its mistake, not a damaged file.
Error as_request(const Error& error) {
  return {error.code == Code::kCorrupt ? Code::kInvalid : error.code, error.message};
}

Result<std::string> required_text(const Json& body, const char* name) {
  auto text = iceberg::get_string(body, name);
  if (!text)
    return as_request(text.error());
  if (text->empty())
    return invalid(fmt::format("the member '{}' is empty", name));
  return text;
}

Result<std::string> optional_text(const Json& body, const char* name) {
  auto text = iceberg::find_string(body, name);
  if (!text)
    return as_request(text.error());
  return text->value_or("");
}

// New ids for all fields; `ids` tells which were which.
void renumber(std::vector<iceberg::Field>& fields, const std::vector<iceberg::Field>& old,
              std::map<int, int>& ids) {
  for (size_t i = 0; i < fields.size(); ++i) {
    ids.emplace(old[i].id, fields[i].id);
    renumber(fields[i].type.fields, old[i].type.fields, ids);
  }
}

Result<int> new_id(const std::map<int, int>& ids, int old, std::string_view of) {
  const auto found = ids.find(old);
  if (found == ids.end())
    return invalid(fmt::format("{} refers to the column id {}, which is not in the schema", of, old));
  return found->second;
}

Status add_schema(const Json& body, std::map<int, int>& ids, std::vector<iceberg::TableUpdate>& updates) {
  auto json = iceberg::get_object(body, "schema");
  if (!json)
    return as_request(json.error());
  auto schema = iceberg::schema_from(**json);
  if (!schema)
    return as_request(schema.error()).at("schema");
  const auto old = schema->fields;
  int last = 0;
  iceberg::assign_field_ids(schema->fields, last);
  renumber(schema->fields, old, ids);
  for (int& id : schema->identifier_field_ids) {
    TARN_TRY(id, new_id(ids, id, "an identifier field"));
  }
  updates.emplace_back(iceberg::AddSchema{std::move(*schema)});
  updates.emplace_back(iceberg::SetCurrentSchema{-1});
  return ok();
}

Status add_spec(const Json& body, const std::map<int, int>& ids, std::vector<iceberg::TableUpdate>& updates) {
  iceberg::PartitionSpec spec;
  if (const auto* json = iceberg::find_member(body, "partition-spec")) {
    auto parsed = iceberg::spec_from(*json);
    if (!parsed)
      return as_request(parsed.error()).at("partition-spec");
    spec = std::move(*parsed);
  }
  for (auto& field : spec.fields) {
    TARN_TRY(field.source_id, new_id(ids, field.source_id, fmt::format("partition field '{}'", field.name)));
    field.field_id = 0;
  }
  updates.emplace_back(iceberg::AddSpec{std::move(spec)});
  updates.emplace_back(iceberg::SetDefaultSpec{-1});
  return ok();
}

Status add_order(const Json& body, const std::map<int, int>& ids,
                 std::vector<iceberg::TableUpdate>& updates) {
  iceberg::SortOrder order;
  if (const auto* json = iceberg::find_member(body, "write-order")) {
    auto parsed = iceberg::sort_order_from(*json);
    if (!parsed)
      return as_request(parsed.error()).at("write-order");
    order = std::move(*parsed);
  }
  for (auto& field : order.fields) {
    TARN_TRY(field.source_id, new_id(ids, field.source_id, "the write order"));
  }
  updates.emplace_back(iceberg::AddSortOrder{std::move(order)});
  updates.emplace_back(iceberg::SetDefaultSortOrder{-1});
  return ok();
}

// "format-version" among the properties of a new table is a wish, not a property.
Result<int> take_version(std::map<std::string, std::string>& properties) {
  int version = 2;
  const auto found = properties.find(kFormatVersion);
  if (found == properties.end())
    return version;
  const auto text = found->second;
  properties.erase(found);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc() || end != text.data() + text.size())
    return invalid(fmt::format("the property '{}' is '{}', which is not a number", kFormatVersion, text));
  return version;
}

}  // namespace

Result<std::string> namespace_of(const Json& levels) {
  if (!levels.is_array() || levels.empty())
    return invalid("a namespace is a list of one or more names");
  std::string space;
  for (const auto& level : levels) {
    if (!level.is_string() || level.get_ref<const std::string&>().empty())
      return invalid("each level of a namespace is a name");
    const auto& name = level.get_ref<const std::string&>();
    if (name.find('.') != std::string::npos) {
      return invalid(
          fmt::format("the namespace level '{}' has a dot, which separates levels here; leave it out", name));
    }
    space += (space.empty() ? "" : ".") + name;
  }
  return space;
}

std::vector<std::string> levels_of(const std::string& space) {
  std::vector<std::string> levels;
  for (std::string_view rest = space;;) {
    const auto dot = rest.find('.');
    levels.emplace_back(rest.substr(0, dot));
    if (dot == std::string_view::npos)
      return levels;
    rest.remove_prefix(dot + 1);
  }
}

Json identifier(const engine::TableName& name) {
  return {{"namespace", levels_of(name.schema)}, {"name", name.name}};
}

Result<engine::TableName> name_of(const Json& identifier) {
  engine::TableName name;
  const auto* levels = iceberg::find_member(identifier, "namespace");
  if (levels == nullptr)
    return invalid("an identifier has the members 'namespace' and 'name'");
  TARN_TRY(name.schema, namespace_of(*levels));
  TARN_TRY(name.name, required_text(identifier, "name"));
  return name;
}

Result<Json> object_of(std::string_view body) {
  if (codec::json_depth(body) > 4 * codec::kJsonDepthMax)
    return invalid("the body is nested too deep");
  auto json = Json::parse(body, nullptr, false);
  if (!json.is_object())
    return invalid("the body must be a JSON object");
  return json;
}

Result<std::map<std::string, std::string>> properties_of(const Json& body, const char* name) {
  auto properties = iceberg::get_string_map(body, name);
  if (!properties)
    return as_request(properties.error());
  return properties;
}

Result<NamespaceUpdate> namespace_update_of(const Json& body) {
  NamespaceUpdate update;
  TARN_TRY(update.updates, properties_of(body, "updates"));
  if (const auto* removals = iceberg::find_member(body, "removals")) {
    if (!removals->is_array())
      return invalid("the member 'removals' is not a list of texts");
    std::set<std::string> names;
    for (const auto& one : *removals) {
      if (!one.is_string())
        return invalid("the member 'removals' is not a list of texts");
      if (names.insert(one.get<std::string>()).second)
        update.removals.push_back(one.get<std::string>());
    }
  }
  for (const auto& name : update.removals) {
    if (update.updates.contains(name)) {
      return Error{Code::kFailed,
                   fmt::format("the request sets and removes the same key: {}; leave one of them out", name)};
    }
  }
  return update;
}

Result<NewTableRequest> new_table_of(const Json& body) {
  NewTableRequest request;
  TARN_TRY(request.name, required_text(body, "name"));
  TARN_TRY(request.location, optional_text(body, "location"));
  request.is_staged = truth_of(body, "stage-create");
  TARN_TRY(auto properties, properties_of(body, "properties"));
  TARN_TRY(const int version, take_version(properties));
  request.updates.emplace_back(iceberg::UpgradeFormat{version});
  std::map<int, int> ids;
  TARN_CHECK(add_schema(body, ids, request.updates));
  TARN_CHECK(add_spec(body, ids, request.updates));
  TARN_CHECK(add_order(body, ids, request.updates));
  request.updates.emplace_back(iceberg::SetProperties{std::move(properties)});
  return request;
}

Result<RegisterRequest> register_of(const Json& body) {
  RegisterRequest request;
  TARN_TRY(request.name, required_text(body, "name"));
  TARN_TRY(request.metadata_location, required_text(body, "metadata-location"));
  request.overwrites = truth_of(body, "overwrite");
  return request;
}

Result<RenameRequest> rename_of(const Json& body) {
  RenameRequest request;
  for (const auto& [member, name] : {std::pair{"source", &request.from}, {"destination", &request.to}}) {
    const auto* json = iceberg::find_member(body, member);
    if (json == nullptr)
      return invalid(fmt::format("the member '{}' is missing", member));
    auto parsed = name_of(*json);
    if (!parsed)
      return parsed.error().at(member);
    *name = std::move(*parsed);
  }
  return request;
}

Result<TableCommitRequest> commit_of(const Json& body) {
  TableCommitRequest request;
  if (const auto* name = iceberg::find_member(body, "identifier")) {
    TARN_TRY(request.name, name_of(*name));
  }
  TARN_TRY(auto commit, iceberg::table_commit_from(body));
  for (auto& update : commit.updates) {
    if (auto* location = std::get_if<iceberg::SetLocation>(&update))
      location->location = plain_location(std::move(location->location));
  }
  request.commit = std::make_shared<const iceberg::TableCommit>(std::move(commit));
  return request;
}

Result<std::vector<TableCommitRequest>> transaction_of(const Json& body) {
  auto changes = iceberg::get_array(body, "table-changes");
  if (!changes)
    return as_request(changes.error());
  std::vector<TableCommitRequest> requests;
  std::set<std::pair<std::string, std::string>> names;
  for (const auto& change : **changes) {
    auto request = commit_of(change);
    const auto at = fmt::format("table-changes[{}]", requests.size());
    if (!request)
      return request.error().at(at);
    if (!request->name)
      return invalid(at + ": the member 'identifier' is missing");
    if (!names.emplace(engine::fold(request->name->schema), engine::fold(request->name->name)).second)
      return invalid(at + ": the table is named twice; put all of its updates into one change");
    requests.push_back(std::move(*request));
  }
  return requests;
}

Result<NewViewRequest> new_view_of(const Json& body) {
  NewViewRequest request;
  TARN_TRY(request.name, required_text(body, "name"));
  TARN_TRY(auto location, optional_text(body, "location"));
  TARN_TRY(auto properties, properties_of(body, "properties"));
  auto schema_json = iceberg::get_object(body, "schema");
  auto version_json = iceberg::get_object(body, "view-version");
  if (!schema_json || !version_json)
    return as_request(schema_json ? version_json.error() : schema_json.error());
  auto schema = iceberg::schema_from(**schema_json);
  if (!schema)
    return as_request(schema.error()).at("schema");
  auto version = iceberg::view_version_from(**version_json);
  if (!version)
    return as_request(version.error()).at("view-version");
  version->schema_id = -1;
  auto& updates = request.commit.updates;
  updates.emplace_back(iceberg::AddViewSchema{std::move(*schema)});
  updates.emplace_back(iceberg::AddViewVersion{std::move(*version)});
  updates.emplace_back(iceberg::SetCurrentViewVersion{-1});
  updates.emplace_back(iceberg::SetViewProperties{std::move(properties)});
  if (!location.empty())
    updates.emplace_back(iceberg::SetViewLocation{std::move(location)});
  return request;
}

Result<iceberg::ViewCommit> view_commit_of(const Json& body) {
  return iceberg::view_commit_from(body);
}

std::string plain_location(std::string location) {
  std::string_view rest = location;
  if (rest.starts_with("file:"))
    rest.remove_prefix(5);
  if (!rest.starts_with('/'))
    return location;
  rest.remove_prefix(std::min(rest.find_first_not_of('/'), rest.size()));
  return "file:///" + std::string(rest);
}

Result<Page> page_of(const std::vector<std::string>& names, const std::map<std::string, std::string>& query) {
  const auto find = [&](const char* name) {
    const auto found = query.find(name);
    return found == query.end() ? std::string() : found->second;
  };
  // Who sends no pageToken knows of no pages.
  if (!query.contains("pageToken"))
    return Page{.names = names, .next = ""};
  int size = kPageMax;
  if (const auto text = find("pageSize"); !text.empty()) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
    if (error != std::errc() || end != text.data() + text.size() || size < 1)
      return invalid(fmt::format("pageSize '{}' is not a number above 0", text));
    size = std::min(size, kPageMax);
  }
  // Names that come or go between two pages move no other name from one page to another.
  Page page;
  const auto token = find("pageToken");
  auto at = token.empty() ? names.begin() : std::upper_bound(names.begin(), names.end(), token);
  for (; at != names.end() && static_cast<int>(page.names.size()) < size; ++at)
    page.names.push_back(*at);
  if (at != names.end())
    page.next = page.names.back();
  return page;
}

}  // namespace tarn::serve::rest
