// Which field a column of a file without field ids is (property schema.name-mapping.default; spec: "Column
// Projection", appendix C "Name Mapping Serialization").
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tarn::iceberg {

struct MappedField {
  std::vector<std::string> names;  // any of them; "element", "key" and "value" inside lists and maps
  std::optional<int> field_id;
  std::vector<MappedField> fields;
};

using NameMapping = std::vector<MappedField>;

Result<NameMapping> parse_name_mapping(std::string_view text);

// The field that has this name, or null.
const MappedField* find_mapped(const NameMapping& fields, const std::string& name);

}  // namespace tarn::iceberg
