#include <array>

#include <fmt/format.h>

#include "serve/iceberg/wire.h"

namespace tarn::serve::rest {
namespace {

constexpr std::string_view kPrefix = "lake";

struct Form {
  std::string_view method;
  std::string_view path;  // below the prefix
  Operation operation;
};

constexpr Form kForms[] = {
    {"GET", "namespaces", Operation::kListNamespaces},
    {"POST", "namespaces", Operation::kCreateNamespace},
    {"GET", "namespaces/{namespace}", Operation::kLoadNamespace},
    {"HEAD", "namespaces/{namespace}", Operation::kNamespaceExists},
    {"DELETE", "namespaces/{namespace}", Operation::kDropNamespace},
    {"POST", "namespaces/{namespace}/properties", Operation::kUpdateNamespace},
    {"GET", "namespaces/{namespace}/tables", Operation::kListTables},
    {"POST", "namespaces/{namespace}/tables", Operation::kCreateTable},
    {"GET", "namespaces/{namespace}/tables/{table}", Operation::kLoadTable},
    {"HEAD", "namespaces/{namespace}/tables/{table}", Operation::kTableExists},
    {"POST", "namespaces/{namespace}/tables/{table}", Operation::kCommitTable},
    {"DELETE", "namespaces/{namespace}/tables/{table}", Operation::kDropTable},
    {"POST", "namespaces/{namespace}/tables/{table}/unregister", Operation::kUnregisterTable},
    {"GET", "namespaces/{namespace}/tables/{table}/credentials", Operation::kLoadCredentials},
    {"POST", "namespaces/{namespace}/tables/{table}/metrics", Operation::kReportMetrics},
    {"POST", "namespaces/{namespace}/register", Operation::kRegisterTable},
    {"POST", "tables/rename", Operation::kRenameTable},
    {"POST", "transactions/commit", Operation::kCommitTransaction},
    {"GET", "namespaces/{namespace}/views", Operation::kListViews},
    {"POST", "namespaces/{namespace}/views", Operation::kCreateView},
    {"GET", "namespaces/{namespace}/views/{view}", Operation::kLoadView},
    {"HEAD", "namespaces/{namespace}/views/{view}", Operation::kViewExists},
    {"POST", "namespaces/{namespace}/views/{view}", Operation::kReplaceView},
    {"DELETE", "namespaces/{namespace}/views/{view}", Operation::kDropView},
    {"POST", "namespaces/{namespace}/register-view", Operation::kRegisterView},
    {"POST", "views/rename", Operation::kRenameView},
};

std::vector<std::string_view> parts_of(std::string_view path) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto slash = path.find('/');
    parts.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos)
      return parts;
    path.remove_prefix(slash + 1);
  }
}

int digit_of(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Java's clients write a blank in a path as "+", and a plus as "%2B".
Result<std::string> decoded(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? digit_of(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? digit_of(text[i + 2]) : -1;
    if (high < 0 || low < 0)
      return Error{Code::kInvalid, fmt::format("the path has a broken escape in '{}'", text.substr(0, 80))};
    result += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return result;
}

// Whether the path has this form; the parts that stand for names go to `names`.
bool matches(std::string_view form, const std::vector<std::string_view>& parts,
             std::array<std::string_view, 2>& names) {
  const auto wanted = parts_of(form);
  if (wanted.size() != parts.size())
    return false;
  size_t found = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (wanted[i].starts_with('{'))
      names[found++] = parts[i];
    else if (wanted[i] != parts[i])
      return false;
  }
  return true;
}

bool is_top(std::string_view part) {
  return part == "namespaces" || part == "tables" || part == "views" || part == "transactions";
}

Result<Route> named_route(Operation operation, const std::array<std::string_view, 2>& names) {
  Route route{.operation = operation, .space = "", .name = ""};
  if (names[0].data() != nullptr) {
    TARN_TRY(const auto space, decoded(names[0]));
    TARN_TRY(route.space, namespace_of_text(space));
  }
  if (names[1].data() != nullptr) {
    TARN_TRY(route.name, decoded(names[1]));
    if (route.name.empty())
      return Error{Code::kInvalid, "the path has an empty name"};
  }
  return route;
}

}  // namespace

Result<Route> route_of(std::string_view method, std::string_view path) {
  const auto unknown = Error{Code::kNotFound, fmt::format("there is no {} {}", method, path)};
  auto parts = parts_of(path);
  if (parts.size() < 3 || !parts[0].empty() || parts[1] != "v1")
    return unknown;
  parts.erase(parts.begin(), parts.begin() + 2);
  if (parts.size() == 1 && parts[0] == "config" && method == "GET")
    return Route{.operation = Operation::kConfig, .space = "", .name = ""};
  if (parts.size() == 2 && parts[0] == "oauth" && parts[1] == "tokens" && method == "POST")
    return Route{.operation = Operation::kToken, .space = "", .name = ""};
  if (!is_top(parts[0]) && parts[0] == kPrefix)
    parts.erase(parts.begin());
  bool is_known = false;
  for (const auto& form : kForms) {
    std::array<std::string_view, 2> names;
    if (!matches(form.path, parts, names))
      continue;
    if (form.method == method)
      return named_route(form.operation, names);
    is_known = true;
  }
  if (is_known)
    return Error{Code::kUnsupported, fmt::format("{} is not a method of {}", method, path)};
  return unknown;
}

std::vector<std::string> endpoints() {
  std::vector<std::string> list;
  for (const auto& form : kForms)
    list.push_back(fmt::format("{} /v1/{{prefix}}/{}", form.method, form.path));
  return list;
}

Result<std::string> namespace_of_text(std::string_view text) {
  constexpr char kSeparator = '\x1f';
  Json levels = Json::array();
  std::string_view rest = text;
  while (true) {
    const auto end = rest.find(kSeparator);
    levels.push_back(std::string(rest.substr(0, end)));
    if (end == std::string_view::npos)
      return namespace_of(levels);
    rest.remove_prefix(end + 1);
  }
}

}  // namespace tarn::serve::rest
