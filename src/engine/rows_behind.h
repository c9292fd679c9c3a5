// From a number in an answer to the rows that it was made of.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tarn::engine {

// The SELECT whose rows stand behind those of `sql` (one SELECT) that have these texts in these columns; no
// text is null. An aggregate's rows are those that it went over: grouping, HAVING, QUALIFY, order and limit
// are left out and what led to the group becomes a condition. Otherwise they are the rows of `sql`
// themselves. Parameters stay.
Result<std::string> rows_behind(std::string_view sql,
                                const std::map<std::string, std::optional<std::string>>& where,
                                int64_t limit);

}  // namespace tarn::engine
