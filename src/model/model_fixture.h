// What the model tests share: a project written into a temporary folder, run against a real lake.
#pragma once

#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "base/env/env.h"
#include "lake/lake.h"
#include "model/model.h"
#include "model/project.h"
#include "session/session.h"

namespace tarn::model {

class KeptLog : public flow::TaskLog {
 public:
  void line(std::string text) override { lines.push_back(std::move(text)); }
  void progress(std::string /*text*/) override {}
  std::vector<std::string> lines;
};

class ModelFixture : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "model-XXXXXX";
    root_ = ::mkdtemp(pattern.data());
    config_.root = root_;
    config_.name = "home";
    config_.data_folder = root_ + "/.tarn";
  }
  void TearDown() override {
    sessions_.reset();
    lake_.reset();
    std::filesystem::remove_all(root_);
  }

  void write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(root_ + "/" + path).parent_path());
    std::ofstream(root_ + "/" + path, std::ios::binary) << text;
  }

  void open_lake() {
    auto opened = lake::Lake::open(real_env(), {.data_folder = config_.data_folder, .threads = 2});
    ASSERT_TRUE(opened) << opened.error().message;
    lake_ = std::move(*opened);
    sessions_ = session::make_session_service(lake_->database(), lake_->catalog(), real_env(), {});
  }

  // The project, or null with all mistakes in mistakes_.
  std::shared_ptr<const ModelProject> load_project() {
    mistakes_.clear();
    auto loaded = load(real_env(), config_, options_, mistakes_);
    EXPECT_TRUE(loaded) << (loaded ? "" : loaded.error().message);
    return loaded ? *loaded : nullptr;
  }

  // All mistakes, one a line, sorted as found.
  std::string mistakes() {
    (void)load_project();
    std::string all;
    for (const auto& one : mistakes_) {
      all += to_string(one) + "\n";
    }
    return all;
  }

  // The same with what the engine finds.
  std::string checked() {
    auto project = load_project();
    auto draft = session::Draft::open(*sessions_);
    EXPECT_TRUE(draft) << draft.error().message;
    auto status = check(*project, *sessions_, **draft, mistakes_);
    EXPECT_TRUE(status) << status.error().message;
    std::string all;
    for (const auto& one : mistakes_) {
      all += to_string(one) + "\n";
    }
    return all;
  }

  // Runs all tasks, upstream first. Stops nowhere: a failure is remembered under the task's name.
  void run(bool full_refresh = false) {
    auto project = load_project();
    for (const auto& one : mistakes_) {
      ADD_FAILURE() << to_string(one);
    }
    auto tasks = model_tasks(project);
    ++runs_;
    errors_.clear();
    reports_.clear();
    log_.lines.clear();
    std::set<std::string> done;
    while (done.size() < tasks.size()) {
      size_t before = done.size();
      for (const auto& task : tasks) {
        auto upstream = task->upstream();
        bool ready = std::all_of(upstream.begin(), upstream.end(), [&](const std::string& name) {
          return done.contains(name) || std::none_of(tasks.begin(), tasks.end(), [&](const auto& other) {
                   return other->name() == name;
                 });
        });
        if (!done.contains(task->name()) && ready) {
          run_task(*task, full_refresh);
          done.insert(task->name());
        }
      }
      ASSERT_NE(done.size(), before) << "the tasks wait for each other";
    }
  }

  void run_task(flow::Task& task, bool full_refresh) {
    flow::TaskContext context{.env = real_env(),
                              .sessions = *sessions_,
                              .log = log_,
                              .cancel = cancel_,
                              .run_id = fmt::format("run{}", runs_),
                              .full_refresh = full_refresh,
                              .data_folder = config_.data_folder,
                              .report = &reports_[task.name()],
                              .task_name = task.name()};
    auto status = task.run(context);
    if (!status) {
      errors_[task.name()] = status.error().message;
    }
  }

  void run_well(bool full_refresh = false) {
    run(full_refresh);
    for (const auto& [name, message] : errors_) {
      ADD_FAILURE() << name << ": " << message;
    }
  }

  void sql(const std::string& text) {
    auto session = sessions_->open({});
    ASSERT_TRUE(session) << session.error().message;
    auto done = (*session)->execute(text);
    ASSERT_TRUE(done) << done.error().message;
  }

  // "1|a;2|b"
  std::string rows(const std::string& text) {
    auto session = sessions_->open({});
    if (!session) {
      return "! " + session.error().message;
    }
    auto stream = (*session)->query(text);
    if (!stream) {
      return "! " + stream.error().message;
    }
    std::string out;
    for (;;) {
      auto batch = (*stream)->next_text();
      if (!batch) {
        return "! " + batch.error().message;
      }
      if (!*batch) {
        return out;
      }
      for (size_t row = 0; row < (*batch)->rows; ++row) {
        out += out.empty() ? "" : ";";
        for (size_t i = 0; i < (*batch)->columns.size(); ++i) {
          const auto& cells = (*batch)->columns[i];
          out += (i == 0 ? "" : "|") + (cells.null[row] ? std::string("null") : cells.text[row]);
        }
      }
    }
  }

  std::string root_;
  project::Project config_;
  LoadOptions options_;
  Diagnostics mistakes_;
  std::unique_ptr<lake::Lake> lake_;
  std::unique_ptr<session::SessionService> sessions_;
  KeptLog log_;
  flow::CancelFlag cancel_;
  int runs_ = 0;
  std::map<std::string, std::string> errors_;
  std::map<std::string, flow::TaskReport> reports_;
};

}  // namespace tarn::model
