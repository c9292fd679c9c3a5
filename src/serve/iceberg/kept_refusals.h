// Refusals of requests that carried an Idempotency-Key: a repetition gets the same answer, whatever has
// changed since. (What was done for a key is kept by the catalog, with the commit itself.)
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/env/env.h"
#include "base/result.h"
#include "serve/iceberg/answer.h"
#include "store/store.h"

namespace tarn::serve::rest {

// Thread-safe.
class KeptRefusals {
 public:
  static Result<std::unique_ptr<KeptRefusals>> open(Env& env, store::Store& store);

  // kInvalid: the key was used for another request.
  Result<std::optional<Answer>> find(const std::string& key, const std::string& body_hash);
  Status keep(const std::string& key, const std::string& body_hash, const Answer& answer);

 private:
  KeptRefusals(Env& env, store::Store& store) : env_(env), store_(store) {}

  Env& env_;
  store::Store& store_;
};

}  // namespace tarn::serve::rest
