// What the benchmarks in C++ share: a failure ends the program, times are medians.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "engine/connection.h"
#include "session/session.h"

namespace tarn::bench {

[[noreturn]] inline void fail(const Error& error) {
  fmt::print(stderr, "{}\n", error.message);
  std::exit(1);
}

template <class T>
T need(Result<T> result) {
  if (!result) {
    fail(result.error());
  }
  return std::move(*result);
}

inline double median_ms(int repeats, const std::function<void()>& work) {
  std::vector<double> times;
  for (int i = 0; i < repeats; ++i) {
    auto start = std::chrono::steady_clock::now();
    work();
    times.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

inline void drain(engine::ResultStream& stream) {
  while (need(stream.next_text())) {
  }
}

inline void ask(session::Session& session, const std::string& sql) {
  auto stream = need(session.query(sql));
  drain(*stream);
}

inline void ask(engine::Connection& connection, const std::string& sql) {
  auto stream = need(connection.query(sql));
  drain(*stream);
}

}  // namespace tarn::bench
