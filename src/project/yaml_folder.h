// Folders of YAML files in which each file is one thing, named after its file: sources, boards, reports,
// flows. A mistake in a file breaks that one thing: it still has its name and is told, and the others stand.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "base/env/file_system.h"
#include "base/result.h"
#include "codec/yaml.h"

namespace tarn::project {

// A file of the project: what names and places in messages refer to.
struct YamlFile {
  std::string path;  // relative to the project's root
  std::string text;
};

// "boards/prices.day.yml" -> "prices.day"
std::string name_of_file(std::string_view path);

struct FolderKind {
  std::string_view folder;  // "boards"; the things in it are called so, too
  std::string_view one;     // "board"
  // Two names are the same when this makes one text of them; null: when they are.
  std::string (*folded)(std::string_view name) = nullptr;
};

struct FolderFile : YamlFile {
  bool is_double = false;  // another one has its name
};

// Files *.yml and *.yaml below the folder, sorted by name. That two have the same name is a mistake of the
// second. The error is for an unreadable folder.
Result<std::vector<FolderFile>> read_yaml_folder(FileSystem& files, const std::string& root,
                                                 const FolderKind& kind, Diagnostics& diagnostics);

// Nothing, and a mistake, when the text is no YAML.
std::optional<codec::YamlNode> parse_yaml_file(const YamlFile& file, Diagnostics& diagnostics);

// A new Config with `name`, `file`, `title` and `broken`; `read(node, config, diagnostics)` fills in the
// rest.
template <class Config, class Read>
std::shared_ptr<Config> read_named(YamlFile file, Diagnostics& diagnostics, Read read) {
  auto config = std::make_shared<Config>();
  config->name = name_of_file(file.path);
  config->title = config->name;
  config->file = std::move(file);
  const auto before = diagnostics.size();
  if (const auto node = parse_yaml_file(config->file, diagnostics))
    read(*node, *config, diagnostics);
  config->broken = diagnostics.size() > before;
  return config;
}

// kNotFound: what the nearest name is, or which there are.
Error unknown_name(const FolderKind& kind, const std::string& name, const std::vector<std::string>& known);

// All of one folder; of two with the same name the first. Config has `name`, `file` and `broken`. Immutable
// after reading.
template <class Config>
class YamlFolder {
 public:
  using One = std::shared_ptr<const Config>;
  using Parse = One (*)(std::string_view text, const std::string& path, Diagnostics& diagnostics);

  YamlFolder() = default;
  static Result<YamlFolder> read(FileSystem& files, const std::string& root, const FolderKind& kind,
                                 Parse parse, Diagnostics& diagnostics) {
    YamlFolder folder;
    folder.kind_ = kind;
    Diagnostics found;
    TARN_TRY(const auto texts, read_yaml_folder(files, root, kind, found));
    for (const auto& file : texts) {
      if (!file.is_double)
        folder.configs_.push_back(parse(file.text, file.path, found));
    }
    for (const auto& mistake : found)
      folder.mistakes_.emplace(mistake.place.file, to_string(mistake));
    diagnostics.insert(diagnostics.end(), found.begin(), found.end());
    return folder;
  }

  [[nodiscard]] const std::vector<One>& configs() const { return configs_; }

  // kNotFound says which there are.
  [[nodiscard]] Result<One> find(const std::string& name) const {
    std::vector<std::string> names;
    for (const auto& config : configs_) {
      if (config->name == name)
        return config;
      names.push_back(config->name);
    }
    return unknown_name(kind_, name, names);
  }

  // kInvalid with the first mistake of what is broken.
  [[nodiscard]] Result<One> find_whole(const std::string& name) const {
    TARN_TRY(auto config, find(name));
    if (!config->broken)
      return config;
    const auto mistake = mistakes_.find(config->file.path);
    return Error{Code::kInvalid,
                 mistake == mistakes_.end() ? config->file.path + " has mistakes" : mistake->second};
  }

 private:
  FolderKind kind_;
  std::vector<One> configs_;                     // by name
  std::map<std::string, std::string> mistakes_;  // by path: the first one of each file
};

}  // namespace tarn::project
