// Any text is read as a commit to a table and as one to a view. What is accepted leaves a document that can
// be read again, as it was written.
#include "base/input_fuzz.h"
#include "iceberg/metadata_update.h"
#include "iceberg/table_commit_json.h"
#include "iceberg/view_metadata_json.h"

namespace {

using namespace tarn::iceberg;

const TableMetadata& base() {
  static const TableMetadata table = [] {
    NewTable wanted;
    wanted.uuid = "0ee91f8c-5a1b-4d6a-9f3c-6f0f5d3a2b11";
    wanted.location = "file:///lake/t";
    Field field;
    field.name = "id";
    field.type = *parse_type("long");
    wanted.fields = {field};
    return *new_table(wanted);
  }();
  return table;
}

void check(const TableMetadata& next) {
  const auto text = to_json(next);
  const auto again = parse_table_metadata(text);
  tarn::must(again.has_value(), again ? "" : again.error().message);
  tarn::must(to_json(*again) == text, "a document is written as it was read");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto json = parse_json(text);
  if (!json) {
    return 0;
  }
  if (const auto commit = table_commit_from(*json)) {
    (void)check_requirements(commit->requirements, &base());
    for (const auto* table : {&base(), static_cast<const TableMetadata*>(nullptr)}) {
      const auto next = apply_updates(table, commit->updates, 1'700'000'000'000);
      if (next && *next && !(*next)->table_uuid.empty() && !(*next)->location.empty()) {
        check(**next);
      }
    }
  }
  if (const auto commit = view_commit_from(*json)) {
    const auto next = apply_view_commit(nullptr, *commit, 1);
    if (next && *next) {
      const auto written = to_json(**next);
      const auto again = parse_view_metadata(written);
      tarn::must(again.has_value(), again ? "" : again.error().message);
      tarn::must(to_json(*again) == written, "a view's document is written as it was read");
    }
  }
  return 0;
}
