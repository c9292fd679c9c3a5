#include <fmt/format.h>

#include "app/backend/project_tasks.h"
#include "app/commands/commands.h"
#include "base/diagnostic_text.h"
#include "serve/http/json.h"

namespace tarn::app {

namespace {

// While another process works on the data folder, the text can still be read.
Result<Diagnostics> check_text(CommandContext& context, const Error& locked) {
  TARN_TRY(const auto project, load_settings(context));
  TARN_TRY(auto plan, read_project(context.env, project, context.arguments.vars));
  plan.mistakes.insert(plan.mistakes.end(), plan.page_mistakes.begin(), plan.page_mistakes.end());
  if (plan.sources)
    (void)flow::read_schedules(plan.sources->project().schedules, plan.mistakes);
  fmt::print(stderr, "{} only the text was checked, not columns, types and what schedules select: {}\n",
             context.errors.yellow("note:"), locked.message);
  return std::move(plan.mistakes);
}

Result<Diagnostics> check_project(CommandContext& context) {
  const auto backend = open_backend(context);
  if (!backend && backend.error().code == Code::kLocked)
    return check_text(context, backend.error());
  if (!backend) {
    // Without a readable tarn.yml nothing else can be found.
    auto mistake = diagnostic_of_text(backend.error().message);
    if (mistake.place.file == "tarn.yml")
      return Diagnostics{std::move(mistake)};
    return backend.error();
  }
  return (*backend)->check(context.arguments.vars);
}

}  // namespace

int command_check(CommandContext& context) {
  const auto mistakes = check_project(context);
  if (!mistakes)
    return report(context, mistakes.error());
  if (context.arguments.json) {
    serve::Json list = serve::Json::array();
    for (const auto& mistake : *mistakes)
      list.push_back(serve::to_json(mistake));
    fmt::print("{}\n", serve::dump(list));
    return mistakes->empty() ? 0 : exit_code_of(Code::kInvalid);
  }
  if (!mistakes->empty())
    return report(context, *mistakes);
  fmt::print("{}\n", context.out.green("no mistakes found"));
  return 0;
}

}  // namespace tarn::app
