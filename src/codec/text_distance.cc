#include "codec/text_distance.h"

#include <algorithm>

namespace tarn::codec {
namespace {

// Letters put in, left out, replaced, and neighbours swapped, each counted once.
size_t distance(std::string_view a, std::string_view b) {
  const size_t width = b.size() + 1;
  std::vector<size_t> table((a.size() + 1) * width);
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      size_t& here = table[i * width + j];
      if (i == 0 || j == 0) {
        here = i + j;
        continue;
      }
      const size_t* above = &table[(i - 1) * width + j];
      here =
          std::min({above[0] + 1, table[i * width + j - 1] + 1, above[-1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        here = std::min(here, table[(i - 2) * width + j - 2] + 1);
      }
    }
  }
  return table.back();
}

}  // namespace

std::string nearest(std::string_view wrong, const std::vector<std::string>& known) {
  return nearest(wrong, known, wrong.size() <= 3 ? 1 : std::max<size_t>(2, wrong.size() / 3));
}

std::string nearest(std::string_view wrong, const std::vector<std::string>& known, size_t distance_max) {
  std::string best;
  size_t best_distance =
      std::min(distance_max + 1, wrong.size());  // another letter each time is another word
  for (const auto& name : known) {
    size_t least = name.size() > wrong.size() ? name.size() - wrong.size() : wrong.size() - name.size();
    size_t far = least < best_distance ? distance(wrong, name) : best_distance;
    if (far < best_distance) {
      best_distance = far;
      best = name;
    }
  }
  return best;
}

}  // namespace tarn::codec
