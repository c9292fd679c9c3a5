#include "project/project.h"

#include <sys/stat.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>

#include "base/time_zone.h"

namespace tarn::project {
namespace {

constexpr int kFoldersDeepMax = 32;
constexpr double kBytesMax = 1e18;

void read_vars(const codec::YamlNode& node, Project& project, Diagnostics& diagnostics) {
  if (node.kind != codec::YamlNode::Kind::kMap) {
    diagnostics.push_back(
        {node.place, "vars must be a map of names to values, e.g. 'vars: {city: Utrecht}'"});
    return;
  }
  for (const auto& entry : node.entries) {
    if (entry.value.kind == codec::YamlNode::Kind::kMap ||
        entry.value.kind == codec::YamlNode::Kind::kSequence) {
      diagnostics.push_back({entry.value.place, fmt::format("var '{}' must be a single value", entry.key)});
      continue;
    }
    project.vars[entry.key] = entry.value.text;
  }
}

void read_http(const codec::YamlNode& node, Project& project, Diagnostics& diagnostics) {
  if (node.kind != codec::YamlNode::Kind::kMap) {
    diagnostics.push_back({node.place, "http must be a map with 'host' and 'port'"});
    return;
  }
  codec::YamlReader reader(node, "http", diagnostics);
  project.http_host = reader.text("host", project.http_host);
  if (const auto port = reader.integer("port")) {
    if (*port < 0 || *port > 65535) {
      reader.mistake(*node.find("port"), fmt::format("port {} is not between 0 and 65535", *port));
    } else {
      project.http_port = static_cast<int>(*port);
    }
  }
  project.http_url = reader.text("url");
  while (project.http_url.ends_with('/'))
    project.http_url.pop_back();
  const auto& url = project.http_url;
  if (!url.empty() && !url.starts_with("http://") && !url.starts_with("https://"))
    reader.mistake(*node.find("url"), "url is where people open the web UI, e.g. https://tarn.example.org");
  reader.finish();
}

// What other engines may do through /iceberg.
void read_iceberg(const codec::YamlNode& node, Project& project, Diagnostics& diagnostics) {
  if (node.kind != codec::YamlNode::Kind::kMap) {
    diagnostics.push_back({node.place, "iceberg must be a map with 'locations' and 'check_files'"});
    return;
  }
  codec::YamlReader reader(node, "iceberg", diagnostics);
  for (const auto& text : reader.texts("locations").value_or(std::vector<std::string>())) {
    const auto folder = (std::filesystem::path(project.root) / text).lexically_normal().string();
    if (folder == "/" || text.find("://") != std::string::npos) {
      reader.mistake(*node.find("locations"),
                     fmt::format("location '{}' is not a folder below which tables may lie", text));
    }
    project.iceberg_folders.push_back(folder.ends_with('/') ? folder.substr(0, folder.size() - 1) : folder);
  }
  project.iceberg_checks_files = reader.boolean("check_files", true);
  reader.finish();
}

void read_settings(const codec::YamlNode& node, Project& project, Diagnostics& diagnostics) {
  codec::YamlReader reader(node, "tarn.yml", diagnostics);
  project.name = reader.required_text("name");
  const auto data = reader.text("data", ".tarn");
  const auto folder = std::filesystem::path(project.root) / data;
  project.data_folder = folder.lexically_normal().string();
  if (const auto* vars = reader.child("vars"))
    read_vars(*vars, project, diagnostics);
  if (const auto memory = reader.text("memory"); !memory.empty()) {
    const auto bytes = parse_bytes(memory);
    if (!bytes || *bytes < 64'000'000) {
      reader.mistake(*node.find("memory"),
                     fmt::format("memory '{}' is not a size of at least 64MB; write e.g. 2GB", memory));
    } else {
      project.memory_limit_bytes = *bytes;
    }
  }
  if (const auto reserve = reader.text("disk_reserve"); !reserve.empty()) {
    project.disk_reserve_bytes = parse_bytes(reserve);
    if (!project.disk_reserve_bytes) {
      reader.mistake(
          *node.find("disk_reserve"),
          fmt::format("disk_reserve '{}' is not a size; write e.g. 2GB, or 0 to keep nothing", reserve));
    }
  }
  if (const auto threads = reader.integer("threads")) {
    if (*threads < 1 || *threads > 1024) {
      reader.mistake(*node.find("threads"), fmt::format("threads {} is not between 1 and 1024", *threads));
    } else {
      project.threads = static_cast<int>(*threads);
    }
  }
  project.time_zone = reader.text("time_zone", "UTC");
  if (const auto zone = TimeZone::find(project.time_zone); !zone)
    reader.mistake(*node.find("time_zone"), zone.error().message);
  if (const auto runs = reader.integer("runs_at_once")) {
    if (*runs < 1 || *runs > 64) {
      reader.mistake(*node.find("runs_at_once"),
                     fmt::format("runs_at_once {} is not between 1 and 64", *runs));
    } else {
      project.runs_at_once = static_cast<int>(*runs);
    }
  }
  if (const auto* schedules = reader.child("schedules"))
    project.schedules = *schedules;
  if (const auto* http = reader.child("http"))
    read_http(*http, project, diagnostics);
  if (const auto* iceberg = reader.child("iceberg"))
    read_iceberg(*iceberg, project, diagnostics);
  if (const auto* attach = reader.child("attach"))
    project.attachments = read_attachments(*attach, project.root, diagnostics);
  if (const auto* mail = reader.child("mail"))
    project.mail = *mail;
  if (const auto* retention = reader.child("retention"))
    project.retention = *retention;
  if (const auto* alerts = reader.child("alerts"))
    project.alerts = *alerts;
  project.allow_private_addresses = reader.boolean("allow_private_addresses", false);
  reader.finish();
}

bool ends_with(std::string_view text, std::string_view ending) {
  return text.size() >= ending.size() && text.substr(text.size() - ending.size()) == ending;
}

bool is_folder(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

Status collect(FileSystem& files, const std::string& root, const std::string& folder,
               const std::string& ending, int depth, std::vector<std::string>& found) {
  if (depth > kFoldersDeepMax) {
    return Error{Code::kInvalid,
                 fmt::format("{}: folders are nested more than {} deep", folder, kFoldersDeepMax)};
  }
  TARN_TRY(const auto names, files.list(root + "/" + folder));
  for (const auto& name : names) {
    if (name.starts_with("."))
      continue;
    const auto path = folder.empty() ? name : folder + "/" + name;
    if (is_folder(root + "/" + path)) {
      TARN_CHECK(collect(files, root, path, ending, depth + 1, found));
    } else if (ends_with(name, ending)) {
      found.push_back(path);
    }
  }
  return ok();
}

Result<std::string> resolve_one(FileSystem& files, const std::string& root, std::string_view reference) {
  if (reference.starts_with("env:")) {
    const std::string name(reference.substr(4));
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) {
      return Error{Code::kInvalid,
                   fmt::format("${{env:{}}}: the environment has no variable {}; set it before Tarn starts",
                               name, name)};
    }
    return std::string(value);
  }
  const std::string file(reference.substr(5));
  const auto path = (std::filesystem::path(root) / file).lexically_normal().string();
  auto bytes = files.read(path);
  if (!bytes) {
    return Error{Code::kInvalid,
                 fmt::format("${{file:{}}}: this file cannot be read; create it (mode 0600)", file)};
  }
  while (!bytes->empty() && (bytes->back() == '\n' || bytes->back() == '\r'))
    bytes->pop_back();
  return std::move(*bytes);
}

bool starts_secret(std::string_view text) {
  return text.starts_with("${env:") || text.starts_with("${file:");
}

}  // namespace

std::optional<uint64_t> parse_bytes(std::string_view text) {
  double amount = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, amount);
  if (error != std::errc() || amount < 0)
    return std::nullopt;
  std::string unit(rest, end);
  unit.erase(0, unit.find_first_not_of(' ') == std::string::npos ? unit.size() : unit.find_first_not_of(' '));
  static const std::map<std::string, double> kUnits = {
      {"", 1},      {"B", 1},      {"KB", 1e3},        {"MB", 1e6},           {"GB", 1e9},
      {"TB", 1e12}, {"KiB", 1024}, {"MiB", 1048576.0}, {"GiB", 1073741824.0}, {"TiB", 1099511627776.0}};
  const auto found = kUnits.find(unit);
  // Also no "nan" and no "inf", which are numbers to from_chars.
  if (found == kUnits.end() || !(amount * found->second <= kBytesMax))
    return std::nullopt;
  return static_cast<uint64_t>(amount * found->second);
}

