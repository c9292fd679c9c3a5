#include "flowfile/task_file.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/time.h"
#include "codec/scalar_place.h"
#include "project/project.h"

namespace tarn::flowfile {
namespace {

using codec::YamlNode;
using codec::YamlReader;

constexpr int64_t kRetriesMax = 100;
constexpr int64_t kAtOnceMax = 64;
constexpr uint64_t kMemoryMin = 16'000'000;

class TaskReader {
 public:
  TaskReader(const YamlNode::Entry& entry, std::string_view file_text, Diagnostics& found)
      : node_(entry.value),
        file_text_(file_text),
        found_(found),
        reader_(entry.value, fmt::format("task {}", entry.key), found) {
    task_.name = entry.key;
    task_.place = entry.place;
  }

  TaskConfig read() {
    if (node_.kind != YamlNode::Kind::kMap)
      return std::move(task_);
    read_kind();
    read_order();
    read_tries();
    reader_.finish();
    return std::move(task_);
  }

 private:
  // The value of a key as a text with ${…}; empty when there is none.
  Text text(YamlReader& reader, const YamlNode& map, std::string_view key) {
    Text read{.text = reader.text(key)};
    const auto* node = map.find(key);
    return node != nullptr ? parsed(std::move(read), *node) : read;
  }

  Text parsed(Text read, const YamlNode& node) {
    read.place = node.place;
    size_t at = 0;
    if (auto pieces = parse_text(read.text, &at)) {
      read.pieces = std::move(*pieces);
    } else {
      found_.push_back({codec::place_inside(file_text_, node.place, read.text, at), pieces.error().message});
    }
    return read;
  }

  std::vector<NamedText> named_texts(YamlReader& reader, std::string_view key, std::string_view example) {
    std::vector<NamedText> texts;
    const auto* node = reader.child(key);
    if (node == nullptr)
      return texts;
    if (node->kind != YamlNode::Kind::kMap) {
      reader.mistake(*node, fmt::format("{} is a map of names to values, e.g. '{}'", key, example));
      return texts;
    }
    for (const auto& entry : node->entries) {
      if (entry.value.kind != YamlNode::Kind::kScalar && entry.value.kind != YamlNode::Kind::kNull)
        reader.mistake(entry.value, fmt::format("'{}' must be a single value", entry.key));
      else
        texts.emplace_back(entry.key, parsed({.text = entry.value.text}, entry.value));
    }
    return texts;
  }

  std::vector<Text> list_of(const YamlNode& node, std::string_view key) {
    std::vector<Text> texts;
    if (node.kind == YamlNode::Kind::kScalar)
      texts.push_back(parsed({.text = node.text}, node));
    for (const auto& item : node.items) {
      if (item.kind == YamlNode::Kind::kScalar)
        texts.push_back(parsed({.text = item.text}, item));
      else
        reader_.mistake(item, fmt::format("{} is a list of texts", key));
    }
    if (node.kind == YamlNode::Kind::kMap)
      reader_.mistake(node, fmt::format("{} is a text or a list of texts", key));
    return texts;
  }

  Duration duration(std::string_view key, Duration fallback) {
    const auto given = reader_.text(key);
    if (given.empty())
      return fallback;
    const auto value = parse_duration(given);
    if (value && value->count() > 0)
      return *value;
    reader_.mistake(*node_.find(key), fmt::format("{} is a time, for example 30s, 15m or 2h", key));
    return fallback;
  }

  int64_t count(std::string_view key, int64_t fallback, int64_t min, int64_t max) {
    const auto value = reader_.integer(key);
    if (!value)
      return fallback;
    if (*value >= min && *value <= max)
      return *value;
    reader_.mistake(*node_.find(key), fmt::format("{} {} is not between {} and {}", key, *value, min, max));
    return fallback;
  }

  uint64_t bytes(std::string_view key, uint64_t fallback) {
    const auto given = reader_.text(key);
    if (given.empty())
      return fallback;
    const auto value = project::parse_bytes(given);
    if (value && *value >= kMemoryMin)
      return *value;
    reader_.mistake(*node_.find(key),
                    fmt::format("{} '{}' is not a size of at least 16MB; write e.g. 1GB", key, given));
    return fallback;
  }

  void read_kind() {
    static const std::vector<std::pair<std::string_view, Kind>> kKinds = {
        {"run", Kind::kRun},   {"sql", Kind::kSql},       {"report", Kind::kReport},
        {"http", Kind::kHttp}, {"script", Kind::kScript}, {"shell", Kind::kScript}};
    int given = 0;
    for (const auto& [key, kind] : kKinds) {
      const auto* value = reader_.child(key);
      if (value == nullptr)
        continue;
      ++given;
      task_.kind = kind;
      task_.kind_place = value->place;
    }
    if (given != 1) {
      found_.push_back(
          {task_.place, fmt::format("task {} needs exactly one of run, sql, report, http, script and shell, "
                                    "e.g. {}: {{sql: select 1 as n}}",
                                    task_.name, task_.name)});
      // Which keys it may have depends on it.
      for (const auto& entry : node_.entries)
        (void)reader_.child(entry.key);
      return;
    }
    switch (task_.kind) {
      case Kind::kRun: return read_run();
      case Kind::kSql: task_.sql = report::read_query(reader_, "sql", node_, true); return;
      case Kind::kReport: return read_report();
      case Kind::kHttp: return read_http(*node_.find("http"));
      case Kind::kScript: return read_script();
    }
  }

