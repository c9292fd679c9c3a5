// What the API's bodies look like: records to JSON and back. Reading never throws; what is missing or of
// another type is the default.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "serve/backend.h"

namespace tarn::serve {

using Json = nlohmann::json;

std::string dump(const Json& json);  // one line; bytes that are not UTF-8 become U+FFFD

std::string text_of(const Json& json, const char* key);
int64_t integer_of(const Json& json, const char* key);
bool truth_of(const Json& json, const char* key);
std::vector<std::string> texts_of(const Json& json, const char* key);
Json list_of(const Json& json, const char* key);  // an array, maybe empty
Json map_of(const Json& json, const char* key);   // an object, maybe empty
std::optional<Timestamp> time_of(const Json& json, const char* key);
Vars vars_of(const Json& json, const char* key);

Json to_json(const Error& error);
Error error_of(const Json& body);  // {"error": {...}}
Json to_json(const flow::RunRecord& run);
flow::RunRecord run_of(const Json& json);
Json to_json(const flow::TaskRecord& task);
flow::TaskRecord task_of(const Json& json);
Json to_json(const flow::TaskStatus& status);
flow::TaskStatus status_of(const Json& json);
Json to_json(const Diagnostic& diagnostic);
Diagnostic diagnostic_of(const Json& json);
Json to_json(const TableInfo& table);
TableInfo table_of(const Json& json);

Json to_json(const flow::Due& due);
flow::Due due_of(const Json& json);
Json to_json(const flow::ScheduleInfo& schedule);
flow::ScheduleInfo schedule_of(const Json& json);
Json to_json(const retention::Cleaning& cleaning);
retention::Cleaning cleaning_of(const Json& json);
Json to_json(const flow::BackfillPlan& plan);
flow::BackfillPlan backfill_plan_of(const Json& json);

// HTTP status of a code.
int http_status_of(Code code);
Code code_of(std::string_view name);

}  // namespace tarn::serve
