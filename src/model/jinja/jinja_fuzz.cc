// Any text as a template: no crash, no endless run, and the map of the output covers it without gaps.
#include <cstdint>
#include <cstdlib>

#include "model/jinja/interpreter.h"

using tarn::Diagnostic;
using tarn::model::jinja::Arguments;
using tarn::model::jinja::Globals;
using tarn::model::jinja::Interpreter;
using tarn::model::jinja::Macros;
using tarn::model::jinja::Value;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  Diagnostic mistake;
  auto parsed = tarn::model::jinja::parse_template("fuzz.sql", std::move(text), mistake);
  if (!parsed) {
    return 0;
  }
  Macros macros;
  if (!tarn::model::jinja::collect_macros(*parsed, macros, mistake)) {
    return 0;
  }
  Globals globals = {{"xs", Value::list({Value(1), Value("a"), Value(2.5)})},
                     {"d", Value::dict({{Value("k"), Value("v")}})},
                     {"f", Value::function("f", [](const Arguments& given) -> tarn::Result<Value> {
                        return given.positional.empty() ? Value() : given.positional[0];
                      })}};
  Interpreter interpreter(globals, macros);
  auto out = interpreter.render(*parsed);
  if (!out) {
    return 0;
  }
  size_t at = 0;
  for (const auto& stretch : out->map) {
    if (stretch.out != at || out->source_of(at) > size) {
      std::abort();
    }
    at += stretch.length;
  }
  return at == out->text.size() ? 0 : (std::abort(), 1);
}
