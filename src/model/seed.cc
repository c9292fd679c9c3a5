#include "model/seed.h"

#include <algorithm>
#include <charconv>
#include <set>

#include <fmt/format.h>

#include "base/ids.h"
#include "codec/sha256.h"
#include "engine/parse.h"
#include "model/jinja/text.h"

namespace tarn::model {
namespace {

std::vector<std::string> names_in(const std::string& header, const std::string& delimiter) {
  std::vector<std::string> names;
  for (const std::string& cell : jinja::split(header, delimiter, -1)) {
    names.push_back(jinja::strip(cell, " \"\r", true, true));
  }
  return names;
}

// An engine's message names the copy; the reader knows the seed's own file, which stands in front already.
std::string without_path(std::string message, const std::string& path) {
  for (size_t at = message.find(path); at != std::string::npos; at = message.find(path)) {
    message.replace(at, path.size(), "the file");
  }
  return message;
}

// "line 3 has …", as the engine says it.
int line_in(const std::string& message) {
  constexpr std::string_view kMark = "line ";
  int line = 0;
  if (message.starts_with(kMark)) {
    std::from_chars(message.data() + kMark.size(), message.data() + message.size(), line);
  }
  return line;
}

}  // namespace

Result<SeedFile> SeedFile::open(Env& env, const std::string& data_folder, const std::string& root,
                                const Node& node) {
  std::string folder = data_folder + "/seeds";
  TARN_CHECK(env.files->make_folders(folder));
  SeedFile file(env, node, fmt::format("{}/{}-{}.csv", folder, node.name, new_uuid(*env.random)));
  TARN_CHECK(env.files->link_or_copy(root + "/" + node.path, file.path_));
  if (jinja::strip(file.header(), " ", true, true).empty()) {
    return Error{Code::kInvalid,
                 fmt::format("{}:1: the first line is empty; it names the columns", node.path)};
  }
  std::set<std::string> seen;
  for (const std::string& name : names_in(file.header(), node.config.delimiter)) {
    if (!seen.insert(engine::fold(name)).second) {
      return Error{Code::kInvalid,
                   fmt::format("{}:1: two columns are called '{}'; rename one of them", node.path, name)};
    }
  }
  return file;
}

SeedFile::SeedFile(Env& env, const Node& node, std::string path)
    : env_(&env), node_(&node), path_(std::move(path)) {}

SeedFile::SeedFile(SeedFile&& other) noexcept
    : env_(std::exchange(other.env_, nullptr)), node_(other.node_), path_(std::move(other.path_)) {}

SeedFile& SeedFile::operator=(SeedFile&& other) noexcept {
  std::swap(env_, other.env_);
  std::swap(node_, other.node_);
  std::swap(path_, other.path_);
  return *this;
}

SeedFile::~SeedFile() {
  if (env_ != nullptr) {
    (void)env_->files->remove(path_);  // left over after a crash, it is in nobody's way
  }
}

std::string SeedFile::header() const {
  auto text = env_->files->read(path_);
  std::string line = text ? text->substr(0, text->find_first_of("\r\n")) : "";
  return line.starts_with("\xEF\xBB\xBF") ? line.substr(3) : line;
}

Result<std::string> SeedFile::digest() const {
  TARN_TRY(std::string bytes, env_->files->read(path_));
  codec::Sha256 sha256;
  sha256.update(select_from("") + "\n");
  sha256.update(bytes);
  return sha256.hex();
}

std::string SeedFile::select() const {
  return select_from(path_);
}

std::string SeedFile::select_from(const std::string& path) const {
  std::string types;
  for (const auto& [column, type] : node_->config.column_types) {
    types += fmt::format("{}{}: {}", types.empty() ? "" : ", ", session::quote_literal(column),
                         session::quote_literal(type));
  }
  // Without "skip" and "comment" the engine would leave out lines that it does not understand.
  return fmt::format(
      "select * from read_csv({}, header = true, sample_size = -1, delim = {}, quote = '\"', escape = '\"', "
      "nullstr = '', skip = 0, comment = ''{})",
      session::quote_literal(path), session::quote_literal(node_->config.delimiter),
      types.empty() ? "" : fmt::format(", types = {{{}}}", types));
}

// Guessing types ends in a long text about dialects; reading all as text says which line is wrong.
Error SeedFile::reread(session::SessionService& sessions, const Error& error) const {
  auto session = sessions.open({});
  if (!session || error.message.find("sniff") == std::string::npos) {
    return error;
  }
  std::string columns;
  for (size_t i = 0; i < names_in(header(), node_->config.delimiter).size(); ++i) {
    columns += fmt::format("{}'c{}': 'varchar'", columns.empty() ? "" : ", ", i);
  }
  auto again = (*session)->execute_own(fmt::format(
      "create temp table seed as select * from read_csv({}, header = true, auto_detect = false, delim = {}, "
      "quote = '\"', escape = '\"', columns = {{{}}})",
      session::quote_literal(path_), session::quote_literal(node_->config.delimiter), columns));
  return again ? error : again.error();
}

Diagnostic SeedFile::explain(session::SessionService& sessions, const Error& error) const {
  std::string message = without_path(reread(sessions, error).message, path_);
  (void)engine::take_place("", message);  // a place in our own statement says nothing
  Place place{.file = node_->path, .line = line_in(message)};
  std::replace(message.begin(), message.end(), '\n', ' ');
  return {place, jinja::strip(message, " ", true, true)};
}

}  // namespace tarn::model
