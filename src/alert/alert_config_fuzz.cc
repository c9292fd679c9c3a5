// Any text as `alerts:` of tarn.yml: channels within their limits, or mistakes with a place; no crash.
#include "alert/config.h"
#include "base/input_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto node = tarn::codec::parse_yaml(text, "tarn.yml");
  if (!node)
    return 0;
  tarn::Diagnostics mistakes;
  const auto channels = tarn::alert::read_channels(*node, mistakes);
  for (const auto& mistake : mistakes)
    tarn::must(!mistake.message.empty(), "a mistake is told");
  for (const auto& one : channels) {
    tarn::must(!one.name.empty() && !one.events.empty(), "a channel has a name and hears something");
    tarn::must((one.kind == tarn::alert::Kind::kMail) == one.url.empty(), "a channel has one target");
    tarn::must(one.per_hour >= 1 && one.quarantine_rows >= 1, "limits are at least one");
    if (!one.quiet)
      continue;
    const auto at = tarn::Timestamp(std::chrono::microseconds(1'700'000'000'000'000));
    if (tarn::alert::is_quiet(*one.quiet, at, {})) {
      const auto end = tarn::alert::end_of_quiet(*one.quiet, at, {});
      tarn::must(end > at && !tarn::alert::is_quiet(*one.quiet, end, {}), "quiet ends");
    }
  }
  return 0;
}
