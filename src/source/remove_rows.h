// Takes rows out of a table by rewriting the files that hold them.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "engine/connection.h"
#include "session/session.h"

namespace tarn::source {

// Inside a transaction. `where` is Tarn's own text, over the table as t.
Status remove_rows(session::Session& session, const engine::TableName& table, const std::string& where);

// Rows of `_tarn.quarantine`, as a transaction; returns how many there are, or were. kConflict: try again.
Result<int64_t> remove_quarantined(session::Session& session, const std::string& where, bool dry_run);

}  // namespace tarn::source
