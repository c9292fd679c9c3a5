// What a server answers, whatever it is: headers and the body that say which page comes next and when to ask
// again. Lines: the Link header, Retry-After, the path of the token or the records, a text with references;
// the rest is the body.
#include "base/env/text_files_fuzz.h"
#include "base/input_fuzz.h"
#include "source/http/pages.h"
#include "source/http/retry.h"
#include "source/http/template.h"

namespace {

using tarn::must;
namespace http = tarn::source::http;

void look_at_pages(const http::PageAnswer& answer, const std::string& path, tarn::FileSystem& files) {
  using Kind = http::Pages::Kind;
  for (auto kind : {Kind::kNone, Kind::kLink, Kind::kNextToken, Kind::kPage, Kind::kOffset}) {
    http::Pages pages{.kind = kind, .token = path, .parameter = "p", .limit_parameter = "", .limit = 2};
    for (auto format : {tarn::source::FormatKind::kJson, tarn::source::FormatKind::kCsv}) {
      tarn::source::Format how{.kind = format, .records = path, .compression = ""};
      auto state = http::first_page(pages);
      auto next = http::next_page(pages, how, state, answer, files);
      if (next && *next) {
        must((*next)->index == state.index + 1, "pages are counted");
        must(kind != Kind::kNone, "without pages there is no next one");
        must(kind != Kind::kLink || !(*next)->url.empty(), "a link is a URL");
      }
    }
  }
}

void look_at_template(const std::string& text) {
  http::RenderContext context{.columns = {{"city", "Utrecht {since}"}},
                              .vars = {{"api", "https://example.org"}},
                              .resolve_secret = [](std::string_view) { return std::string("hidden"); }};
  auto rendered = http::render(text, context);
  if (rendered) {
    must(rendered->secrets.empty() || rendered->shown != rendered->text, "a secret is not shown");
    auto scrubbed = http::scrub(rendered->text, rendered->secrets);
    must(rendered->secrets.empty() || scrubbed.find("hidden") == std::string::npos, "a secret is scrubbed");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tarn::FuzzInput input(data, size);
  auto link = input.take_line();
  auto retry_after = input.take_line();
  auto path = input.take_line();
  look_at_template(input.take_line());
  const tarn::Timestamp now{std::chrono::seconds(1'700'000'000)};
  if (auto wait = http::parse_retry_after(retry_after, now)) {
    must(wait->count() >= 0, "nobody waits a negative time");
  }
  tarn::TextFiles files({{"/body", std::string(input.rest())}});
  look_at_pages(
      {.final_url = "https://example.org/v1/items?a=1", .link = link, .path = "/body", .encoding = ""}, path,
      files);
  return 0;
}
