// Goal: every JSON text is read as RFC 8259 says and nothing else is taken for one. Method: texts one by one,
// compared with nlohmann's parser on small changes of valid texts.
#include "codec/json_scanner.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace tarn::codec {
namespace {

bool is_json(std::string_view text) {
  JsonScanner scanner(text);
  std::string_view raw;
  return scanner.skip(raw) && scanner.at_end();
}

TEST(JsonScannerTest, TakesWhatIsValidAndNothingElse) {
  for (const char* text :
       {"{}", "[]", " [1, 2.5e-3 ,\"a\\n\\u00e9\\ud83d\\ude00\"] ", "-0", "0.0", "null", "true",
        "{\"a\":{\"b\":[{}]},\"\":\"\"}", "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\""}) {
    EXPECT_TRUE(is_json(text)) << text;
  }
  for (const char* text : {"",
                           " ",
                           "{",
                           "[",
                           "[1,]",
                           "{\"a\":1,}",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{a:1}",
                           "01",
                           "-",
                           "1.",
                           "1e",
                           "+1",
                           ".5",
                           "nul",
                           "truee",
                           "\"a",
                           "\"\\x\"",
                           "\"\\u12\"",
                           "\"\\ud83d\"",
                           "\"\\ude00\"",
                           "\"\t\"",
                           "[1 2]",
                           "{\"a\":1 \"b\":2}",
                           "1 2",
                           "{}}",
                           "\"\xC3\"",
                           "\"\xED\xA0\x80\"",
                           "\"\xC0\xAF\"",
                           "\"\xF5\x80\x80\x80\"",
                           "[,1]",
                           "{,}"}) {
    EXPECT_FALSE(is_json(text)) << text;
  }
}

TEST(JsonScannerTest, DeepTextsAreRefusedNotFollowed) {
  EXPECT_TRUE(is_json(std::string(100, '[') + std::string(100, ']')));
  EXPECT_FALSE(is_json(std::string(100'000, '[') + std::string(100'000, ']')));
}

TEST(JsonScannerTest, StringsComeWithTheirEscapesResolved) {
  const std::string text =
      R"("plain and long enough" "q\"\\\/\b\f\n\r\t" "\u0041\u00e9\u20ac\ud83d\ude00" "")";
  JsonScanner scanner(text);
  std::string buffer;
  std::string_view read;
  for (const std::string_view wanted :
       {std::string_view("plain and long enough"), std::string_view("q\"\\/\b\f\n\r\t"),
        std::string_view("A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"), std::string_view("")}) {
    ASSERT_EQ(scanner.next_kind(), JsonKind::kString);
    ASSERT_TRUE(scanner.read_string(read, buffer));
    EXPECT_EQ(read, wanted);
  }
}

TEST(JsonScannerTest, MembersAreReadWithAndWithoutTheLikelyKey) {
  for (const std::string_view likely : {"", "a", "b", "abc", "a\""}) {
    const std::string text = R"({"a": 1, "a\u0062c": 2 , "b" :3})";
    JsonScanner scanner(text);
    std::string buffer;
    std::string keys;
    std::string_view key;
    std::string_view raw;
    ASSERT_EQ(scanner.next_kind(), JsonKind::kObject);
    scanner.open();
    for (bool first = true; scanner.next_member(first, key, buffer, is_plain_text(likely) ? likely : "") ==
                            JsonScanner::Step::kItem;
         first = false) {
      keys += std::string(key) + "=";
      ASSERT_TRUE(scanner.skip(raw));
      keys += std::string(raw) + ";";
    }
    EXPECT_EQ(keys, "a=1;abc=2;b=3;") << likely;
    EXPECT_TRUE(scanner.at_end());
  }
}

TEST(JsonScannerTest, SpaceOutsideOfStringsGoes) {
  EXPECT_EQ(without_space(" { \"a b\" : [ 1 , \"x \\\" y\" ] }\n"), "{\"a b\":[1,\"x \\\" y\"]}");
}

// Each byte of valid texts changed, cut or doubled: both parsers must agree.
TEST(JsonScannerTest, AgreesWithAnotherParser) {
  const std::string texts[] = {R"({"a":[1,-2.5e+3,true,null,"x\ud83d\ude00y"],"b":{"c":"\u00e9\\"}})",
                               "[\"\xE2\x82\xAC\", 0, -0.0e1, false]"};
  int checked = 0;
  for (const auto& text : texts) {
    for (size_t i = 0; i < text.size(); ++i) {
      for (const char byte :
           {'"', '\\', '{', '}', '[', ']', ',', ':', '0', '-', 'e', 'u', ' ', '\x01', '\x80', '\xF4'}) {
        std::string changed = text;
        changed[i] = byte;
        const std::string doubled = text.substr(0, i) + byte + text.substr(i);
        for (const auto& one : {changed, doubled, text.substr(0, i)}) {
          EXPECT_EQ(is_json(one), nlohmann::json::accept(one)) << one;
          ++checked;
        }
      }
    }
  }
  EXPECT_GT(checked, 4000);
}

}  // namespace
}  // namespace tarn::codec
