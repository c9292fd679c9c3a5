// The values that a task of a running flow sees: parameters, the row it was started for, results of tasks
// before it, the run.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/connection.h"
#include "flowfile/flow_file.h"
#include "flowfile/value.h"
#include "report/parameters.h"

namespace tarn::flowfile {

// Results by task. Thread-safe.
class Results {
 public:
  void put(const std::string& task, Json result);
  [[nodiscard]] std::optional<Json> find(const std::string& task) const;
  [[nodiscard]] Json all() const;  // an object

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Json> results_;
};

struct RunFacts {
  std::string id, schedule, due_at, started_at;  // times in UTC, empty: none
};

struct Scope {
  const std::vector<engine::Parameter>& parameters;
  const Json* row;  // null: none
  const Results& results;
  const RunFacts& run;
  const std::map<std::string, std::string>& vars;
  std::function<Result<std::string>(const std::string& reference)> resolve_secret;

  // Null: there is no such value.
  [[nodiscard]] std::optional<Json> value_of(const Reference& reference) const;
};

struct Filled {
  std::string text;
  std::string shown;                 // the same with secrets left as references
  std::vector<std::string> secrets;  // values that may not be printed
};

// `encode`, which may be empty, is applied to values but not to vars and secrets.
Result<Filled> fill(const Text& text, const Scope& scope,
                    const std::function<std::string(std::string_view)>& encode = {});
// The value of a text: a lone "${count.n}" keeps its type.
Result<Json> fill_value(const Text& text, const Scope& scope, std::vector<std::string>& secrets);
// Its texts filled; texts without quotes are numbers and truth values, as YAML reads them.
Result<Json> fill_json(const codec::YamlNode& node, const Scope& scope, std::vector<std::string>& secrets);

// What a statement's references stand for.
std::vector<engine::Parameter> bound_values(const std::vector<Reference>& references, const Scope& scope);

// Every secret in it as "***".
std::string scrub(std::string text, const std::vector<std::string>& secrets);

// As a task gets it on its standard input and records keep it: "day": "2026-11-21".
Json parameters_json(const std::vector<engine::Parameter>& parameters);

}  // namespace tarn::flowfile
