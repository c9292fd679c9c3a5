// A SELECT that stands in a YAML file of the project.
#pragma once

#include <string>
#include <string_view>

#include "base/diagnostic.h"
#include "codec/yaml.h"

namespace tarn::report {

// A person's SELECT with {{ ref('x') }} and $parameters.
struct Query {
  std::string text;  // empty: none
  Place place;       // where it begins
};

// Member `key` of a map.
Query read_query(codec::YamlReader& reader, std::string_view key, const codec::YamlNode& map, bool required);

}  // namespace tarn::report
