#include "report/template/book.h"

#include <charconv>
#include <filesystem>

#include <fmt/format.h>

#include "engine/lake_catalog.h"

namespace tarn::report::template_file {
namespace {

constexpr std::string_view kContentTypes = "[Content_Types].xml";
constexpr size_t kSheetsMax = 1000;

// What a relation of `part` points to, as a name in the package.
std::string resolve(const std::string& part, const std::string& target) {
  if (target.starts_with('/'))
    return target.substr(1);
  return (std::filesystem::path(part).parent_path() / target).lexically_normal().string();
}

int64_t number_of(const xmlNode* node, const char* name, int64_t fallback) {
  const auto text = attribute_of(node, name);
  int64_t value = fallback;
  if (text)
    (void)std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

bool is_true(const std::optional<std::string>& text) {
  return text == "1" || text == "true";
}

}  // namespace

std::string relations_part_of(const std::string& part) {
  const std::filesystem::path path(part);
  return (path.parent_path() / "_rels" / (path.filename().string() + ".rels")).string();
}

Result<Book> Book::open(Package package) {
  Book book(std::move(package));
  TARN_CHECK(book.read_workbook());
  TARN_CHECK(book.read_tables());
  return book;
}

Result<XmlDocument*> Book::part(const std::string& name) {
  if (const auto found = parts_.find(name); found != parts_.end())
    return &found->second;
  TARN_TRY(const auto bytes, package_.read(name));
  auto document = XmlDocument::parse(bytes, fmt::format("{}: {}", shown(), name));
  if (!document)
    return document.error();
  return &parts_.emplace(name, std::move(*document)).first->second;
}

Result<std::vector<std::string>> Book::related(const std::string& from, std::string_view type_end) {
  std::vector<std::string> found;
  const auto relations = relations_part_of(from);
  if (!package_.has(relations))
    return found;
  TARN_TRY(const auto* document, part(relations));
  for (const auto* relation : children_of(document->root(), "Relationship")) {
    const auto type = attribute_of(relation, "Type").value_or("");
    const auto target = resolve(from, attribute_of(relation, "Target").value_or(""));
    if (type.ends_with(type_end) && attribute_of(relation, "TargetMode") != "External" &&
        package_.has(target))
      found.push_back(target);
  }
  return found;
}

Result<std::vector<std::string>> Book::parts_of_type(std::string_view type) {
  std::vector<std::string> found;
  TARN_TRY(const auto* types, part(std::string(kContentTypes)));
  for (const auto* one : children_of(types->root(), "Override")) {
    auto name = attribute_of(one, "PartName").value_or("");
    if (name.starts_with('/'))
      name.erase(0, 1);
    if (attribute_of(one, "ContentType").value_or("").find(type) != std::string::npos && package_.has(name))
      found.push_back(name);
  }
  return found;
}

Status Book::read_workbook() {
  TARN_TRY(const auto books, related("", "/officeDocument"));
  if (books.empty())
    return Error{Code::kInvalid, fmt::format("{} is no .xlsx: it has no workbook in it", shown())};
  workbook_part_ = books.front();
  TARN_TRY(const auto macros, parts_of_type("macroEnabled"));
  if (!macros.empty())
    return Error{Code::kInvalid,
                 fmt::format("{} has macros, which Tarn does not carry on: save it as .xlsx", shown())};
  TARN_TRY(const auto* document, part(workbook_part_));
  const auto* root = document->root();
  if (!is_named(root, "workbook"))
    return Error{Code::kInvalid, fmt::format("{} is no .xlsx: {} is no workbook", shown(), workbook_part_)};
  if (const auto* properties = child_of(root, "workbookPr"))
    counts_from_1904_ = is_true(attribute_of(properties, "date1904"));
  std::map<std::string, std::string> targets;  // relation's id -> part
  TARN_TRY(const auto* relations, part(relations_part_of(workbook_part_)));
  for (const auto* relation : children_of(relations->root(), "Relationship"))
    targets[attribute_of(relation, "Id").value_or("")] =
        resolve(workbook_part_, attribute_of(relation, "Target").value_or(""));
  for (const auto* node : children_of(child_of(root, "sheets"), "sheet")) {
    const auto part = targets[attribute_of(node, "id").value_or("")];
    if (!package_.has(part) || sheets_.size() >= kSheetsMax)
      return Error{Code::kInvalid, fmt::format("{} is damaged: the part of a sheet is not there", shown())};
    sheets_.push_back({attribute_of(node, "name").value_or(""), part});
  }
  for (const auto* node : children_of(child_of(root, "definedNames"), "definedName")) {
    DefinedName name{attribute_of(node, "name").value_or(""), content_of(node), std::nullopt};
    const auto sheet = number_of(node, "localSheetId", -1);
    if (sheet >= 0 && static_cast<size_t>(sheet) < sheets_.size())
      name.sheet = static_cast<size_t>(sheet);
    names_.push_back(std::move(name));
  }
  return ok();
}

Status Book::read_tables() {
  for (size_t sheet = 0; sheet < sheets_.size(); ++sheet) {
    TARN_TRY(const auto parts, related(sheets_[sheet].part, "/table"));
    for (const auto& name : parts) {
      TARN_TRY(const auto* document, part(name));
      const auto* root = document->root();
      const auto area = parse_area(attribute_of(root, "ref").value_or(""));
      Table table{.part = name, .sheet = sheet};
      table.name = attribute_of(root, "displayName").value_or(attribute_of(root, "name").value_or(""));
      table.header_rows = number_of(root, "headerRowCount", 1);
      table.totals_rows = number_of(root, "totalsRowCount", 0);
      for (const auto* column : children_of(child_of(root, "tableColumns"), "tableColumn"))
        table.columns.push_back(attribute_of(column, "name").value_or(""));
      if (!area || table.header_rows < 0 || table.totals_rows < 0 || table.header_rows > 1 ||
          table.totals_rows > 1 || area->rows() < table.header_rows + table.totals_rows + 1 ||
          area->columns() != static_cast<int64_t>(table.columns.size()))
        return Error{Code::kInvalid,
                     fmt::format("{} is damaged: table {} does not fit its sheet", shown(), table.name)};
      table.area = *area;
      tables_.push_back(std::move(table));
    }
  }
  return ok();
}

std::optional<size_t> Book::find_sheet(std::string_view name) const {
  for (size_t i = 0; i < sheets_.size(); ++i) {
    if (engine::fold(sheets_[i].name) == engine::fold(std::string(name)))
      return i;
  }
  return std::nullopt;
}

Status Book::remove_part(const std::string& name) {
  TARN_TRY(auto* types, part(std::string(kContentTypes)));
  for (auto* one : children_of(types->root(), "Override")) {
    if (attribute_of(one, "PartName") == "/" + name) {
      remove_node(one);
      mark_changed(std::string(kContentTypes));
    }
  }
  const auto relations_name = relations_part_of(workbook_part_);
  TARN_TRY(auto* relations, part(relations_name));
  for (auto* one : children_of(relations->root(), "Relationship")) {
    if (resolve(workbook_part_, attribute_of(one, "Target").value_or("")) == name) {
      remove_node(one);
      mark_changed(relations_name);
    }
  }
  changed_.erase(name);
  package_.remove(name);
  return ok();
}

void Book::hand_over() {
  for (const auto& [name, changed] : changed_) {
    if (const auto found = parts_.find(name); changed && found != parts_.end())
      package_.replace(name, found->second.bytes());
  }
}

}  // namespace tarn::report::template_file
