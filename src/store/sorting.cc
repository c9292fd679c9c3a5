#include "store/sorting.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tarn::store {

Result<std::string> order_by(std::string_view what, std::string_view wish, std::span<const Sort> sorts,
                             std::string_view otherwise) {
  const bool down = wish.starts_with('-');
  const auto name = down ? wish.substr(1) : wish;
  if (name.empty())
    return std::string(otherwise);
  const auto found =
      std::find_if(sorts.begin(), sorts.end(), [&](const Sort& one) { return one.name == name; });
  if (found != sorts.end())
    return fmt::format("{} {}, {}", found->column, down ? "DESC" : "ASC", otherwise);
  std::vector<std::string_view> names;
  for (const auto& one : sorts)
    names.push_back(one.name);
  return Error{Code::kInvalid,
               fmt::format("{} cannot be sorted by '{}': take {}", what, name, fmt::join(names, ", "))};
}

}  // namespace tarn::store
