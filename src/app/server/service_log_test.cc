// Goal: a line is one line, of valid JSON where asked for, with what belongs to it and without secrets.
// Method: lines that try.
#include "app/server/service_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/server/serve_log.h"

namespace tarn::app {
namespace {

using serve::Json;
using testing::HasSubstr;
using testing::Not;

class ServiceLogTest : public testing::Test {
 protected:
  ~ServiceLogTest() override { std::fclose(file_); }
  std::string written() {
    std::fflush(file_);
    std::rewind(file_);
    std::string text(20'000, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), file_));
    return text;
  }
  std::FILE* file_ = std::tmpfile();
};

TEST_F(ServiceLogTest, JsonLines) {
  ServiceLog log(real_env(), {.json = true, .level = LogLevel::kInfo, .asked_for = true}, file_);
  log.hide("token-of-64-digits");
  log.write(LogLevel::kDebug, "not heard");
  log.write(LogLevel::kError, "a \"quoted\"\nline with token-of-64-digits and \xFF",
            {.run = "r1", .task = "raw_bars", .request = "", .took = Duration(1'500)});
  const auto text = written();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  const auto json = Json::parse(text);
  EXPECT_EQ(json["level"], "error");
  EXPECT_EQ(json["run"], "r1");
  EXPECT_EQ(json["task"], "raw_bars");
  EXPECT_EQ(json["duration_ms"], 1.5);
  EXPECT_FALSE(json.contains("request"));
  EXPECT_THAT(json["time"].get<std::string>(), testing::MatchesRegex("....-..-..T..:..:.........Z"));
  EXPECT_THAT(json["message"].get<std::string>(), HasSubstr("with … and"));
}

TEST_F(ServiceLogTest, TextLines) {
  ServiceLog log(real_env(), {.json = false, .level = LogLevel::kDebug}, file_);
  log.write(LogLevel::kInfo, "evil\x1b[31m\r\nline", {.run = "r1", .task = "t"});
  log.write(LogLevel::kDebug, "plain");
  const auto text = written();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, HasSubstr(" info    evil [31m  line [r1 t]\n"));
}

TEST_F(ServiceLogTest, Options) {
  EXPECT_FALSE(read_log_options("")->asked_for);
  const auto both = read_log_options("json,debug");
  ASSERT_TRUE(both);
  EXPECT_TRUE(both->json && both->asked_for);
  EXPECT_EQ(both->level, LogLevel::kDebug);
  EXPECT_FALSE(read_log_options("text")->json);
  EXPECT_THAT(read_log_options("jsno").error().message, HasSubstr("no log 'jsno'"));
}

TEST_F(ServiceLogTest, WhatLooksLikeATokenIsNoPath) {
  EXPECT_EQ(shown_path("/api/v1/runs/20261129T053000-3fa9c1/log"), "/api/v1/runs/20261129T053000-3fa9c1/log");
  EXPECT_EQ(shown_path("/share/0123456789abcdef0123456789abcdef/x"), "/share/…/x");
  EXPECT_EQ(shown_path("/api/v1/tables/public/a_table_with_a_name_that_is_very_long_indeed"),
            "/api/v1/tables/public/a_table_with_a_name_that_is_very_long_indeed");
  EXPECT_EQ(shown_path("/"), "/");
}

TEST_F(ServiceLogTest, EventsOfRuns) {
  ServiceLog log(real_env(), {.json = true, .level = LogLevel::kInfo, .asked_for = true}, file_);
  flow::TaskRecord task{.run_id = "r1", .name = "a", .kind = "source", .path = "p"};
  task.state = flow::State::kFailed;
  task.error = "no answer\nmore";
  log_event(log, "r1", {{"event", "task_ended"}, {"task", serve::to_json(task)}});
  const auto json = Json::parse(written());
  EXPECT_EQ(json["message"], "source a: failed: no answer");
  EXPECT_EQ(json["level"], "error");
}

}  // namespace
}  // namespace tarn::app
