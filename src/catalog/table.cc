#include "catalog/table.h"

#include <fmt/format.h>

#include "base/time.h"
#include "catalog/layout.h"
#include "engine/unreadable.h"
#include "iceberg/metadata_file.h"

namespace tarn::catalog {

Result<iceberg::TableMetadata> parse_metadata(std::string bytes) {
  TARN_TRY(const auto text, iceberg::metadata_text(std::move(bytes)));
  return iceberg::parse_table_metadata(text);
}

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
    return engine::unreadable(name_, bytes.error());
  }
  auto parsed = parse_metadata(std::move(*bytes));
  if (!parsed) {
    return engine::unreadable(name_, parsed.error().at(metadata_location_));
  }
  if (parsed->table_uuid != uuid_) {
    return engine::unreadable(
        name_, {Code::kCorrupt,
                fmt::format("{} is of the table {}, not {}", metadata_location_, parsed->table_uuid, uuid_)});
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
