// `attach:` in tarn.yml: databases of others that statements read where they are, by name.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "codec/yaml.h"

namespace tarn::project {

struct AttachedFiles {
  std::string location;  // an absolute path or a URL; kind files: may have * and ?
  std::string format;    // kind files: parquet, csv or json
};

struct Attachment {
  std::string name;
  std::string kind;  // postgres, iceberg, delta or files
  Place place;
  // By their names in tarn.yml; those of `s3` with "s3_" before them. Secrets are references.
  std::map<std::string, std::string> settings;
  std::map<std::string, AttachedFiles> tables;  // delta, files
  std::vector<std::string> locations;           // iceberg: below which files may lie
  std::chrono::milliseconds timeout{30'000};
};

// Where a table is that is named without a schema.
std::string default_schema(const Attachment& attachment);

// Relative paths are below `root`.
std::vector<Attachment> read_attachments(const codec::YamlNode& node, const std::string& root,
                                         Diagnostics& diagnostics);

}  // namespace tarn::project
