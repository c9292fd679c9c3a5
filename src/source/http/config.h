// The keys of kind `http`.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "net/http_client.h"
#include "source/config.h"
#include "source/kind.h"

namespace tarn::source::http {

struct Pages {
  enum class Kind { kNone, kLink, kNextToken, kPage, kOffset };
  Kind kind = Kind::kNone;
  std::string token;            // next_token: path in the document, e.g. "$.next"
  std::string parameter;        // next_token, page, offset
  std::string limit_parameter;  // page, offset: empty: the size is not sent
  int64_t limit = 0;            // page, offset: records a page; a shorter page is the last
  int64_t start = 0;            // page, offset: the first value
  int64_t max = 10'000;         // more pages than this are an error
};

struct Retry {
  int64_t attempts = 5;
  Duration first_delay = std::chrono::seconds(1);
  Duration delay_max = std::chrono::minutes(1);
};

struct HttpConfig {
  std::string url;  // texts may hold ${env:}, ${file:}, ${var:} and {column}
  std::string method = "GET";
  net::HttpHeaders query;
  net::HttpHeaders headers;
  std::string body;
  std::string bearer;
  std::string basic_user, basic_password;
  Sql each;
  Pages pages;
  double rate = 0;  // requests a second; 0: as fast as the answers come
  int64_t concurrency = 1;
  Retry retry;
  net::HttpLimits limits;
  std::string ca_file;  // relative to the project's root
};

// Null when mistakes make it useless.
std::unique_ptr<HttpConfig> read_http_config(codec::YamlReader& reader, const SourceConfig& shared,
                                             Diagnostics& diagnostics);

}  // namespace tarn::source::http
