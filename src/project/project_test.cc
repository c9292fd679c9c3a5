// Goal: tarn.yml is read with its mistakes placed, files are found sorted, and secrets are references only.
// Method: real files in a temporary folder.
#include "project/project.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn::project {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ProjectTest : public testing::Test {
 protected:
  ProjectTest() {
    std::string pattern = testing::TempDir() + "tarn_project_XXXXXX";
    root_ = mkdtemp(pattern.data());
  }
  ~ProjectTest() override { std::filesystem::remove_all(root_); }

  void write(const std::string& name, const std::string& text) {
    const auto path = std::filesystem::path(root_) / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }

  std::string root_;
};

TEST_F(ProjectTest, ReadsEverySetting) {
  write("tarn.yml",
        "name: home\ndata: state\nvars:\n  city: Utrecht\n  days: 3\nmemory: 1.5GB\nthreads: 2\n"
        "time_zone: Europe/Amsterdam\nhttp: {host: 127.0.0.1, port: 8080}\nallow_private_addresses: true\n");
  Diagnostics diagnostics;
  const auto project = load_project(real_file_system(), root_, diagnostics);
  ASSERT_TRUE(project) << project.error().message;
  EXPECT_TRUE(diagnostics.empty());
  EXPECT_EQ(project->name, "home");
  EXPECT_EQ(project->data_folder, root_ + "/state");
  EXPECT_EQ(project->vars.at("city"), "Utrecht");
  EXPECT_EQ(project->vars.at("days"), "3");
  EXPECT_EQ(project->memory_limit_bytes, 1'500'000'000U);
  EXPECT_EQ(project->threads, 2);
  EXPECT_EQ(project->time_zone, "Europe/Amsterdam");
  EXPECT_EQ(project->http_port, 8080);
  EXPECT_TRUE(project->allow_private_addresses);
}

TEST_F(ProjectTest, MistakesCarryTheirPlace) {
  write("tarn.yml", "name: home\nmemry: 1GB\nmemory: lots\nhttp:\n  port: 70000\n");
  Diagnostics diagnostics;
  ASSERT_TRUE(load_project(real_file_system(), root_, diagnostics));
  std::string all;
  for (const auto& diagnostic : diagnostics)
    all += to_string(diagnostic) + "\n";
  EXPECT_THAT(all, HasSubstr("tarn.yml:2:1: "));
  EXPECT_THAT(all, HasSubstr("memory"));
  EXPECT_THAT(all, HasSubstr("tarn.yml:3:9: memory 'lots'"));
  EXPECT_THAT(all, HasSubstr("tarn.yml:5:9: port 70000"));
}

TEST_F(ProjectTest, MemoryIsASizeThatAMachineCanHave) {
  for (const std::string wrong : {"nan", "inf", "1e300", "1e30TB", "1", "-1GB", "1XB"}) {
    write("tarn.yml", "name: home\nmemory: " + wrong + "\n");
    Diagnostics diagnostics;
    ASSERT_TRUE(load_project(real_file_system(), root_, diagnostics));
    ASSERT_EQ(diagnostics.size(), 1U) << wrong;
    EXPECT_THAT(to_string(diagnostics.front()), HasSubstr("is not a size of at least 64MB"));
  }
}

TEST_F(ProjectTest, AFolderWithoutTarnYmlSaysWhatToDo) {
  Diagnostics diagnostics;
  const auto project = load_project(real_file_system(), root_, diagnostics);
  ASSERT_FALSE(project);
  EXPECT_EQ(project.error().code, Code::kInvalid);
  EXPECT_THAT(project.error().message, HasSubstr("tarn init"));
}

TEST_F(ProjectTest, FindsFilesSortedAndSkipsHidden) {
  write("models/b/two.sql", "");
  write("models/one.sql", "");
  write("models/.hidden/three.sql", "");
  write("models/schema.yml", "");
  const auto found = find_files(real_file_system(), root_, "models", ".sql");
  ASSERT_TRUE(found);
  EXPECT_THAT(*found, ElementsAre("models/b/two.sql", "models/one.sql"));
  EXPECT_TRUE(find_files(real_file_system(), root_, "absent", ".sql")->empty());
}

TEST_F(ProjectTest, SecretsAreResolvedAndNeverNamedByValue) {
  write("key", "s3cret\n");
  setenv("TARN_PROJECT_TEST", "abc", 1);
  EXPECT_EQ(*resolve_secrets(real_file_system(), root_, "Bearer ${env:TARN_PROJECT_TEST}/${file:key}/${x}"),
            "Bearer abc/s3cret/${x}");
  const auto missing = resolve_secrets(real_file_system(), root_, "${env:TARN_NOT_SET_ANYWHERE}");
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("TARN_NOT_SET_ANYWHERE"));
  EXPECT_TRUE(has_secret("a ${file:x}"));
  EXPECT_FALSE(has_secret("a ${x}"));
}

}  // namespace
}  // namespace tarn::project
