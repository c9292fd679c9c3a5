// Goal: SQL behaves as tests/sql/*.test say, also when the lake is closed and opened between statements.
// Method: a small runner for sqllogictest files:
//   statement ok | statement error | query <types> [rowsort]
//   <SQL, up to an empty line or ---->
//   ----
//   <rows, cells parted by tabs; or a part of the error's text>
#include <algorithm>
#include <fstream>

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

enum class Restarts { kNone, kBetweenStatements };

using Case = std::tuple<std::filesystem::path, Restarts>;

class SqlFilesTest : public SessionFixture, public testing::WithParamInterface<Case> {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / fmt::format("tarn_sql_{}_{}_{}", getpid(),
                                                                   std::get<0>(GetParam()).stem().string(),
                                                                   static_cast<int>(std::get<1>(GetParam())));
    std::filesystem::remove_all(folder_);
    open_lake();
  }

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
  const auto& [path, restarts] = GetParam();
  auto steps = read_steps(path);
  ASSERT_FALSE(steps.empty()) << path;
  bool may_restart = restarts == Restarts::kBetweenStatements;
  for (const auto& step : steps) {
    may_restart = may_restart && !changes_state_of_session(step.sql);
    if (may_restart) {
      open_lake();
    }
    run_step(step, fmt::format("{}:{}", path.string(), step.line));
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
                                          testing::Values(Restarts::kNone, Restarts::kBetweenStatements)),
                         [](const testing::TestParamInfo<Case>& info) {
                           return std::get<0>(info.param).stem().string() +
                                  (std::get<1>(info.param) == Restarts::kNone ? "" : "_restarted");
                         });

}  // namespace
}  // namespace tarn::session
