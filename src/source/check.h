// What only the engine can say about sources. Internal to the module; see Sources::check.
#pragma once

#include "base/diagnostic.h"
#include "session/draft.h"
#include "source/config.h"
#include "source/landing.h"

namespace tarn::source {

// Types of columns; then the columns that the table will have, into the draft, or hides it there when nobody
// knows them before a fetch.
Status draft_table(const SourceConfig& config, session::Draft& draft, Diagnostics& diagnostics);

struct CheckContext {
  session::SessionService& sessions;
  session::Draft& draft;
  FetchRecords& records;
  std::string data_folder;
};
// Binds `each`, `select` and the columns' checks, as far as what they read is known.
Status check_sql(const SourceConfig& config, const CheckContext& context, Diagnostics& diagnostics);

}  // namespace tarn::source
