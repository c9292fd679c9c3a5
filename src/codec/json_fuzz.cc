// Any bytes as JSON: our scanner takes what another reader takes and nothing else, and sees the same value.
#include <nlohmann/json.hpp>

#include "base/input_fuzz.h"
#include "codec/json_depth.h"
#include "codec/json_scanner.h"
#include "codec/json_shape.h"

namespace {

using nlohmann::json;

constexpr int kNumberTooLarge = 406;  // of the other reader: 1e999 is JSON, but no double

struct OtherReader : nlohmann::detail::json_sax_acceptor<json> {
  int mistake = 0;
  bool parse_error(size_t /*at*/, const std::string& /*token*/, const json::exception& what) {
    mistake = what.id;
    return false;
  }
};

// Where the other reader is strict or lenient by itself: a byte order mark, and a zero byte ends it.
bool is_comparable(std::string_view text) {
  return tarn::codec::json_depth(text) < tarn::codec::JsonScanner::kDepthMax &&
         !text.starts_with("\xef\xbb\xbf") && text.find('\0') == std::string_view::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using tarn::codec::JsonScanner;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  JsonScanner scanner(text);
  std::string_view raw;
  const bool taken = scanner.skip(raw) && scanner.at_end();
  OtherReader other;
  json::sax_parse(text, &other);
  if (is_comparable(text) && other.mistake != kNumberTooLarge) {
    tarn::must(taken == (other.mistake == 0), "the scanner takes what is JSON");
  }
  if (taken && other.mistake == 0) {
    const auto value = json::parse(raw, nullptr, false);
    tarn::must(json::parse(tarn::codec::without_space(raw), nullptr, false) == value,
               "without space it is the same value");
  }
  tarn::codec::JsonShape shape;
  JsonScanner again(text);
  (void)shape.add(again);
  (void)shape.flat_type();
  (void)shape.nested_type();
  return 0;
}
