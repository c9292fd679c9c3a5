// Any text put into SQL as a literal and as a name stays one: the statement is one SELECT that reads nothing.
#include "base/input_fuzz.h"
#include "engine/parse.h"
#include "session/session.h"

namespace {

void one_select(const std::string& sql) {
  auto parsed = tarn::engine::parse(sql);
  if (parsed) {  // what is not UTF-8 is refused
    tarn::must(parsed->size() == 1, "what is quoted ends no statement");
    tarn::must(parsed->front().kind == tarn::engine::StatementKind::kSelect, "a SELECT stays one");
    tarn::must(parsed->front().functions.empty(), "what is quoted calls nothing");
    tarn::must(parsed->front().tables.empty(), "what is quoted reads nothing");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  one_select("select " + tarn::session::quote_literal(text));
  one_select("select 1 as " + tarn::session::quote_identifier(text));
  return 0;
}
