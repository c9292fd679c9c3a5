// Any text as flows/x.yml: a flow whose order has an end, or a mistake with a place; any text as SQL and as a
// text with references.
#include "base/input_fuzz.h"
#include "flowfile/flow_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tarn;
  const std::string text(reinterpret_cast<const char*>(data), size);
  Diagnostics mistakes;
  const auto flow = flowfile::read_flow(text, "flows/x.yml", mistakes);
  must(flow->name == "x", "a flow is named after its file");
  must(flow->broken == !mistakes.empty(), "a flow with mistakes is broken");
  for (const auto& mistake : mistakes)
    must(mistake.place.file == "flows/x.yml", "a mistake has a place");
  if (!flow->broken) {
    must(!flow->tasks.empty(), "a flow has tasks");
    for (const auto& task : flow->tasks) {
      for (const auto& before : flow->all_before(task))
        must(before != task.name && flow->find(before) != nullptr, "no task waits for itself");
    }
  }
  const auto sql = flowfile::parse_sql(text);
  must(sql.text.size() == text.size(), "places in SQL stay");
  for (const auto& one : sql.references)
    must(text.compare(one.offset + 1, one.shown().size(), one.shown()) == 0,
         "a reference stands where it says");
  if (const auto pieces = flowfile::parse_text(text)) {
    std::string whole;
    for (const auto& piece : *pieces)
      whole += piece.text;
    must(text.find("$${") != std::string::npos || whole == text, "pieces make the text");
  }
  return 0;
}
