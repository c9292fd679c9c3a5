// Any bytes as JSON: our scanner takes what another reader takes and nothing else, and sees the same depth.
#include <nlohmann/json.hpp>

#include "base/input_fuzz.h"
#include "codec/json_depth.h"
#include "codec/json_scanner.h"
#include "codec/json_shape.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using tarn::must;
  using tarn::codec::JsonScanner;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  JsonScanner scanner(text);
  std::string_view raw;
  const bool taken = scanner.skip(raw) && scanner.at_end();
  // The other reader also takes what is too deep for us and a byte order mark, and ends at a zero byte.
  const bool deep = tarn::codec::json_depth(text) >= JsonScanner::kDepthMax;
  const bool same = !deep && !text.starts_with("\xef\xbb\xbf") && text.find('\0') == std::string_view::npos;
  if (same) {
    must(taken == nlohmann::json::accept(text), "the scanner takes what is JSON");
  }
  if (taken) {
    must(nlohmann::json::parse(tarn::codec::without_space(raw)) == nlohmann::json::parse(raw),
         "without space it is the same value");
  }
  tarn::codec::JsonShape shape;
  JsonScanner again(text);
  (void)shape.add(again);
  (void)shape.flat_type();
  (void)shape.nested_type();
  return 0;
}
