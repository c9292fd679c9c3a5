// Which functions of the engine a person's SQL may call: checked in, reviewed, closed by default.
#pragma once

#include <span>
#include <string_view>

namespace tarn::guard {

enum class FunctionRule {
  kAllowed,
  kFiles,    // refused: reads or writes files, or reaches other machines
  kText,     // refused: runs SQL that nobody checked
  kEngine,   // refused: shows or changes the engine's own state
  kWaits,    // refused: only holds a slot
  kUnknown,  // in no list: not a function, or one that this Tarn does not know
};

// `name` in lower case.
FunctionRule rule_of(std::string_view name);

// Sorted; for "did you mean".
std::span<const std::string_view> allowed_functions();

}  // namespace tarn::guard
