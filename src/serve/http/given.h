// Values of parameters and filters as bodies give them, and of an address.
#pragma once

#include <string_view>
#include <vector>

#include "engine/connection.h"
#include "net/http_server.h"
#include "report/parameters.h"
#include "serve/http/json.h"

namespace tarn::serve {

// Names to texts, numbers, truth values, or lists of them; null: none. `what` is said in messages.
Result<report::Given> given_of(const Json& json, std::string_view what);

// Of the request's query; kInvalid when it is no whole number, or more than `max`.
Result<int64_t> whole_of(const net::HttpServerRequest& request, const char* name, int64_t otherwise,
                         int64_t max);
std::string asked_text(const net::HttpServerRequest& request, const char* name);

// The `parameters` of a statement: names to texts, numbers, truth values, nulls, or lists of texts.
Result<std::vector<engine::Parameter>> sql_parameters_of(const Json& json);
Json parameters_json(const std::vector<engine::Parameter>& parameters);

}  // namespace tarn::serve
