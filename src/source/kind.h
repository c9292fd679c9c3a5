// A source kind is one folder plus one line in list.txt; its kind.h declares `void add(Registry&)`.
// A kind reads its own keys and fetches: everything it fetches goes through the Landing, so that the bytes
// are kept and recorded before anybody looks into them. Parsing and loading are the same for all kinds.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "base/env/env.h"
#include "base/result.h"
#include "codec/yaml.h"
#include "engine/lake_catalog.h"
#include "flow/task.h"
#include "project/project.h"
#include "source/config.h"

namespace tarn::source {

class DigestJob;
class Landing;

// One landed answer or file, whole and synced.
struct Landed {
  int64_t number = 0;       // within the run, from 1
  std::string id;           // "<run>/<number>": what _tarn_fetch holds
  std::string path;         // absolute
  std::string each_json;    // the row of `each` it was asked for, as a JSON object; "" without each
  std::string request_key;  // the same for the same request in any run
  std::string replaces;     // id of an earlier fetch whose rows this one stands for (a changed file); or ""
  // The checksum of a big file is made while its rows are loaded; null: it is recorded already.
  std::shared_ptr<DigestJob> digest;
};

struct FetchResult {
  std::vector<Landed> landed;  // in order of number
  int64_t unchanged = 0;       // requests that answered "not modified", files that were loaded before
  std::vector<engine::CursorChange> cursors;  // committed with the rows
  std::function<Status()> before_commit;      // what is to hold still when the rows are in; may be empty
};

struct FetchContext {
  flow::TaskContext& task;
  const SourceConfig& config;
  Landing& landing;
  const project::Project& project;
};

// The part of a source that its kind read. Immutable; fetch() may run on several threads for different runs.
class Fetcher {
 public:
  virtual ~Fetcher() = default;
  // Lands everything new. An error means that not every request succeeded: nothing is loaded then.
  [[nodiscard]] virtual Result<FetchResult> fetch(FetchContext& context) const = 0;
  // A person's SELECT that it runs (`each:`), for edges and checks; empty text: none.
  [[nodiscard]] virtual Sql query() const { return {}; }
};

// Reads the kind's own keys with `reader` (finish() is called later) and may look at `config`, which is
// complete but for the fetcher. Null when mistakes make it useless.
using ReadFetcher = std::function<std::shared_ptr<const Fetcher>(
    codec::YamlReader& reader, const SourceConfig& config, Diagnostics& diagnostics)>;

class Registry {
 public:
  void kind(std::string name, ReadFetcher read) { kinds_[std::move(name)] = std::move(read); }
  [[nodiscard]] const ReadFetcher* find(const std::string& name) const;
  [[nodiscard]] std::vector<std::string> names() const;

 private:
  std::map<std::string, ReadFetcher> kinds_;
};

// Generated from list.txt.
void add_all(Registry& registry);

}  // namespace tarn::source
