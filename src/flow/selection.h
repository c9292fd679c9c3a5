// Which tasks a run takes, in dbt's words:
//   name, pattern*, folder/ or file path, path:x, tag:x, source:x, kind:x (resource_type:x), file:x
//   +x  with all that runs before it     2+x  two steps     x+  with all that runs after it     @x  x+, and
//   all before those x y  or several arguments: the union     x,y  what both select
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "flow/task.h"

namespace tarn::flow {

struct Selection {
  std::vector<std::string> take;   // empty: everything
  std::vector<std::string> leave;  // --exclude
};

// Names of the chosen tasks. A word that selects nothing is an error which proposes a near name.
// A stand-alone test comes with its models: when all that it reads is chosen or runs before something chosen.
Result<std::set<std::string>> select_tasks(const std::vector<std::unique_ptr<Task>>& tasks,
                                           const Selection& selection);

}  // namespace tarn::flow
