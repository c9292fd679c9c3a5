// Any text: parse() and check() answer, whatever it is. Build with -fsanitize=fuzzer.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/parse.h"
#include "guard/guard.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view sql(reinterpret_cast<const char*>(data), size);
  if (auto parsed = tarn::engine::parse(sql)) {
    for (const auto& facts : *parsed) {
      (void)tarn::guard::check(sql, facts);  // only that it returns
    }
  }
  return 0;
}
