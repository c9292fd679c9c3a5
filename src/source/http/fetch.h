// Runs all requests of one source: each row, all pages, politely, in a bounded number of threads; lands every
// answer. Requests that an earlier attempt of the same run has landed are not sent again.
#pragma once

#include <memory>

#include "source/http/config.h"
#include "source/kind.h"

namespace tarn::source::http {

class HttpFetcher : public Fetcher {
 public:
  explicit HttpFetcher(std::unique_ptr<const HttpConfig> config) : config_(std::move(config)) {}
  [[nodiscard]] Result<FetchResult> fetch(FetchContext& context) const override;
  [[nodiscard]] Sql query() const override { return config_->each; }

 private:
  std::unique_ptr<const HttpConfig> config_;
};

}  // namespace tarn::source::http
