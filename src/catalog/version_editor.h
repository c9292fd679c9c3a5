// The next lake version, as a copy of the head in which only what changes is copied. Checks names; used by
// one commit.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "engine/lake_catalog.h"

namespace tarn::catalog {

// "40001: …": somebody else committed first.
Error conflict(std::string_view what);
std::string to_string(const engine::TableName& name);

class VersionEditor {
 public:
  VersionEditor(const engine::LakeVersion& head, int64_t number, Timestamp time);

  Status create_schema(const std::string& name, const std::map<std::string, std::string>& properties);
  using Properties = std::map<std::string, std::string>;
  Status update_schema(const std::string& name, const Properties& properties,
                       const std::optional<Properties>& base = {});
  Status drop_schema(const std::string& name);  // must be empty

  // The name with its schema written as it was created.
  [[nodiscard]] engine::TableName proper(const engine::TableName& name) const;
  [[nodiscard]] std::string proper_schema(const std::string& name) const;

  // kConflict unless a table (view) of that name and uuid is there.
  Result<std::shared_ptr<const engine::LakeTable>> find_table(const engine::TableName& name,
                                                              const std::string& uuid) const;
  Result<std::shared_ptr<const engine::LakeView>> find_view(const engine::TableName& name,
                                                            const std::string& uuid) const;
  // kConflict unless the macro is there.
  Status take_macro(const engine::LakeMacro& macro);
  // The table of this uuid under whatever name, or null.
  [[nodiscard]] const engine::LakeTable* find_table_of(const std::string& uuid) const;
  void take_table(const engine::TableName& name);
  void take_view(const engine::TableName& name);
  // kConflict when the name is taken, kNotFound when there is no such schema.
  Status put_table(std::shared_ptr<const engine::LakeTable> table);
  Status put_view(std::shared_ptr<const engine::LakeView> view);
  Status put_macro(std::shared_ptr<const engine::LakeMacro> macro);

  std::shared_ptr<const engine::LakeVersion> finish();

 private:
  engine::LakeSchema* edit(const std::string& schema);  // null when it is not there
  [[nodiscard]] const engine::LakeSchema* find(const std::string& schema) const;
  Result<engine::LakeSchema*> schema_for(const engine::TableName& name, const char* what);
  Result<engine::LakeSchema*> room_for(const engine::TableName& name);

  std::shared_ptr<engine::LakeVersion> next_;
  std::map<std::string, std::shared_ptr<engine::LakeSchema>> edited_;  // copies that are ours
};

}  // namespace tarn::catalog
