// Removes files of the lake that nothing names any more: those of commits that failed or were killed, and of
// versions that have expired (history.h). A file is removed only when all of this holds:
//   - it lies in the folder `data` or `metadata` of a table, and is called as such files are;
//   - it is older than `guard`, which is longer than any write takes;
//   - no transaction of this process that is not over has written it;
//   - no version of a table or view names it, directly or through manifests, nor did one that expired less
//   than
//     `guard` ago, and the table does not forbid it (gc.enabled).
// Files are compared by what they are, not by how their paths are spelled. When a document or a manifest
// cannot be read, nothing is removed. May be killed at any moment, and repeated.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "base/env/env.h"
#include "base/result.h"
#include "catalog/file_id.h"
#include "store/store.h"

namespace tarn::catalog {

struct SweepRequest {
  Duration guard{0};
  std::set<std::string> open_files;  // paths that transactions which are not over have written
  bool dry_run = false;
  std::function<bool()> cancelled;  // may be empty
};

struct Sweep {
  int64_t files = 0;
  int64_t bytes = 0;
  std::vector<std::string> paths;  // absolute, sorted; the first kSweepPathsMax
};
inline constexpr size_t kSweepPathsMax = 1'000;

struct OldFile {
  std::string path;
  FileId id;
  int64_t bytes = 0;
};

// Files below `lake` that are old enough, by their names. To be called before sweep_files, so that a file
// which is named in between is seen to be.
Result<std::vector<OldFile>> old_files(Env& env, const std::string& lake, const SweepRequest& request);

// Removes those of `files` that are not needed.
Result<Sweep> sweep_files(Env& env, store::Store& store, std::vector<OldFile> files,
                          const SweepRequest& request);

}  // namespace tarn::catalog
