#include "codec/json_shape.h"

#include <charconv>

namespace tarn::codec {
namespace {

enum TimeForm : unsigned { kDate = 1, kTimestamp = 2, kTimestampTz = 4, kAnyForm = 7 };

bool digits(std::string_view text, size_t at, size_t count, int least, int most) {
  int value = 0;
  if (at + count > text.size()) {
    return false;
  }
  for (size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') {
      return false;
    }
    value = value * 10 + (text[i] - '0');
  }
  return value >= least && value <= most;
}

bool is_date(std::string_view text) {
  constexpr int kDays[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (text.size() < 10 || text[4] != '-' || text[7] != '-' || !digits(text, 0, 4, 0, 9999) ||
      !digits(text, 5, 2, 1, 12)) {
    return false;
  }
  const int year = (text[0] - '0') * 1000 + (text[1] - '0') * 100 + (text[2] - '0') * 10 + (text[3] - '0');
  const int month = (text[5] - '0') * 10 + (text[6] - '0');
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return digits(text, 8, 2, 1, month == 2 && !leap ? 28 : kDays[month - 1]);
}

// [Z | +hh | +hhmm | +hh:mm] to the end.
bool is_offset(std::string_view text) {
  if (text == "Z") {
    return true;
  }
  if (text.empty() || (text[0] != '+' && text[0] != '-') || !digits(text, 1, 2, 0, 15)) {
    return false;
  }
  text.remove_prefix(3);
  if (text.starts_with(':')) {
    text.remove_prefix(1);
    return text.size() == 2 && digits(text, 0, 2, 0, 59);
  }
  return text.empty() || (text.size() == 2 && digits(text, 0, 2, 0, 59));
}

unsigned form_of(std::string_view text) {
  if (!is_date(text)) {
    return 0;
  }
  if (text.size() == 10) {
    return kDate;
  }
  if ((text[10] != 'T' && text[10] != ' ') || text.size() < 16 || !digits(text, 11, 2, 0, 23) ||
      text[13] != ':' || !digits(text, 14, 2, 0, 59)) {
    return 0;
  }
  text.remove_prefix(16);
  if (text.starts_with(':')) {
    if (!digits(text, 1, 2, 0, 59)) {
      return 0;
    }
    text.remove_prefix(3);
    if (text.starts_with('.')) {
      const size_t end = text.find_first_not_of("0123456789", 1);
      if (end == 1 || text.size() == 1) {
        return 0;
      }
      text.remove_prefix(end == std::string_view::npos ? text.size() : end);
    }
  }
  return text.empty() ? kTimestamp : is_offset(text) ? kTimestampTz : 0;
}

}  // namespace

JsonShape& JsonShape::operator=(const JsonShape& other) {
  if (this != &other) {
    seen_ = other.seen_;
    time_forms_ = other.time_forms_;
    depth_ = other.depth_;
    members_ = other.members_;
    element_ = other.element_ ? std::make_unique<JsonShape>(*other.element_) : nullptr;
  }
  return *this;
}

JsonShape& JsonShape::member(std::string_view key) {
  for (auto& [name, shape] : members_) {
    if (name == key) {
      return shape;
    }
  }
  members_.emplace_back(std::string(key), JsonShape());
  members_.back().second.depth_ = depth_ + 1;
  return members_.back().second;
}

bool JsonShape::add(JsonScanner& scanner) {
  std::string_view text;
  std::string buffer;
  bool whole = false;
  switch (scanner.next_kind()) {
    case JsonKind::kBroken: return false;
    case JsonKind::kNull: return scanner.read_word();
    case JsonKind::kTrue:
    case JsonKind::kFalse: seen_ |= kBoolean; return scanner.read_word();
    case JsonKind::kNumber:
      if (!scanner.read_number(text, whole)) {
        return false;
      }
      add_number(text, whole);
      return true;
    case JsonKind::kString:
      if (!scanner.read_string(text, buffer)) {
        return false;
      }
      add_text(text);
      return true;
    case JsonKind::kObject: return add_object(scanner);
    case JsonKind::kArray: return add_array(scanner);
  }
  return false;
}

void JsonShape::add_number(std::string_view text, bool whole) {
  int64_t value = 0;
  if (!whole) {
    seen_ |= kFraction;
  } else if (std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc()) {
    seen_ |= kWhole;
  } else {
    seen_ |= text.size() - (text.starts_with('-') ? 1 : 0) <= 38 ? kLargeWhole : kFraction;
  }
}

void JsonShape::add_text(std::string_view text) {
  time_forms_ = ((seen_ & kText) != 0 ? time_forms_ : kAnyForm) & form_of(text);
  seen_ |= kText;
}

bool JsonShape::add_object(JsonScanner& scanner) {
  std::string_view text;
  std::string buffer;
  seen_ |= kObject;
  if (depth_ >= JsonScanner::kDepthMax) {
    return scanner.skip(text);
  }
  scanner.open();
  for (bool first = true;; first = false) {
    const auto step = scanner.next_member(first, text, buffer);
    if (step != JsonScanner::Step::kItem || !member(text).add(scanner)) {
      return step == JsonScanner::Step::kEnd;
    }
  }
}

bool JsonShape::add_array(JsonScanner& scanner) {
  std::string_view text;
  seen_ |= kArray;
  if (depth_ >= JsonScanner::kDepthMax) {
    return scanner.skip(text);
  }
  if (!element_) {
    element_ = std::make_unique<JsonShape>();
    element_->depth_ = depth_ + 1;
  }
  scanner.open();
  for (bool first = true;; first = false) {
    const auto step = scanner.next_element(first);
    if (step != JsonScanner::Step::kItem || !element_->add(scanner)) {
      return step == JsonScanner::Step::kEnd;
    }
  }
}

void JsonShape::merge(const JsonShape& other) {
  if ((other.seen_ & kText) != 0) {
    time_forms_ = ((seen_ & kText) != 0 ? time_forms_ : kAnyForm) & other.time_forms_;
  }
  seen_ |= other.seen_;
  for (const auto& [key, shape] : other.members_) {
    member(key).merge(shape);
  }
  if (other.element_) {
    if (!element_) {
      element_ = std::make_unique<JsonShape>();
      element_->depth_ = depth_ + 1;
    }
    element_->merge(*other.element_);
  }
}

std::string JsonShape::scalar_type() const {
  constexpr unsigned kNumber = kWhole | kLargeWhole | kFraction;
  if (seen_ == kBoolean) {
    return "BOOLEAN";
  }
  if (seen_ == kText) {
    return time_forms_ == kDate          ? "DATE"
           : time_forms_ == kTimestamp   ? "TIMESTAMP"
           : time_forms_ == kTimestampTz ? "TIMESTAMP WITH TIME ZONE"
                                         : "VARCHAR";
  }
  if (seen_ == 0 || (seen_ & ~kNumber) != 0) {
    return "";
  }
  return (seen_ & kFraction) != 0 ? "DOUBLE" : (seen_ & kLargeWhole) != 0 ? "HUGEINT" : "BIGINT";
}

std::string JsonShape::flat_type() const {
  const auto scalar = scalar_type();
  return !scalar.empty() || seen_ == 0 ? scalar : "JSON";
}

std::string JsonShape::nested_type() const {
  if (seen_ == kArray && element_) {  // none of what is nested too deep to be looked into
    return element_->nested_type() + "[]";
  }
  if (seen_ == kObject && !members_.empty()) {
    std::string out;
    std::vector<std::string> names;
    for (const auto& [key, shape] : members_) {
      std::string name;
      std::string folded;
      for (const char c : key) {
        name += c == '"' ? "\"\"" : std::string(1, c);
        folded += c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
      }
      for (const auto& other : names) {
        if (other == folded || key.empty()) {
          return "JSON";  // a STRUCT cannot hold both "a" and "A"
        }
      }
      names.push_back(folded);
      out += (out.empty() ? "\"" : ", \"") + name + "\" " + shape.nested_type();
    }
    return "STRUCT(" + out + ")";
  }
  const auto scalar = scalar_type();
  return scalar.empty() ? "JSON" : scalar;
}

}  // namespace tarn::codec
