// For tests: runs tests/servers/bad_http.py, on a port of its own, until destroyed.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string>
#include <vector>

#ifndef TARN_TEST_SERVERS  // CMake says where it is for the tests that use this
#define TARN_TEST_SERVERS "tests/servers"
#endif

namespace tarn::net {

class BadServer {
 public:
  explicit BadServer(std::vector<std::string> more = {}) {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    if (::pipe(in.data()) != 0 || ::pipe(out.data()) != 0) {
      return;
    }
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(in[0], 0);
      ::dup2(out[1], 1);
      for (int fd : {in[0], in[1], out[0], out[1]}) {
        ::close(fd);
      }
      std::string script = TARN_TEST_SERVERS "/bad_http.py";
      std::vector<char*> arguments{const_cast<char*>("python3"), script.data()};
      for (auto& argument : more) {
        arguments.push_back(argument.data());
      }
      arguments.push_back(nullptr);
      ::execvp("python3", arguments.data());
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    stdin_ = in[1];
    FILE* answer = ::fdopen(out[0], "r");
    if (std::fscanf(answer, "%d", &port_) != 1) {
      port_ = 0;
    }
    std::fclose(answer);
  }
  BadServer(const BadServer&) = delete;
  BadServer& operator=(const BadServer&) = delete;
  ~BadServer() {
    ::close(stdin_);
    ::waitpid(pid_, nullptr, 0);
  }

  [[nodiscard]] int port() const { return port_; }  // 0: it did not start
  [[nodiscard]] std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }

 private:
  pid_t pid_ = -1;
  int stdin_ = -1;
  int port_ = 0;
};

}  // namespace tarn::net
