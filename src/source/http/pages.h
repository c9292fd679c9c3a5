// Which page comes next. Pure but for reading the landed document.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "source/config.h"
#include "source/http/config.h"

namespace tarn::source::http {

// Where a request stands in its sequence of pages.
struct PageState {
  int64_t index = 0;   // pages before this one
  std::string url;     // link: the whole next URL; empty on the first page
  std::string token;   // next_token: for the next request; empty on the first page
  int64_t offset = 0;  // page number or offset
};

struct PageAnswer {
  std::string final_url;  // that answered
  std::string link;       // Link header
  std::string path;       // landed bytes, as received
  std::string encoding;   // content-encoding
};

PageState first_page(const Pages& pages);

// The state of the next page, or nullopt after the last.
Result<std::optional<PageState>> next_page(const Pages& pages, const Format& format, const PageState& state,
                                           const PageAnswer& answer, FileSystem& files);

// The target with rel="next" of a Link header; empty when there is none.
std::string next_link(std::string_view header);

// `relative` as seen from `base`.
Result<std::string> resolve_url(const std::string& base, const std::string& relative);

// Records in a landed body: list items of JSON at `records`, or lines that are not empty.
Result<int64_t> count_records(const Format& format, std::string_view body);

}  // namespace tarn::source::http
