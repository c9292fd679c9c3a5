// Any text as a file of sources/: a configuration or mistakes with words, never both, never neither.
#include "base/input_fuzz.h"
#include "source/config.h"
#include "source/kind.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto registry = [] {
    tarn::source::Registry made;
    tarn::source::add_all(made);
    return made;
  }();
  std::string_view text(reinterpret_cast<const char*>(data), size);
  tarn::Diagnostics mistakes;
  auto config = tarn::source::read_config(registry, text, "sources/s.yml", mistakes);
  tarn::must(config->broken == !mistakes.empty(), "a configuration is broken exactly when it has mistakes");
  for (const auto& mistake : mistakes) {
    tarn::must(!mistake.message.empty(), "a mistake has words");
  }
  return 0;
}
