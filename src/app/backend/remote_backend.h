// A project that a server holds open: every call is a request to it.
#pragma once

#include <memory>
#include <string>

#include "app/server/server_file.h"
#include "base/env/env.h"
#include "net/local_client.h"
#include "serve/backend.h"

namespace tarn::app {

std::unique_ptr<serve::Backend> make_remote_backend(Env& env, const ServerAddress& address,
                                                    std::string token);

}  // namespace tarn::app
