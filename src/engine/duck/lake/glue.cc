#include "engine/duck/lake/glue.h"

namespace tarn::engine::lake {

std::string path_of(const std::string& uri) {
  constexpr std::string_view kScheme = "file://";
  return uri.starts_with(kScheme) ? uri.substr(kScheme.size()) : uri;
}

std::string uri_of(const std::string& path) {
  return path.starts_with("/") ? "file://" + path : path;
}

}  // namespace tarn::engine::lake
