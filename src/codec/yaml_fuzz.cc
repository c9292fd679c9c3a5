// Any text as YAML: an error with a place, or a tree within its limits whose places lie in the text.
#include <algorithm>

#include "base/input_fuzz.h"
#include "codec/yaml.h"

namespace {

using tarn::codec::YamlNode;

void look(const YamlNode& node, int depth, int lines) {
  tarn::must(depth <= 201, "a tree is not deeper than allowed");
  tarn::must(node.place.line >= 1 && node.place.line <= lines + 1, "a place lies in the text");
  for (const auto& item : node.items) {
    look(item, depth + 1, lines);
  }
  for (const auto& entry : node.entries) {
    look(entry.value, depth + 1, lines);
  }
}

void read(const YamlNode& node) {
  tarn::Diagnostics mistakes;
  tarn::codec::YamlReader reader(node, "the file", mistakes);
  (void)reader.required_text("name");
  (void)reader.integer("n");
  (void)reader.number("n");
  (void)reader.boolean("b", false);
  (void)reader.texts("tags");
  (void)reader.choice("kind", {"http", "files"}, "http");
  reader.finish();
  for (const auto& mistake : mistakes) {
    tarn::must(!to_string(mistake).empty(), "a mistake has words");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto tree = tarn::codec::parse_yaml(text, "fuzz.yml");
  if (!tree) {
    tarn::must(tree.error().message.starts_with("fuzz.yml"), "an error says where");
    return 0;
  }
  // Line feeds, carriage returns, and the marks that yaml-cpp may count.
  look(*tree, 0, static_cast<int>(size));
  read(*tree);
  return 0;
}
