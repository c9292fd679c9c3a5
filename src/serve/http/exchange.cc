#include "serve/http/exchange.h"

#include <fmt/format.h>

#include "codec/json_depth.h"

namespace tarn::serve {

void answer(net::HttpServerResponse& response, int status, const Json& body) {
  response.answer(status, "application/json", dump(body) + "\n");
}

void answer(net::HttpServerResponse& response, const Error& error) {
  answer(response, http_status_of(error.code), to_json(error));
}

Result<Json> body_of(const net::HttpServerRequest& request) {
  if (request.body.empty())
    return Json::object();
  if (codec::json_depth(request.body) > codec::kJsonDepthMax)
    return Error{Code::kInvalid, fmt::format("the body is nested more than {} deep", codec::kJsonDepthMax)};
  auto body = Json::parse(request.body, nullptr, false);
  if (!body.is_object())
    return Error{Code::kInvalid, "the body must be a JSON object"};
  return body;
}

Status write_pieces(FileReader& file, net::HttpServerResponse& response) {
  while (true) {
    auto piece = file.next();
    if (!piece) {
      response.break_off();
      return piece.error();
    }
    if (piece->empty())
      return ok();
    TARN_CHECK(response.write(*piece));
  }
}

}  // namespace tarn::serve
