// Rows with their types over the wire, so that a command shows a server's answer as it would show its own.
// Format "rows": a line {"columns":[{"name","type"}],"rows_changed":n|null}, then a line a row: an array of
// texts and nulls; a last line {"rows":n} says that all came, or {"error":…} that it broke off.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "engine/connection.h"
#include "serve/rows/row_writer.h"

namespace tarn::serve {

std::string rows_head(const std::vector<engine::Column>& columns, std::optional<int64_t> rows_changed);
std::unique_ptr<RowWriter> make_typed_row_writer(ByteSink sink);  // the lines after the head

}  // namespace tarn::serve
