// Any text as a cron text: a mistake with a place inside the text, or due times that come one after the
// other. The first line is the text, the second a time zone.
#include "base/input_fuzz.h"
#include "flow/cron.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tarn::FuzzInput input(data, size);
  const auto text = std::string(input.take_line());
  const auto zone = tarn::TimeZone::find(std::string(input.rest())).value_or(tarn::TimeZone());
  size_t mistake_at = 0;
  const auto cron = tarn::flow::parse_cron(text, &mistake_at);
  if (!cron) {
    tarn::must(!cron.error().message.empty(), "a refusal has words");
    tarn::must(mistake_at <= text.size(), "the mistake stands in the text");
    return 0;
  }
  // From shortly before Europe's clocks go back in 2026.
  tarn::Timestamp at(tarn::Duration(1'792'800'000'000'000));
  for (int i = 0; i < 4; ++i) {
    const auto next = tarn::flow::next_due(*cron, zone, at);
    if (!next)
      break;
    tarn::must(*next > at, "the next due time is later");
    at = *next;
  }
  return 0;
}
