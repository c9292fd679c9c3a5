// For tests: a project in a temporary folder with a real lake, and a server on loopback that misbehaves.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "flow/task.h"
#include "lake/lake.h"
#include "net/bad_server_test.h"
#include "source/input.h"
#include "source/source.h"

namespace tarn::source {

class QuietLog : public flow::TaskLog {
 public:
  void line(std::string text) override {
    std::lock_guard lock(mutex_);
    text_ += text + "\n";
  }
  void progress(std::string text) override {
    if (on_progress) {
      on_progress(text);
    }
  }
  std::function<void(const std::string&)> on_progress;
  std::string text() {
    std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  std::mutex mutex_;
  std::string text_;
};

class SourceFixture : public ::testing::Test {
 protected:
  void SetUp() override {
    static int counter = 0;
    root_ = std::filesystem::temp_directory_path() / fmt::format("tarn-source-{}-{}", ::getpid(), ++counter);
    std::filesystem::create_directories(root_ + "/sources");
    open();
  }
  void TearDown() override {
    close();
    std::filesystem::remove_all(root_);
  }

  void open() {
    lake::LakeOptions options;
    options.data_folder = root_ + "/.tarn";
    options.system_tables = [this](store::Store& store, engine::LakeCatalog&) -> Result<lake::SystemTables> {
      TARN_TRY(records_, FetchRecords::open(store));
      return lake::SystemTables{fetches_table(store)};
    };
    auto lake = lake::Lake::open(real_env(), std::move(options));
    ASSERT_TRUE(lake) << lake.error().message;
    lake_ = std::move(*lake);
    sessions_ = session::make_session_service(lake_->database(), lake_->catalog(), real_env(), {});
  }
  void close() {
    sessions_.reset();
    lake_.reset();
    records_.reset();
  }

  void write(const std::string& path, std::string_view text) const {
    std::filesystem::create_directories(std::filesystem::path(root_ + "/" + path).parent_path());
    std::ofstream(root_ + "/" + path, std::ios::binary) << text;
  }

  // The sources as they are on the disk now.
  Result<std::shared_ptr<const Sources>> sources() {
    project::Project project;
    project.root = root_;
    project.data_folder = root_ + "/.tarn";
    project.vars = {{"here", "http://127.0.0.1"}};
    project.allow_private_addresses = true;
    diagnostics_.clear();
    TARN_TRY(auto sources, Sources::read(real_file_system(), project, diagnostics_));
    if (!diagnostics_.empty()) {
      return Error{Code::kInvalid, to_string(diagnostics_.front())};
    }
    return sources;
  }

  Status run_task(const std::string& name,
                  const std::function<Status(const Sources&, flow::TaskContext&)>& work,
                  const std::string& run, const std::string& task) {
    TARN_TRY(auto read, sources());
    report_ = {};
    flow::TaskContext context{.env = env_,
                              .sessions = *sessions_,
                              .log = log_,
                              .cancel = cancel_,
                              .run_id = run,
                              .full_refresh = full_refresh_,
                              .data_folder = root_ + "/.tarn",
                              .report = &report_,
                              .task_name = task};
    return work(*read, context);
  }

  // Runs one source as run `run`, or as a new one.
  Error error_of_run() {
    auto status = run("s");
    EXPECT_FALSE(status);
    return status ? Error{} : status.error();
  }
  Status run(const std::string& name, std::string run = "") {
    if (run.empty()) {
      run = fmt::format("run{}", ++runs_);
    }
    TARN_TRY(auto read, sources());
    return run_task(
        name,
        [&](const Sources&, flow::TaskContext& context) -> Status {
          for (const auto& task : source_tasks(read, *records_)) {
            if (task->name() == name) {
              return task->run(context);
            }
          }
          return Error{Code::kNotFound, name};
        },
        run, name);
  }

  Status replay_run(const std::string& name, const std::string& run) {
    return run_task(
        name,
        [&](const Sources& sources, flow::TaskContext& context) {
          return replay(sources, *records_, name, run, context);
        },
        fmt::format("replay{}", ++runs_), "replay." + name);
  }

  // Rows as "a|b;c|d", null as "-".
  std::string query(const std::string& sql) {
    auto session = sessions_->open({});
    if (!session) {
      return session.error().message;
    }
    auto rows = rows_of(**session, sql);
    if (!rows) {
      return rows.error().message;
    }
    std::string out;
    for (const auto& row : *rows) {
      out += out.empty() ? "" : ";";
      for (size_t i = 0; i < row.size(); ++i) {
        out += (i > 0 ? "|" : "") + row[i].value_or("-");
      }
    }
    return out;
  }

  // What `tarn check` says about the sources.
  Diagnostics check() {
    Diagnostics found;
    auto draft = session::Draft::open(*sessions_);
    EXPECT_TRUE(draft) << draft.error().message;
    auto read = sources();
    EXPECT_TRUE((*read)->draft_tables(**draft, found));
    EXPECT_TRUE((*read)->check_sql(*sessions_, **draft, *records_, found));
    return found;
  }

  Env env_ = real_env();  // of tasks
  std::string root_;
  std::unique_ptr<lake::Lake> lake_;
  std::unique_ptr<FetchRecords> records_;
  std::unique_ptr<session::SessionService> sessions_;
  QuietLog log_;
  flow::CancelFlag cancel_;
  flow::TaskReport report_;
  Diagnostics diagnostics_;
  bool full_refresh_ = false;
  int runs_ = 0;
};

#define EXPECT_OK(...)                                                 \
  do {                                                                 \
    const auto& expect_ok_result = (__VA_ARGS__);                      \
    EXPECT_TRUE(expect_ok_result) << expect_ok_result.error().message; \
  } while (false)

}  // namespace tarn::source
