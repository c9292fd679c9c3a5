#include "project/attach.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "project/project.h"

namespace tarn::project {
namespace {

using codec::YamlNode;
using codec::YamlReader;

constexpr size_t kNameBytesMax = 63;
constexpr size_t kAttachmentsMax = 64;
constexpr size_t kTablesMax = 10'000;

// Databases and schemas that mean something else in SQL.
bool is_taken(const std::string& name) {
  static const std::set<std::string, std::less<>> kTaken = {
      "lake",       "system", "temp", "memory", "main", "public", "information_schema",
      "pg_catalog", "_tarn",  "tarn", "default"};
  return kTaken.contains(name);
}

bool is_name(std::string_view name) {
  const auto fits = [](unsigned char c) { return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '_'; };
  return !name.empty() && name.size() <= kNameBytesMax &&
         std::isdigit(static_cast<unsigned char>(name[0])) == 0 &&
         std::all_of(name.begin(), name.end(), fits);
}

bool is_url(std::string_view text) {
  return text.find("://") != std::string_view::npos;
}

bool starts_with_any(std::string_view text, std::initializer_list<std::string_view> starts) {
  return std::any_of(starts.begin(), starts.end(), [&](auto start) { return text.starts_with(start); });
}

// By the ending, before a compression's.
std::string format_of(std::string_view location) {
  for (const std::string_view packed : {".gz", ".zst"}) {
    if (location.ends_with(packed))
      location.remove_suffix(packed.size());
  }
  if (location.ends_with(".parquet"))
    return "parquet";
  if (location.ends_with(".csv") || location.ends_with(".tsv") || location.ends_with(".txt"))
    return "csv";
  if (location.ends_with(".json") || location.ends_with(".ndjson") || location.ends_with(".jsonl"))
    return "json";
  return "";
}

class Reader {
 public:
  Reader(const std::string& root, Diagnostics& diagnostics) : root_(root), diagnostics_(diagnostics) {}

  std::optional<Attachment> read(const YamlNode::Entry& entry) {
    if (entry.value.kind != YamlNode::Kind::kMap) {
      diagnostics_.push_back(
          {entry.value.place, fmt::format("'{}' must be a map that starts with 'kind: postgres', "
                                          "iceberg, delta or files",
                                          entry.key)});
      return std::nullopt;
    }
    Attachment attachment{
        .name = entry.key, .kind = "", .place = entry.place, .settings = {}, .tables = {}, .locations = {}};
    YamlReader reader(entry.value, fmt::format("attachment '{}'", entry.key), diagnostics_);
    if (entry.value.find("kind") == nullptr)
      reader.mistake(entry.value,
                     fmt::format("attachment '{}' needs kind: postgres, iceberg, delta or files", entry.key));
    attachment.kind = reader.choice("kind", {"postgres", "iceberg", "delta", "files"}, "");
    read_timeout(reader, attachment);
    if (attachment.kind == "postgres")
      read_postgres(reader, attachment);
    else if (attachment.kind == "iceberg")
      read_iceberg(reader, attachment);
    else if (attachment.kind == "delta" || attachment.kind == "files")
      read_tables(reader, attachment);
    else
      return std::nullopt;
    reader.finish();
    return attachment;
  }

 private:
  void read_timeout(YamlReader& reader, Attachment& attachment) {
    const auto seconds = reader.integer("timeout_seconds");
    if (seconds && (*seconds < 1 || *seconds > 3600))
      reader.mistake(*reader.child("timeout_seconds"),
                     fmt::format("timeout_seconds {} is not between 1 and 3600", *seconds));
    else if (seconds)
      attachment.timeout = std::chrono::seconds(*seconds);
  }

  void keep(YamlReader& reader, Attachment& attachment, const std::string& key, const std::string& as = "") {
    if (auto text = reader.text(key); !text.empty())
      attachment.settings[as.empty() ? key : as] = std::move(text);
  }

  void need(YamlReader& reader, Attachment& attachment, const std::string& key) {
    if (auto text = reader.required_text(key); !text.empty())
      attachment.settings[key] = std::move(text);
  }

