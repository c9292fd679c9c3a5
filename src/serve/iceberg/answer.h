// One answer of the catalog's protocol, and its errors: Tarn's codes as the exceptions that clients raise.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http_server.h"
#include "serve/http/json.h"

namespace tarn::serve::rest {

struct Answer {
  int status = 200;
  std::string body;  // JSON, or empty
  net::HttpHeaders headers;
};

// What a request was about: a client tells by it which exception to raise.
enum class Subject { kCatalog, kNamespace, kTable, kView };

Answer answer_json(const Json& json, int status = 200);
Answer answer_empty(int status = 204);
// {"error": {"message": ..., "type": ..., "code": ...}}
Answer answer_error(int status, std::string_view type, std::string_view message);
Answer answer_error(const Error& error, Subject subject);

// Whether a repetition of the request would be answered the same, so that the answer may be kept.
bool is_final(int status);

}  // namespace tarn::serve::rest
