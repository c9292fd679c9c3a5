// Values between SQL and JSON: a row becomes an object that later tasks use, a value of it a parameter.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "engine/connection.h"

namespace tarn::flowfile {

using Json = nlohmann::json;

// Never fails: what is not UTF-8 is replaced.
std::string dump(const Json& json);

// A text as a JSON object; empty when it is none, or nested too deep to be written again.
Json object_of(std::string_view text);

// The row of a batch: whole numbers, decimals and floats as numbers (those that JSON has not, as text), truth
// values, null; anything else as the engine writes it.
Json row_json(const std::vector<engine::Column>& columns, const engine::TextBatch& batch, size_t row);

// The member at "n", "answer.id", "items.0"; null when there is none.
const Json* find_path(const Json& json, std::string_view path);

// As a parameter of SQL; null and what is not there have no type. Objects and lists are their JSON text.
engine::Parameter parameter_of(const Json* value);
// As it is put into a text: a string without quotes, null as nothing.
std::string text_of(const Json& value);

}  // namespace tarn::flowfile
