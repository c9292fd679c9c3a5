// Bearer tokens of the OAuth2 token endpoint: made from the server's own access token, good for an hour and
// for the catalog only. Nothing is kept: a token is its expiry, signed, so it outlives a restart and ends
// when the access token is changed.
#pragma once

#include <string>
#include <string_view>

#include "base/env/env.h"
#include "net/http_server.h"
#include "serve/iceberg/answer.h"

namespace tarn::serve::rest {

// Thread-safe.
class Tokens {
 public:
  Tokens(Env& env, std::string access_token) : env_(env), access_token_(std::move(access_token)) {}

  // POST /v1/oauth/tokens: grants client_credentials, with the access token as the client's secret, and token
  // exchange, which renews a token that is still good.
  [[nodiscard]] Answer answer(const net::HttpServerRequest& request) const;
  [[nodiscard]] bool knows(std::string_view token) const;

 private:
  [[nodiscard]] std::string issue(Timestamp expires_at) const;
  [[nodiscard]] bool is_secret(std::string_view secret) const;

  Env& env_;
  const std::string access_token_;
};

}  // namespace tarn::serve::rest