Result<Project> load_project(FileSystem& files, const std::string& root, Diagnostics& diagnostics) {
  Project project;
  project.root = root;
  project.data_folder = root + "/.tarn";
  const auto path = root + "/tarn.yml";
  TARN_TRY(const bool exists, files.exists(path));
  if (!exists) {
    return Error{
        Code::kInvalid,
        fmt::format("{} has no tarn.yml: go to a project's folder, name it with --project DIR, or make one "
                    "with 'tarn init NAME'",
                    root)};
  }
  TARN_TRY(const auto text, files.read(path));
  auto node = codec::parse_yaml(text, "tarn.yml");
  if (!node)
    return node.error();
  if (node->kind != codec::YamlNode::Kind::kMap) {
    return Error{Code::kInvalid,
                 "tarn.yml:1:1: must be a map that starts with 'name: <name of the project>'"};
  }
  read_settings(*node, project, diagnostics);
  return project;
}

Result<std::vector<std::string>> find_files(FileSystem& files, const std::string& root,
                                            const std::string& folder, const std::string& ending) {
  std::vector<std::string> found;
  TARN_TRY(const bool exists, files.exists(root + "/" + folder));
  if (!exists)
    return found;
  TARN_CHECK(collect(files, root, folder, ending, 0, found));
  std::sort(found.begin(), found.end());
  return found;
}

