// Any bytes as a body of the API, as a client sends it and as the program reads it from a server: values or
// defaults, and what was read is written as JSON again.
#include "base/input_fuzz.h"
#include "serve/http/alerts_api.h"
#include "serve/http/given.h"
#include "serve/http/json.h"
#include "serve/http/reports_api.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tarn::serve;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto json = Json::parse(text, nullptr, false);
  for (const char* key : {"sql", "unsafe", "selection", "vars", "limit", "at"}) {
    (void)text_of(json, key);
    (void)integer_of(json, key);
    (void)truth_of(json, key);
    (void)texts_of(json, key);
    (void)time_of(json, key);
    (void)vars_of(json, key);
  }
  for (const auto& written :
       {to_json(error_of(json)), to_json(run_of(json)), to_json(task_of(json)), to_json(status_of(json)),
        to_json(diagnostic_of(json)), to_json(table_of(json)), to_json(overview_of(json)),
        to_json(form_of(json)), to_json(sent_of(json)), to_json(test_result_of(json))}) {
    tarn::must(Json::accept(dump(written)), "what is written is JSON");
  }
  (void)meaning_of(json);
  if (const auto parameters = sql_parameters_of(json))
    tarn::must(Json::accept(dump(parameters_json(*parameters))), "parameters are JSON again");
  return 0;
}
