// What `tarn version` prints.
#pragma once

#include <string_view>

namespace tarn::app {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace tarn::app
