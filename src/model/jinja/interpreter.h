// Runs a template: text comes out, together with a map back to the places it came from.
// One Interpreter serves one rendering, on one thread. Steps, depth, sizes are bounded: any template ends.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "base/result.h"
#include "model/jinja/template.h"

namespace tarn::model::jinja {

// Where a stretch of the output came from. Verbatim text maps byte by byte; what a tag printed maps to the
// tag.
struct Stretch {
  size_t out = 0;
  size_t length = 0;
  size_t source = 0;
  bool verbatim = false;
};

struct Rendered {
  std::string text;
  std::vector<Stretch> map;  // sorted by `out`, without gaps

  // Byte of the template for a byte of `text`.
  [[nodiscard]] size_t source_of(size_t out) const;
  // Puts `added` at `at`; it maps to nothing of its own (to the stretch before it).
  void insert(size_t at, std::string_view added);
  void cut_end(size_t size);
};

struct Macro {
  std::shared_ptr<const Template> home;
  const Node* node = nullptr;
};
using Macros = std::map<std::string, Macro>;
using Globals = std::map<std::string, Value>;

// Adds the macros of a template; a second one of the same name is a mistake with its place.
Status collect_macros(const std::shared_ptr<const Template>& home, Macros& macros, Diagnostic& mistake);

// The sentence for a name that is not among `known`.
std::string unknown_name(const std::string& name, const std::vector<std::string>& known);

class Interpreter {
 public:
  // Both must outlive the interpreter. Names of globals win over macros'.
  Interpreter(const Globals& globals, const Macros& macros);
  ~Interpreter();

  Result<Rendered> render(const std::shared_ptr<const Template>& home);
  Result<Value> call_macro(const std::string& name, const Arguments& arguments);
  // Set when something failed: the place and sentence that the Error carries as one text.
  [[nodiscard]] const Diagnostic& mistake() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tarn::model::jinja
