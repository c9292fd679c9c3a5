// The `tarn` program with a fault: TARN_FAULT=layer:n:mode says which call fails and how (base/env/fault.h);
// after a power cut it leaves at once with 137. TARN_FAULT_REPORT names a file that gets
// {"fired": bool, "calls": {layer: calls reached}} at the end. For tests only; never installed.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/program.h"
#include "base/env/fault.h"
#include "base/env/fault_file_system.h"

namespace {

void write_report(const tarn::FaultInjector& faults) {
  const char* path = std::getenv("TARN_FAULT_REPORT");
  std::FILE* file = path != nullptr ? std::fopen(path, "w") : nullptr;
  if (file == nullptr)
    return;
  std::vector<std::string> calls;
  for (const auto& [layer, count] : faults.calls())
    calls.push_back(fmt::format("\"{}\": {}", layer, count));
  fmt::print(file, "{{\"fired\": {}, \"calls\": {{{}}}}}\n", faults.fired(), fmt::join(calls, ", "));
  std::fclose(file);
}

}  // namespace

int main(int count, char** words) {
  tarn::FaultPlan plan;
  if (const char* text = std::getenv("TARN_FAULT")) {
    auto parsed = tarn::parse_fault_plan(text);
    if (!parsed) {
      fmt::print(stderr, "tarn_faulty: {}\n", parsed.error().message);
      return 2;
    }
    plan = *parsed;
  }
  tarn::FaultInjector* injector = nullptr;
  tarn::FaultInjector faults(plan, [&injector] {
    write_report(*injector);
    ::_exit(137);
  });
  injector = &faults;
  tarn::FaultFileSystem files(tarn::real_file_system(), faults);
  tarn::Env env = tarn::real_env();
  env.files = &files;
  const int exit_code = tarn::app::run_program(count, words, {.env = &env, .faults = &faults});
  write_report(faults);
  return exit_code;
}
