// What each part of the API does with a request and its answer: JSON in, JSON out, a file in pieces.
#pragma once

#include <string>

#include "base/env/file_reader.h"
#include "base/result.h"
#include "net/http_server.h"
#include "serve/http/json.h"

namespace tarn::serve {

void answer(net::HttpServerResponse& response, int status, const Json& body);
void answer(net::HttpServerResponse& response, const Error& error);

// An object; {} of an empty body. kInvalid for anything else, and for what is nested too deep: what is read
// is written again, which recurses.
Result<Json> body_of(const net::HttpServerRequest& request);

// After `response` has begun: the file's bytes. The answer is broken off when they cannot be read.
Status write_pieces(FileReader& file, net::HttpServerResponse& response);

}  // namespace tarn::serve
