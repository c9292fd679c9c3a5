// Goal: a mistake inside a text of a YAML file is shown at its line and column in that file.
// Method: the word "bad" is looked for in the parsed text and must be found again in the file, in each style.
#include "codec/scalar_place.h"

#include <gtest/gtest.h>

#include "codec/yaml.h"

namespace tarn::codec {
namespace {

void finds_again(std::string_view file) {
  auto root = parse_yaml(file, "f.yml");
  ASSERT_TRUE(root) << root.error().message;
  const YamlNode* node = root->find("sql");
  ASSERT_NE(node, nullptr);
  size_t offset = node->text.find("bad");
  ASSERT_NE(offset, std::string::npos);
  size_t at = file.find("bad");
  auto before = file.substr(0, at);
  Place wanted{"f.yml", static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1,
               static_cast<int>(at - (before.rfind('\n') + 1)) + 1};
  EXPECT_EQ(to_string(place_inside(file, node->place, node->text, offset)), to_string(wanted)) << file;
}

TEST(ScalarPlace, EveryStyle) {
  finds_again("a: 1\nsql: select bad from t\n");
  finds_again("a: 1\nsql:   select 1,\n     2,   bad\n");
  finds_again("sql: |\n  select 1,\n\n    bad from t\nb: 2\n");
  finds_again("sql: |-   # why\r\n    select 1,\r\n      bad\r\n");
  finds_again("sql: >\n  select 1,\n  2, bad\n");
  finds_again("sql: 'select ''x'', bad'\n");
  finds_again("sql: \"select \\\"x\\\",\\n\\t bad\"\n");
  finds_again("sql: \"select 1,\n   2, bad\"\n");
}

TEST(ScalarPlace, TheEndIsAPlace) {
  std::string_view file = "sql: |\n  select 1 +\n\nb: 2\n";
  auto root = parse_yaml(file, "f.yml");
  ASSERT_TRUE(root);
  const YamlNode* node = root->find("sql");
  EXPECT_EQ(to_string(place_inside(file, node->place, node->text, node->text.size())), "f.yml:2:13");
}

}  // namespace
}  // namespace tarn::codec
