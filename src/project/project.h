// A project: the folder of text files in git. This reads tarn.yml and resolves secret references.
// tarn.yml: name, data (folder, default ".tarn"), vars, memory, threads, time_zone, http (host, port, url),
// allow_private_addresses (default false: fetchers may not reach loopback and private networks),
// runs_at_once, schedules, mail, alerts, retention, iceberg (locations, check_files), attach.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "base/env/file_system.h"
#include "base/result.h"
#include "codec/yaml.h"
#include "project/attach.h"

namespace tarn::project {

struct Project {
  std::string root;  // absolute
  std::string name;
  std::string data_folder;                     // absolute
  std::map<std::string, std::string> vars;     // YAML scalars as text; command-line --vars win
  uint64_t memory_limit_bytes = 0;             // 0: half of the machine's
  std::optional<uint64_t> disk_reserve_bytes;  // kept free; nothing: 2 % of the disk, at least 500 MB
  int threads = 0;                             // 0: all cores
  std::string time_zone = "UTC";
  std::string http_host = "127.0.0.1";
  int http_port = 7070;
  std::string http_url;  // where people open it, for links in messages; without a slash at the end
  bool allow_private_addresses = false;
  std::vector<std::string> iceberg_folders;  // absolute: where tables of other engines may lie, too
  bool iceberg_checks_files = true;          // data files that other engines name are looked at
  std::vector<Attachment> attachments;       // databases of others
  codec::YamlNode mail;                      // as written; report/mail/settings.h reads it
  codec::YamlNode alerts;                    // as written; alert/config.h reads it
  codec::YamlNode retention;                 // as written; retention/config.h reads it
  int runs_at_once = 4;                      // of a server, side by side
  codec::YamlNode schedules;                 // as written; flow/schedule.h reads it
};

// Mistakes go to `diagnostics`; the error is for what stops everything (no tarn.yml, unreadable).
Result<Project> load_project(FileSystem& files, const std::string& root, Diagnostics& diagnostics);

// "2GB", "512 MB", "1.5GiB"; a bare number is bytes. K, M, G and T are powers of 1024 with "i", else of 1000.
std::optional<uint64_t> parse_bytes(std::string_view text);

// Files below `root`/`folder` whose name ends so, sorted, relative to the root.
Result<std::vector<std::string>> find_files(FileSystem& files, const std::string& root,
                                            const std::string& folder, const std::string& ending);

// Another text when a YAML or SQL file of the project was written, made or removed. Looks at names, times and
// sizes only.
std::string text_stamp(const Project& project);

// Replaces ${env:NAME} and ${file:path} (relative to the root). kInvalid names the reference, never its
// value.
Result<std::string> resolve_secrets(FileSystem& files, const std::string& root, std::string_view text);
bool has_secret(std::string_view text);

}  // namespace tarn::project
