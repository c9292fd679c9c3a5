// The rows of a statement as a workbook: one formatted sheet, and one that says what was asked and when.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "serve/backend.h"

namespace tarn::serve {

struct BookRequest {
  std::string sql;
  std::string made_at;      // for people
  std::string path;         // absolute; created or replaced
  std::string work_folder;  // absolute
  std::function<bool()> is_gone;
};

// Returns the rows. Memory does not grow with them; text that looks like a formula stays text. kCancelled:
// nobody waits for it any more.
Result<int64_t> write_book(engine::ResultStream& rows, const BookRequest& request);

}  // namespace tarn::serve
