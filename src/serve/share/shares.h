// Links that show one board to whoever has them, until they end. Kept in control.sqlite, with the hash of
// the secret only: who reads the file cannot use a link.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/env/env.h"
#include "base/result.h"
#include "report/parameters.h"
#include "store/store.h"

namespace tarn::serve {

struct Share {
  std::string id;
  std::string board;
  report::Given filters;      // as they were when it was made
  bool may_filter = false;    // who has it may choose others
  bool may_see_rows = false;  // and see the rows behind a number
  Timestamp created_at, expires_at;
  std::optional<Timestamp> used_at;
  int64_t uses = 0;  // pages opened
};

struct NewShare {
  Share share;
  std::string secret;  // told once, kept nowhere
};

// Thread-safe.
class Shares {
 public:
  static Result<std::unique_ptr<Shares>> open(Env& env, store::Store& store);

  // `wanted` says what it shows and when it ends.
  Result<NewShare> make(Share wanted);
  std::vector<Share> live();             // newest first
  Status revoke(const std::string& id);  // kNotFound: it is not live
  // The live share of a secret. kNotFound for any other; kExhausted: asked too often, by one share or with
  // secrets that are none.
  Result<Share> admit(std::string_view secret);
  // A page was opened.
  void note_use(const std::string& id);

 private:
  // So many at once, one more each second.
  struct Bucket {
    double left = 0;
    std::optional<Duration> at;  // steady
    bool take(Duration now, double most);
  };
  struct Entry {
    Share share;
    Bucket asks;
  };
  Shares(Env& env, store::Store& store) : env_(env), store_(store) {}
  Status load();
  void drop_ended(Timestamp now);  // under mutex_

  Env& env_;
  store::Store& store_;
  std::mutex mutex_;  // guards all below; never held while the store writes
  std::map<std::string, Entry> by_hash_;
  Bucket strangers_;
};

}  // namespace tarn::serve
