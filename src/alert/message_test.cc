// Goal: nothing that comes from data mentions, links, formats or ends anything in any channel; a signature is
// what others compute. Method: texts that try, and the example of the standard.
#include "alert/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/time.h"
#include "codec/base64.h"

namespace tarn::alert {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

Alert failure(const std::string& task, const std::string& text) {
  Alert alert;
  alert.id = 7;
  alert.fact.subject = alert.fact.task = task;
  alert.fact.run = "20261129T053000-3fa9c1";
  alert.fact.text = text;
  alert.fact.at = alert.fact.since = parse_time("2026-11-29T05:30:00Z").value();
  return alert;
}

Letter letter(std::vector<Alert> alerts) {
  return {.project = "home",
          .id = "m1",
          .url = "https://t.example",
          .zone = {},
          .at = {},
          .alerts = std::move(alerts)};
}

const std::string kEvil =
    "<!channel> <script>alert(1)</script> ```*b* [x](http://evil) @everyone\r\nBcc: x\x01";

TEST(AlertMessageTest, NothingOfDataIsMarkup) {
  const auto evil = letter({failure("raw_<b>", kEvil)});
  EXPECT_THAT(html_text(evil), Not(HasSubstr("<script>")));
  EXPECT_THAT(html_text(evil), Not(HasSubstr("raw_<b>")));
  const auto slack = json::parse(slack_body(evil));
  const auto text = slack["blocks"][0]["text"]["text"].get<std::string>();
  EXPECT_THAT(text, HasSubstr("&lt;!channel&gt;"));
  EXPECT_THAT(text, Not(HasSubstr("<!channel>")));
  EXPECT_EQ(slack["blocks"][0]["text"]["verbatim"], true);
  // Its own three begin the block, and three end it.
  EXPECT_EQ(text.find("```", text.find("```") + 3), text.rfind("```"));
  EXPECT_THAT(slack["text"].get<std::string>(), Not(HasSubstr("<b>")));
  const auto teams = json::parse(teams_body(evil));
  const auto& card = teams["attachments"][0]["content"];
  EXPECT_EQ(card["type"], "AdaptiveCard");
  EXPECT_THAT(card.dump(), Not(HasSubstr("\"TextBlock\"")));  // which would be Markdown
  EXPECT_EQ(card["body"][1]["items"][0]["inlines"][0]["text"], "raw_<b> failed");
  EXPECT_THAT(title(letter({failure("a\r\nBcc: x@y", "")})), Not(HasSubstr("\n")));
}

TEST(AlertMessageTest, OneIsToldInFullManyAsASummary) {
  EXPECT_EQ(title(letter({failure("raw_bars", "x")})), "[home] raw_bars failed");
  EXPECT_THAT(plain_text(letter({failure("raw_bars", "no answer")})), HasSubstr("no answer"));
  EXPECT_THAT(plain_text(letter({failure("raw_bars", "x")})),
              HasSubstr("https://t.example/flow/runs/20261129T053000-3fa9c1"));
  std::vector<Alert> many;
  for (int i = 0; i < 30; ++i)
    many.push_back(failure("t" + std::to_string(i), "x"));
  many.front().fact.event = Event::kRecovery;
  EXPECT_EQ(title(letter(many)), "[home] 29 failed, 1 well again");
  EXPECT_THAT(plain_text(letter(many)), HasSubstr("and 10 more"));
  EXPECT_EQ(json::parse(webhook_body(letter(many)))["alerts"].size(), 30U);
  EXPECT_LE(ntfy_body(letter(many), "t").size(), 4600U);
  EXPECT_EQ(title(letter({})), "[home] a test message");
  EXPECT_EQ(json::parse(webhook_body(letter({})))["type"], "test");
}

TEST(AlertMessageTest, BytesThatAreNoTextStayInsideJson) {
  const auto body = json::parse(webhook_body(letter({failure("t", "\xFF\xFE \"quoted\"")})), nullptr, false);
  ASSERT_FALSE(body.is_discarded());
  EXPECT_THAT(body["alerts"][0]["text"].get<std::string>(), HasSubstr("\"quoted\""));
}

// Of standardwebhooks.com.
TEST(AlertMessageTest, SignatureOfTheStandard) {
  EXPECT_EQ(signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
                      R"({"test": 2432232314})"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(Base64Test, ThereAndBack) {
  for (const std::string text : {"", "f", "fo", "foo", "foob", "fooba", "foobar"})
    EXPECT_EQ(codec::from_base64(codec::base64(text)), text);
  EXPECT_EQ(codec::base64("foobar"), "Zm9vYmFy");
  EXPECT_FALSE(codec::from_base64("Zg=a"));
  EXPECT_FALSE(codec::from_base64("Z"));
}

}  // namespace
}  // namespace tarn::alert
