// A type's name (the first line) and a cell's text (the rest), whatever they are, make one JSON value.
#include "base/input_fuzz.h"
#include "codec/json_depth.h"
#include "codec/json_scanner.h"
#include "serve/rows/json_value.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tarn::FuzzInput input(data, size);
  auto shape = tarn::serve::json_shape_of(input.take_line());
  std::string out;
  tarn::serve::append_json(shape, input.rest(), out);
  if (tarn::codec::json_depth(out) < tarn::codec::JsonScanner::kDepthMax) {
    tarn::codec::JsonScanner scanner(out);
    std::string_view value;
    tarn::must(scanner.skip(value) && scanner.at_end(), "a cell is written as JSON");
  }
  return 0;
}
