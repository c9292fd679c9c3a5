// XML of a workbook's part as a tree (libxml2). Names are looked up without their prefix, so that both kinds
// of namespaces that Excel writes are read. A document type is refused: no part needs one, and entities are
// how XML attacks begin. What is not touched comes out as it came in.
#pragma once

#include <libxml/tree.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tarn::report::template_file {

class XmlDocument {
 public:
  // `name` is said in the message.
  static Result<XmlDocument> parse(std::string_view bytes, const std::string& name);

  [[nodiscard]] xmlNode* root() const;
  [[nodiscard]] std::string bytes() const;
  // The same without the children of `hole`, which stay: what stands before and behind them.
  [[nodiscard]] std::pair<std::string, std::string> around(xmlNode* hole) const;

 private:
  struct Free {
    void operator()(xmlDoc* doc) const { xmlFreeDoc(doc); }
  };
  explicit XmlDocument(xmlDoc* doc) : doc_(doc) {}
  std::unique_ptr<xmlDoc, Free> doc_;
};

[[nodiscard]] bool is_named(const xmlNode* node, std::string_view name);
[[nodiscard]] xmlNode* child_of(const xmlNode* node, std::string_view name);  // the first; null: none
[[nodiscard]] std::vector<xmlNode*> children_of(const xmlNode* node, std::string_view name);
// Itself and all below, in the order of the text. The visitor must not remove what it is given.
void each_element(xmlNode* node, const std::function<void(xmlNode*)>& visit);

[[nodiscard]] std::optional<std::string> attribute_of(const xmlNode* node, const char* name);
void set_attribute(xmlNode* node, const char* name, const std::string& value);
[[nodiscard]] std::string content_of(const xmlNode* node);
void set_content(xmlNode* node, const std::string& text);
void remove_node(xmlNode* node);
[[nodiscard]] std::string bytes_of(xmlNode* node);  // of the element, as it stands
[[nodiscard]] std::string escaped(std::string_view text);

}  // namespace tarn::report::template_file
