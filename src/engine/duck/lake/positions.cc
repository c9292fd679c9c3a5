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

bool Positions::contains(int64_t position) const {
  const auto index = static_cast<size_t>(position) / kBits;
  return index < words_.size() && ((words_[index] >> (static_cast<size_t>(position) % kBits)) & 1U) != 0;
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

bool Positions::any_in(int64_t first, int64_t length) const {
  const auto begin = static_cast<size_t>(first);
  const auto end = std::min(begin + static_cast<size_t>(length), words_.size() * kBits);
  if (begin >= end) {
    return false;
  }
  const auto from = begin / kBits;
  const auto to = (end - 1) / kBits;
  for (size_t i = from; i <= to; ++i) {
    uint64_t word = words_[i];
    if (i == from) {
      word &= ~uint64_t{0} << (begin % kBits);
    }
    if (i == to && end % kBits != 0) {
      word &= ~uint64_t{0} >> (kBits - end % kBits);
    }
    if (word != 0) {
      return true;
    }
  }
  return false;
}

}  // namespace tarn::engine::lake
