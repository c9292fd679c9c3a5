// Requests of clients that may send them again, because an answer was lost: what was done for which. Rows of
// control.sqlite, written in the transaction of the commit that they stand for.
#pragma once

#include <optional>
#include <string>

#include "base/env/env.h"
#include "catalog/control_tables.h"
#include "engine/lake_catalog.h"
#include "store/store.h"

namespace tarn::catalog {

// The tables of it, as a step of catalog_migrations().
extern const char* const kRepeatedRequestTables;

// Names are kept for a day, bodies count for an hour.
inline constexpr Duration kRequestKeptFor{std::chrono::hours{24}};
inline constexpr Duration kBodyGoodFor{std::chrono::hours{1}};

// What the request did when it was applied before: by its name; or by its body, when that was within the hour
// and nothing of what it changed has changed since. kInvalid: the name was used for something else.
Result<std::optional<engine::CommitOutcome>> find_repeated(store::Connection& connection,
                                                           const engine::RepeatableRequest& request,
                                                           Timestamp now);

Status note_repeatable(store::Connection& connection, const engine::RepeatableRequest& request,
                       const engine::CommitOutcome& outcome, Timestamp now);

}  // namespace tarn::catalog
