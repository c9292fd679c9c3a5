#include "flow/selection.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "codec/text_distance.h"

namespace tarn::flow {
namespace {

using Names = std::set<std::string>;

// '*' any text, '?' one letter; without exponential time.
bool matches(std::string_view pattern, std::string_view text) {
  size_t p = 0;
  size_t t = 0;
  size_t star = std::string_view::npos;
  size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

std::string without_dot(std::string_view path) {
  if (path.starts_with("./")) {
    path.remove_prefix(2);
  }
  while (path.ends_with('/')) {
    path.remove_suffix(1);
  }
  return std::string(path);
}

bool path_matches(const std::string& wanted, const std::string& path) {
  return path == wanted || path.starts_with(wanted + "/") || matches(wanted, path) ||
         matches(wanted + "/*", path);
}

std::string file_of(const std::string& path) {
  size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

constexpr int kAllSteps = 1'000'000;

// "2+name+1" in its parts.
struct Word {
  std::string method;
  std::string value;
  int before = 0;  // steps upstream
  int after = 0;
  bool whole_need = false;  // "@"
};

class Selector {
 public:
  explicit Selector(const std::vector<std::unique_ptr<Task>>& tasks) {
    for (const auto& task : tasks) {
      tasks_[task->name()] = task.get();
    }
    for (const auto& [name, task] : tasks_) {
      for (const auto& before : task->upstream()) {
        if (tasks_.contains(before)) {
          before_[name].insert(before);
          after_[before].insert(name);
        }
      }
    }
  }

  Result<Names> run(const Selection& selection) {
    Names chosen;
    if (selection.take.empty()) {
      for (const auto& entry : tasks_) {
        chosen.insert(entry.first);
      }
    }
    for (const std::string& argument : selection.take) {
      TARN_TRY(Names more, union_of(argument));
      chosen.insert(more.begin(), more.end());
    }
    if (!selection.take.empty()) {
      add_tests(chosen);
    }
    for (const std::string& argument : selection.leave) {
      TARN_TRY(Names less, union_of(argument));
      for (const std::string& name : less) {
        chosen.erase(name);
      }
    }
    return chosen;
  }

 private:
  static std::vector<std::string> cut(const std::string& text, std::string_view separators) {
    std::vector<std::string> parts;
    for (size_t at = 0; at <= text.size();) {
      size_t end = std::min(text.find_first_of(separators, at), text.size());
      if (end > at) {
        parts.push_back(text.substr(at, end - at));
      }
      at = end + 1;
    }
    return parts;
  }

  Result<Names> union_of(const std::string& argument) {
    Names all;
    for (const std::string& part : cut(argument, " \t")) {
      std::optional<Names> both;
      for (const std::string& word : cut(part, ",")) {
        TARN_TRY(Names some, one_word(word));
        if (!both) {
          both = std::move(some);
          continue;
        }
        Names kept;
        std::set_intersection(both->begin(), both->end(), some.begin(), some.end(),
                              std::inserter(kept, kept.end()));
        both = std::move(kept);
      }
      if (both) {
        all.insert(both->begin(), both->end());
      }
    }
    return all;
  }

  static Result<Word> parse(const std::string& text) {
    Word word;
    std::string rest = text;
    if (rest.starts_with('@')) {
      word.whole_need = true;
      rest = rest.substr(1);
    }
    size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
    if (digits < 6 && digits < rest.size() && rest[digits] == '+') {
      word.before = digits == 0 ? kAllSteps : std::stoi(rest.substr(0, digits));
      rest = rest.substr(digits + 1);
    }
    size_t plus = rest.rfind('+');
    if (plus != std::string::npos && rest.find_first_not_of("0123456789", plus + 1) == std::string::npos &&
        rest.size() - plus < 7) {
      word.after = plus + 1 == rest.size() ? kAllSteps : std::stoi(rest.substr(plus + 1));
      rest = rest.substr(0, plus);
    }
    size_t colon = rest.find(':');
    word.method = colon == std::string::npos ? "" : rest.substr(0, colon);
    word.value = colon == std::string::npos ? rest : rest.substr(colon + 1);
    if (word.value.empty()) {
      return Error{Code::kInvalid, fmt::format("the selection '{}' names nothing", text)};
    }
    return word;
  }

  Result<Names> one_word(const std::string& text) {
    TARN_TRY(Word word, parse(text));
    TARN_TRY(Names found, find(word, text));
    Names all = found;
    spread(found, before_, word.before, all);
    Names later = found;
    spread(found, after_, word.whole_need ? kAllSteps : word.after, later);
    all.insert(later.begin(), later.end());
    if (word.whole_need) {
      Names needs = later;
      spread(later, before_, kAllSteps, needs);
      all.insert(needs.begin(), needs.end());
    }
    return all;
  }

  Result<Names> find(const Word& word, const std::string& text) {
    static const std::vector<std::string> kMethods = {"path", "tag",  "source",        "name",
                                                      "fqn",  "kind", "resource_type", "file"};
    if (!word.method.empty() && std::find(kMethods.begin(), kMethods.end(), word.method) == kMethods.end()) {
      std::string near = codec::nearest(word.method, kMethods);
      return Error{Code::kInvalid,
                   fmt::format("a selection cannot begin with '{}:'{}", word.method,
                               near.empty() ? "; known are path:, tag:, source:, kind: and file:"
                                            : fmt::format(": did you mean '{}:'?", near))};
    }
    Names found;
    for (const auto& [name, task] : tasks_) {
      if (is_meant(word, *task)) {
        found.insert(name);
      }
    }
    if (found.empty()) {
      return Error{Code::kNotFound,
                   fmt::format("the selection '{}' matches nothing{}", text, proposal(word))};
    }
    return found;
  }

  static bool is_meant(const Word& word, const Task& task) {
    const std::string& value = word.value;
    if (word.method == "tag") {
      auto tags = task.tags();
      return std::any_of(tags.begin(), tags.end(),
                         [&](const std::string& tag) { return matches(value, tag); });
    }
    if (word.method == "source") {
      return task.kind() == "source" && (matches(value, task.name()) || writes(task, value));
    }
    if (word.method == "kind" || word.method == "resource_type") {
      return task.kind() == value;
    }
    if (word.method == "path") {
      return path_matches(without_dot(value), task.path());
    }
    if (word.method == "file") {
      return matches(value, file_of(task.path()));
    }
    if (matches(value, task.name())) {
      return true;
    }
    if (!word.method.empty()) {
      return false;
    }
    bool looks_like_path = value.find('/') != std::string::npos || value.find(".sql") != std::string::npos ||
                           value.find(".csv") != std::string::npos || value.find(".yml") != std::string::npos;
    if (looks_like_path && (path_matches(without_dot(value), task.path()) || value == file_of(task.path()))) {
      return true;
    }
    return in_folder(value, task.path());
  }

  static bool writes(const Task& task, const std::string& value) {
    auto tables = task.writes();
    return std::any_of(tables.begin(), tables.end(), [&](const std::string& table) {
      return matches(value, table) || matches(value, table.substr(table.find('.') + 1)) ||
             value == task.name() + table.substr(table.find('.'));
    });
  }

  // dbt also takes the name of a folder: "staging", "weather.staging".
  static bool in_folder(const std::string& value, const std::string& path) {
    std::string folders = path.substr(0, path.size() - file_of(path).size());
    std::string wanted = value;
    std::replace(wanted.begin(), wanted.end(), '.', '/');
    return !folders.empty() && ("/" + folders).find("/" + wanted + "/") != std::string::npos;
  }

  static void spread(const Names& from, const std::map<std::string, Names>& edges, int steps, Names& all) {
    Names edge = from;
    for (int i = 0; i < steps && !edge.empty(); ++i) {
      Names next;
      for (const std::string& name : edge) {
        auto found = edges.find(name);
        if (found == edges.end()) {
          continue;
        }
        for (const std::string& other : found->second) {
          if (all.insert(other).second) {
            next.insert(other);
          }
        }
      }
      edge = std::move(next);
    }
  }

  void add_tests(Names& chosen) const {
    Names earlier = chosen;
    spread(chosen, before_, kAllSteps, earlier);
    Names tests;
    for (const auto& [name, task] : tasks_) {
      auto parents = before_.find(name);
      if (task->kind() != "test" || parents == before_.end()) {
        continue;
      }
      bool touches = std::any_of(parents->second.begin(), parents->second.end(),
                                 [&](const std::string& parent) { return chosen.contains(parent); });
      bool all_there = std::all_of(parents->second.begin(), parents->second.end(),
                                   [&](const std::string& parent) { return earlier.contains(parent); });
      if (touches && all_there) {
        tests.insert(name);
      }
    }
    chosen.insert(tests.begin(), tests.end());
  }

  [[nodiscard]] std::string proposal(const Word& word) const {
    std::vector<std::string> known;
    for (const auto& [name, task] : tasks_) {
      if (word.method == "tag") {
        auto tags = task->tags();
        known.insert(known.end(), tags.begin(), tags.end());
      } else if (word.method == "path" || word.value.find('/') != std::string::npos) {
        known.push_back(task->path());
      } else {
        known.push_back(name);
      }
    }
    std::string near = codec::nearest(word.value, known);
    return near.empty() ? "; names of models, seeds and sources are those of their files"
                        : fmt::format(": did you mean '{}'?", near);
  }

  std::map<std::string, const Task*> tasks_;
  std::map<std::string, Names> before_, after_;
};

}  // namespace

Result<std::set<std::string>> select_tasks(const std::vector<std::unique_ptr<Task>>& tasks,
                                           const Selection& selection) {
  return Selector(tasks).run(selection);
}

}  // namespace tarn::flow
