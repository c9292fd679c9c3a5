#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "codec/sha256.h"
#include "source/files/kind.h"
#include "source/landing.h"

namespace tarn::source::files {
namespace {

using nlohmann::json;

constexpr int64_t kDigestLaterBytes = 16 << 20;

struct Pattern {
  std::string text;
  Place place;
};

struct FileState {
  std::string path;  // absolute
  int64_t bytes = 0;
  int64_t changed_ns = 0;
};

Result<FileState> look(const std::string& path) {
  struct stat about{};
  if (::stat(path.c_str(), &about) != 0) {
    return Error{Code::kNotFound, fmt::format("cannot look at {}: {}", path, std::strerror(errno))};
  }
  if (!S_ISREG(about.st_mode)) {
    return Error{Code::kInvalid, fmt::format("{} is not a plain file", path)};
  }
  return FileState{.path = path,
                   .bytes = about.st_size,
                   .changed_ns = int64_t{about.st_mtim.tv_sec} * 1'000'000'000 + about.st_mtim.tv_nsec};
}

Result<std::vector<std::string>> expand(const Pattern& pattern, const std::string& root) {
  std::string full = pattern.text.starts_with("/") ? pattern.text : root + "/" + pattern.text;
  glob_t found{};
  int outcome = ::glob(full.c_str(), GLOB_BRACE | GLOB_TILDE, nullptr, &found);
  std::vector<std::string> paths(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  if (outcome != 0 && outcome != GLOB_NOMATCH) {
    return Error{Code::kIo,
                 fmt::format("{}: cannot search for '{}'", to_string(pattern.place), pattern.text)};
  }
  bool single = pattern.text.find_first_of("*?[{") == std::string::npos;
  if (paths.empty() && single) {
    return Error{Code::kNotFound,
                 fmt::format("{}: there is no file '{}'; paths are relative to the project's folder",
                             to_string(pattern.place), pattern.text)};
  }
  std::erase_if(paths, [](const std::string& path) {
    struct stat about{};
    return ::stat(path.c_str(), &about) == 0 && S_ISDIR(about.st_mode);
  });
  return paths;
}

// The part of the name after its first dot, when it says how the bytes are packed; else by the format.
std::string ending_of(const std::string& path, const Format& format) {
  static const std::map<FormatKind, std::string> kEndings = {{FormatKind::kJson, "json"},
                                                             {FormatKind::kNdjson, "ndjson"},
                                                             {FormatKind::kCsv, "csv"},
                                                             {FormatKind::kParquet, "parquet"}};
  const std::string& ending = kEndings.at(format.kind);
  bool gzip = format.compression == "gzip" || (format.compression.empty() && path.ends_with(".gz"));
  bool zstd = format.compression == "zstd" ||
              (format.compression.empty() && (path.ends_with(".zst") || path.ends_with(".zstd")));
  return gzip ? ending + ".gz" : zstd ? ending + ".zst" : ending;
}

Status expect_unchanged(const FileState& file) {
  TARN_TRY(auto now, look(file.path));
  if (now.changed_ns != file.changed_ns || now.bytes != file.bytes) {
    return Error{Code::kConflict,
                 fmt::format("{} changed while it was read; run again when its writer is done", file.path)};
  }
  return ok();
}

class FilesFetcher : public Fetcher {
 public:
  explicit FilesFetcher(std::vector<Pattern> patterns) : patterns_(std::move(patterns)) {}
  [[nodiscard]] Result<FetchResult> fetch(FetchContext& context) const override;

 private:
  Result<std::vector<FileState>> find(const FetchContext& context) const;
  static Result<json> stored(FetchContext& context, const std::string& path);
  static Status land(FetchContext& context, const FileState& file, const json& before, FetchResult& result);

  std::vector<Pattern> patterns_;
};

Result<std::vector<FileState>> FilesFetcher::find(const FetchContext& context) const {
  std::vector<FileState> files;
  std::set<std::string> seen;
  for (const auto& pattern : patterns_) {
    TARN_TRY(auto paths, expand(pattern, context.project.root));
    for (const auto& path : paths) {
      if (seen.insert(path).second) {
        TARN_TRY(auto file, look(path));
        files.push_back(std::move(file));
      }
    }
  }
  return files;
}

Result<json> FilesFetcher::stored(FetchContext& context, const std::string& path) {
  if (context.task.full_refresh) {
    return json();
  }
  TARN_TRY(auto text, context.task.sessions.catalog().cursor(context.config.name, "file:" + path));
  return text ? json::parse(*text, nullptr, false) : json();
}

// The checksum of a small file is made first; of a big one while its rows are loaded, unless it may be what
// was loaded before.
Status FilesFetcher::land(FetchContext& context, const FileState& file, const json& before,
                          FetchResult& result) {
  bool known = before.is_object() && context.config.mode == Mode::kAppend;
  bool later =
      file.bytes >= kDigestLaterBytes && !(known && before.value("bytes", int64_t{-1}) == file.bytes);
  FileDigest digest{.sha256 = "", .bytes = file.bytes};
  if (!later) {
    TARN_TRY(digest, digest_file(file.path));
    TARN_TRY(std::string loaded, context.landing.sha256_of(known ? before.value("id", "") : ""));
    if (known && loaded == digest.sha256) {
      result.unchanged += 1;  // touched, but the same bytes
      return ok();
    }
  }
  std::string what = later ? fmt::format("{}\n{}", file.bytes, file.changed_ns) : digest.sha256;
  std::string key = codec::sha256_hex(file.path + "\n" + what).substr(0, 32);
  Landed landed;
  if (auto earlier = context.landing.find(key)) {
    landed = context.landing.landed(*earlier);
  } else {
    FetchRecord record{.request_key = key,
                       .method = "FILE",
                       .url = file.path,
                       .headers = "{}",
                       .sha256 = digest.sha256,
                       .bytes = digest.bytes,
                       .started = context.task.env.clock->now()};
    if (known) {
      record.replaces = before.value("id", "");
    }
    TARN_TRY(landed, context.landing.adopt(file.path, record, ending_of(file.path, context.config.format)));
    TARN_CHECK(expect_unchanged(file));
  }
  if (later) {
    landed.digest = std::make_shared<DigestJob>(landed.path);
  }
  auto& counts = context.task.report->counts;
  counts.requests += 1;
  counts.bytes_in += digest.bytes;
  json state{{"bytes", file.bytes}, {"changed_ns", file.changed_ns}, {"id", landed.id}};
  result.cursors.push_back({context.config.name, "file:" + file.path, state.dump()});
  result.landed.push_back(std::move(landed));
  return ok();
}

Result<FetchResult> FilesFetcher::fetch(FetchContext& context) const {
  FetchResult result;
  std::vector<FileState> read;  // whose bytes are read while the rows are loaded
  TARN_TRY(auto files, find(context));
  std::vector<json> before;
  bool all_same = !files.empty();
  for (const auto& file : files) {
    TARN_TRY(json state, stored(context, file.path));
    bool same = state.is_object() && state.value("bytes", int64_t{-1}) == file.bytes &&
                state.value("changed_ns", int64_t{-1}) == file.changed_ns;
    all_same = all_same && same;
    before.push_back(std::move(state));
  }
  for (size_t i = 0; i < files.size(); ++i) {
    if (context.task.cancel.is_set()) {
      return Error{Code::kCancelled, "cancelled while reading files"};
    }
    const json& state = before[i];
    bool same = state.is_object() && state.value("bytes", int64_t{-1}) == files[i].bytes &&
                state.value("changed_ns", int64_t{-1}) == files[i].changed_ns;
    // A replaced table is made of all files: one that changed brings the others along.
    if (same && (context.config.mode != Mode::kReplace || all_same)) {
      result.unchanged += 1;
      continue;
    }
    TARN_CHECK(land(context, files[i], state, result));
    read.push_back(files[i]);
  }
  result.before_commit = [read = std::move(read)]() -> Status {
    for (const auto& file : read) {
      TARN_CHECK(expect_unchanged(file));
    }
    return ok();
  };
  return result;
}

}  // namespace

void add(Registry& registry) {
  registry.kind("files",
                [](codec::YamlReader& reader, const SourceConfig& shared,
                   Diagnostics&) -> std::shared_ptr<const Fetcher> {
                  std::vector<Pattern> patterns;
                  for (const char* key : {"path", "paths"}) {
                    if (auto texts = reader.texts(key)) {
                      for (auto& text : *texts) {
                        if (text.find('\\') != std::string::npos) {
                          reader.mistake(*reader.child(key), "a path is written with '/', not with '\\'");
                        }
                        patterns.push_back({std::move(text), reader.child(key)->place});
                      }
                    }
                  }
                  if (patterns.empty()) {
                    reader.required_text("path");
                    return nullptr;
                  }
                  if (shared.since) {
                    reader.mistake(*reader.child("since"),
                                   "since is for kind http: files know by themselves what is new");
                  }
                  return std::make_shared<FilesFetcher>(std::move(patterns));
                });
}

}  // namespace tarn::source::files
