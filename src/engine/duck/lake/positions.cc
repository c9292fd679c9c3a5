#include "engine/duck/lake/positions.h"

#include <algorithm>

namespace tarn::engine::lake {

bool Positions::add(int64_t position) {
  const auto index = static_cast<size_t>(position) / kBits;
  const uint64_t bit = uint64_t{1} << (static_cast<size_t>(position) % kBits);
  if (index >= words_.size()) {
    words_.resize(index + 1);
  }
  if ((words_[index] & bit) != 0) {
    return false;
  }
  words_[index] |= bit;
  ++count_;
  return true;
}

void Positions::add_all(const Positions& others) {
  words_.resize(std::max(words_.size(), others.words_.size()));
  count_ = 0;
  for (size_t i = 0; i < words_.size(); ++i) {
    words_[i] |= i < others.words_.size() ? others.words_[i] : 0;
    count_ += std::popcount(words_[i]);
  }
}

bool Positions::intersects(const Positions& others) const {
  const auto shared = std::min(words_.size(), others.words_.size());
  for (size_t i = 0; i < shared; ++i) {
    if ((words_[i] & others.words_[i]) != 0) {
      return true;
    }
  }
  return false;
}

}  // namespace tarn::engine::lake