  void read_run() {
    auto& run = task_.run;
    run.take = reader_.texts("run").value_or(std::vector<std::string>());
    run.leave = reader_.texts("exclude").value_or(std::vector<std::string>());
    run.full_refresh = reader_.boolean("full_refresh", false);
    run.vars = named_texts(reader_, "vars", "vars: {day: ${day}}");
    if (run.take.empty())
      found_.push_back({task_.kind_place, "run is a selection, as after 'tarn run': e.g. [raw_bars+]"});
    for (const auto& word : run.take) {
      if (word.starts_with("flow:"))
        found_.push_back({task_.kind_place, fmt::format("a flow cannot run another one ({}): name what that "
                                                        "one does here, or give it an 'after' of its own",
                                                        word)});
    }
  }

  void read_report() {
    auto& report = task_.report;
    report.report = reader_.required_text("report");
    report.file = text(reader_, node_, "file");
    report.mail = reader_.boolean("mail", report.file.text.empty());
    if (!report.mail && report.file.text.empty())
      found_.push_back({task_.kind_place,
                        "the report goes nowhere: write 'mail: true', or 'file: "
                        "exports/NAME.xlsx', or both"});
    const auto& path = report.file.text;
    const bool inside = !path.starts_with("/") && path.find("..") == std::string::npos;
    if (!path.empty() && (!inside || !path.ends_with(".xlsx")))
      found_.push_back({report.file.place,
                        "file is a path in the project that ends in .xlsx, e.g. "
                        "exports/prices.xlsx"});
    const auto* parameters = reader_.child("parameters");
    if (parameters == nullptr)
      return;
    if (parameters->kind != YamlNode::Kind::kMap)
      return reader_.mistake(*parameters, "parameters is a map of names to values");
    for (const auto& entry : parameters->entries)
      report.parameters.emplace_back(entry.key, list_of(entry.value, entry.key));
  }

