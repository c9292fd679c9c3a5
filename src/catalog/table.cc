#include "catalog/table.h"

#include <fmt/format.h>

#include "base/time.h"
#include "catalog/layout.h"

namespace tarn::catalog {

CatalogTable::CatalogTable(Env& env, engine::TableName name, std::string uuid, std::string metadata_location,
                           std::shared_ptr<const iceberg::TableMetadata> metadata)
    : env_(env),
      name_(std::move(name)),
      uuid_(std::move(uuid)),
      metadata_location_(std::move(metadata_location)),
      metadata_(std::move(metadata)) {}

Result<std::shared_ptr<const iceberg::TableMetadata>> CatalogTable::metadata() const {
  std::lock_guard lock(mutex_);
  if (metadata_ != nullptr) {
    return metadata_;
  }
  TARN_TRY(std::string path, to_path(metadata_location_));
  auto bytes = env_.files->read(path);
  if (!bytes) {
    return bytes.error().at(fmt::format("table {}.{}", name_.schema, name_.name));
  }
  auto parsed = iceberg::parse_table_metadata(*bytes);
  if (!parsed) {
    return parsed.error().at(metadata_location_);
  }
  if (parsed->table_uuid != uuid_) {
    return Error{Code::kCorrupt, fmt::format("{} is of table {}, not of {}.{} ({})", metadata_location_,
                                             parsed->table_uuid, name_.schema, name_.name, uuid_)};
  }
  metadata_ = std::make_shared<const iceberg::TableMetadata>(std::move(*parsed));
  return metadata_;
}

std::shared_ptr<const CatalogTable> CatalogTable::renamed(engine::TableName name) const {
  std::lock_guard lock(mutex_);
  return std::make_shared<const CatalogTable>(env_, std::move(name), uuid_, metadata_location_, metadata_);
}

ExpiredTable::ExpiredTable(engine::TableName name, std::string uuid, std::string metadata_location,
                           Timestamp expired_at)
    : name_(std::move(name)),
      uuid_(std::move(uuid)),
      metadata_location_(std::move(metadata_location)),
      expired_at_(expired_at) {}

Result<std::shared_ptr<const iceberg::TableMetadata>> ExpiredTable::metadata() const {
  return Error{Code::kNotFound,
               fmt::format("what {}.{} was then is not kept any more: it expired at {}; 'history' under "
                           "retention in tarn.yml says for how long versions are kept",
                           name_.schema, name_.name, format_utc(expired_at_))};
}

}  // namespace tarn::catalog
