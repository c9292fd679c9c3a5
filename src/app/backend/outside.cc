#include "app/backend/outside.h"

#include <cstdlib>
#include <filesystem>

namespace tarn::app {
namespace {

engine::OutsideKind kind_of(const std::string& kind) {
  if (kind == "postgres")
    return engine::OutsideKind::kPostgres;
  if (kind == "iceberg")
    return engine::OutsideKind::kIceberg;
  return kind == "delta" ? engine::OutsideKind::kDelta : engine::OutsideKind::kFiles;
}

}  // namespace

std::string extensions_folder() {
  if (const char* given = std::getenv("TARN_EXTENSIONS"); given != nullptr && *given != '\0')
    return given;
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  if (const auto beside = program / "extensions"; std::filesystem::is_directory(beside, error))
    return beside.string();
  return (program.parent_path() / "lib" / "tarn" / "extensions").string();
}

engine::OutsideOptions outside_options(Env& env, const project::Project& project) {
  engine::OutsideOptions options;
  options.extensions_folder = extensions_folder();
  for (const auto& attachment : project.attachments) {
    engine::OutsideDatabase outside;
    outside.name = attachment.name;
    outside.kind = kind_of(attachment.kind);
    outside.settings = attachment.settings;
    for (const auto& [name, files] : attachment.tables)
      outside.tables[name] = {files.location, files.format};
    outside.locations = attachment.locations;
    outside.patience = attachment.timeout;
    outside.resolve = [files = env.files, root = project.root](const std::string& text) {
      return project::resolve_secrets(*files, root, text);
    };
    options.databases.push_back(std::move(outside));
  }
  return options;
}

std::set<std::string> attachment_names(const project::Project& project) {
  std::set<std::string> names;
  for (const auto& attachment : project.attachments)
    names.insert(attachment.name);
  return names;
}

}  // namespace tarn::app
