// What pages show of an open project beyond what the commands need: its graph, its tables' versions and
// files, the raw bytes. Implemented by the process that holds the project.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/env/env.h"
#include "base/result.h"
#include "engine/lake_catalog.h"
#include "engine/outside.h"
#include "store/store.h"

namespace tarn::serve {

// A task of the project as its text says it now.
struct GraphTask {
  std::string name;
  std::string kind;
  std::string path;
  std::vector<std::string> tags;
  std::vector<std::string> upstream;
  std::vector<std::string> writes;
  std::vector<std::string> outside;  // tables of attachments that it reads
};

// A lake version in which a table changed.
struct TableMoment {
  int64_t lake_version = 0;
  Timestamp time;
  std::string metadata_location;
};

// What one fetch left on the disk.
struct RawBytes {
  std::string path;  // absolute; empty: nothing was kept
  std::string url;
  std::string encoding;
  int64_t bytes = 0;
  std::string error;
};

// A database of others that tarn.yml attaches, as it is found at this moment.
struct AttachmentInfo {
  std::string name;
  std::string kind;     // postgres, iceberg, delta, files
  std::string problem;  // why its tables cannot be listed; empty: they can
  std::vector<engine::OutsideTable> tables;
};

// Thread-safe.
class Insight {
 public:
  virtual ~Insight() = default;
  [[nodiscard]] virtual std::string project_name() const = 0;
  [[nodiscard]] virtual std::string data_folder() const = 0;
  virtual Result<std::vector<GraphTask>> graph() = 0;
  virtual engine::LakeCatalog& lake() = 0;
  virtual Result<std::vector<TableMoment>> table_history(const std::string& uuid, int limit) = 0;
  virtual store::Store& records() = 0;
  // Names and kinds only, or with what each of them holds, for which they are opened.
  virtual std::vector<AttachmentInfo> attachments() = 0;
  virtual Result<AttachmentInfo> attachment(const std::string& name) = 0;
  virtual Result<RawBytes> raw_bytes(const std::string& source, const std::string& run, int64_t number) = 0;
};

}  // namespace tarn::serve
