// Goal: what a person gives becomes values to bind, and what does not fit is told with a way out. Method:
// parameters as YAML text.
#include "report/parameters.h"

#include <gtest/gtest.h>

namespace tarn::report {
namespace {

constexpr auto kToday = std::chrono::year(2026) / 11 / 21;

std::vector<ParameterConfig> read(std::string_view text, Diagnostics& mistakes) {
  const auto node = codec::parse_yaml(text, "x.yml");
  return node ? read_parameters(*node, mistakes) : std::vector<ParameterConfig>();
}

const std::vector<ParameterConfig>& sample() {
  static const auto parameters = [] {
    Diagnostics mistakes;
    return read(
        "from: {type: date, default: today - 30 days}\n"
        "symbol: {type: choice, choices: [AAPL, {value: MSFT, label: Microsoft}], default: AAPL}\n"
        "cities: {type: list, choices: select city from cities}\n"
        "limit: {type: number, required: true}\n"
        "note: text\n",
        mistakes);
  }();
  return parameters;
}

Result<std::vector<Value>> settle(const Given& given) {
  return settle_values("report prices", sample(), given, kToday,
                       [](const ParameterConfig& one) -> Result<std::vector<Choice>> {
                         return one.choices.empty() ? std::vector<Choice>{{"Utrecht", ""}, {"Delft", ""}}
                                                    : one.choices;
                       });
}

std::string refused(const Given& given) {
  const auto values = settle(given);
  return values ? "settled" : values.error().message;
}

TEST(ParametersTest, DefaultsAndTypes) {
  const auto values = settle({{"limit", {"10"}}, {"cities", {"Delft", "Utrecht"}}});
  ASSERT_TRUE(values) << values.error().message;
  ASSERT_EQ(values->size(), 5U);
  EXPECT_EQ((*values)[0].bound.text, "2026-10-22");
  EXPECT_EQ((*values)[0].bound.type, "DATE");
  EXPECT_EQ((*values)[0].bound.name, "from");
  EXPECT_EQ((*values)[1].bound.text, "AAPL");
  EXPECT_EQ((*values)[2].bound.list, (std::vector<std::string>{"Delft", "Utrecht"}));
  EXPECT_EQ((*values)[2].shown, "Delft, Utrecht");
  EXPECT_EQ((*values)[3].bound.type, "BIGINT");
  EXPECT_EQ((*values)[4].bound.text, std::nullopt);
  EXPECT_EQ((*settle({{"limit", {"1.5"}}}))[3].bound.type, "DOUBLE");
}

TEST(ParametersTest, WhatDoesNotFitIsTold) {
  EXPECT_EQ(refused({}), "parameter limit: a value is needed (number)");
  EXPECT_EQ(refused({{"limit", {""}}}), "parameter limit: a value is needed (number)");
  EXPECT_EQ(refused({{"limit", {"ten"}}}), "parameter limit: 'ten' is not a number");
  EXPECT_EQ(refused({{"limit", {"1", "2"}}}), "parameter limit: one value is wanted, not several");
  EXPECT_EQ(refused({{"limit", {"1"}}, {"form", {"2026-01-01"}}}),
            "report prices has no parameter 'form': did you mean 'from'?");
  EXPECT_EQ(refused({{"limit", {"1"}}, {"symbol", {"GOOG"}}}),
            "parameter symbol: 'GOOG' is not among the choices: AAPL, MSFT");
  EXPECT_EQ(refused({{"limit", {"1"}}, {"cities", {"Delft", "Utrech"}}}),
            "parameter cities: 'Utrech' is not among the choices: did you mean 'Utrecht'?");
  EXPECT_NE(refused({{"limit", {"1"}}, {"from", {"soon"}}}).find("parameter from: 'soon' is not a date"),
            std::string::npos);
}

TEST(ParametersTest, MistakesInTheText) {
  Diagnostics mistakes;
  (void)read(
      "2nd: date\na: {type: choice}\nb: {type: date, default: [today, today]}\nc: {type: number, default: "
      "x}\n"
      "d: {type: date, choices: [1]}\ne: {typ: date}\n",
      mistakes);
  std::string all;
  for (const auto& one : mistakes)
    all += to_string(one) + "\n";
  for (const auto* part :
       {"x.yml:1:1: a parameter's name has letters", "x.yml:2:4: a choice needs choices",
        "x.yml:3:26: only a list", "x.yml:4:28: default 'x' is not a number",
        "x.yml:5:26: only parameters of type choice and list", "x.yml:6:5: unknown key 'typ'"})
    EXPECT_NE(all.find(part), std::string::npos) << part << " in\n" << all;
}

TEST(ParametersTest, ListsAndNumbersWithoutValueHaveTheirTypes) {
  const auto blanks = blank_values(sample());
  EXPECT_EQ(blanks[0].type, "DATE");
  EXPECT_EQ(blanks[0].text, std::nullopt);
  EXPECT_TRUE(blanks[2].list && blanks[2].list->empty());
}

}  // namespace
}  // namespace tarn::report
