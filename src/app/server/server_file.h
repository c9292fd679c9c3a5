// How a command finds a running server: `server.json` (who and where) and `token` (mode 0600) in the data
// folder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/env/env.h"
#include "base/result.h"

namespace tarn::app {

struct ServerAddress {
  int64_t pid = 0;
  std::string host;
  int port = 0;
};

Status write_server_file(Env& env, const std::string& data_folder, const ServerAddress& address);
void remove_server_file(Env& env, const std::string& data_folder);
// The server that holds the data folder now; nullopt when none does. A file that a killed server left is no
// server.
Result<std::optional<ServerAddress>> find_server(Env& env, const std::string& data_folder);

// TARN_TOKEN, else the token file's, else a new one; the file holds it afterwards, readable by its owner
// only.
Result<std::string> settle_token(Env& env, const std::string& data_folder);
// TARN_TOKEN, else the token file's.
Result<std::string> read_token(Env& env, const std::string& data_folder);

}  // namespace tarn::app