// What cannot be looked at counts as not there: reading it tells what is wrong.
std::string text_stamp(const Project& project) {
  namespace fs = std::filesystem;
  std::error_code error;
  uint64_t sum = 0, count = 0;  // a folder is listed in any order
  const auto add = [&](const fs::directory_entry& entry) {
    std::error_code gone;
    const auto time = entry.last_write_time(gone);
    const auto size = entry.file_size(gone);
    uint64_t hash = std::hash<std::string>()(entry.path().string());
    for (const uint64_t value : {static_cast<uint64_t>(time.time_since_epoch().count()), uint64_t{size}})
      hash = (hash ^ value) * 1099511628211ULL;  // as FNV does
    sum += hash;
    ++count;
  };
  fs::recursive_directory_iterator at(project.root, error), end;
  for (; !error && at != end; at.increment(error)) {
    const auto name = at->path().filename().string();
    std::error_code gone;
    if (name.starts_with(".") || at->path().string() == project.data_folder) {
      if (at->is_directory(gone))
        at.disable_recursion_pending();
      continue;
    }
    const auto ending = at->path().extension().string();
    if ((ending == ".yml" || ending == ".yaml" || ending == ".sql") && at->is_regular_file(gone))
      add(*at);
    if (ending == ".csv")  // its name may be a task's
      sum += std::hash<std::string>()(at->path().string());
  }
  return fmt::format("{}-{:x}", count, sum);
}

bool has_secret(std::string_view text) {
  return text.find("${env:") != std::string_view::npos || text.find("${file:") != std::string_view::npos;
}

Result<std::string> resolve_secrets(FileSystem& files, const std::string& root, std::string_view text) {
  std::string resolved;
  while (!text.empty()) {
    const auto start = text.find("${");
    resolved += text.substr(0, start);
    if (start == std::string_view::npos)
      break;
    text.remove_prefix(start);
    if (!starts_secret(text)) {
      resolved += text.substr(0, 2);
      text.remove_prefix(2);
      continue;
    }
    const auto end = text.find('}');
    if (end == std::string_view::npos) {
      return Error{Code::kInvalid, "a reference that starts with '${' has no closing '}'"};
    }
    TARN_TRY(const auto value, resolve_one(files, root, text.substr(2, end - 2)));
    resolved += value;
    text.remove_prefix(end + 1);
  }
  return resolved;
}

}  // namespace tarn::project
