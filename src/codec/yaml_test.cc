// Goal: every value and every mistake in YAML has its exact place. Method: small texts, places compared.
#include "codec/yaml.h"

#include <gtest/gtest.h>

namespace tarn::codec {
namespace {

YamlNode read(std::string_view text) {
  auto node = parse_yaml(text, "a.yml");
  EXPECT_TRUE(node) << (node ? "" : node.error().message);
  return node ? *node : YamlNode{};
}

std::string mistake_in(std::string_view text) {
  auto node = parse_yaml(text, "a.yml");
  return node ? "no mistake" : node.error().message;
}

TEST(YamlTest, PlacesAreOneBased) {
  YamlNode root = read("name: x\nlist:\n  - 1\n  - 'two'\n");
  ASSERT_EQ(root.kind, YamlNode::Kind::kMap);
  ASSERT_EQ(root.entries.size(), 2u);
  EXPECT_EQ(to_string(root.entries[1].place), "a.yml:2:1");
  const YamlNode* list = root.find("list");
  ASSERT_NE(list, nullptr);
  ASSERT_EQ(list->items.size(), 2u);
  EXPECT_EQ(to_string(list->items[1].place), "a.yml:4:5");
  EXPECT_FALSE(list->items[0].quoted);
  EXPECT_TRUE(list->items[1].quoted);
}

TEST(YamlTest, EmptyTextIsNull) {
  EXPECT_EQ(read("").kind, YamlNode::Kind::kNull);
  EXPECT_EQ(read("# only a comment\n").kind, YamlNode::Kind::kNull);
  EXPECT_EQ(read("a:\nb: 1\n").find("a")->kind, YamlNode::Kind::kNull);
  EXPECT_EQ(to_string(read("a:\nb: 1\n").find("a")->place), "a.yml:1:1");
}

TEST(YamlTest, NullWordsAreNullUnlessQuoted) {
  YamlNode root = read("a: ~\nb: null\nc: 'null'\n");
  EXPECT_EQ(root.find("a")->kind, YamlNode::Kind::kNull);
  EXPECT_EQ(root.find("b")->kind, YamlNode::Kind::kNull);
  EXPECT_EQ(root.find("c")->text, "null");
}

TEST(YamlTest, DuplicateKey) {
  EXPECT_EQ(mistake_in("a: 1\nb: 2\na: 3\n"), "a.yml:3:1: key 'a' stands here twice; keep one of them");
}

TEST(YamlTest, UnquotedJinjaIsExplained) {
  EXPECT_EQ(mistake_in("a: {{ x }}\n"),
            "a.yml:1:5: a key must be plain text; put quotes around {{ … }} and the like");
}

TEST(YamlTest, TabIsExplained) {
  EXPECT_EQ(mistake_in("a:\n\tb: 1\n"), "a.yml:2:1: a tab in front of the text; indent with blanks");
}

TEST(YamlTest, SyntaxErrorHasPlace) {
  EXPECT_EQ(mistake_in("a: [1, 2\nb: 1\n").substr(0, 6), "a.yml:");
  EXPECT_EQ(mistake_in("a: 'x\nb: 1").substr(0, 6), "a.yml:");
  EXPECT_EQ(mistake_in("a: *nowhere\n").substr(0, 11), "a.yml:1:4: ");
}

TEST(YamlTest, SecondDocument) {
  EXPECT_NE(mistake_in("a: 1\n---\nb: 1\n").find(":3:1: a second document"), std::string::npos);
  EXPECT_NE(mistake_in("a: 1\n---\nb: 1\nb: 2\n").find(":1:1: a second document"), std::string::npos);
}

TEST(YamlTest, AnchorsAndMerge) {
  YamlNode root = read("base: &b {x: 1, y: 2}\nuse:\n  <<: *b\n  y: 3\n");
  const YamlNode* use = root.find("use");
  ASSERT_NE(use, nullptr);
  EXPECT_EQ(use->find("x")->text, "1");
  EXPECT_EQ(use->find("y")->text, "3");
  EXPECT_EQ(use->find("<<"), nullptr);
}

TEST(YamlTest, AliasInsideItself) {
  EXPECT_EQ(mistake_in("a: &x [1, *x]\n"),
            "a.yml:1:11: this alias stands inside what it names; write the value out");
}

TEST(YamlTest, AliasBombIsRefused) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    std::string last = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int j = 0; j < 9; ++j) {
      bomb += ", " + last;
    }
    bomb += "]\n";
  }
  EXPECT_NE(mistake_in(bomb).find("aliases unfold to more than"), std::string::npos);
}

TEST(YamlTest, DeepNestingIsRefused) {
  EXPECT_NE(mistake_in("a: " + std::string(5000, '[')), "no mistake");
  EXPECT_NE(mistake_in("a: " + std::string(250, '[') + std::string(250, ']')), "no mistake");
}

TEST(YamlReaderTest, ReadsAndCollectsMistakes) {
  YamlNode root = read("kind: htp\nlimit: ten\nmetod: GET\non: yes\nlist: one\nrate: 1.5\n");
  Diagnostics found;
  YamlReader reader(root, "the source", found);
  EXPECT_EQ(reader.choice("kind", {"http", "files"}, ""), "");
  EXPECT_EQ(reader.integer("limit"), std::nullopt);
  EXPECT_EQ(reader.text("method", "GET"), "GET");
  EXPECT_TRUE(reader.boolean("on", false));
  EXPECT_EQ(reader.texts("list"), (std::vector<std::string>{"one"}));
  EXPECT_EQ(reader.number("rate"), 1.5);
  EXPECT_EQ(reader.required_text("url"), "");
  reader.finish();
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(to_string(found[0]), "a.yml:1:7: 'kind' cannot be 'htp': did you mean 'http'?");
  EXPECT_EQ(to_string(found[1]), "a.yml:2:8: 'limit' must be a whole number, not 'ten'");
  EXPECT_EQ(to_string(found[2]), "a.yml:1:1: the source lacks 'url'");
  EXPECT_EQ(to_string(found[3]), "a.yml:3:1: unknown key 'metod': did you mean 'method'?");
}

TEST(YamlReaderTest, NotAMap) {
  YamlNode root = read("- 1\n- 2\n");
  Diagnostics found;
  YamlReader reader(root, "the source", found);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].message, "the source must be a map of keys and values, not a list");
}

}  // namespace
}  // namespace tarn::codec
