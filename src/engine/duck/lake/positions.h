// Which rows of one data file are deleted: a bitmap by position in the file.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace tarn::engine::lake {

class Positions {
 public:
  // False when the position was there already.
  bool add(int64_t position);
  void add_all(const Positions& others);

  [[nodiscard]] bool contains(int64_t position) const { return (window(position) & 1) != 0; }
  [[nodiscard]] bool intersects(const Positions& others) const;
  [[nodiscard]] int64_t count() const { return count_; }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  // The 64 positions from `first`, the first one in the lowest bit.
  [[nodiscard]] uint64_t window(int64_t first) const {
    const auto index = static_cast<size_t>(first) / kBits;
    const auto shift = static_cast<size_t>(first) % kBits;
    const uint64_t low = index < words_.size() ? words_[index] >> shift : 0;
    const uint64_t high = shift != 0 && index + 1 < words_.size() ? words_[index + 1] << (kBits - shift) : 0;
    return low | high;
  }
  [[nodiscard]] size_t bytes() const { return words_.size() * sizeof(uint64_t); }

  // In ascending order.
  template <class Visit>
  void each(Visit visit) const {
    for (size_t i = 0; i < words_.size(); ++i) {
      for (uint64_t word = words_[i]; word != 0; word &= word - 1) {
        visit(static_cast<int64_t>(i * kBits) + std::countr_zero(word));
      }
    }
  }

 private:
  static constexpr size_t kBits = 64;
  std::vector<uint64_t> words_;
  int64_t count_ = 0;
};

}  // namespace tarn::engine::lake
