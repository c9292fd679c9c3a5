// Base64 (RFC 4648, with padding). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tarn::codec {

std::string base64(std::string_view bytes);

// nullopt: it is not base64. Padding may be left out.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace tarn::codec
