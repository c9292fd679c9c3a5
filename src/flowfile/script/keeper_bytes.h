// The program of script/keeper_main.cc, which this program carries.
#pragma once

#include <string_view>

namespace tarn::flowfile {

std::string_view keeper_bytes();

}  // namespace tarn::flowfile