  // A secret is a reference.
  void keep_secret(YamlReader& reader, Attachment& attachment, const std::string& key,
                   const std::string& as = "") {
    auto text = reader.text(key);
    if (!text.empty() && !has_secret(text))
      reader.mistake(*reader.child(key),
                     fmt::format("{} is never written here: write ${{env:NAME}} or ${{file:path}}", key));
    else if (!text.empty())
      attachment.settings[as.empty() ? key : as] = std::move(text);
  }

  void read_postgres(YamlReader& reader, Attachment& attachment) {
    need(reader, attachment, "host");
    need(reader, attachment, "database");
    need(reader, attachment, "user");
    keep_secret(reader, attachment, "password");
    keep(reader, attachment, "schema");
    const auto port = reader.integer("port");
    if (port && (*port < 1 || *port > 65535))
      reader.mistake(*reader.child("port"), fmt::format("port {} is not between 1 and 65535", *port));
    else if (port)
      attachment.settings["port"] = std::to_string(*port);
    auto tls = reader.choice("tls", {"disable", "prefer", "require", "verify-ca", "verify-full"}, "");
    if (!tls.empty())
      attachment.settings["tls"] = std::move(tls);
  }

  void read_iceberg(YamlReader& reader, Attachment& attachment) {
    need(reader, attachment, "url");
    need(reader, attachment, "warehouse");
    keep(reader, attachment, "schema");
    keep_secret(reader, attachment, "token");
    keep(reader, attachment, "client_id");
    keep_secret(reader, attachment, "client_secret");
    keep(reader, attachment, "oauth2_server_uri");
    keep(reader, attachment, "oauth2_scope");
    const auto& settings = attachment.settings;
    if (const auto url = settings.find("url"); url != settings.end())
      must_be_http(reader, "url", url->second);
    if (settings.contains("token") && settings.contains("client_secret"))
      reader.mistake(*reader.child("token"),
                     "an Iceberg catalog takes a token, or client_id and client_secret");
    if (settings.contains("client_secret") && !settings.contains("oauth2_server_uri"))
      reader.mistake(*reader.child("client_secret"),
                     "client_secret needs oauth2_server_uri, the address that gives out tokens, e.g. "
                     "https://catalog.example.org/v1/oauth/tokens");
    for (auto& place : reader.texts("locations").value_or(std::vector<std::string>{"s3://"})) {
      auto found = place_of(place);
      if (found == "/" || found.find_first_of("*?") != std::string::npos)
        reader.mistake(*reader.child("locations"),
                       fmt::format("location '{}' is not a folder or URL below which tables may lie", place));
      else
        attachment.locations.push_back(std::move(found));
    }
    read_files(reader, attachment);
  }

  void must_be_http(YamlReader& reader, std::string_view key, const std::string& text) {
    if (!starts_with_any(text, {"http://", "https://", "${"}))
      reader.mistake(*reader.child(key),
                     fmt::format("{} is an address that starts with https:// or http://", key));
  }

  void read_tables(YamlReader& reader, Attachment& attachment) {
    const auto* node = reader.child("tables");
    if (node == nullptr || node->kind != YamlNode::Kind::kMap || node->entries.empty()) {
      reader.mistake(
          node == nullptr ? *reader.child("kind") : *node,
          fmt::format("kind {} needs tables, a map of names to where they lie, e.g. 'tables: {{orders: "
                      "{}}}'",
                      attachment.kind,
                      attachment.kind == "delta" ? "/data/orders" : "s3://bucket/orders/*.parquet"));
    } else if (node->entries.size() > kTablesMax) {
      reader.mistake(*node, fmt::format("{} tables are more than {}", node->entries.size(), kTablesMax));
    } else {
      for (const auto& entry : node->entries)
        read_table(entry, attachment);
    }
    read_files(reader, attachment);
  }

