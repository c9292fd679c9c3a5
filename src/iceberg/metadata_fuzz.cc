// Any text is read as a metadata document, a schema, a type and values of every type; a document that is
// accepted is written, read and written again to the same text.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "iceberg/bounds.h"
#include "iceberg/metadata.h"
#include "iceberg/metadata_file.h"
#include "iceberg/name_mapping.h"
#include "iceberg/partition.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tarn::iceberg;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto unpacked = metadata_text(std::string(text))) {
    (void)parse_table_metadata(*unpacked);
  }
  auto metadata = parse_table_metadata(text);
  if (metadata) {
    auto once = to_json(*metadata);
    auto again = parse_table_metadata(once);
    if (!again || to_json(*again) != once) {
      std::fprintf(stderr, "not stable: %s\n", again ? once.c_str() : again.error().message.c_str());
      std::abort();
    }
  }
  (void)parse_name_mapping(text);
  (void)parse_schema(text);
  (void)parse_transform(text);
  for (const char* name : {"boolean", "int", "long", "float", "double", "decimal(38,5)", "date", "time",
                           "timestamp", "timestamptz_ns", "string", "uuid", "fixed[3]", "binary"}) {
    auto type = parse_type(name);
    auto value = parse_text(*type, text);
    if (value && !is_nan(*value)) {
      auto bytes = to_bytes(*type, *value);
      auto back = from_bytes(*type, bytes);
      if (!back || compare(*back, *value) != 0) {
        std::abort();
      }
      (void)lower_bound(*type, *value);
      (void)upper_bound(*type, *value);
      for (const char* transform : {"bucket[7]", "truncate[3]", "year", "month", "day", "hour"}) {
        (void)apply(*parse_transform(transform), *type, *value);
      }
    }
  }
  return 0;
}
