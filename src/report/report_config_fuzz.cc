// Any text as reports/x.yml: a report within its limits, or a mistake with a place; no crash.
#include "base/input_fuzz.h"
#include "report/config.h"
#include "report/parameters.h"
#include "report/relative_date.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  tarn::Diagnostics mistakes;
  const auto config = tarn::report::read_config(text, "reports/x.yml", mistakes);
  tarn::must(config->name == "x", "a report is named after its file");
  tarn::must(config->broken == !mistakes.empty(), "a report with mistakes is broken");
  if (!config->broken) {
    tarn::must(config->template_path.empty() != config->sheets.empty() || !config->fills.empty(),
               "a report has sheets or a template");
    const auto today = std::chrono::year(2026) / 11 / 21;
    const auto none = [](const tarn::report::ParameterConfig& one) {
      return tarn::Result<std::vector<tarn::report::Choice>>(one.choices);
    };
    (void)tarn::report::settle_values("report x", config->parameters, {}, today, none);
  }
  if (const auto date = tarn::report::resolve_date(text, std::chrono::year(2026) / 11 / 21)) {
    const auto again = tarn::report::resolve_date(tarn::report::format_date(*date), *date);
    tarn::must(again && *again == *date, "a date is read back as written");
  }
  return 0;
}
