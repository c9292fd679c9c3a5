// Any text typed into the shell: it is complete or waits for more; a semicolon on a line of its own after a
// complete text keeps it complete.
#include "app/shell/statement.h"
#include "base/input_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  if (tarn::app::is_complete(text)) {
    tarn::must(tarn::app::is_complete(text + "\n;\n"), "a complete text stays so");
  }
  return 0;
}
