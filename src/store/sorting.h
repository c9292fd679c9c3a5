// How records of a page are sorted, as somebody asks for it by a name. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tarn::store {

struct Sort {
  std::string_view name;    // what is asked for
  std::string_view column;  // of the statement: nothing else comes into it
};

// "at" or, downwards, "-at", as the text behind ORDER BY; `otherwise` when nothing is asked for, and between
// equals. kInvalid names what there is; `what` is said in it ("mails").
Result<std::string> order_by(std::string_view what, std::string_view wish, std::span<const Sort> sorts,
                             std::string_view otherwise);

}  // namespace tarn::store
