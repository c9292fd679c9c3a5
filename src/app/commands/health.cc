#include <fmt/format.h>

#include "app/commands/commands.h"
#include "app/server/server_file.h"
#include "net/local_client.h"

namespace tarn::app {
namespace {

Result<std::string> ask(CommandContext& context) {
  TARN_TRY(const auto project, load_settings(context));
  TARN_TRY(const auto server, find_server(context.env, project.data_folder));
  if (!server) {
    return Error{Code::kUnavailable,
                 fmt::format("no server holds {}: start it with 'tarn serve'", project.data_folder)};
  }
  net::LocalRequest request;
  request.host = server->host;
  request.port = server->port;
  request.target = "/healthz";
  TARN_TRY(const auto answer, net::call_local(request));
  if (answer.status != 200) {
    return Error{Code::kUnavailable,
                 fmt::format("the server at {}:{} answers {}", server->host, server->port, answer.status)};
  }
  return fmt::format("{}:{}", server->host, server->port);
}

}  // namespace

int command_health(CommandContext& context) {
  const auto address = ask(context);
  if (!address)
    return report(context, address.error());
  if (context.arguments.json) {
    fmt::print("{{\"serving\":\"{}\"}}\n", *address);
  } else {
    fmt::print("the server at {} is well\n", *address);
  }
  return 0;
}

}  // namespace tarn::app
