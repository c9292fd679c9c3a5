// Any text as a time and as a duration: what is accepted is written and read again as the same.
#include "base/input_fuzz.h"
#include "base/time.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto time = tarn::parse_time(text)) {
    auto again = tarn::parse_time(tarn::format_utc(*time));
    tarn::must(again && *again == *time, "a time is read back");
    (void)tarn::format_compact_utc(*time);
  }
  if (auto duration = tarn::parse_duration(text)) {
    tarn::must(duration->count() >= 0, "a duration is not negative");
    (void)tarn::format_duration(*duration);
  }
  return 0;
}
