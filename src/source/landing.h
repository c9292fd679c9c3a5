// Keeps what was fetched before anybody looks into it: raw/<source>/<run>/<number>.<ending> in the data
// folder, synced, then a row of `fetches` in control.sqlite. A row with a path means: the bytes are whole and
// durable. One Landing serves one attempt of one run; its methods may be called by several fetching threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/env/env.h"
#include "base/result.h"
#include "source/kind.h"
#include "store/store.h"

namespace tarn::source {

// One row of `fetches`.
struct FetchRecord {
  std::string source;
  std::string run;
  int64_t number = 0;
  std::string request_key;
  std::string each_json;
  std::string method;
  std::string url;      // secrets as references, never their values; or the path of a file
  int64_t status = 0;   // HTTP; 0: no answer, or not HTTP
  std::string headers;  // JSON object of the answer's headers
  std::string sha256;   // empty: the process ended before it was made
  int64_t bytes = 0;
  std::string encoding;  // content-encoding of the kept bytes
  std::string path;      // relative to the data folder; empty: nothing was kept
  std::string error;     // why nothing was kept
  std::string replaces;
  Timestamp started;
  Timestamp finished;
  [[nodiscard]] std::string id() const { return run + "/" + std::to_string(number); }
};

class FetchRecords {
 public:
  static Result<std::unique_ptr<FetchRecords>> open(store::Store& store);
  Status add(const FetchRecord& record);
  Status set_sha256(const Landed& landed, const std::string& source, const std::string& run,
                    const std::string& sha256);
  // Of one run, in order of number.
  Result<std::vector<FetchRecord>> of_run(const std::string& source, const std::string& run);
  // Of all runs, newest first; `sink` answers false to stop.
  Status scan(const std::function<bool(const FetchRecord&)>& sink);

 private:
  explicit FetchRecords(store::Store& store) : store_(store) {}
  store::Store& store_;
};

// A raw file being written. Destroyed without finish(): nothing of it stays.
class RawFile {
 public:
  ~RawFile();
  RawFile(const RawFile&) = delete;
  RawFile& operator=(const RawFile&) = delete;
  Status append(std::string_view bytes);

 private:
  friend class Landing;
  struct Digest;
  RawFile(FileSystem& files, std::string part_path);
  FileSystem& files_;
  std::string part_path_;
  std::unique_ptr<WritableFile> file_;
  std::unique_ptr<Digest> digest_;
  int64_t bytes_ = 0;
};

struct LandingOptions {
  std::string data_folder;
  std::string source;
  std::string run;
};

class Landing {
 public:
  // Makes the folder, and remembers what an earlier attempt of this run landed.
  static Result<std::unique_ptr<Landing>> open(Env& env, FetchRecords& records, LandingOptions options);

  // What an earlier attempt landed for the same request; its bytes need not be fetched again.
  std::optional<FetchRecord> find(const std::string& request_key);
  [[nodiscard]] Landed landed(const FetchRecord& record) const;

  Result<std::unique_ptr<RawFile>> start();
  // Syncs the bytes, gives them the name <number>.<ending>, and records them. Fills number, run, path, ...
  Result<Landed> finish(RawFile& raw, FetchRecord record, const std::string& ending);
  // Keeps an existing file under a second name (reflink, hard link or copy) and records it.
  Result<Landed> adopt(const std::string& path, FetchRecord record, const std::string& ending);
  // An answer of which nothing is kept.
  Status refused(FetchRecord record);

  // Waits for the checksums that are still being made, and records them.
  Status record_digests(const std::vector<Landed>& landed);
  // Of the fetch with this id, in whatever run; "" when there is none.
  Result<std::string> sha256_of(const std::string& id);

  [[nodiscard]] const LandingOptions& options() const { return options_; }

 private:
  Landing(Env& env, FetchRecords& records, LandingOptions options);
  Result<Landed> record_landed(FetchRecord record, const std::string& path);

  Env& env_;
  FetchRecords& records_;
  const LandingOptions options_;
  const std::string folder_;
  std::mutex mutex_;  // guards the two below
  int64_t last_number_ = 0;
  std::map<std::string, FetchRecord> earlier_;  // by request key
  std::atomic<int64_t> parts_{0};
};

// SHA-256 in hex, and the size, of a file.
struct FileDigest {
  std::string sha256;
  int64_t bytes = 0;
};
// `stop` ends it early with kCancelled.
Result<FileDigest> digest_file(const std::string& path, const std::atomic<bool>* stop = nullptr);

// digest_file on a thread of its own. Destroyed early, it stops.
class DigestJob {
 public:
  explicit DigestJob(std::string path)
      : thread_([this, path = std::move(path)] { digest_ = digest_file(path, &stop_); }) {}
  DigestJob(const DigestJob&) = delete;
  DigestJob& operator=(const DigestJob&) = delete;
  ~DigestJob() {
    stop_ = true;
    if (thread_.joinable()) {
      thread_.join();
    }
  }
  // One thread at a time.
  const Result<FileDigest>& wait() {
    if (thread_.joinable()) {
      thread_.join();
    }
    return digest_;
  }

 private:
  std::atomic<bool> stop_{false};
  Result<FileDigest> digest_ = FileDigest{};
  std::thread thread_;  // last: it uses all above
};

}  // namespace tarn::source
