#include "catalog/version_editor.h"

#include <fmt/format.h>

#include "catalog/layout.h"

namespace tarn::catalog {

using engine::fold;
using engine::LakeSchema;
using engine::LakeTable;
using engine::LakeView;
using engine::TableName;

Error conflict(std::string_view what) {
  return Error{Code::kConflict, fmt::format("40001: {}; run the transaction again", what)};
}

std::string to_string(const TableName& name) {
  return fmt::format("{}.{}", name.schema, name.name);
}

VersionEditor::VersionEditor(const engine::LakeVersion& head, int64_t number, Timestamp time)
    : next_(std::make_shared<engine::LakeVersion>(head)) {
  next_->number = number;
  next_->time = time;
}

const LakeSchema* VersionEditor::find(const std::string& schema) const {
  auto it = next_->schemas.find(fold(schema));
  return it == next_->schemas.end() ? nullptr : it->second.get();
}

std::string VersionEditor::proper_schema(const std::string& name) const {
  const LakeSchema* schema = find(name);
  return schema == nullptr ? name : schema->name;
}

TableName VersionEditor::proper(const TableName& name) const {
  return {proper_schema(name.schema), name.name};
}

LakeSchema* VersionEditor::edit(const std::string& schema) {
  auto it = next_->schemas.find(fold(schema));
  if (it == next_->schemas.end()) {
    return nullptr;
  }
  auto& mine = edited_[it->first];
  if (mine == nullptr) {
    mine = std::make_shared<LakeSchema>(*it->second);
    it->second = mine;
  }
  return mine.get();
}

Status VersionEditor::create_schema(const std::string& name,
                                    const std::map<std::string, std::string>& properties) {
  TARN_CHECK(check_schema_name(name));
  if (find(name) != nullptr) {
    return conflict(fmt::format("schema {} exists already", name));
  }
  auto schema = std::make_shared<LakeSchema>();
  schema->name = name;
  schema->properties = properties;
  next_->schemas[fold(name)] = schema;
  edited_[fold(name)] = schema;
  return ok();
}

Status VersionEditor::update_schema(const std::string& name, const Properties& properties,
                                    const std::optional<Properties>& base) {
  LakeSchema* schema = edit(name);
  if (schema == nullptr) {
    return conflict(fmt::format("schema {} is not there any more", name));
  }
  if (base && schema->properties != *base) {
    return conflict(fmt::format("the properties of schema {} were changed meanwhile", name));
  }
  schema->properties = properties;
  return ok();
}

Status VersionEditor::drop_schema(const std::string& name) {
  const LakeSchema* schema = find(name);
  if (schema == nullptr) {
    return conflict(fmt::format("schema {} is not there any more", name));
  }
  if (!schema->empty()) {
    const std::string& holds = !schema->tables.empty()  ? schema->tables.begin()->second->name().name
                               : !schema->views.empty() ? schema->views.begin()->second->name.name
                                                        : schema->macros.begin()->second->name.name;
    return conflict(fmt::format("schema {} is not empty, it holds {}", name, holds));
  }
  edited_.erase(fold(name));
  next_->schemas.erase(fold(name));
  return ok();
}

Result<std::shared_ptr<const LakeTable>> VersionEditor::find_table(const TableName& name,
                                                                   const std::string& uuid) const {
  const LakeSchema* schema = find(name.schema);
  if (schema != nullptr) {
    auto it = schema->tables.find(fold(name.name));
    if (it != schema->tables.end() && it->second->uuid() == uuid) {
      return it->second;
    }
  }
  return conflict(fmt::format("table {} was dropped, renamed or made anew meanwhile", to_string(name)));
}

Result<std::shared_ptr<const LakeView>> VersionEditor::find_view(const TableName& name,
                                                                 const std::string& uuid) const {
  const LakeSchema* schema = find(name.schema);
  if (schema != nullptr) {
    auto it = schema->views.find(fold(name.name));
    if (it != schema->views.end() && it->second->uuid == uuid) {
      return it->second;
    }
  }
  return conflict(fmt::format("view {} was dropped, renamed or made anew meanwhile", to_string(name)));
}

const LakeTable* VersionEditor::find_table_of(const std::string& uuid) const {
  for (const auto& [folded, schema] : next_->schemas) {
    for (const auto& [key, table] : schema->tables) {
      if (table->uuid() == uuid) {
        return table.get();
      }
    }
  }
  return nullptr;
}

void VersionEditor::take_table(const TableName& name) {
  if (LakeSchema* schema = edit(name.schema)) {
    schema->tables.erase(fold(name.name));
  }
}

void VersionEditor::take_view(const TableName& name) {
  if (LakeSchema* schema = edit(name.schema)) {
    schema->views.erase(fold(name.name));
  }
}

Status VersionEditor::take_macro(const engine::LakeMacro& macro) {
  LakeSchema* schema = edit(macro.name.schema);
  const auto found = schema == nullptr ? nullptr : &schema->macros[fold(macro.name.name)];
  if (found == nullptr || *found == nullptr || (*found)->uuid != macro.uuid) {
    return conflict(fmt::format("macro {} was dropped or made anew meanwhile", to_string(macro.name)));
  }
  schema->macros.erase(fold(macro.name.name));
  return ok();
}

Result<LakeSchema*> VersionEditor::schema_for(const TableName& name, const char* what) {
  TARN_CHECK(check_name(name.name, what));
  LakeSchema* schema = edit(name.schema);
  if (schema == nullptr) {
    return Error{Code::kNotFound,
                 fmt::format("there is no schema {} for {}; create it first", name.schema, name.name)};
  }
  return schema;
}

Result<LakeSchema*> VersionEditor::room_for(const TableName& name) {
  TARN_TRY(LakeSchema * schema, schema_for(name, "table or view"));
  if (schema->tables.contains(fold(name.name)) || schema->views.contains(fold(name.name))) {
    return conflict(fmt::format("{} exists already", to_string(name)));
  }
  return schema;
}

Status VersionEditor::put_table(std::shared_ptr<const LakeTable> table) {
  TARN_TRY(LakeSchema * schema, room_for(table->name()));
  std::string key = fold(table->name().name);
  schema->tables[key] = std::move(table);
  return ok();
}

Status VersionEditor::put_view(std::shared_ptr<const LakeView> view) {
  TARN_TRY(LakeSchema * schema, room_for(view->name));
  std::string key = fold(view->name.name);
  schema->views[key] = std::move(view);
  return ok();
}

Status VersionEditor::put_macro(std::shared_ptr<const engine::LakeMacro> macro) {
  TARN_TRY(LakeSchema * schema, schema_for(macro->name, "macro"));
  auto& slot = schema->macros[fold(macro->name.name)];
  if (slot != nullptr) {
    return conflict(fmt::format("macro {} exists already", to_string(macro->name)));
  }
  slot = std::move(macro);
  return ok();
}

std::shared_ptr<const engine::LakeVersion> VersionEditor::finish() {
  edited_.clear();
  return std::move(next_);
}

}  // namespace tarn::catalog
