#include "app/commands/commands.h"

#include <filesystem>

#include <fmt/format.h>

#include "app/backend/project_tasks.h"
#include "app/backend/remote_backend.h"
#include "app/backend/workspace.h"
#include "app/server/server_file.h"

namespace tarn::app {

int report(const CommandContext& context, const Error& error) {
  fmt::print(stderr, "{} {}\n", context.errors.red("tarn:"), error.message);
  return exit_code_of(error.code);
}

int report(const CommandContext& context, const Diagnostics& diagnostics) {
  for (const auto& diagnostic : diagnostics) {
    const auto place = to_string(diagnostic.place);
    fmt::print(stderr, "{}{}{}\n", context.errors.bold(place), place.empty() ? "" : ": ", diagnostic.message);
  }
  fmt::print(stderr, "{} {} mistake{} in the project\n", context.errors.red("tarn:"), diagnostics.size(),
             diagnostics.size() == 1 ? "" : "s");
  return exit_code_of(Code::kInvalid);
}

std::string absolute_path(const std::string& path) {
  std::error_code error;
  auto absolute = std::filesystem::absolute(path, error).lexically_normal().string();
  while (absolute.size() > 1 && absolute.back() == '/')
    absolute.pop_back();
  return absolute;
}

Result<project::Project> load_settings(CommandContext& context) {
  Diagnostics mistakes;
  TARN_TRY(auto project,
           project::load_project(*context.env.files, absolute_path(context.arguments.project), mistakes));
  // check tells them itself, together with all others.
  if (!mistakes.empty() && context.arguments.command != "check")
    return mistakes_error(mistakes);
  return project;
}

Result<std::unique_ptr<serve::Backend>> open_backend(CommandContext& context) {
  TARN_TRY(auto project, load_settings(context));
  TARN_TRY(const auto server, find_server(context.env, project.data_folder));
  if (server) {
    TARN_TRY(auto token, read_token(context.env, project.data_folder));
    return make_remote_backend(context.env, *server, std::move(token));
  }
  TARN_TRY(auto workspace,
           Workspace::open(context.env, std::move(project),
                           {.external_access = context.arguments.unsafe, .faults = context.faults}));
  return std::unique_ptr<serve::Backend>(std::move(workspace));
}

}  // namespace tarn::app
