#include "report/template/xml.h"

#include <libxml/parser.h>
#include <libxml/xmlsave.h>

#include <limits>
#include <mutex>
#include <utility>

#include <fmt/format.h>

namespace tarn::report::template_file {
namespace {

constexpr std::string_view kHole = "tarn-rows";

const xmlChar* chars(const std::string& text) {
  return reinterpret_cast<const xmlChar*>(text.c_str());
}

std::string take(xmlChar* text) {
  std::string out = text != nullptr ? reinterpret_cast<const char*>(text) : "";
  xmlFree(text);
  return out;
}

}  // namespace

Result<XmlDocument> XmlDocument::parse(std::string_view bytes, const std::string& name) {
  if (bytes.size() > static_cast<size_t>(std::numeric_limits<int>::max()))
    return Error{Code::kExhausted, fmt::format("{} is too large", name)};
  static std::once_flag once;
  std::call_once(once, xmlInitParser);
  // No entities, no network, no messages on stderr; libxml2's own limits stay on.
  auto* doc = xmlReadMemory(bytes.data(), static_cast<int>(bytes.size()), "part.xml", nullptr,
                            XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
  if (doc == nullptr)
    return Error{Code::kInvalid, fmt::format("{} is not well-formed XML", name)};
  XmlDocument document(doc);
  if (doc->intSubset != nullptr || doc->extSubset != nullptr)
    return Error{Code::kInvalid, fmt::format("{} has a document type, which no workbook needs", name)};
  if (document.root() == nullptr)
    return Error{Code::kInvalid, fmt::format("{} is empty", name)};
  return document;
}

xmlNode* XmlDocument::root() const {
  return xmlDocGetRootElement(doc_.get());
}

std::string XmlDocument::bytes() const {
  xmlChar* text = nullptr;
  int size = 0;
  xmlDocDumpMemory(doc_.get(), &text, &size);
  std::string out(reinterpret_cast<const char*>(text), static_cast<size_t>(size));
  xmlFree(text);
  return out;
}

std::pair<std::string, std::string> XmlDocument::around(xmlNode* hole) const {
  auto* const first = std::exchange(hole->children, nullptr);
  auto* const last = std::exchange(hole->last, nullptr);
  auto* const mark = xmlAddChild(hole, xmlNewPI(chars(std::string(kHole)), nullptr));
  const auto text = bytes();
  remove_node(mark);
  hole->children = first;
  hole->last = last;
  const auto written = fmt::format("<?{}?>", kHole);
  const auto at = text.find(written);
  return {text.substr(0, at), text.substr(at + written.size())};
}

bool is_named(const xmlNode* node, std::string_view name) {
  return node->type == XML_ELEMENT_NODE && name == reinterpret_cast<const char*>(node->name);
}

xmlNode* child_of(const xmlNode* node, std::string_view name) {
  if (node == nullptr)
    return nullptr;
  for (xmlNode* child = node->children; child != nullptr; child = child->next) {
    if (is_named(child, name))
      return child;
  }
  return nullptr;
}

std::vector<xmlNode*> children_of(const xmlNode* node, std::string_view name) {
  std::vector<xmlNode*> found;
  if (node == nullptr)
    return found;
  for (xmlNode* child = node->children; child != nullptr; child = child->next) {
    if (is_named(child, name))
      found.push_back(child);
  }
  return found;
}

void each_element(xmlNode* node, const std::function<void(xmlNode*)>& visit) {
  visit(node);
  for (xmlNode* child = node->children; child != nullptr; child = child->next) {
    if (child->type == XML_ELEMENT_NODE)
      each_element(child, visit);  // no deeper than libxml2 reads: 256
  }
}

std::optional<std::string> attribute_of(const xmlNode* node, const char* name) {
  // Any namespace: r:id as well as id.
  const auto* found = xmlHasProp(node, reinterpret_cast<const xmlChar*>(name));
  if (found == nullptr)
    return std::nullopt;
  return take(xmlNodeListGetString(node->doc, found->children, 1));
}

void set_attribute(xmlNode* node, const char* name, const std::string& value) {
  const auto* key = reinterpret_cast<const xmlChar*>(name);
  // xmlSetProp would take an attribute of another namespace for this one only by its full name.
  xmlSetProp(node, key, chars(value));
}

std::string content_of(const xmlNode* node) {
  return take(xmlNodeGetContent(node));
}

void set_content(xmlNode* node, const std::string& text) {
  xmlNodeSetContent(node, nullptr);
  xmlNodeAddContent(node, chars(text));
}

void remove_node(xmlNode* node) {
  xmlUnlinkNode(node);
  xmlFreeNode(node);
}

std::string bytes_of(xmlNode* node) {
  xmlBuffer* buffer = xmlBufferCreate();
  xmlNodeDump(buffer, node->doc, node, 0, 0);
  std::string out(reinterpret_cast<const char*>(xmlBufferContent(buffer)),
                  static_cast<size_t>(xmlBufferLength(buffer)));
  xmlBufferFree(buffer);
  return out;
}

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\r': out += "&#13;"; break;
      default: out += c;
    }
  }
  return out;
}

}  // namespace tarn::report::template_file
