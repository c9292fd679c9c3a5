# ./dev new source NAME: the folder of a new source kind, ready to build, and its line in the list.
kind="${1:-}" name="${2:-}"
if [ "$kind" != source ] || ! [[ "$name" =~ ^[a-z][a-z0-9_]*$ ]]; then
  echo "usage: ./dev new source NAME   (lower case; other kinds of plug-in come with later issues)" >&2
  exit 2
fi
folder="src/source/$name"
if [ -e "$folder" ]; then
  echo "$folder is there already" >&2
  exit 2
fi
mkdir -p "$folder"
cat >"$folder/kind.h" <<EOF
// Kind \`$name\`: say in one sentence where it gets bytes from.
#pragma once

#include "source/kind.h"

namespace tarn::source::$name {

void add(Registry& registry);

}  // namespace tarn::source::$name
EOF
cat >"$folder/$name.cc" <<EOF
#include "source/$name/kind.h"

#include "source/landing.h"

namespace tarn::source::$name {
namespace {

class Fetch : public Fetcher {
 public:
  explicit Fetch(std::string url) : url_(std::move(url)) {}

  // Land every answer with context.landing: start(), append(), finish().
  [[nodiscard]] Result<FetchResult> fetch(FetchContext& context) const override {
    return Error{Code::kUnsupported, "kind $name cannot fetch from " + url_ + " yet"};
  }

 private:
  std::string url_;
};

}  // namespace

void add(Registry& registry) {
  registry.kind("$name", [](codec::YamlReader& reader, const SourceConfig& config, Diagnostics& diagnostics) {
    return std::make_shared<const Fetch>(reader.required_text("url"));
  });
}

}  // namespace tarn::source::$name
EOF
(head -n 1 src/source/list.txt; (tail -n +2 src/source/list.txt; echo "$name") | sort) >src/source/list.txt.new
mv src/source/list.txt.new src/source/list.txt
echo "Made $folder. Next: write fetch(), a ${name}_test.cc beside it, and a section in docs/sources.md."
