// Text from outside as UTF-8, which columns and records can hold.
#pragma once

#include <string>

namespace tarn::codec {

// Bytes that are not UTF-8 become U+FFFD; other text stays as it is.
std::string as_utf8(std::string text);

}  // namespace tarn::codec
