#include <algorithm>

#include <fmt/format.h>

#include "iceberg/avro_file.h"
#include "iceberg/json.h"
#include "iceberg/manifest.h"
#include "iceberg/manifest_schema.h"

namespace tarn::iceberg {
namespace {

template <class T>
void write_optional_long(AvroEncoder& out, const std::optional<T>& value) {
  out.write_branch(value ? 1 : 0);
  if (value) {
    out.write_long(static_cast<int64_t>(*value));
  }
}

void write_optional_bytes(AvroEncoder& out, const std::optional<std::string>& value) {
  out.write_branch(value ? 1 : 0);
  if (value) {
    out.write_bytes(*value);
  }
}

void write_value(AvroEncoder& out, int64_t value) {
  out.write_long(value);
}

void write_value(AvroEncoder& out, const std::string& value) {
  out.write_bytes(value);
}

// An optional map by field id. An empty one is written as such: pyiceberg 0.12 stumbles over null.
template <class T>
void write_map(AvroEncoder& out, const std::map<int, T>& map) {
  out.write_branch(1);
  if (!map.empty()) {
    out.write_long(static_cast<int64_t>(map.size()));
  }
  for (const auto& [id, value] : map) {
    out.write_long(id);
    write_value(out, value);
  }
  out.write_long(0);
}

template <class T>
void write_list(AvroEncoder& out, const std::vector<T>& list) {
  out.write_branch(list.empty() ? 0 : 1);
  if (list.empty()) {
    return;
  }
  out.write_long(static_cast<int64_t>(list.size()));
  for (auto value : list) {
    out.write_long(value);
  }
  out.write_long(0);
}

void write_decimal(AvroEncoder& out, const Type& type, __int128 unscaled) {
  auto bytes = minimal_big_endian(unscaled);
  auto size = decimal_size(type.precision);
  out.write_fixed(std::string(size > bytes.size() ? size - bytes.size() : 0, unscaled < 0 ? '\xFF' : '\0'));
  out.write_fixed(bytes);
}

void write_partition_value(AvroEncoder& out, const Type& type, const Value& value) {
  out.write_branch(is_null(value) ? 0 : 1);
  if (const auto* flag = std::get_if<bool>(&value)) {
    out.write_boolean(*flag);
  } else if (const auto* small = std::get_if<int32_t>(&value)) {
    out.write_long(*small);
  } else if (const auto* big = std::get_if<int64_t>(&value)) {
    out.write_long(*big);
  } else if (const auto* single = std::get_if<float>(&value)) {
    out.write_little_endian(*single);
  } else if (const auto* number = std::get_if<double>(&value)) {
    out.write_little_endian(*number);
  } else if (const auto* decimal = std::get_if<Decimal>(&value)) {
    write_decimal(out, type, decimal->unscaled);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    bool is_fixed = type.kind == TypeKind::kUuid || type.kind == TypeKind::kFixed;
    is_fixed ? out.write_fixed(*text) : out.write_bytes(*text);
  }
}

// Smallest and greatest partition value of each field, for the manifest's line in the list.
class Summaries {
 public:
  explicit Summaries(std::vector<Type> types) : types_(std::move(types)), ranges_(types_.size()) {}

  void add(const std::vector<Value>& partition) {
    for (size_t i = 0; i < partition.size(); ++i) {
      auto& range = ranges_[i];
      const auto& value = partition[i];
      if (is_null(value)) {
        range.has_null = true;
      } else if (is_nan(value)) {
        range.has_nan = true;
      } else {
        if (is_null(range.lower) || compare(value, range.lower) < 0) {
          range.lower = value;
        }
        if (is_null(range.upper) || compare(value, range.upper) > 0) {
          range.upper = value;
        }
      }
    }
  }

  [[nodiscard]] std::vector<FieldSummary> take() const {
    std::vector<FieldSummary> summaries;
    for (size_t i = 0; i < ranges_.size(); ++i) {
      FieldSummary summary;
      summary.contains_null = ranges_[i].has_null;
      summary.contains_nan = ranges_[i].has_nan;
      if (!is_null(ranges_[i].lower)) {
        summary.lower_bound = to_bytes(types_[i], ranges_[i].lower);
        summary.upper_bound = to_bytes(types_[i], ranges_[i].upper);
      }
      summaries.push_back(std::move(summary));
    }
    return summaries;
  }

 private:
  struct Range {
    bool has_null = false;
    bool has_nan = false;
    Value lower;
    Value upper;
  };

