#include "report/parameter_config.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "report/relative_date.h"

namespace tarn::report {
namespace {

using codec::YamlNode;
using codec::YamlReader;

// Any day will do to see whether a relative date can be read.
constexpr auto kSomeDay = std::chrono::year(2026) / 6 / 15;

bool is_identifier(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto good = [&](char c) { return letter(c) || (c >= '0' && c <= '9'); };
  return !text.empty() && letter(text.front()) && std::all_of(text.begin(), text.end(), good);
}

bool is_number(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

void read_choices(YamlReader& reader, const YamlNode& node, ParameterConfig& parameter) {
  const auto* choices = reader.child("choices");
  const bool asks = parameter.type == ParameterType::kChoice || parameter.type == ParameterType::kList;
  if (choices == nullptr) {
    if (parameter.type == ParameterType::kChoice)
      reader.mistake(node, "a choice needs choices: a list of values, or a SELECT");
    return;
  }
  if (!asks)
    return reader.mistake(*choices, "only parameters of type choice and list have choices");
  if (choices->kind == YamlNode::Kind::kScalar) {
    parameter.choices_query = {choices->text, choices->place};
  } else if (choices->kind == YamlNode::Kind::kSequence) {
    for (const auto& item : choices->items) {
      const auto* value = item.kind == YamlNode::Kind::kMap ? item.find("value") : &item;
      const auto* label = item.find("label");
      if (value == nullptr || value->kind != YamlNode::Kind::kScalar) {
        reader.mistake(item, "a choice is a value, or {value: …, label: …}");
        continue;
      }
      parameter.choices.push_back({value->text, label != nullptr ? label->text : value->text});
    }
  } else {
    reader.mistake(*choices, "choices is a list of values, or a SELECT");
  }
}

void check_default(const YamlNode& node, const ParameterConfig& parameter, Diagnostics& diagnostics) {
  if (!parameter.defaults)
    return;
  const auto& at = node.find("default")->place;
  if (parameter.defaults->size() != 1 && parameter.type != ParameterType::kList)
    diagnostics.push_back({at, "only a list has several defaults"});
  for (const auto& text : *parameter.defaults) {
    if (parameter.type == ParameterType::kDate) {
      if (auto date = resolve_date(text, kSomeDay); !date)
        diagnostics.push_back({at, date.error().message});
    }
    if (parameter.type == ParameterType::kNumber && !is_number(text))
      diagnostics.push_back({at, fmt::format("default '{}' is not a number", text)});
  }
}

ParameterConfig read_parameter(const YamlNode::Entry& entry, Diagnostics& diagnostics) {
  ParameterConfig parameter;
  parameter.name = entry.key;
  parameter.place = entry.place;
  if (!is_identifier(entry.key))
    diagnostics.push_back(
        {entry.place, "a parameter's name has letters, digits and underscores, as $name in a query"});
  const auto is_word = entry.value.kind == YamlNode::Kind::kScalar;
  YamlNode map;  // "from: date" is {type: date}
  map.kind = YamlNode::Kind::kMap;
  map.place = entry.value.place;
  if (is_word)
    map.entries.push_back({"type", entry.value.place, entry.value});
  const auto& node = is_word ? map : entry.value;
  YamlReader reader(node, fmt::format("parameter {}", entry.key), diagnostics);
  static const std::vector<std::string> kTypes = {"date", "text", "number", "choice", "list"};
  const auto type = reader.choice("type", kTypes, "text");
  parameter.type = static_cast<ParameterType>(std::find(kTypes.begin(), kTypes.end(), type) - kTypes.begin());
  parameter.label = reader.text("label", entry.key);
  parameter.description = reader.text("description");
  parameter.required = reader.boolean("required", false);
  parameter.defaults = reader.texts("default");
  read_choices(reader, node, parameter);
  reader.finish();
  check_default(node, parameter, diagnostics);
  return parameter;
}

}  // namespace

std::string_view name_of(ParameterType type) {
  switch (type) {
    case ParameterType::kDate: return "date";
    case ParameterType::kText: return "text";
    case ParameterType::kNumber: return "number";
    case ParameterType::kChoice: return "choice";
    case ParameterType::kList: return "list";
  }
  return "";
}

Query read_query(codec::YamlReader& reader, std::string_view key, const codec::YamlNode& map, bool required) {
  Query query;
  query.text = required ? reader.required_text(key) : reader.text(key);
  const auto* node = map.find(key);
  query.place = node != nullptr ? node->place : map.place;
  return query;
}

std::vector<ParameterConfig> read_parameters(const YamlNode& node, Diagnostics& diagnostics) {
  std::vector<ParameterConfig> parameters;
  if (node.kind != YamlNode::Kind::kMap) {
    diagnostics.push_back(
        {node.place, "parameters is a map of names, e.g. 'parameters: {from: {type: date}}'"});
    return parameters;
  }
  for (const auto& entry : node.entries)
    parameters.push_back(read_parameter(entry, diagnostics));
  return parameters;
}

}  // namespace tarn::report
