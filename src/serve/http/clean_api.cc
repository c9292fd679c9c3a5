#include "serve/http/clean_api.h"

#include "serve/http/exchange.h"
#include "serve/http/json.h"

namespace tarn::serve {

bool CleanApi::handle(const net::HttpServerRequest& request, net::HttpServerResponse& response) {
  if (request.method != "POST" || request.path != "/api/v1/clean")
    return false;
  clean(request, response);
  return true;
}

void CleanApi::clean(const net::HttpServerRequest& request, net::HttpServerResponse& response) {
  const auto body = body_of(request);
  if (!body)
    return answer(response, body.error());
  flow::CancelFlag cancel;
  response.on_gone([&cancel] { cancel.set(); });
  const auto done = backend_.clean(truth_of(*body, "dry_run"), cancel);
  response.on_gone({});
  done ? answer(response, 200, to_json(*done)) : answer(response, done.error());
}

}  // namespace tarn::serve
