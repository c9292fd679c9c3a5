// How far two words are apart, for "did you mean".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tarn::codec {

// The name among `known` nearest to `wrong`; empty when none is near.
std::string nearest(std::string_view wrong, const std::vector<std::string>& known);
std::string nearest(std::string_view wrong, const std::vector<std::string>& known, size_t distance_max);

}  // namespace tarn::codec
