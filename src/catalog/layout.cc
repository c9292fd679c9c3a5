#include "catalog/layout.h"

#include <charconv>

#include <fmt/format.h>

namespace tarn::catalog {
namespace {

constexpr size_t kNameBytesMax = 255;
constexpr size_t kFolderBytesMax = 100;
constexpr std::string_view kScheme = "file://";

std::string safe(std::string_view name) {
  std::string text;
  for (char c : name.substr(0, kFolderBytesMax)) {
    bool good =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    text += good || (c == '.' && !text.empty()) ? c : '_';
  }
  return text;
}

}  // namespace

Status check_name(std::string_view name, std::string_view kind) {
  std::string_view wrong;
  if (name.empty()) {
    wrong = "is empty";
  } else if (name.size() > kNameBytesMax) {
    wrong = "is longer than 255 bytes";
  } else if (name.find('@') != std::string_view::npos) {
    wrong = "contains '@', which is kept for versions";
  } else if (std::any_of(name.begin(), name.end(),
                         [](char c) { return static_cast<unsigned char>(c) < 0x20; })) {
    wrong = "contains a control character";
  }
  if (!wrong.empty()) {
    return Error{Code::kInvalid, fmt::format("the name '{}' of a {} {}; choose another", name, kind, wrong)};
  }
  return ok();
}

Status check_schema_name(std::string_view name) {
  for (std::string_view rest = name;;) {
    size_t dot = rest.find('.');
    auto level = check_name(rest.substr(0, dot), "schema");
    if (!level) {
      return Error{Code::kInvalid, fmt::format("schema '{}': {}", name, level.error().message)};
    }
    if (dot == std::string_view::npos) {
      return ok();
    }
    rest.remove_prefix(dot + 1);
  }
}

std::string schema_folder(const std::string& lake, const std::string& schema) {
  return fmt::format("{}/{}", lake, safe(schema));
}

std::string object_folder(const std::string& lake, const engine::TableName& name, const std::string& uuid) {
  return fmt::format("{}/{}-{}", schema_folder(lake, name.schema), safe(name.name),
                     std::string_view(uuid).substr(0, 8));
}

std::string metadata_path(const std::string& folder, int64_t version, const std::string& uuid) {
  return fmt::format("{}/metadata/{:05}-{}.metadata.json", folder, version, uuid);
}

int64_t version_of(std::string_view metadata_location) {
  std::string_view file = metadata_location.substr(metadata_location.rfind('/') + 1);
  int64_t version = 0;
  auto [end, error] = std::from_chars(file.data(), file.data() + file.size(), version);
  return error == std::errc() && end != file.data() + file.size() && *end == '-' ? version : 0;
}

std::string to_location(const std::string& path) {
  return std::string(kScheme) + path;
}

Result<std::string> to_path(const std::string& location) {
  if (!location.starts_with("file:///")) {
    return Error{
        Code::kUnsupported,
        fmt::format("'{}' does not lie on this machine; only file:/// locations can be read yet", location)};
  }
  return location.substr(kScheme.size());
}

}  // namespace tarn::catalog
