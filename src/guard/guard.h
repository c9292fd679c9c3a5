// What a person's SQL may do: allow-lists of statement kinds and functions, no files, no settings.
// Pure: works on what engine::parse() found. The engine's own limits (no external access) stand behind it.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/parse.h"

namespace tarn::guard {

// Whether a lower-case name is one of a macro, of the session or of the lake, whose body was checked when it
// was made. Functions of the engine are judged by their own names first.
using IsMacro = std::function<bool(const std::string&)>;

// Lower-case names of databases of others, which are read only.
using Attachments = std::set<std::string>;

// Fails with kDenied (or kUnsupported for what comes later) and one sentence that starts with the place in
// `sql`, the text from which `facts` were parsed.
Status check(std::string_view sql, const engine::StatementFacts& facts, const IsMacro& is_macro = {},
             const Attachments& attachments = {});

// True when the statement may change something that outlives the session.
bool writes(const engine::StatementFacts& facts);

}  // namespace tarn::guard