  void read_table(const YamlNode::Entry& entry, Attachment& attachment) {
    AttachedFiles files;
    if (entry.value.kind == YamlNode::Kind::kScalar) {
      files.location = entry.value.text;
    } else if (entry.value.kind == YamlNode::Kind::kMap) {
      YamlReader reader(entry.value, fmt::format("table '{}'", entry.key), diagnostics_);
      files.location = reader.required_text("location");
      if (attachment.kind == "files")
        files.format = reader.choice("format", {"parquet", "csv", "json"}, "");
      reader.finish();
    }
    if (files.location.empty()) {
      diagnostics_.push_back(
          {entry.value.place,
           fmt::format("table '{}' needs the place of its files: a path or a URL", entry.key)});
      return;
    }
    const bool known = !is_url(files.location) ||
                       starts_with_any(files.location, {"https://", "http://", "s3://", "s3a://"});
    if (!known)
      diagnostics_.push_back(
          {entry.value.place, fmt::format("'{}' is no path, and no address that starts with "
                                          "https://, http:// or s3://",
                                          files.location)});
    const bool has_pattern = files.location.find_first_of("*?") != std::string::npos;
    if (has_pattern &&
        (attachment.kind == "delta" || starts_with_any(files.location, {"http://", "https://"})))
      diagnostics_.push_back(
          {entry.value.place, attachment.kind == "delta"
                                  ? "a Delta table is one folder: write it without * and ?"
                                  : "a web server has no list of its files: name one file, without * and ?"});
    if (attachment.kind == "files" && files.format.empty())
      files.format = format_of(files.location);
    if (attachment.kind == "files" && files.format.empty())
      diagnostics_.push_back(
          {entry.value.place, fmt::format("the ending of '{}' does not say what it is: write "
                                          "{{location: …, format: parquet}}, or csv, or json",
                                          files.location)});
    files.location = place_of(files.location);
    attachment.tables[entry.key] = std::move(files);
  }

  // Keys and the like, for files.
  void read_files(YamlReader& reader, Attachment& attachment) {
    keep_secret(reader, attachment, "bearer");
    if (auto file = reader.text("ca_file"); !file.empty())
      attachment.settings["ca_file"] = place_of(file);
    const auto* node = reader.child("s3");
    if (node == nullptr)
      return;
    if (node->kind != YamlNode::Kind::kMap) {
      reader.mistake(*node, "s3 is a map with key_id, secret, region and endpoint");
      return;
    }
    YamlReader s3(*node, "s3", diagnostics_);
    keep(s3, attachment, "region", "s3_region");
    keep(s3, attachment, "endpoint", "s3_endpoint");
    keep(s3, attachment, "key_id", "s3_key_id");
    keep_secret(s3, attachment, "secret", "s3_secret");
    keep_secret(s3, attachment, "session_token", "s3_session_token");
    if (auto style = s3.choice("url_style", {"path", "vhost"}, ""); !style.empty())
      attachment.settings["s3_url_style"] = std::move(style);
    attachment.settings["s3_use_ssl"] = s3.boolean("tls", true) ? "true" : "false";
    s3.finish();
  }

  // Absolute; URLs stay.
  [[nodiscard]] std::string place_of(const std::string& text) const {
    if (text.starts_with("file://"))
      return place_of(text.substr(7));
    return is_url(text) ? text : (std::filesystem::path(root_) / text).lexically_normal().string();
  }

  const std::string& root_;
  Diagnostics& diagnostics_;
};

}  // namespace

std::string default_schema(const Attachment& attachment) {
  const auto given = attachment.settings.find("schema");
  if (given != attachment.settings.end() && !given->second.empty())
    return given->second;
  return attachment.kind == "iceberg" ? "default" : "public";
}

std::vector<Attachment> read_attachments(const YamlNode& node, const std::string& root,
                                         Diagnostics& diagnostics) {
  std::vector<Attachment> attachments;
  if (node.kind != YamlNode::Kind::kMap || node.entries.size() > kAttachmentsMax) {
    diagnostics.push_back(
        {node.place, fmt::format("attach must be a map of at most {} names, each with its kind, "
                                 "e.g. 'attach: {{shop: {{kind: postgres, …}}}}'",
                                 kAttachmentsMax)});
    return attachments;
  }
  for (const auto& entry : node.entries) {
    if (!is_name(entry.key)) {
      diagnostics.push_back(
          {entry.place, fmt::format("'{}' cannot be the name of a database: take small letters, "
                                    "digits and _, a letter first",
                                    entry.key)});
    } else if (is_taken(entry.key)) {
      diagnostics.push_back(
          {entry.place, fmt::format("'{}' already means something in SQL: give this database "
                                    "another name",
                                    entry.key)});
    }
    auto attachment = Reader(root, diagnostics).read(entry);
    if (attachment && is_name(entry.key) && !is_taken(entry.key))
      attachments.push_back(std::move(*attachment));
  }
  return attachments;
}

}  // namespace tarn::project
