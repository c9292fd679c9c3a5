// unique, not_null, accepted_values, relationships, and the project's own {% test %} macros, as SQL.
// A test's SQL answers the failing rows.
#pragma once

#include <string>

#include "model/render.h"

namespace tarn::model {

Result<std::string> generic_test_sql(const ModelProject& project, const DataTest& test,
                                     const RenderRequest& request, Diagnostic& mistake);
// Is there a test of this name? Fills `known` for messages.
bool is_generic_test(const ModelProject& project, const std::string& name, std::vector<std::string>& known);
// Wrong and missing arguments are mistakes at the test's place.
void check_arguments(const ModelProject& project, const DataTest& test, Diagnostics& diagnostics);

}  // namespace tarn::model
