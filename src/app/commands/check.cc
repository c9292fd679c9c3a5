#include <fmt/format.h>

#include "app/commands/commands.h"
#include "serve/http/json.h"

namespace tarn::app {

int command_check(CommandContext& context) {
  const auto backend = open_backend(context);
  if (!backend)
    return report(context, backend.error());
  const auto mistakes = (*backend)->check(context.arguments.vars);
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
