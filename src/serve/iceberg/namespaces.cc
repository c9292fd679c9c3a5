#include <set>

#include <fmt/format.h>

#include "serve/iceberg/api.h"

namespace tarn::serve {
namespace {

using engine::SchemaChange;
using rest::Answer;
using rest::Subject;

constexpr int kTriesMax = 5;

Answer no_namespace(const std::string& space) {
  return rest::answer_error(404, "NoSuchNamespaceException",
                            fmt::format("Namespace does not exist: {}", space));
}

// Trino creates a table only in a namespace that says where its tables lie.
Answer namespace_answer(const engine::LakeCatalog& lake, const std::string& space,
                        std::map<std::string, std::string> properties) {
  properties.try_emplace("location", lake.schema_location(space));
  return rest::answer_json({{"namespace", rest::levels_of(space)}, {"properties", properties}});
}

// Whether `space` lies below `parent`, at any depth; everything lies below "".
bool lies_below(const std::string& space, const std::string& parent) {
  return parent.empty() ||
         (space.size() > parent.size() && engine::fold(space).starts_with(engine::fold(parent)) &&
          space[parent.size()] == '.');
}

}  // namespace

// A level that only has others below it is a namespace, too, or a client that walks the tree would not find
// them.
Answer IcebergApi::list_namespaces(const Call& call) {
  std::string parent;
  if (const auto asked = call.request.query.find("parent");
      asked != call.request.query.end() && !asked->second.empty()) {
    auto space = rest::namespace_of_text(asked->second);
    if (!space)
      return rest::answer_error(space.error(), Subject::kNamespace);
    parent = std::move(*space);
  }
  const auto version = lake_.head();
  if (!version)
    return rest::answer_error(version.error(), Subject::kNamespace);
  bool is_there = parent.empty() || find_schema(**version, parent) != nullptr;
  std::set<std::string> names;
  for (const auto& [key, schema] : (*version)->schemas) {
    if (!lies_below(schema->name, parent) || find_schema(**version, schema->name) == nullptr)
      continue;
    is_there = true;
    const auto from = parent.empty() ? 0 : parent.size() + 1;
    names.insert(schema->name.substr(0, schema->name.find('.', from)));
  }
  if (!is_there)
    return no_namespace(parent);
  const auto page = rest::page_of({names.begin(), names.end()}, call.request.query);
  if (!page)
    return rest::answer_error(page.error(), Subject::kNamespace);
  Json list = Json::array();
  for (const auto& name : page->names)
    list.push_back(rest::levels_of(name));
  return rest::answer_json(
      {{"namespaces", list}, {"next-page-token", page->next.empty() ? Json() : Json(page->next)}});
}

Answer IcebergApi::create_namespace(const Call& call) {
  const auto levels = call.body.find("namespace");
  auto space = rest::namespace_of(levels == call.body.end() ? Json() : *levels);
  auto properties = rest::properties_of(call.body, "properties");
  if (!space || !properties)
    return rest::answer_error(space ? properties.error() : space.error(), Subject::kNamespace);
  if (auto refused = refuse_system(*space))
    return std::move(*refused);
  if (call.done)
    return load_namespace(*space, true);
  const auto version = lake_.head();
  if (!version)
    return rest::answer_error(version.error(), Subject::kNamespace);
  if ((*version)->schemas.contains(engine::fold(*space))) {
    return rest::answer_error(409, "AlreadyExistsException",
                              fmt::format("Namespace already exists: {}", *space));
  }
  engine::CommitRequest request;
  request.repeatable = call.repeatable;
  request.schemas.push_back({.kind = SchemaChange::Kind::kCreate, .name = *space, .properties = *properties});
  const auto done = lake_.commit(std::move(request));
  if (!done) {
    auto error = done.error();
    error.code = error.code == Code::kConflict ? Code::kExists : error.code;
    return rest::answer_error(error, Subject::kNamespace);
  }
  return namespace_answer(lake_, *space, *properties);
}

Answer IcebergApi::load_namespace(const std::string& space, bool with_body) {
  const auto version = lake_.head();
  if (!version)
    return rest::answer_error(version.error(), Subject::kNamespace);
  if (const auto* schema = find_schema(**version, space))
    return with_body ? namespace_answer(lake_, schema->name, schema->properties) : rest::answer_empty();
  for (const auto& [key, schema] : (*version)->schemas) {
    if (lies_below(schema->name, space) && find_schema(**version, schema->name) != nullptr)
      return with_body ? namespace_answer(lake_, space, {}) : rest::answer_empty();
  }
  return no_namespace(space);
}

Answer IcebergApi::drop_namespace(const Call& call) {
  const auto& space = call.route.space;
  if (call.done)
    return rest::answer_empty();
  const auto version = lake_.head();
  if (!version)
    return rest::answer_error(version.error(), Subject::kNamespace);
  const auto* schema = find_schema(**version, space);
  bool is_empty = schema == nullptr || (schema->tables.empty() && schema->views.empty());
  for (const auto& [key, other] : (*version)->schemas)
    is_empty = is_empty && !lies_below(other->name, space);
  if (!is_empty) {
    return rest::answer_error(409, "NamespaceNotEmptyException",
                              fmt::format("Namespace {} is not empty.", space));
  }
  if (schema == nullptr)
    return no_namespace(space);
  engine::CommitRequest request;
  request.repeatable = call.repeatable;
  request.schemas.push_back({.kind = SchemaChange::Kind::kDrop, .name = schema->name, .properties = {}});
  const auto done = lake_.commit(std::move(request));
  return done ? rest::answer_empty() : rest::answer_error(done.error(), Subject::kNamespace);
}

Answer IcebergApi::update_namespace(const Call& call) {
  const auto& space = call.route.space;
  const auto update = rest::namespace_update_of(call.body);
  if (!update) {
    return update.error().code == Code::kFailed
               ? rest::answer_error(422, "UnprocessableEntityException", update.error().message)
               : rest::answer_error(update.error(), Subject::kNamespace);
  }
  Error last{Code::kConflict, ""};
  for (int i = 0; i < kTriesMax && last.code == Code::kConflict; ++i) {
    const auto version = lake_.head();
    if (!version)
      return rest::answer_error(version.error(), Subject::kNamespace);
    const auto* schema = find_schema(**version, space);
    if (schema == nullptr)
      return no_namespace(space);
    SchemaChange change{.kind = SchemaChange::Kind::kUpdate,
                        .name = schema->name,
                        .properties = schema->properties,
                        .base = schema->properties};
    Json removed = Json::array(), missing = Json::array(), updated = Json::array();
    for (const auto& name : update->removals)
      (change.properties.erase(name) > 0 || call.done ? removed : missing).push_back(name);
    for (const auto& [name, value] : update->updates) {
      change.properties[name] = value;
      updated.push_back(name);
    }
    engine::CommitRequest request;
    request.repeatable = call.repeatable;
    request.schemas.push_back(std::move(change));
    const auto done =
        call.done ? Result<engine::CommitOutcome>(*call.done) : lake_.commit(std::move(request));
    if (done)
      return rest::answer_json({{"updated", updated}, {"removed", removed}, {"missing", missing}});
    last = done.error();
  }
  return rest::answer_error(last, Subject::kNamespace);
}

Answer IcebergApi::list_names(const Call& call, bool of_views) {
  const auto version = lake_.head();
  if (!version)
    return rest::answer_error(version.error(), Subject::kNamespace);
  const auto* schema = find_schema(**version, call.route.space);
  if (schema == nullptr && load_namespace(call.route.space, false).status != 204)
    return no_namespace(call.route.space);
  std::set<std::string> names;
  if (schema != nullptr && of_views) {
    for (const auto& [key, view] : schema->views)
      if (sees(view->name))
        names.insert(view->name.name);
  } else if (schema != nullptr) {
    for (const auto& [key, table] : schema->tables)
      if (sees(table->name()))
        names.insert(table->name().name);
  }
  const auto page = rest::page_of({names.begin(), names.end()}, call.request.query);
  if (!page)
    return rest::answer_error(page.error(), Subject::kNamespace);
  Json list = Json::array();
  for (const auto& name : page->names)
    list.push_back(rest::identifier({schema->name, name}));
  return rest::answer_json(
      {{"identifiers", list}, {"next-page-token", page->next.empty() ? Json() : Json(page->next)}});
}

}  // namespace tarn::serve
