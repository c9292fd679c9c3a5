// Goal: a folder of YAML files is read whole, whatever one of them is like: names, doubles, mistakes with
// their places, and what is said of a name that is none. Method: real files in a temporary folder.
#include "project/yaml_folder.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn::project {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Thing {
  std::string name, title;
  YamlFile file;
  bool broken = false;
  std::string color;
};

std::shared_ptr<const Thing> read_thing(std::string_view text, const std::string& path,
                                        Diagnostics& diagnostics) {
  return read_named<Thing>({path, std::string(text)}, diagnostics,
                           [](const codec::YamlNode& node, Thing& thing, Diagnostics& found) {
                             codec::YamlReader reader(node, "the thing", found);
                             thing.color = reader.text("color");
                             reader.finish();
                           });
}

std::string lower(std::string_view name) {
  std::string text(name);
  std::transform(text.begin(), text.end(), text.begin(), ::tolower);
  return text;
}

constexpr FolderKind kThings{.folder = "things", .one = "thing"};

class YamlFolderTest : public testing::Test {
 protected:
  YamlFolderTest() {
    std::string pattern = testing::TempDir() + "tarn_folder_XXXXXX";
    root_ = mkdtemp(pattern.data());
  }
  ~YamlFolderTest() override { std::filesystem::remove_all(root_); }

  void write(const std::string& name, const std::string& text) {
    const auto path = std::filesystem::path(root_) / "things" / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  YamlFolder<Thing> read(const FolderKind& kind = kThings) {
    auto folder = YamlFolder<Thing>::read(real_file_system(), root_, kind, read_thing, mistakes_);
    EXPECT_TRUE(folder) << folder.error().message;
    return std::move(*folder);
  }
  std::vector<std::string> names(const YamlFolder<Thing>& folder) {
    std::vector<std::string> all;
    for (const auto& one : folder.configs())
      all.push_back(one->name);
    return all;
  }

  std::string root_;
  Diagnostics mistakes_;
};

TEST_F(YamlFolderTest, FilesOfBothEndingsAreSortedByName) {
  write("b.yml", "color: red");
  write("a.yaml", "color: blue");
  write("deep/c.d.yml", "color: green");
  write("notes.txt", "not one of them");
  const auto folder = read();
  EXPECT_THAT(names(folder), ElementsAre("a", "b", "c.d"));
  EXPECT_EQ((*folder.find("c.d"))->color, "green");
  EXPECT_EQ((*folder.find("c.d"))->file.path, "things/deep/c.d.yml");
  EXPECT_TRUE(mistakes_.empty());
}

TEST_F(YamlFolderTest, OfTwoWithOneNameTheFirstStands) {
  write("a.yml", "color: red");
  write("a.yaml", "color: blue");
  const auto folder = read();
  EXPECT_THAT(names(folder), ElementsAre("a"));
  EXPECT_EQ((*folder.find("a"))->color, "red");
  ASSERT_EQ(mistakes_.size(), 1);
  EXPECT_EQ(to_string(mistakes_[0]), "things/a.yaml: things/a.yml has the same name: rename one of the two");
  EXPECT_TRUE(folder.find_whole("a"));  // the mistake is the other file's
}

TEST_F(YamlFolderTest, NamesThatDifferByCaseAreTheSameWhereTheKindSaysSo) {
  write("A.yml", "color: red");
  write("a.yaml", "color: blue");
  EXPECT_THAT(names(read()), ElementsAre("A", "a"));
  EXPECT_THAT(names(read({.folder = "things", .one = "thing", .folded = lower})), ElementsAre("A"));
  EXPECT_EQ(mistakes_.size(), 1);
}

TEST_F(YamlFolderTest, AMistakeBreaksItsOwnFileOnly) {
  write("bad.yml", "color: red\ncolour: blue");
  write("good.yml", "color: red");
  write("torn.yml", "color: [");
  const auto folder = read();
  EXPECT_THAT(names(folder), ElementsAre("bad", "good", "torn"));
  EXPECT_TRUE(folder.find_whole("good"));
  EXPECT_THAT(folder.find_whole("bad").error().message, HasSubstr("things/bad.yml:2:1: "));
  EXPECT_THAT(folder.find_whole("torn").error().message, HasSubstr("things/torn.yml:"));
  EXPECT_EQ(folder.find_whole("bad").error().code, Code::kInvalid);
  EXPECT_EQ(mistakes_.size(), 2);
}

TEST_F(YamlFolderTest, AnUnknownNameSaysWhatThereIs) {
  EXPECT_EQ(read().find("x").error().message,
            "there is no thing 'x': the project has none yet; write things/NAME.yml");
  write("prices.yml", "color: red");
  write("weather.yml", "color: red");
  const auto folder = read();
  EXPECT_EQ(folder.find("price").error().message, "there is no thing 'price': did you mean 'prices'?");
  EXPECT_EQ(folder.find("qqqqqqqq").error().message,
            "there is no thing 'qqqqqqqq': the things are prices, weather");
  EXPECT_EQ(folder.find("x").error().code, Code::kNotFound);
}

}  // namespace
}  // namespace tarn::project
