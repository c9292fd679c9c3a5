// A database with a lake over the catalog in memory, and short ways to ask it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "base/env/env.h"
#include "base/ids.h"
#include "base/time.h"
#include "engine/connection.h"
#include "engine/duck/lake/memory_catalog_test.h"

namespace tarn::engine {

class LakeTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("tarn-lake-" + new_uuid(*real_env().random));
    std::filesystem::create_directories(folder_);
    catalog_ = std::make_unique<MemoryCatalog>(folder_);
    open({});
  }

  void TearDown() override {
    connection_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }

  void open(DatabaseOptions options) {
    connection_.reset();
    database_.reset();
    options.lake = catalog_.get();
    options.lake_folder = folder_;
    options.allowed_folders = {folder_};
    options.threads = 4;
    auto database = Database::open(std::move(options));
    ASSERT_TRUE(database) << database.error().message;
    database_ = std::move(*database);
    connection_ = connect();
  }

  std::unique_ptr<Connection> connect() {
    auto connection = database_->connect();
    EXPECT_TRUE(connection) << connection.error().message;
    return std::move(*connection);
  }

  static std::string rows(Connection& connection, std::string_view sql) {
    auto stream = connection.query(sql);
    if (!stream) {
      return fmt::format("{}: {}", name_of(stream.error().code), stream.error().message);
    }
    std::string text;
    while (true) {
      auto batch = (*stream)->next_text();
      if (!batch) {
        return fmt::format("{}: {}", name_of(batch.error().code), batch.error().message);
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
  std::string rows(std::string_view sql) { return rows(*connection_, sql); }

  static void run(Connection& connection, std::string_view sql) {
    const auto done = connection.execute(sql);
    EXPECT_TRUE(done) << sql << "\n" << done.error().message;
  }
  void run(std::string_view sql) { run(*connection_, sql); }

  static std::string error_of(Connection& connection, std::string_view sql) {
    const auto done = connection.execute(sql);
    return done ? "no error" : fmt::format("{}: {}", name_of(done.error().code), done.error().message);
  }
  std::string error_of(std::string_view sql) { return error_of(*connection_, sql); }

  size_t files_on_disk() {
    size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
      count += entry.is_regular_file() ? 1 : 0;
    }
    return count;
  }

  std::string folder_;
  std::unique_ptr<MemoryCatalog> catalog_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace tarn::engine
