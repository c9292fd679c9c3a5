#include "app/server/server_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include "base/env/file_descriptor.h"
#include "base/ids.h"
#include "serve/http/json.h"
#include "store/data_folder.h"

namespace tarn::app {
namespace {

std::string server_path(const std::string& data_folder) {
  return data_folder + "/server.json";
}

std::string token_path(const std::string& data_folder) {
  return data_folder + "/token";
}

std::string token_of_environment() {
  const char* token = std::getenv("TARN_TOKEN");
  return token == nullptr ? "" : token;
}

// Env's files have no modes, and a secret must never stand in a file that others can read, however short.
Status write_secret(const std::string& path, const std::string& secret) {
  const auto failed = [&path] {
    return Error{Code::kIo, fmt::format("{} cannot be written: {}", path, std::strerror(errno))};
  };
  FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file.valid() || ::fchmod(file.get(), 0600) != 0)
    return failed();
  const auto text = secret + "\n";
  if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return failed();
  if (::fsync(file.get()) != 0 || file.close() != 0)
    return failed();
  return ok();
}

Result<std::string> token_of_file(Env& env, const std::string& data_folder) {
  TARN_TRY(const bool exists, env.files->exists(token_path(data_folder)));
  if (!exists)
    return std::string();
  TARN_TRY(auto token, env.files->read(token_path(data_folder)));
  while (!token.empty() && (token.back() == '\n' || token.back() == ' '))
    token.pop_back();
  return token;
}

}  // namespace

Status write_server_file(Env& env, const std::string& data_folder, const ServerAddress& address) {
  const serve::Json json = {{"pid", address.pid},
                            {"host", address.host},
                            {"port", address.port},
                            {"url", fmt::format("http://{}:{}", address.host, address.port)}};
  return replace_durable(*env.files, server_path(data_folder), serve::dump(json) + "\n");
}

void remove_server_file(Env& env, const std::string& data_folder) {
  // Left behind, it does no harm: find_server asks the lock, too.
  (void)env.files->remove(server_path(data_folder));
}

Result<std::optional<ServerAddress>> find_server(Env& env, const std::string& data_folder) {
  TARN_TRY(const bool exists, env.files->exists(server_path(data_folder)));
  if (!exists)
    return std::optional<ServerAddress>();
  TARN_TRY(const auto text, env.files->read(server_path(data_folder)));
  const auto json = serve::Json::parse(text, nullptr, false);
  ServerAddress address{serve::integer_of(json, "pid"), serve::text_of(json, "host"),
                        static_cast<int>(serve::integer_of(json, "port"))};
  TARN_TRY(const auto holder, store::DataFolder::holder(env, data_folder));
  if (!holder || holder->pid != address.pid || address.port == 0)
    return std::optional<ServerAddress>();
  return std::optional<ServerAddress>(std::move(address));
}

Result<std::string> settle_token(Env& env, const std::string& data_folder) {
  auto token = token_of_environment();
  if (token.empty()) {
    TARN_TRY(token, token_of_file(env, data_folder));
  }
  if (token.empty())
    token = new_secret(*env.random);
  TARN_CHECK(write_secret(token_path(data_folder), token));
  return token;
}

Result<std::string> read_token(Env& env, const std::string& data_folder) {
  if (auto token = token_of_environment(); !token.empty())
    return token;
  TARN_TRY(auto token, token_of_file(env, data_folder));
  if (!token.empty())
    return token;
  return Error{Code::kDenied, fmt::format("{} holds no token for the running server; set TARN_TOKEN",
                                          token_path(data_folder))};
}

}  // namespace tarn::app
