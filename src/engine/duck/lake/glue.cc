#include "engine/duck/lake/glue.h"

namespace tarn::engine::lake {

std::string path_of(const std::string& uri) {
  // Java's writers say file:/p; DuckDB would take that for a relative path.
  for (const std::string_view scheme : {"file://", "file:"}) {
    if (uri.starts_with(scheme)) {
      return uri.substr(scheme.size());
    }
  }
  return uri;
}

std::string uri_of(const std::string& path) {
  return path.starts_with("/") ? "file://" + path : path;
}

}  // namespace tarn::engine::lake
