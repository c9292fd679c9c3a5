// Goal: nothing that a person or data writes can end a header, an address or an element. Method: texts that
// try.
#include <gtest/gtest.h>

#include "report/mail/html.h"
#include "report/mail/mail_config.h"
#include "report/mail/smtp.h"

namespace tarn::report::mail {
namespace {

TEST(AddressTest, PlainOnesOnly) {
  EXPECT_EQ(*parse_address("Ada Löve <ada@example.org>"), (Address{"Ada Löve", "ada@example.org"}));
  EXPECT_EQ(*parse_address("\"Ada, L.\" <ada@example.org>"), (Address{"Ada, L.", "ada@example.org"}));
  EXPECT_EQ(*parse_address(" ada@localhost "), (Address{"", "ada@localhost"}));
  for (const auto* text : {"", "ada", "@b", "a@", "a@b@c", "a@b,c@d", "a b@c", "a@b>\r\nBcc: <x@y",
                           "A\r\nB <a@b>", "<a@b", "a@b\n", "A \"x <a@b>", "\xC3\xA4@b.org"})
    EXPECT_FALSE(parse_address(text)) << text;
}

TEST(HeaderTest, LineEndsAndLettersAreEncoded) {
  EXPECT_EQ(header_text("Prices of 2026"), "Prices of 2026");
  EXPECT_EQ(header_text("a\r\nBcc: x@y"), "a  Bcc: x@y");
  EXPECT_EQ(header_text("Übersicht €"), "=?utf-8?B?w5xiZXJzaWNodCDigqw=?=");
  EXPECT_EQ(header_text("=?utf-8?B?eA==?="), "=?utf-8?B?PT91dGYtOD9CP2VBPT0/PQ==?=");
  const auto text = header_text(std::string(60, 'a') + "é" + std::string(60, 'b'));
  for (size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find("\r\n", at), text.size());
    EXPECT_LE(end - at, 76U);
    at = end + 2;
  }
}

TEST(PutValuesTest, NamesInBraces) {
  const std::map<std::string, std::string> values = {{"title", "T {from}"}, {"from", "2026"}};
  EXPECT_EQ(*put_values("{title}: {from} {{x}", values), "T {from}: 2026 {x}");
  EXPECT_EQ(*put_values("open { brace", values), "open { brace");
  EXPECT_EQ(put_values("{form}", values).error().message,
            "there is no {form} to put in: did you mean {from}?");
}

TEST(BodyTest, DataIsEscaped) {
  BodyTable table{.columns = {{"<n>", "VARCHAR"}, {"price", "DOUBLE"}},
                  .rows = {{"<script>", "1.5"}, {std::nullopt, "a&b"}},
                  .all = 7};
  const Body body{.title = "A & B", .text = "one\ntwo", .footer = "\"f\""};
  const auto html = html_body(body, &table);
  EXPECT_EQ(html.find("<script>"), std::string::npos);
  for (const auto* part :
       {"A &amp; B", "one<br>two", "&lt;n&gt;", "&lt;script&gt;", "a&amp;b", "2 of 7 rows", "&quot;f&quot;"})
    EXPECT_NE(html.find(part), std::string::npos) << part;
  EXPECT_EQ(text_body(body, &table),
            "A & B\n\none\ntwo\n\n<n> | price\n<script> | 1.5\n | a&b\n2 of 7 rows\n\n\"f\"\n");
}

TEST(SettingsTest, MistakesAreTold) {
  Diagnostics mistakes;
  const auto node = codec::parse_yaml(
      "host: h\ntls: none\nport: 70000\npassword: x\nfrom: y\ntimeout: 0s\nprot: 1\n", "tarn.yml");
  (void)read_settings(*node, mistakes);
  EXPECT_EQ(mistakes.size(), 6U);
  mistakes.clear();
  const auto good =
      codec::parse_yaml("host: h\ntls: implicit\npassword: '${env:P}'\nfrom: a@b\n", "tarn.yml");
  const auto settings = read_settings(*good, mistakes);
  EXPECT_TRUE(mistakes.empty());
  EXPECT_EQ(settings.port, 465);
}

}  // namespace
}  // namespace tarn::report::mail
