#include "report/template/row_moves.h"

#include <algorithm>

namespace tarn::report::template_file {

void RowMoves::add(const Growth& growth) {
  const auto at = std::upper_bound(growths_.begin(), growths_.end(), growth,
                                   [](const Growth& a, const Growth& b) { return a.first < b.first; });
  growths_.insert(at, growth);
}

bool RowMoves::moves() const {
  return std::any_of(growths_.begin(), growths_.end(),
                     [](const Growth& one) { return one.rows != one.last - one.first + 1; });
}

std::optional<int64_t> RowMoves::row(int64_t row) const {
  int64_t shift = 0;
  for (const auto& one : growths_) {
    if (row < one.first)
      break;
    if (row <= one.last)
      return row - one.first < one.rows ? std::optional(row + shift) : std::nullopt;
    shift += one.rows - (one.last - one.first + 1);
  }
  return row + shift;
}

int64_t RowMoves::nearest(int64_t row) const {
  auto found = this->row(row);
  while (!found && row > 0)
    found = this->row(--row);
  return found.value_or(0);
}

std::optional<std::pair<int64_t, int64_t>> RowMoves::range(int64_t first, int64_t last) const {
  int64_t from = first;
  auto start = row(from);
  while (!start && from < last)
    start = row(++from);
  if (!start)
    return std::nullopt;
  int64_t end = nearest(last);
  for (const auto& one : growths_) {
    if (one.last == last && first <= one.first)
      end = *row(one.first) + one.rows - 1;
  }
  return std::pair(*start, std::max(*start, end));
}

int64_t RowMoves::shift_behind() const {
  int64_t shift = 0;
  for (const auto& one : growths_)
    shift += one.rows - (one.last - one.first + 1);
  return shift;
}

}  // namespace tarn::report::template_file
