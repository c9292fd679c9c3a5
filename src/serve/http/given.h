// Values of parameters and filters as bodies give them.
#pragma once

#include <string_view>

#include "report/parameters.h"
#include "serve/http/json.h"

namespace tarn::serve {

// Names to texts, numbers, truth values, or lists of them; null: none. `what` is said in messages.
Result<report::Given> given_of(const Json& json, std::string_view what);

}  // namespace tarn::serve
