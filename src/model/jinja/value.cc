#include "model/jinja/value.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "codec/text_distance.h"

namespace tarn::model::jinja {
namespace {

constexpr int kPrintDepthMax = 50;
constexpr size_t kPrintBytesMax = 32u << 20;
constexpr size_t kVisitsMax = 2'000'000;  // shared lists may unfold without end; looking at them stops here

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

std::string float_text(double value) {
  if (std::isnan(value)) {
    return "nan";
  }
  if (std::isinf(value)) {
    return value > 0 ? "inf" : "-inf";
  }
  std::string text = fmt::format("{}", value);
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

// Python's repr of a text.
void append_quoted(std::string& out, std::string_view text) {
  char quote =
      text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos ? '"' : '\'';
  out += quote;
  for (char c : text) {
    switch (c) {
      case '\n': out += "\\n"; break;
      case '\t': out += "\\t"; break;
      case '\r': out += "\\r"; break;
      case '\\': out += "\\\\"; break;
      default:
        if (c == quote) {
          out += '\\';
        }
        out += c;
    }
  }
  out += quote;
}

void append_json_text(std::string& out, std::string_view text) {
  out += '"';
  for (char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\t': out += "\\t"; break;
      case '\r': out += "\\r"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

void append_json(std::string& out, const Value& value, int depth) {
  if (depth > kPrintDepthMax || out.size() > kPrintBytesMax) {
    out += "null";
  } else if (const List* list = value.items()) {
    out += '[';
    for (size_t i = 0; i < list->size(); ++i) {
      out += i == 0 ? "" : ", ";
      append_json(out, (*list)[i], depth + 1);
    }
    out += ']';
  } else if (const Dict* dict = value.entries()) {
    out += '{';
    for (size_t i = 0; i < dict->size(); ++i) {
      out += i == 0 ? "" : ", ";
      append_json_text(out, (*dict)[i].first.text());
      out += ": ";
      append_json(out, (*dict)[i].second, depth + 1);
    }
    out += '}';
  } else if (const bool* truth = value.as<bool>()) {
    out += *truth ? "true" : "false";
  } else if (value.is_none() || value.is_undefined()) {
    out += "null";
  } else if (value.is_number()) {
    out += value.text();
  } else {
    append_json_text(out, value.text());
  }
}

bool spend(size_t& visits) {
  if (visits == 0) {
    return false;
  }
  --visits;
  return true;
}

bool equal_dicts(const Dict& a, const Dict& b, size_t& visits);

bool equal_within(const Value& a, const Value& b, size_t& visits) {
  if (!spend(visits)) {
    return false;
  }
  if (a.is_number() && b.is_number()) {
    const auto* i = a.as<int64_t>();
    const auto* j = b.as<int64_t>();
    return i != nullptr && j != nullptr ? *i == *j : a.number() == b.number();
  }
  bool a_object = a.as<std::shared_ptr<const Object>>() != nullptr;
  bool b_object = b.as<std::shared_ptr<const Object>>() != nullptr;
  const auto* s = a.as<std::string>();
  const auto* t = b.as<std::string>();
  if ((s != nullptr && t != nullptr) || (s != nullptr && b_object) || (a_object && t != nullptr)) {
    return s != nullptr && t != nullptr ? *s == *t : a.text() == b.text();
  }
  if (a.items() != nullptr && b.items() != nullptr && a.is_tuple() == b.is_tuple()) {
    auto same = [&](const Value& x, const Value& y) { return equal_within(x, y, visits); };
    return std::equal(a.items()->begin(), a.items()->end(), b.items()->begin(), b.items()->end(), same);
  }
  if (a.entries() != nullptr && b.entries() != nullptr) {
    return equal_dicts(*a.entries(), *b.entries(), visits);
  }
  if (a.is_none() || a.is_undefined()) {
    return a.data().index() == b.data().index();
  }
  return a_object && b_object && a.text() == b.text();
}

bool equal_dicts(const Dict& a, const Dict& b, size_t& visits) {
  auto same = [&](const auto& x, const auto& y) {
    return equal_within(x.first, y.first, visits) && equal_within(x.second, y.second, visits);
  };
  return a.size() == b.size() && std::all_of(a.begin(), a.end(), [&](const auto& x) {
           return std::any_of(b.begin(), b.end(), [&](const auto& y) { return same(x, y); });
         });
}

template <class T>
int order_of(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

std::optional<int> compare_within(const Value& a, const Value& b, size_t& visits) {
  if (!spend(visits)) {
    return std::nullopt;
  }
  if (a.is_number() && b.is_number()) {
    const auto* i = a.as<int64_t>();
    const auto* j = b.as<int64_t>();
    return i != nullptr && j != nullptr ? order_of(*i, *j) : order_of(a.number(), b.number());
  }
  const auto* s = a.as<std::string>();
  const auto* t = b.as<std::string>();
  if (s != nullptr && t != nullptr) {
    return order_of(*s, *t);
  }
  if (a.items() == nullptr || b.items() == nullptr) {
    return std::nullopt;
  }
  for (size_t i = 0; i < a.items()->size() && i < b.items()->size(); ++i) {
    auto order = compare_within((*a.items())[i], (*b.items())[i], visits);
    if (!order || *order != 0) {
      return order;
    }
  }
  return order_of(a.items()->size(), b.items()->size());
}

// Answers true when it gives up: then the member is refused.
bool holds_within(const Value& container, const Value& wanted, size_t& visits) {
  if (!spend(visits)) {
    return true;
  }
  if (const List* list = container.items()) {
    return list == wanted.items() || std::any_of(list->begin(), list->end(), [&](const Value& item) {
             return holds_within(item, wanted, visits);
           });
  }
  if (const Dict* dict = container.entries()) {
    return dict == wanted.entries() || std::any_of(dict->begin(), dict->end(), [&](const auto& entry) {
             return holds_within(entry.second, wanted, visits);
           });
  }
  if (const auto* space = container.as<std::shared_ptr<Namespace>>()) {
    const auto* other = wanted.as<std::shared_ptr<Namespace>>();
    return (other != nullptr && *other == *space) ||
           std::any_of((*space)->members.begin(), (*space)->members.end(),
                       [&](const auto& member) { return holds_within(member.second, wanted, visits); });
  }
  return false;
}

size_t weight_within(const Value& value, size_t& visits) {
  size_t total = sizeof(Value);
  if (!spend(visits)) {
    return total;
  }
  if (const auto* text = value.as<std::string>()) {
    return total + text->size();
  }
  if (const List* list = value.items()) {
    for (const auto& item : *list) {
      total += weight_within(item, visits);
    }
  } else if (const Dict* dict = value.entries()) {
    for (const auto& [key, member] : *dict) {
      total += weight_within(key, visits) + weight_within(member, visits);
    }
  }
  return total;
}

}  // namespace

bool Value::is_number() const {
  return as<bool>() != nullptr || as<int64_t>() != nullptr || as<double>() != nullptr;
}

double Value::number() const {
  if (const auto* i = as<int64_t>()) {
    return static_cast<double>(*i);
  }
  if (const auto* d = as<double>()) {
    return *d;
  }
  const auto* b = as<bool>();
  return b != nullptr && *b ? 1 : 0;
}

const List* Value::items() const {
  const auto* held = as<std::shared_ptr<List>>();
  return held == nullptr ? nullptr : held->get();
}

List* Value::items() {
  const auto* held = as<std::shared_ptr<List>>();
  return held == nullptr ? nullptr : held->get();
}

const Dict* Value::entries() const {
  const auto* held = as<std::shared_ptr<Dict>>();
  return held == nullptr ? nullptr : held->get();
}

Dict* Value::entries() {
  const auto* held = as<std::shared_ptr<Dict>>();
  return held == nullptr ? nullptr : held->get();
}

const Value* Value::find(std::string_view key) const {
  if (const Dict* dict = entries()) {
    for (const auto& [name, value] : *dict) {
      const auto* text = name.as<std::string>();
      if (text != nullptr && *text == key) {
        return &value;
      }
    }
  }
  return nullptr;
}

bool Value::truthy() const {
  return std::visit(
      Overloaded{[](const Undefined&) { return false; }, [](const None&) { return false; },
                 [](bool value) { return value; }, [](int64_t value) { return value != 0; },
                 [](double value) { return value != 0; }, [](const std::string& s) { return !s.empty(); },
                 [](const std::shared_ptr<List>& list) { return !list->empty(); },
                 [](const std::shared_ptr<Dict>& dict) { return !dict->empty(); },
                 [](const auto&) { return true; }},
      data_);
}

void Value::append_to(std::string& out, bool quoted, int depth) const {
  if (depth > kPrintDepthMax || out.size() > kPrintBytesMax) {
    out += "...";
    return;
  }
  std::visit(
      Overloaded{[&](const Undefined&) {}, [&](const None&) { out += "None"; },
                 [&](bool value) { out += value ? "True" : "False"; },
                 [&](int64_t value) { out += std::to_string(value); },
                 [&](double value) { out += float_text(value); },
                 [&](const std::string& text) { quoted ? append_quoted(out, text) : void(out += text); },
                 [&](const std::shared_ptr<List>& list) {
                   out += is_tuple_ ? '(' : '[';
                   for (size_t i = 0; i < list->size(); ++i) {
                     out += i == 0 ? "" : ", ";
                     (*list)[i].append_to(out, true, depth + 1);
                   }
                   out += !is_tuple_ ? "]" : list->size() == 1 ? ",)" : ")";
                 },
                 [&](const std::shared_ptr<Dict>& dict) {
                   out += '{';
                   for (size_t i = 0; i < dict->size(); ++i) {
                     out += i == 0 ? "" : ", ";
                     (*dict)[i].first.append_to(out, true, depth + 1);
                     out += ": ";
                     (*dict)[i].second.append_to(out, true, depth + 1);
                   }
                   out += '}';
                 },
                 [&](const std::shared_ptr<const Function>& f) { out += "<function " + f->name + ">"; },
                 [&](const std::shared_ptr<const Object>& object) { out += object->text; },
                 [&](const std::shared_ptr<Namespace>&) { out += "<namespace>"; }},
      data_);
}

std::string Value::text() const {
  std::string out;
  append_to(out, false, 0);
  return out;
}

std::string Value::repr() const {
  std::string out;
  append_to(out, true, 0);
  return out;
}

std::string_view Value::kind_name() const {
  return std::visit(Overloaded{[](const Undefined&) { return "nothing"; }, [](const None&) { return "none"; },
                               [](bool) { return "a truth value"; }, [](int64_t) { return "a number"; },
                               [](double) { return "a number"; }, [](const std::string&) { return "a text"; },
                               [](const std::shared_ptr<List>&) { return "a list"; },
                               [](const std::shared_ptr<Dict>&) { return "a dict"; },
                               [](const std::shared_ptr<const Function>&) { return "a function"; },
                               [](const std::shared_ptr<const Object>&) { return "an object"; },
                               [](const std::shared_ptr<Namespace>&) { return "a namespace"; }},
                    data_);
}

bool equal(const Value& a, const Value& b) {
  size_t visits = kVisitsMax;
  return equal_within(a, b, visits);
}

std::optional<int> compare(const Value& a, const Value& b) {
  size_t visits = kVisitsMax;
  return compare_within(a, b, visits);
}

bool holds(const Value& container, const Value& wanted) {
  size_t visits = kVisitsMax;
  return holds_within(container, wanted, visits);
}

size_t weight(const Value& value) {
  size_t visits = kVisitsMax;
  return weight_within(value, visits);
}

std::string to_json(const Value& value) {
  std::string out;
  append_json(out, value, 0);
  return out;
}

const Value* Arguments::find(size_t index, std::string_view name) const {
  if (index < positional.size()) {
    return &positional[index];
  }
  for (const auto& [key, value] : named) {
    if (key == name) {
      return &value;
    }
  }
  return nullptr;
}

Status Arguments::expect(std::string_view function, size_t least, size_t most,
                         const std::vector<std::string>& names) const {
  for (const auto& [key, value] : named) {
    if (std::find(names.begin(), names.end(), key) == names.end()) {
      std::string near = codec::nearest(key, names);
      return Error{Code::kInvalid,
                   fmt::format("{}() has no argument '{}'{}", function, key,
                               near.empty() ? "" : fmt::format(": did you mean '{}'?", near))};
    }
  }
  size_t given = positional.size() + named.size();
  if (given < least || given > most) {
    std::string wanted = least == most ? fmt::format("{}", least) : fmt::format("{} to {}", least, most);
    return Error{Code::kInvalid, fmt::format("{}() takes {} arguments, not {}", function, wanted, given)};
  }
  return ok();
}

}  // namespace tarn::model::jinja
