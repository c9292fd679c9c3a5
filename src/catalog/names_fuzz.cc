// Names that come from people. Lines: schema, name, a column's name, its type; the rest is a view's SQL. A
// name that is allowed makes a folder inside the lake, and a view of it is a JSON document.
#include <nlohmann/json.hpp>

#include "base/input_fuzz.h"
#include "catalog/layout.h"
#include "catalog/view_metadata.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tarn::catalog;
  using tarn::must;
  tarn::FuzzInput input(data, size);
  tarn::engine::LakeView view;
  view.name = {.schema = input.take_line(), .name = input.take_line()};
  view.columns.push_back({.name = input.take_line(), .type = input.take_line(), .comment = ""});
  view.uuid = "01234567-89ab-cdef-0123-456789abcdef";
  view.sql = std::string(input.rest());
  if (check_schema_name(view.name.schema) && check_name(view.name.name, "view")) {
    auto folder = object_folder("/lake", view.name, view.uuid);
    auto inner = folder.substr(6);
    must(folder.starts_with("/lake/") && inner.find('/') == inner.rfind('/'), "a folder lies in the lake");
    must(!inner.starts_with(".") && inner.find("/.") == std::string::npos, "a folder is not hidden");
    must(version_of(metadata_path(folder, 7, view.uuid)) == 7, "a version is read from its path");
    auto path = to_path(to_location(folder));
    must(path && *path == folder, "a location is a path again");
  }
  (void)version_of(view.sql);
  (void)to_path(view.sql);
  auto document =
      view_metadata_json(view, {.location = "file:///lake/v", .version_id = 1, .timestamp_ms = 0});
  auto parsed = nlohmann::json::parse(document, nullptr, false);
  must(parsed.is_object() && parsed["schemas"][0]["fields"].size() == 1, "a view is a JSON document");
  return 0;
}
