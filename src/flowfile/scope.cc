#include "flowfile/scope.h"

#include <algorithm>

#include <fmt/format.h>

namespace tarn::flowfile {
namespace {

Json json_of(const engine::Parameter& parameter) {
  if (parameter.list)
    return *parameter.list;
  if (!parameter.text)
    return {};
  if (parameter.type == "BIGINT" || parameter.type == "DOUBLE") {
    auto number = Json::parse(*parameter.text, nullptr, false);
    return number.is_number() ? number : Json(*parameter.text);
  }
  return *parameter.text;
}

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

// Columns of a row are names of SQL: "Region" and "region" are one.
const Json* find_column(const Json& row, std::string_view name) {
  for (auto member = row.begin(); member != row.end(); ++member) {
    if (same_name(member.key(), name))
      return &*member;
  }
  return nullptr;
}

}  // namespace

void Results::put(const std::string& task, Json result) {
  const std::lock_guard lock(mutex_);
  results_[task] = std::move(result);
}

std::optional<Json> Results::find(const std::string& task) const {
  const std::lock_guard lock(mutex_);
  const auto found = results_.find(task);
  return found == results_.end() ? std::nullopt : std::optional(found->second);
}

Json Results::all() const {
  const std::lock_guard lock(mutex_);
  auto all = Json::object();
  for (const auto& [task, result] : results_)
    all[task] = result;
  return all;
}

std::optional<Json> Scope::value_of(const Reference& reference) const {
  switch (reference.kind) {
    case Reference::Kind::kParameter:
      for (const auto& parameter : parameters) {
        if (parameter.name == reference.name)
          return json_of(parameter);
      }
      return std::nullopt;
    case Reference::Kind::kRow: {
      const auto* column = row != nullptr && row->is_object() ? find_column(*row, reference.field) : nullptr;
      return column != nullptr ? std::optional(*column) : std::nullopt;
    }
    case Reference::Kind::kResult: {
      const auto result = results.find(reference.name);
      const auto* value = result ? find_path(*result, reference.field) : nullptr;
      return value != nullptr ? std::optional(*value) : std::nullopt;
    }
    case Reference::Kind::kRun: {
      const auto& field = reference.field;
      const auto& text = field == "schedule"     ? run.schedule
                         : field == "due_at"     ? run.due_at
                         : field == "started_at" ? run.started_at
                                                 : run.id;
      return text.empty() ? Json() : Json(text);
    }
    case Reference::Kind::kVar: {
      const auto found = vars.find(reference.name);
      return found == vars.end() ? std::nullopt : std::optional(Json(found->second));
    }
    case Reference::Kind::kSecret: return std::nullopt;
  }
  return std::nullopt;
}

Result<Filled> fill(const Text& text, const Scope& scope,
                    const std::function<std::string(std::string_view)>& encode) {
  Filled filled;
  for (const auto& piece : text.pieces) {
    if (!piece.reference) {
      filled.text += piece.text;
      filled.shown += piece.text;
      continue;
    }
    const auto& reference = *piece.reference;
    if (reference.kind == Reference::Kind::kSecret) {
      TARN_TRY(auto secret, scope.resolve_secret(reference.name));
      filled.text += secret;
      filled.shown += piece.text;
      filled.secrets.push_back(std::move(secret));
      continue;
    }
    const auto value = scope.value_of(reference);
    if (!value && reference.kind == Reference::Kind::kVar)
      return Error{Code::kInvalid, fmt::format("{} is not among the vars of tarn.yml", piece.text)};
    if (!value)
      return Error{Code::kInvalid, fmt::format("{} has no value here: {}", piece.text,
                                               reference.kind == Reference::Kind::kResult
                                                   ? "the result has no such field, or the task was left out"
                                                   : "there is no such column")};
    auto put = text_of(*value);
    if (encode && reference.kind != Reference::Kind::kVar)
      put = encode(put);
    filled.text += put;
    filled.shown += put;
  }
  return filled;
}

Result<Json> fill_value(const Text& text, const Scope& scope, std::vector<std::string>& secrets) {
  const auto* only =
      text.pieces.size() == 1 && text.pieces[0].reference ? &*text.pieces[0].reference : nullptr;
  if (only != nullptr && only->kind != Reference::Kind::kSecret) {
    if (const auto value = scope.value_of(*only))
      return *value;
  }
  TARN_TRY(auto filled, fill(text, scope));
  secrets.insert(secrets.end(), filled.secrets.begin(), filled.secrets.end());
  return Json(std::move(filled.text));
}

Result<Json> fill_json(const codec::YamlNode& node, const Scope& scope, std::vector<std::string>& secrets) {
  using NodeKind = codec::YamlNode::Kind;
  switch (node.kind) {
    case NodeKind::kNull: return Json();
    case NodeKind::kSequence: {
      auto list = Json::array();
      for (const auto& item : node.items) {
        TARN_TRY(auto value, fill_json(item, scope, secrets));
        list.push_back(std::move(value));
      }
      return list;
    }
    case NodeKind::kMap: {
      auto object = Json::object();
      for (const auto& entry : node.entries) {
        TARN_TRY(object[entry.key], fill_json(entry.value, scope, secrets));
      }
      return object;
    }
    case NodeKind::kScalar: break;
  }
  TARN_TRY(const auto text, text_of_node(node));
  const bool plain = text.pieces.size() == 1 && !text.pieces[0].reference;
  if (plain && !node.quoted) {
    if (node.text == "null" || node.text == "~")
      return Json();
    auto value = Json::parse(node.text, nullptr, false);
    if (value.is_number() || value.is_boolean())
      return value;
  }
  return fill_value(text, scope, secrets);
}

std::vector<engine::Parameter> bound_values(const std::vector<Reference>& references, const Scope& scope) {
  auto bound = scope.parameters;
  for (const auto& reference : references) {
    if (reference.kind == Reference::Kind::kParameter)
      continue;
    const auto value = scope.value_of(reference);
    auto parameter = parameter_of(value ? &*value : nullptr);
    parameter.name = parameter_name(reference);
    bound.push_back(std::move(parameter));
  }
  return bound;
}

std::string scrub(std::string text, const std::vector<std::string>& secrets) {
  for (const auto& secret : secrets) {
    for (size_t at = text.find(secret); !secret.empty() && at != std::string::npos;
         at = text.find(secret, at + 3))
      text.replace(at, secret.size(), "***");
  }
  return text;
}

Json parameters_json(const std::vector<engine::Parameter>& parameters) {
  auto object = Json::object();
  for (const auto& parameter : parameters)
    object[parameter.name] = json_of(parameter);
  return object;
}

}  // namespace tarn::flowfile