  std::vector<Type> types_;
  std::vector<Range> ranges_;
};

void write_file(AvroEncoder& out, const DataFile& file, const std::vector<Type>& types,
                const std::vector<Value>& partition) {
  out.write_long(static_cast<int64_t>(file.content));
  out.write_bytes(file.path);
  out.write_bytes(file.format);
  for (size_t i = 0; i < types.size(); ++i) {
    write_partition_value(out, types[i], partition[i]);
  }
  out.write_long(file.record_count);
  out.write_long(file.file_size_bytes);
  write_map(out, file.column_sizes);
  write_map(out, file.value_counts);
  write_map(out, file.null_value_counts);
  write_map(out, file.nan_value_counts);
  write_map(out, file.lower_bounds);
  write_map(out, file.upper_bounds);
  out.write_branch(0);  // key_metadata
  write_list(out, file.split_offsets);
  write_list(out, file.equality_ids);
  write_optional_long(out,
                      file.content == Content::kPositionDeletes ? std::optional<int>() : file.sort_order_id);
  write_optional_bytes(out, file.referenced_data_file);
}

Result<std::vector<Value>> held_partition(const DataFile& file, const PartitionSpec& spec,
                                          const std::vector<Type>& types) {
  if (file.partition.size() != types.size()) {
    return Error{Code::kInternal, fmt::format("file {} has {} partition values, but spec {} has {} fields",
                                              file.path, file.partition.size(), spec.spec_id, types.size())};
  }
  std::vector<Value> values;
  for (size_t i = 0; i < types.size(); ++i) {
    auto value = promote(types[i], file.partition[i]);
    if (!value) {
      return value.error().at(fmt::format("partition field '{}' of {}", spec.fields[i].name, file.path));
    }
    values.push_back(std::move(*value));
  }
  return values;
}

Type type_of(const Value& value) {
  Type type{.kind = TypeKind::kString};
  if (std::holds_alternative<bool>(value)) {
    type.kind = TypeKind::kBoolean;
  } else if (std::holds_alternative<int32_t>(value)) {
    type.kind = TypeKind::kInt;
  } else if (std::holds_alternative<int64_t>(value)) {
    type.kind = TypeKind::kLong;
  } else if (std::holds_alternative<float>(value)) {
    type.kind = TypeKind::kFloat;
  } else if (std::holds_alternative<double>(value)) {
    type.kind = TypeKind::kDouble;
  }
  return type;
}

// The values of a transform that is not known here are kept as they were read.
Type type_of(const TableMetadata& metadata, const PartitionField& field,
             std::span<const ManifestEntry> entries, size_t at) {
  if (field.transform.kind == TransformKind::kUnknown) {
    for (const auto& entry : entries) {
      if (at < entry.file.partition.size() && !is_null(entry.file.partition[at])) {
        return type_of(entry.file.partition[at]);
      }
    }
  }
  return metadata.partition_type(field);
}

void count(ManifestFile& line, const ManifestEntry& entry) {
  switch (entry.status) {
    case EntryStatus::kAdded:
      ++line.added_files;
      line.added_rows += entry.file.record_count;
      break;
    case EntryStatus::kExisting:
      ++line.existing_files;
      line.existing_rows += entry.file.record_count;
      break;
    case EntryStatus::kDeleted:
      ++line.deleted_files;
      line.deleted_rows += entry.file.record_count;
      break;
  }
}

std::map<std::string, std::string> header_of(const TableMetadata& metadata, const PartitionSpec& spec,
                                             bool deletes) {
  return {{"schema", to_json(metadata.schema())},
          {"schema-id", std::to_string(metadata.schema().schema_id)},
          {"partition-spec", dump_json(partition_fields_to_json(spec))},
          {"partition-spec-id", std::to_string(spec.spec_id)},
          {"format-version", "2"},
          {"content", deletes ? "deletes" : "data"}};
}

// What an entry writes for its numbers: only an added one may leave them to be inherited.
struct Numbers {
  std::optional<int64_t> data;
  std::optional<int64_t> file;
};

Result<Numbers> numbers_of(const ManifestEntry& entry, int64_t own) {
  if (entry.status == EntryStatus::kAdded) {
    // A file that replaces others by compaction keeps the number of their data.
    bool inherits = !entry.sequence_number || *entry.sequence_number == own;
    return Numbers{inherits ? std::nullopt : entry.sequence_number, std::nullopt};
  }
  if (!entry.sequence_number || !entry.file_sequence_number || !entry.snapshot_id) {
    return Error{Code::kInternal,
                 fmt::format("the manifest entry of {} has no sequence number", entry.file.path)};
  }
  return Numbers{entry.sequence_number, entry.file_sequence_number};
}

}  // namespace

bool has_counts(const ManifestFile& file) {
  return std::min({file.added_files, file.existing_files, file.deleted_files, file.added_rows,
                   file.existing_rows, file.deleted_rows}) >= 0;
}

void fill_counts(ManifestFile& file, std::span<const ManifestEntry> entries) {
  file.added_files = file.existing_files = file.deleted_files = 0;
  file.added_rows = file.existing_rows = file.deleted_rows = 0;
  for (const auto& entry : entries) {
    count(file, entry);
  }
}

Result<WrittenManifest> write_manifest(const TableMetadata& metadata, const ManifestOptions& options,
                                       std::span<const ManifestEntry> entries) {
  const auto* spec = metadata.spec(options.spec_id);
  if (spec == nullptr) {
    return Error{Code::kInternal,
                 fmt::format("a manifest for the unknown partition spec {}", options.spec_id)};
  }
  std::vector<Type> types;
  for (size_t i = 0; i < spec->fields.size(); ++i) {
    types.push_back(type_of(metadata, spec->fields[i], entries, i));
  }
  AvroWriter writer(manifest_entry_schema(*spec, types), header_of(metadata, *spec, options.deletes),
                    options.path);
  WrittenManifest written;
  auto& line = written.file;
  Summaries summaries(types);
  std::optional<int64_t> least;
  for (const auto& entry : entries) {
    TARN_TRY(auto partition, held_partition(entry.file, *spec, types));
    TARN_TRY(auto numbers, numbers_of(entry, options.sequence_number));
    summaries.add(partition);
    count(line, entry);
    if (entry.status != EntryStatus::kDeleted) {
      auto number = numbers.data.value_or(options.sequence_number);
      least = std::min(least.value_or(number), number);
    }
    auto& out = writer.record();
    out.write_long(static_cast<int64_t>(entry.status));
    write_optional_long(out, std::optional<int64_t>(entry.snapshot_id.value_or(options.snapshot_id)));
    write_optional_long(out, numbers.data);
    write_optional_long(out, numbers.file);
    write_file(out, entry.file, types, partition);
    writer.end_record();
  }
  written.bytes = writer.finish();
  line.path = options.path;
  line.length_bytes = static_cast<int64_t>(written.bytes.size());
  line.spec_id = options.spec_id;
  line.deletes = options.deletes;
  line.sequence_number = options.sequence_number;
  line.min_sequence_number = least.value_or(options.sequence_number);
  line.added_snapshot_id = options.snapshot_id;
  line.partitions = summaries.take();
  return written;
}

Result<std::string> write_manifest_list(const Snapshot& snapshot, std::span<const ManifestFile> manifests) {
  std::map<std::string, std::string> header = {
      {"snapshot-id", std::to_string(snapshot.snapshot_id)},
      {"parent-snapshot-id",
       snapshot.parent_snapshot_id ? std::to_string(*snapshot.parent_snapshot_id) : std::string("null")},
      {"sequence-number", std::to_string(snapshot.sequence_number)},
      {"format-version", "2"},
  };
  AvroWriter writer(manifest_file_schema(), std::move(header), snapshot.manifest_list);
  for (const auto& line : manifests) {
    auto& out = writer.record();
    out.write_bytes(line.path);
    out.write_long(line.length_bytes);
    out.write_long(line.spec_id);
    out.write_long(line.deletes ? 1 : 0);
    out.write_long(line.sequence_number);
    out.write_long(line.min_sequence_number);
    out.write_long(line.added_snapshot_id);
    out.write_long(line.added_files);
    out.write_long(line.existing_files);
    out.write_long(line.deleted_files);
    out.write_long(line.added_rows);
    out.write_long(line.existing_rows);
    out.write_long(line.deleted_rows);
    out.write_branch(line.knows_partitions ? 1 : 0);
    if (!line.partitions.empty()) {
      out.write_long(static_cast<int64_t>(line.partitions.size()));
    }
    for (const auto& summary : line.partitions) {
      out.write_boolean(summary.contains_null);
      out.write_branch(summary.contains_nan ? 1 : 0);
      if (summary.contains_nan) {
        out.write_boolean(*summary.contains_nan);
      }
      write_optional_bytes(out, summary.lower_bound);
      write_optional_bytes(out, summary.upper_bound);
    }
    if (line.knows_partitions) {
      out.write_long(0);
    }
    out.write_branch(0);  // key_metadata
    writer.end_record();
  }
  return writer.finish();
}

}  // namespace tarn::iceberg
