// Where the rows of one sheet go when some of its areas get more rows, or fewer. Rows are whole: what stands
// beside an area moves with it. Rows count from 0.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace tarn::report::template_file {

// Rows first..last become `rows` rows, at least one: further ones are put in behind last, surplus ones at the
// end go away.
struct Growth {
  int64_t first = 0, last = 0, rows = 1;
};

class RowMoves {
 public:
  // In any order; they do not overlap.
  void add(const Growth& growth);
  [[nodiscard]] bool moves() const;  // anything at all
  [[nodiscard]] const std::vector<Growth>& growths() const { return growths_; }

  // nullopt: the row goes away.
  [[nodiscard]] std::optional<int64_t> row(int64_t row) const;
  // The same; for one that goes away the nearest above that stays.
  [[nodiscard]] int64_t nearest(int64_t row) const;
  // A range that ends where a grown area does, and has all of it, grows with it. nullopt: all of it goes
  // away.
  [[nodiscard]] std::optional<std::pair<int64_t, int64_t>> range(int64_t first, int64_t last) const;
  // How far everything behind has moved.
  [[nodiscard]] int64_t shift_behind() const;

 private:
  std::vector<Growth> growths_;  // sorted
};

}  // namespace tarn::report::template_file
