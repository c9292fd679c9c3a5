// A real lake in a temporary folder and sessions on it.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include "lake/lake.h"
#include "session/session.h"

namespace tarn::session {

// All cells, columns parted by '|', rows ended by '\n', null as NULL; or "code: message".
inline std::string text_of(Result<std::unique_ptr<engine::ResultStream>> stream) {
  auto error_text = [](const Error& error) {
    return fmt::format("{}: {}", name_of(error.code), error.message);
  };
  if (!stream) {
    return error_text(stream.error());
  }
  std::string text;
  while (true) {
    auto batch = (*stream)->next_text();
    if (!batch) {
      return error_text(batch.error());
    }
    if (!*batch) {
      return text;
    }
    for (size_t row = 0; row < (*batch)->rows; ++row) {
      for (size_t i = 0; i < (*batch)->columns.size(); ++i) {
        const auto& cells = (*batch)->columns[i];
        text += (i > 0 ? "|" : "") + (cells.null[row] ? std::string("NULL") : cells.text[row]);
      }
      text += "\n";
    }
  }
}

class SessionFixture : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              fmt::format("tarn_session_{}_{}", getpid(),
                          testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(folder_);
    open_lake();
  }

  void TearDown() override {
    close();
    std::filesystem::remove_all(folder_);
  }

  void close() {
    session_.reset();
    service_.reset();
    lake_.reset();
  }

  void open_lake(int slots = 8) { open_with({}, slots); }

  void open_with(lake::LakeOptions options, int slots = 8) {
    close();
    options.data_folder = folder_;
    auto lake = lake::Lake::open(real_env(), std::move(options));
    ASSERT_TRUE(lake) << lake.error().message;
    lake_ = std::move(*lake);
    service_ = make_session_service(lake_->database(), lake_->catalog(), real_env(), {.slots = slots});
    session_ = open({});
  }

  std::unique_ptr<Session> open(SessionOptions options) {
    auto session = service_->open(std::move(options));
    EXPECT_TRUE(session) << session.error().message;
    return session ? std::move(*session) : nullptr;
  }

  std::string run(std::string_view sql) { return text_of(session_->query(sql)); }
  // "" or "code: message".
  std::string script(std::string_view sql) { return script_in(*session_, sql); }
  static std::string script_in(Session& session, std::string_view sql) {
    auto done = session.execute(sql);
    return done ? "" : fmt::format("{}: {}", name_of(done.error().code), done.error().message);
  }

  std::string folder_;
  std::unique_ptr<lake::Lake> lake_;
  std::unique_ptr<SessionService> service_;
  std::unique_ptr<Session> session_;
};

}  // namespace tarn::session
