// Goal: SQL behaves as tests/sql/*.test say, also when the lake is closed and opened between statements, when
// the disk fails under each statement at some call (which changes nothing: the statement is then run again),
// and with little memory. tests/clients/test_sql_files.py runs them through the server. Method: a small
// runner for sqllogictest files:
//   statement ok | statement error | query <types> [rowsort]
//   <SQL, up to an empty line or ---->
//   ----
//   <rows, cells parted by tabs; or a part of the error's text>
#include <algorithm>
#include <fstream>

#include "base/env/fault.h"
#include "base/env/fault_file_system.h"
#include "session/session_fixture_test.h"

namespace tarn::session {
namespace {

struct Step {
  std::string header;
  int line = 0;
  std::string sql;
  std::vector<std::string> expected;
};

bool is_header(const std::string& line) {
  return line.starts_with("statement ") || line.starts_with("query ");
}

std::vector<Step> read_steps(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<Step> steps;
  std::string line;
  bool in_step = false;
  bool in_rows = false;
  for (int number = 1; std::getline(file, line); ++number) {
    if (!in_step && is_header(line)) {
      steps.push_back({.header = line, .line = number});
      in_step = true;
      in_rows = false;
    } else if (in_step && line.empty()) {
      in_step = false;
    } else if (in_step && line == "----") {
      in_rows = true;
    } else if (in_step && in_rows) {
      steps.back().expected.push_back(line);
    } else if (in_step) {
      steps.back().sql += line + "\n";
    } else if (!line.empty() && !line.starts_with("#")) {
      ADD_FAILURE() << path << ":" << number << ": neither a header nor a comment: " << line;
    }
  }
  return steps;
}

std::vector<std::string> rows_of(std::string text) {
  std::replace(text.begin(), text.end(), '|', '\t');
  std::vector<std::string> rows;
  size_t begin = 0;
  while (begin < text.size()) {
    auto end = std::min(text.find('\n', begin), text.size());
    rows.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return rows;
}

enum class Mode { kPlain, kRestarts, kFailingDisk, kLittleMemory };

const char* name_of(Mode mode) {
  switch (mode) {
    case Mode::kPlain: return "";
    case Mode::kRestarts: return "_restarted";
    case Mode::kFailingDisk: return "_failing_disk";
    case Mode::kLittleMemory: return "_little_memory";
  }
  return "";
}

constexpr uint64_t kLittleMemoryBytes = uint64_t{48} << 20;

using Case = std::tuple<std::filesystem::path, Mode>;

class SqlFilesTest : public SessionFixture, public testing::WithParamInterface<Case> {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / fmt::format("tarn_sql_{}_{}_{}", getpid(),
                                                                   std::get<0>(GetParam()).stem().string(),
                                                                   static_cast<int>(std::get<1>(GetParam())));
    std::filesystem::remove_all(folder_);
    open_in_mode();
  }

  void open_in_mode() {
    std::get<1>(GetParam()) == Mode::kLittleMemory
        ? open_with({.memory_limit_bytes = kLittleMemoryBytes, .threads = 1})
        : open_lake();
  }

  // How many calls to the disk it takes to open the lake as it is now.
  int64_t calls_of_opening() {
    FaultInjector counter({});
    FaultFileSystem files(real_file_system(), counter);
    Env env = real_env();
    env.files = &files;
    EXPECT_TRUE(open_faulty(env, counter));
    int64_t calls = 0;
    for (const auto& [layer, count] : counter.calls()) {
      calls += count;
    }
    close();
    return calls;
  }

  // A statement whose Nth call to the disk fails: either it did not need the call, or it says so and has done
  // nothing, so that it can be run again.
  void run_failing(const Step& step, int64_t call) {
    FaultInjector faults({.layer = "", .fail_call = calls_of_opening() + call});
    FaultFileSystem files(real_file_system(), faults);
    Env env = real_env();
    env.files = &files;
    if (open_faulty(env, faults)) {
      const auto answer = step.header.starts_with("query ") ? run(step.sql) : script(step.sql);
      done_ = answer.empty() && step.header == "statement ok";
      failed_ += faults.fired() && !answer.empty() && step.header == "statement ok" ? 1 : 0;
    }
    close();
    open_in_mode();
  }

  bool open_faulty(Env& env, FaultInjector& faults) {
    close();
    auto lake = lake::Lake::open(env, {.data_folder = folder_, .faults = &faults});
    if (!lake) {
      return false;
    }
    lake_ = std::move(*lake);
    service_ = make_session_service(lake_->database(), lake_->catalog(), env, {.slots = 8});
    auto session = service_->open({});
    if (!session) {
      return false;
    }
    session_ = std::move(*session);
    return true;
  }

  int failed_ = 0;     // statements that the disk let fail
  bool done_ = false;  // the last one was carried out all the same

  void run_step(const Step& step, const std::string& place) {
    if (step.header == "statement ok") {
      EXPECT_EQ(script(step.sql), "") << place;
      return;
    }
    if (step.header == "statement error") {
      auto answer = script(step.sql);
      auto part = step.expected.empty() ? std::string(": ") : step.expected.front();
      EXPECT_NE(answer.find(part), std::string::npos) << place << "\nanswer: " << answer;
      return;
    }
    auto rows = rows_of(run(step.sql));
    if (step.header.ends_with(" rowsort")) {
      std::sort(rows.begin(), rows.end());
    }
    EXPECT_EQ(rows, step.expected) << place;
  }
};

// After these the session holds something that a restart would lose.
bool changes_state_of_session(std::string sql) {
  static constexpr std::string_view kWords[] = {"begin", "temp ", "prepare", "use "};
  std::transform(sql.begin(), sql.end(), sql.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::any_of(std::begin(kWords), std::end(kWords),
                     [&](std::string_view word) { return sql.find(word) != std::string::npos; });
}

TEST_P(SqlFilesTest, Holds) {
  const auto& [path, mode] = GetParam();
  auto steps = read_steps(path);
  ASSERT_FALSE(steps.empty()) << path;
  bool may_restart = mode == Mode::kRestarts || mode == Mode::kFailingDisk;
  for (size_t i = 0; i < steps.size(); ++i) {
    const auto& step = steps[i];
    may_restart = may_restart && !changes_state_of_session(step.sql);
    done_ = false;
    if (may_restart && mode == Mode::kFailingDisk) {
      run_failing(step, 1 + static_cast<int64_t>(i * 7 % 31));
    } else if (may_restart) {
      open_lake();
    }
    if (!done_) {
      run_step(step, fmt::format("{}:{}", path.string(), step.line));
    }
  }
  if (mode == Mode::kFailingDisk) {
    std::printf("the disk let %d of %zu statements fail\n", failed_, steps.size());
  }
}

std::vector<std::filesystem::path> files() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(TARN_SQL_TESTS)) {
    if (entry.path().extension() == ".test") {
      paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

INSTANTIATE_TEST_SUITE_P(Files, SqlFilesTest,
                         testing::Combine(testing::ValuesIn(files()),
                                          testing::Values(Mode::kPlain, Mode::kRestarts, Mode::kFailingDisk,
                                                          Mode::kLittleMemory)),
                         [](const testing::TestParamInfo<Case>& info) {
                           return std::get<0>(info.param).stem().string() + name_of(std::get<1>(info.param));
                         });

}  // namespace
}  // namespace tarn::session
