// Any text is read as a path (its first line) and as every kind of body (the rest); nothing crashes, and
// names that are accepted are written as they were read.
#include "base/input_fuzz.h"
#include "serve/iceberg/wire.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tarn::serve;
  tarn::FuzzInput input(data, size);
  const auto path = input.take_line();
  for (const char* method : {"GET", "POST", "HEAD", "DELETE"}) {
    const auto route = rest::route_of(method, path);
    if (route && !route->space.empty())
      tarn::must(rest::namespace_of(Json(rest::levels_of(route->space))) == route->space, "levels are kept");
  }
  (void)rest::plain_location(path);
  (void)rest::page_of({"a", "b", "c"}, {{"pageToken", path}, {"pageSize", path}});
  const auto body = rest::object_of(input.rest());
  if (!body)
    return 0;
  (void)rest::namespace_update_of(*body);
  (void)rest::register_of(*body);
  (void)rest::transaction_of(*body);
  (void)rest::commit_of(*body);
  (void)rest::new_view_of(*body);
  (void)rest::view_commit_of(*body);
  if (const auto renamed = rest::rename_of(*body))
    tarn::must(rest::name_of(rest::identifier(renamed->to)) == renamed->to, "names are kept");
  if (const auto asked = rest::new_table_of(*body)) {
    const auto made = tarn::iceberg::apply_updates(nullptr, asked->updates, 1);
    tarn::must(!made || made->has_value(), "a new table is something");
  }
  return 0;
}
