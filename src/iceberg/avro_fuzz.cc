// Any bytes are read as a manifest and as a manifest list: no crash, no endless work, no undefined behaviour.
// What was read as a list is written and read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "iceberg/manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  tarn::iceberg::ManifestFile file;
  file.path = "m.avro";
  (void)tarn::iceberg::read_manifest(bytes, file);
  (void)tarn::iceberg::manifest_line(bytes, "m.avro", 1);
  auto list = tarn::iceberg::read_manifest_list(bytes);
  if (list) {
    auto written = tarn::iceberg::write_manifest_list({}, *list);
    auto again = tarn::iceberg::read_manifest_list(*written);
    if (!again || again->size() != list->size()) {
      std::abort();
    }
  }
  return 0;
}
