#include <filesystem>

#include <fmt/format.h>

#include "app/commands/commands.h"
#include "app/commands/template_files.h"

namespace tarn::app {
namespace {

std::string project_name(const std::string& folder) {
  std::string name;
  for (const char c : std::filesystem::path(folder).filename().string()) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    name += plain ? c : '_';
  }
  return name.empty() ? "home" : name;
}

std::string fill_in(std::string_view text, const std::string& name) {
  constexpr std::string_view kMark = "@NAME@";
  std::string filled(text);
  for (size_t at = 0; (at = filled.find(kMark, at)) != std::string::npos; at += name.size()) {
    filled.replace(at, kMark.size(), name);
  }
  return filled;
}

Status make_project(FileSystem& files, const std::string& folder) {
  TARN_TRY(const bool exists, files.exists(folder));
  if (exists) {
    TARN_TRY(const auto names, files.list(folder));
    if (!names.empty()) {
      return Error{Code::kExists, fmt::format("{} is not empty; choose a new folder", folder)};
    }
  }
  const auto name = project_name(folder);
  for (const auto& file : template_files()) {
    const auto path = folder + "/" + std::string(file.path);
    TARN_CHECK(files.make_folders(std::filesystem::path(path).parent_path().string()));
    TARN_CHECK(write_durable(files, path, fill_in(file.text, name)));
  }
  return ok();
}

}  // namespace

int command_init(CommandContext& context) {
  const auto& asked = context.arguments.folder;
  if (const auto made = make_project(*context.env.files, absolute_path(asked)); !made) {
    return report(context, made.error());
  }
  fmt::print("{} holds a small project; its comments explain it. Next:\n\n", asked);
  fmt::print("    cd {}\n    tarn run\n    tarn sql \"select * from daily_climate\"\n", asked);
  return 0;
}

}  // namespace tarn::app
