// One rendered request of a source. Pure but for resolving secrets.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/http_client.h"
#include "source/http/config.h"
#include "source/http/pages.h"
#include "source/kind.h"

namespace tarn::source::http {

// A row of `each`, or the only one.
struct EachRow {
  std::string json;  // "" without each
  std::map<std::string, std::string> columns;
};

struct PreparedRequest {
  net::HttpRequest request;
  std::string shown_url;             // secrets as references
  std::string key;                   // the same for the same request in any run
  std::vector<std::string> secrets;  // values that no message may hold
};

// `cursor` is the value of since, empty when nothing was landed and there is no initial one.
Result<PreparedRequest> prepare(const HttpConfig& http, const FetchContext& context, const EachRow& row,
                                const PageState& page, const std::string& cursor);

}  // namespace tarn::source::http
