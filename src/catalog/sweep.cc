#include "catalog/sweep.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include <fmt/format.h>

#include "catalog/reach.h"

namespace tarn::catalog {
namespace {

namespace fs = std::filesystem;

// As Tarn and other engines call them.
constexpr std::array<std::string_view, 6> kEndings = {".parquet",          ".avro",   ".metadata.json",
                                                      ".metadata.json.gz", ".puffin", ".stats"};

bool is_named_so(const std::string& name) {
  return std::any_of(kEndings.begin(), kEndings.end(), [&](auto ending) { return name.ends_with(ending); });
}

// <schema>/<table>/data/… or <schema>/<table>/metadata/…
bool lies_in_a_table(const fs::path& inside) {
  constexpr int kTableDepth = 2;
  auto part = inside.begin();
  for (int depth = 0; depth < kTableDepth && part != inside.end(); ++depth)
    ++part;
  return part != inside.end() && (*part == "data" || *part == "metadata") && std::next(part) != inside.end();
}

Timestamp time_of(const struct stat& file) {
  return Timestamp(std::chrono::seconds(file.st_mtim.tv_sec) +
                   std::chrono::microseconds(file.st_mtim.tv_nsec / 1000));
}

// Of each folder on the way to the file: is it one of a table that keeps all its files?
bool is_kept(const FileIds& kept_folders, fs::path path) {
  if (kept_folders.empty())
    return false;
  while (path.has_relative_path()) {
    path = path.parent_path();
    const auto folder = file_id_of(path.string());
    if (folder && kept_folders.contains(*folder))
      return true;
  }
  return false;
}

}  // namespace

Result<std::vector<OldFile>> old_files(Env& env, const std::string& lake, const SweepRequest& request) {
  const auto before = env.clock->now() - request.guard;
  FileIds open;
  for (const auto& path : request.open_files) {
    if (const auto id = file_id_of(path))
      open.insert(*id);
  }
  std::vector<OldFile> files;
  std::error_code error;
  fs::recursive_directory_iterator at(lake, error), end;
  for (; !error && at != end; at.increment(error)) {
    const auto path = at->path().string();
    struct stat found{};
    if (::lstat(path.c_str(), &found) != 0 || !S_ISREG(found.st_mode) || time_of(found) >= before)
      continue;
    if (is_named_so(path) && lies_in_a_table(at->path().lexically_relative(lake)) &&
        !open.contains({found.st_dev, found.st_ino}))
      files.push_back({path, {found.st_dev, found.st_ino}, found.st_size});
  }
  if (error)
    return Error{Code::kIo, fmt::format("cannot look through {}: {}", lake, error.message())};
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

Result<Sweep> sweep_files(Env& env, store::Store& store, std::vector<OldFile> files,
                          const SweepRequest& request) {
  Sweep sweep;
  if (files.empty())
    return sweep;
  auto reach = find_reach(env, store, env.clock->now() - request.guard, request.cancelled);
  if (!reach)
    return reach.error().at("unused files of the lake were left where they are");
  for (const auto& file : files) {
    if (reach->files.contains(file.id) || is_kept(reach->kept_folders, file.path))
      continue;
    if (!request.dry_run) {
      if (request.cancelled && request.cancelled())
        return Error{Code::kCancelled, "the removal of unused files was cancelled; what is gone is gone"};
      TARN_CHECK(env.files->remove(file.path));
    }
    ++sweep.files;
    sweep.bytes += file.bytes;
    if (sweep.paths.size() < kSweepPathsMax)
      sweep.paths.push_back(file.path);
  }
  return sweep;
}

}  // namespace tarn::catalog