  void read_http(const YamlNode& node) {
    auto& http = task_.http;
    if (node.kind == YamlNode::Kind::kScalar) {
      http.url = parsed({.text = node.text}, node);
      task_.repeatable = true;
      return check_url(node);
    }
    if (node.kind != YamlNode::Kind::kMap)
      return reader_.mistake(node, "http is a URL, or a map with url, method, headers, body or json");
    YamlReader reader(node, "http", found_);
    http.url = text(reader, node, "url");
    check_url(node.find("url") != nullptr ? *node.find("url") : node);
    http.headers = named_texts(reader, "headers", "headers: {Authorization: Bearer ${env:TOKEN}}");
    http.body = text(reader, node, "body");
    if (const auto* json = reader.child("json")) {
      http.json = *json;
      check_json(*json);
      if (!http.body.text.empty())
        reader.mistake(*json, "json is the body: take 'body' out");
    }
    const bool has_body = http.json || !http.body.text.empty();
    http.method =
        reader.choice("method", {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"}, has_body ? "POST" : "GET");
    if (has_body && (http.method == "GET" || http.method == "HEAD"))
      reader.mistake(*node.find("method"), fmt::format("{} has no body: write POST or PUT", http.method));
    read_accept(reader);
    reader.finish();
    const auto& m = http.method;
    task_.repeatable = m == "GET" || m == "HEAD" || m == "PUT" || m == "DELETE";
  }

  void read_accept(YamlReader& reader) {
    const auto* accept = reader.child("accept");
    if (accept == nullptr)
      return;
    for (const auto& word : reader.texts("accept").value_or(std::vector<std::string>())) {
      const bool digits = word.size() == 3 &&
                          std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
      if (digits && word.front() >= '4' && word.front() <= '5')
        task_.http.accept.push_back(std::stoi(word));
      else
        reader.mistake(*accept, fmt::format("accept lists statuses from 400 to 599, not '{}'", word));
    }
  }

  void check_url(const YamlNode& at) {
    const auto& url = task_.http.url.text;
    if (!url.starts_with("http://") && !url.starts_with("https://") && !url.starts_with("${"))
      found_.push_back({at.place, "url begins with http:// or https://"});
  }

  void check_json(const YamlNode& node) {
    if (node.kind == YamlNode::Kind::kScalar)
      (void)parsed({.text = node.text}, node);
    for (const auto& item : node.items)
      check_json(item);
    for (const auto& entry : node.entries)
      check_json(entry.value);
  }

  void read_script() {
    auto& script = task_.script;
    script.file = node_.find("script") != nullptr ? reader_.required_text("script") : "";
    script.shell = node_.find("shell") != nullptr ? reader_.required_text("shell") : "";
    const bool outside = script.file.starts_with("/") || script.file.find("..") != std::string::npos;
    if (outside || script.file.find('\n') != std::string::npos)
      found_.push_back({task_.kind_place,
                        "script is a file in the project, e.g. scripts/fit.py; a text for "
                        "the shell is 'shell: …'"});
    check_shell(script.shell);
    if (const auto* arguments = reader_.child("arguments"))
      script.arguments = list_of(*arguments, "arguments");
    script.environment = named_texts(reader_, "env", "env: {API_KEY: ${env:API_KEY}}");
    for (const auto& [name, value] : script.environment) {
      if (!is_name(name) || name.starts_with("TARN_"))
        found_.push_back({value.place, fmt::format("'{}' cannot be a variable of a script: letters, digits "
                                                   "and underscores, and not TARN_ in front",
                                                   name)});
    }
    script.memory_bytes = bytes("memory", script.memory_bytes);
    script.file_bytes = bytes("file_size", script.file_bytes);
    script.cpu_time = duration("cpu_time", script.cpu_time);
    script.processes = count("processes", script.processes, 1, 10'000);
  }

  // It is a program, not a text to be filled: a value in it would be read as one, too.
  void check_shell(const std::string& shell) {
    for (size_t at = shell.find("${"); at != std::string::npos; at = shell.find("${", at + 1)) {
      const auto pieces = parse_text(std::string_view(shell).substr(at, shell.find('}', at) + 1 - at));
      if (!pieces || pieces->empty() || !pieces->front().reference ||
          pieces->front().reference->field.empty())
        continue;
      found_.push_back({codec::place_inside(file_text_, task_.kind_place, shell, at),
                        fmt::format("the shell's text is not filled: write 'env: {{X: \"{}\"}}', and $X here",
                                    pieces->front().text)});
    }
  }

  void read_order() {
    if (const auto* after = reader_.child("after")) {
      if (after->kind == YamlNode::Kind::kScalar)
        task_.after.push_back({after->text, after->place});
      else if (after->kind != YamlNode::Kind::kSequence)
        reader_.mistake(*after, "after names a task of this flow, or a list of them");
      for (const auto& item : after->items)
        task_.after.push_back({item.text, item.place});
    }
    const auto join = reader_.choice("if_before", {"done", "failed", "ended"}, "done");
    task_.join = join == "failed"  ? flow::Join::kSomeFailed
                 : join == "ended" ? flow::Join::kAllEnded
                                   : flow::Join::kAllDone;
    task_.when = report::read_query(reader_, "when", node_, false);
    task_.for_each = report::read_query(reader_, "for_each", node_, false);
    task_.at_once = static_cast<int>(count("at_once", 0, 1, kAtOnceMax));
    if (task_.at_once > 0 && task_.for_each.text.empty())
      reader_.mistake(*node_.find("at_once"), "at_once is of the rows of for_each, which this task has not");
  }

  void read_tries() {
    task_.timeout = duration("timeout", task_.timeout);
    task_.retries = static_cast<int>(count("retries", 0, 0, kRetriesMax));
    task_.retry_delay = duration("retry_delay", task_.retry_delay);
    if (task_.kind == Kind::kHttp || task_.kind == Kind::kScript)
      task_.repeatable = reader_.boolean("repeatable", task_.repeatable);
  }

  const YamlNode& node_;
  const std::string_view file_text_;
  Diagnostics& found_;
  YamlReader reader_;
  TaskConfig task_;
};

void visit_json(const YamlNode& node, const std::function<void(const Text&)>& visit) {
  if (node.kind == YamlNode::Kind::kScalar) {
    if (const auto text = text_of_node(node))
      visit(*text);
  }
  for (const auto& item : node.items)
    visit_json(item, visit);
  for (const auto& entry : node.entries)
    visit_json(entry.value, visit);
}

}  // namespace

TaskConfig read_task(const YamlNode::Entry& entry, std::string_view file_text, Diagnostics& diagnostics) {
  return TaskReader(entry, file_text, diagnostics).read();
}

Result<Text> text_of_node(const YamlNode& node) {
  Text text{.text = node.text, .place = node.place};
  TARN_TRY(text.pieces, parse_text(node.text));
  return text;
}

void for_each_text(const TaskConfig& task, const std::function<void(const Text& text)>& visit) {
  for (const auto& [name, text] : task.run.vars)
    visit(text);
  visit(task.report.file);
  for (const auto& [name, texts] : task.report.parameters) {
    for (const auto& text : texts)
      visit(text);
  }
  visit(task.http.url);
  for (const auto& [name, text] : task.http.headers)
    visit(text);
  visit(task.http.body);
  if (task.http.json)
    visit_json(*task.http.json, visit);
  for (const auto& text : task.script.arguments)
    visit(text);
  for (const auto& [name, text] : task.script.environment)
    visit(text);
}

}  // namespace tarn::flowfile
