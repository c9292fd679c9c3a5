#include "report/parameters.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "codec/text_distance.h"
#include "report/relative_date.h"

namespace tarn::report {
namespace {

constexpr size_t kNamedMax = 12;  // choices that a message names

bool is_whole(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

bool is_real(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

Error mistake(const ParameterConfig& parameter, std::string_view text) {
  return {Code::kInvalid, fmt::format("parameter {}: {}", parameter.name, text)};
}

Status check_choice(const ParameterConfig& parameter, const std::vector<Choice>& choices,
                    const std::string& text) {
  std::vector<std::string> names;
  for (const auto& choice : choices) {
    if (choice.value == text)
      return ok();
    names.push_back(choice.value);
  }
  const auto near = codec::nearest(text, names);
  const bool more = names.size() > kNamedMax;
  names.resize(std::min(names.size(), kNamedMax));
  return mistake(parameter, fmt::format("'{}' is not among the choices: {}", text,
                                        !near.empty()   ? fmt::format("did you mean '{}'?", near)
                                        : names.empty() ? "there are none"
                                                        : fmt::format("{}{}", fmt::join(names, ", "),
                                                                      more ? ", …" : "")));
}

Result<std::string> settle_text(const ParameterConfig& parameter, const std::string& text,
                                std::chrono::year_month_day today) {
  if (parameter.type == ParameterType::kDate) {
    auto date = resolve_date(text, today);
    if (!date)
      return mistake(parameter, date.error().message);
    return format_date(*date);
  }
  if (parameter.type == ParameterType::kNumber && !is_real(text))
    return mistake(parameter, fmt::format("'{}' is not a number", text));
  return text;
}

std::string type_of(const ParameterConfig& parameter, const std::string& text) {
  if (parameter.type == ParameterType::kDate)
    return "DATE";
  if (parameter.type == ParameterType::kNumber)
    return is_whole(text) ? "BIGINT" : "DOUBLE";
  return "VARCHAR";
}

}  // namespace

Status check_names(std::string_view of, const std::vector<ParameterConfig>& parameters, const Given& given) {
  std::vector<std::string> names;
  for (const auto& parameter : parameters)
    names.push_back(parameter.name);
  for (const auto& [name, texts] : given) {
    if (std::find(names.begin(), names.end(), name) != names.end())
      continue;
    const auto near = codec::nearest(name, names);
    return Error{Code::kInvalid, fmt::format("{} has no parameter '{}': {}", of, name,
                                             names.empty()  ? "it takes none"
                                             : near.empty() ? fmt::format("it has {}", fmt::join(names, ", "))
                                                            : fmt::format("did you mean '{}'?", near))};
  }
  return ok();
}

Result<Value> settle_value(const ParameterConfig& parameter, const Given& given,
                           std::chrono::year_month_day today, const AskChoices& choices) {
  const auto found = given.find(parameter.name);
  auto texts = found != given.end() ? found->second : parameter.defaults.value_or(std::vector<std::string>());
  const bool is_list = parameter.type == ParameterType::kList;
  if (!is_list)
    std::erase(texts, "");
  if (texts.empty() && parameter.required)
    return mistake(parameter, fmt::format("a value is needed ({})", name_of(parameter.type)));
  if (texts.size() > 1 && !is_list)
    return mistake(parameter, "one value is wanted, not several");
  for (auto& text : texts) {
    TARN_TRY(text, settle_text(parameter, text, today));
  }
  if (!texts.empty() && (!parameter.choices.empty() || !parameter.choices_query.text.empty())) {
    TARN_TRY(const auto allowed, choices(parameter));
    for (const auto& text : texts)
      TARN_CHECK(check_choice(parameter, allowed, text));
  }
  auto value = blank_value(parameter);
  value.shown = fmt::format("{}", fmt::join(texts, ", "));
  value.bound.type = type_of(parameter, texts.empty() ? "0" : texts.front());
  if (is_list) {
    value.bound.list = std::move(texts);
  } else if (!texts.empty()) {
    value.bound.text = texts.front();
  }
  return value;
}

Value blank_value(const ParameterConfig& parameter) {
  Value value{.name = parameter.name, .label = parameter.label};
  value.bound.name = parameter.name;
  value.bound.type = type_of(parameter, "0");
  if (parameter.type == ParameterType::kList)
    value.bound.list = std::vector<std::string>();
  return value;
}

Result<std::vector<Value>> settle_values(std::string_view of, const std::vector<ParameterConfig>& parameters,
                                         const Given& given, std::chrono::year_month_day today,
                                         const AskChoices& choices) {
  TARN_CHECK(check_names(of, parameters, given));
  std::vector<Value> values;
  for (const auto& parameter : parameters) {
    TARN_TRY(auto value, settle_value(parameter, given, today, choices));
    values.push_back(std::move(value));
  }
  return values;
}

std::vector<engine::Parameter> blank_values(const std::vector<ParameterConfig>& parameters) {
  std::vector<engine::Parameter> values;
  for (const auto& parameter : parameters) {
    engine::Parameter value{.name = parameter.name};
    value.type = type_of(
        parameter, parameter.defaults && !parameter.defaults->empty() ? parameter.defaults->front() : "0");
    if (parameter.type == ParameterType::kList)
      value.list = std::vector<std::string>();
    values.push_back(std::move(value));
  }
  return values;
}

}  // namespace tarn::report
