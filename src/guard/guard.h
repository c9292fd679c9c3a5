// What a person's SQL may do: allow-lists of statement kinds and functions, no files, no settings.
// Pure: works on what engine::parse() found. The engine's own limits (no external access) stand behind it.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/parse.h"

namespace tarn::guard {

// Lower-case names of macros that the session itself made, whose bodies were checked then.
using Macros = std::set<std::string>;

// Fails with kDenied (or kUnsupported for what comes later) and one sentence that starts with the place in
// `sql`, the text from which `facts` were parsed.
Status check(std::string_view sql, const engine::StatementFacts& facts, const Macros& macros = {});

// True when the statement may change something that outlives the session.
bool writes(const engine::StatementFacts& facts);

}  // namespace tarn::guard
