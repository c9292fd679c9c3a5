#include "project/yaml_folder.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/diagnostic_text.h"
#include "codec/text_distance.h"
#include "project/project.h"

namespace tarn::project {

std::string name_of_file(std::string_view path) {
  const auto file = path.substr(path.rfind('/') + 1);  // npos + 1 is 0
  return std::string(file.substr(0, file.rfind('.')));
}

Result<std::vector<FolderFile>> read_yaml_folder(FileSystem& files, const std::string& root,
                                                 const FolderKind& kind, Diagnostics& diagnostics) {
  std::vector<FolderFile> all;
  std::map<std::string, std::string> seen;  // paths by name
  for (const auto* ending : {".yml", ".yaml"}) {
    TARN_TRY(const auto paths, find_files(files, root, std::string(kind.folder), ending));
    for (const auto& path : paths) {
      const auto name = name_of_file(path);
      const auto [other, fresh] = seen.emplace(kind.folded != nullptr ? kind.folded(name) : name, path);
      if (!fresh) {
        diagnostics.push_back(
            {Place{.file = path}, fmt::format("{} has the same name: rename one of the two", other->second)});
      }
      TARN_TRY(auto text, files.read(root + "/" + path));
      all.push_back({{path, std::move(text)}, !fresh});
    }
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    const auto name = name_of_file(a.path), other = name_of_file(b.path);
    return std::tie(name, a.is_double, a.path) < std::tie(other, b.is_double, b.path);
  });
  return all;
}

std::optional<codec::YamlNode> parse_yaml_file(const YamlFile& file, Diagnostics& diagnostics) {
  auto node = codec::parse_yaml(file.text, file.path);
  if (node)
    return std::move(*node);
  diagnostics.push_back(diagnostic_of_text(node.error().message));
  return std::nullopt;
}

Error unknown_name(const FolderKind& kind, const std::string& name, const std::vector<std::string>& known) {
  const auto near = codec::nearest(name, known);
  return Error{
      Code::kNotFound,
      fmt::format("there is no {} '{}': {}", kind.one, name,
                  known.empty()  ? fmt::format("the project has none yet; write {}/NAME.yml", kind.folder)
                  : near.empty() ? fmt::format("the {} are {}", kind.folder, fmt::join(known, ", "))
                                 : fmt::format("did you mean '{}'?", near))};
}

}  // namespace tarn::project
