// How deep a JSON text is nested, without reading it: readers and writers that recurse end the process when
// it is deeper than their stack, and such a text is small.
#pragma once

#include <cstddef>
#include <string_view>

namespace tarn::codec {

// What Tarn takes from outside; deeper documents are refused or put into quarantine.
inline constexpr size_t kJsonDepthMax = 200;

// The most brackets that are open at once, outside of strings. For a text that is not JSON it is any number.
size_t json_depth(std::string_view text);

}  // namespace tarn::codec
