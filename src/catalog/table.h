// A table of a lake version: its names, and its metadata document, read at the first call. Thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "base/env/env.h"
#include "engine/lake_catalog.h"
#include "iceberg/metadata.h"

namespace tarn::catalog {

// A metadata file's bytes, packed or not.
Result<iceberg::TableMetadata> parse_metadata(std::string bytes);

class CatalogTable : public engine::LakeTable {
 public:
  // `metadata` may be null: it is read from `metadata_location` when it is asked for. `env` must outlive the
  // table.
  CatalogTable(Env& env, engine::TableName name, std::string uuid, std::string metadata_location,
               std::shared_ptr<const iceberg::TableMetadata> metadata);

  [[nodiscard]] const engine::TableName& name() const override { return name_; }
  [[nodiscard]] const std::string& uuid() const override { return uuid_; }
  [[nodiscard]] const std::string& metadata_location() const override { return metadata_location_; }
  [[nodiscard]] Result<std::shared_ptr<const iceberg::TableMetadata>> metadata() const override;

  // The same table under another name; shares the document when it has been read.
  [[nodiscard]] std::shared_ptr<const CatalogTable> renamed(engine::TableName name) const;

 private:
  Env& env_;
  const engine::TableName name_;
  const std::string uuid_;
  const std::string metadata_location_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const iceberg::TableMetadata> metadata_;
};

// A version of a table that is past its time: whoever asks for it is told so.
class ExpiredTable : public engine::LakeTable {
 public:
  ExpiredTable(engine::TableName name, std::string uuid, std::string metadata_location, Timestamp expired_at);

  [[nodiscard]] const engine::TableName& name() const override { return name_; }
  [[nodiscard]] const std::string& uuid() const override { return uuid_; }
  [[nodiscard]] const std::string& metadata_location() const override { return metadata_location_; }
  [[nodiscard]] Result<std::shared_ptr<const iceberg::TableMetadata>> metadata() const override;

 private:
  const engine::TableName name_;
  const std::string uuid_;
  const std::string metadata_location_;
  const Timestamp expired_at_;
};

}  // namespace tarn::catalog
