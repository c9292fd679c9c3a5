#include "report/template/styles.h"

#include <charconv>

#include <fmt/format.h>

namespace tarn::report::template_file {
namespace {

constexpr int64_t kOwnFormatsFrom = 164;  // smaller numbers are Excel's

int64_t number_of(const xmlNode* node, const char* name) {
  const auto text = attribute_of(node, name);
  int64_t value = 0;
  if (text)
    (void)std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

xmlNode* add_child(xmlNode* parent, const char* name) {
  auto* node = xmlNewNode(parent->ns, reinterpret_cast<const xmlChar*>(name));
  return xmlAddChild(parent, node);
}

}  // namespace

Result<Styles> Styles::open(Book& book) {
  Styles styles(book);
  TARN_TRY(const auto parts, book.related(book.workbook_part(), "/styles"));
  if (parts.empty())
    return styles;
  TARN_TRY(auto* document, book.part(parts.front()));
  styles.part_ = parts.front();
  styles.root_ = document->root();
  styles.formats_ = child_of(styles.root_, "cellXfs");
  styles.styles_ = children_of(styles.formats_, "xf");
  return styles;
}

int64_t Styles::style_for(int64_t style, ColumnKind kind) {
  const bool dated = kind == ColumnKind::kDate || kind == ColumnKind::kTimestamp || kind == ColumnKind::kTime;
  if (!dated || style < 0 || static_cast<size_t>(style) >= styles_.size() ||
      !is_general(number_of(styles_[static_cast<size_t>(style)], "numFmtId")))
    return style;
  if (const auto found = made_.find({style, kind}); found != made_.end())
    return found->second;
  auto* copy = xmlAddChild(formats_, xmlCopyNode(styles_[static_cast<size_t>(style)], 1));
  set_attribute(copy, "numFmtId", std::to_string(format_number(kind)));
  set_attribute(copy, "applyNumberFormat", "1");
  styles_.push_back(copy);
  set_attribute(formats_, "count", std::to_string(styles_.size()));
  book_->mark_changed(part_);
  const auto made = static_cast<int64_t>(styles_.size()) - 1;
  made_[{style, kind}] = made;
  return made;
}

// LibreOffice gives General a number of its own.
bool Styles::is_general(int64_t number) const {
  if (number == 0)
    return true;
  for (const auto* one : children_of(child_of(root_, "numFmts"), "numFmt")) {
    if (number_of(one, "numFmtId") == number)
      return attribute_of(one, "formatCode") == "General";
  }
  return false;
}

int64_t Styles::format_number(ColumnKind kind) {
  if (const auto found = numbers_.find(kind); found != numbers_.end())
    return found->second;
  auto* list = child_of(root_, "numFmts");
  if (list == nullptr) {  // the first of all
    list = xmlNewNode(root_->ns, reinterpret_cast<const xmlChar*>("numFmts"));
    root_->children != nullptr ? xmlAddPrevSibling(root_->children, list) : xmlAddChild(root_, list);
  }
  int64_t number = kOwnFormatsFrom;
  for (const auto* one : children_of(list, "numFmt"))
    number = std::max(number, number_of(one, "numFmtId") + 1);
  auto* format = add_child(list, "numFmt");
  set_attribute(format, "numFmtId", std::to_string(number));
  set_attribute(format, "formatCode", default_format(kind, ""));
  set_attribute(list, "count", std::to_string(children_of(list, "numFmt").size()));
  numbers_[kind] = number;
  return number;
}

}  // namespace tarn::report::template_file
