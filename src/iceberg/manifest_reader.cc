#include <charconv>

#include <fmt/format.h>

#include "iceberg/avro_file.h"
#include "iceberg/manifest.h"

namespace tarn::iceberg {
namespace {

// Field ids of the specification; a field without an id is found by its name, as old writers left ids out of
// nothing else than the top.
struct Known {
  const char* name;
  int id;
};

constexpr Known kEntryFields[] = {
    {"status", 0}, {"snapshot_id", 1}, {"data_file", 2}, {"sequence_number", 3}, {"file_sequence_number", 4},
};

constexpr Known kFileFields[] = {
    {"content", 134},           {"file_path", 100},
    {"file_format", 101},       {"partition", 102},
    {"record_count", 103},      {"file_size_in_bytes", 104},
    {"column_sizes", 108},      {"value_counts", 109},
    {"null_value_counts", 110}, {"nan_value_counts", 137},
    {"lower_bounds", 125},      {"upper_bounds", 128},
    {"split_offsets", 132},     {"equality_ids", 135},
    {"sort_order_id", 140},     {"referenced_data_file", 143},
};

constexpr Known kLineFields[] = {
    {"manifest_path", 500},
    {"manifest_length", 501},
    {"partition_spec_id", 502},
    {"content", 517},
    {"sequence_number", 515},
    {"min_sequence_number", 516},
    {"added_snapshot_id", 503},
    {"added_files_count", 504},
    {"existing_files_count", 505},
    {"deleted_files_count", 506},
    {"added_rows_count", 512},
    {"existing_rows_count", 513},
    {"deleted_rows_count", 514},
    {"partitions", 507},
    {"added_data_files_count", 504},
    {"existing_data_files_count", 505},
    {"deleted_data_files_count", 506},
};

constexpr Known kSummaryFields[] = {
    {"contains_null", 509},
    {"contains_nan", 518},
    {"lower_bound", 510},
    {"upper_bound", 511},
};

template <size_t N>
int id_of(const AvroField& field, const Known (&known)[N]) {
  if (field.id >= 0) {
    return field.id;
  }
  for (const auto& entry : known) {
    if (field.name == entry.name) {
      return entry.id;
    }
  }
  return -1;
}

std::string text_of(AvroDecoder& in, int type) {
  return std::string(in.read_text(type).value_or(std::string_view()));
}

void read_counts(AvroDecoder& in, int type, std::map<int, int64_t>& map) {
  in.read_array(type, [&](int item) {
    int64_t numbers[2] = {0, 0};
    size_t at = 0;
    in.read_record(item, [&](const AvroField& field) {
      at < 2 ? void(numbers[at++] = in.read_integer(field.type).value_or(0)) : in.skip(field.type);
    });
    map[static_cast<int>(numbers[0])] = numbers[1];
  });
}

void read_bounds(AvroDecoder& in, int type, std::map<int, std::string>& map) {
  in.read_array(type, [&](int item) {
    int id = 0;
    std::string bytes;
    in.read_record(item, [&](const AvroField& field) {
      if (field.name == "key") {
        id = static_cast<int>(in.read_integer(field.type).value_or(0));
      } else if (field.name == "value") {
        bytes = text_of(in, field.type);
      } else {
        in.skip(field.type);
      }
    });
    map[id] = std::move(bytes);
  });
}

Content content_of(AvroDecoder& in, int type) {
  auto number = in.read_integer(type).value_or(0);
  if (number < 0 || number > 2) {
    in.fail(fmt::format("a file has the content {}", number));
    return Content::kData;
  }
  return static_cast<Content>(number);
}

void read_file_field(AvroDecoder& in, const AvroField& field, DataFile& file) {
  switch (id_of(field, kFileFields)) {
    case 134: file.content = content_of(in, field.type); return;
    case 100: file.path = text_of(in, field.type); return;
    case 101: file.format = text_of(in, field.type); return;
    case 102:
      in.read_record(field.type,
                     [&](const AvroField& part) { file.partition.push_back(in.read_value(part.type)); });
      return;
    case 103: file.record_count = in.read_integer(field.type).value_or(0); return;
    case 104: file.file_size_bytes = in.read_integer(field.type).value_or(0); return;
    case 108: read_counts(in, field.type, file.column_sizes); return;
    case 109: read_counts(in, field.type, file.value_counts); return;
    case 110: read_counts(in, field.type, file.null_value_counts); return;
    case 137: read_counts(in, field.type, file.nan_value_counts); return;
    case 125: read_bounds(in, field.type, file.lower_bounds); return;
    case 128: read_bounds(in, field.type, file.upper_bounds); return;
    case 132:
      in.read_array(field.type,
                    [&](int item) { file.split_offsets.push_back(in.read_integer(item).value_or(0)); });
      return;
    case 135:
      in.read_array(field.type, [&](int item) {
        file.equality_ids.push_back(static_cast<int>(in.read_integer(item).value_or(0)));
      });
      return;
    case 140:
      if (auto id = in.read_integer(field.type)) {
        file.sort_order_id = static_cast<int>(*id);
      }
      return;
    case 143:
      if (auto path = in.read_text(field.type)) {
        file.referenced_data_file = std::string(*path);
      }
      return;
    default: in.skip(field.type); return;
  }
}

EntryStatus status_of(AvroDecoder& in, int type) {
  auto number = in.read_integer(type).value_or(-1);
  if (number < 0 || number > 2) {
    in.fail(fmt::format("an entry has the status {}", number));
    return EntryStatus::kAdded;
  }
  return static_cast<EntryStatus>(number);
}

ManifestEntry read_entry(AvroDecoder& in, int root) {
  ManifestEntry entry;
  in.read_record(root, [&](const AvroField& field) {
    switch (id_of(field, kEntryFields)) {
      case 0: entry.status = status_of(in, field.type); return;
      case 1: entry.snapshot_id = in.read_integer(field.type); return;
      case 2:
        in.read_record(field.type, [&](const AvroField& part) { read_file_field(in, part, entry.file); });
        return;
      case 3: entry.sequence_number = in.read_integer(field.type); return;
      case 4: entry.file_sequence_number = in.read_integer(field.type); return;
      default: in.skip(field.type); return;
    }
  });
  return entry;
}

// Numbers of files, rows and bytes are added up later, and must not overflow.
bool is_count(int64_t number) {
  return number >= 0 && number <= (int64_t{1} << 48);
}

Status inherit(ManifestEntry& entry, const ManifestFile& manifest) {
  if (entry.file.path.empty()) {
    return Error{Code::kCorrupt, "an entry has no file path"};
  }
  if (!is_count(entry.file.record_count) || !is_count(entry.file.file_size_bytes)) {
    return Error{Code::kCorrupt, fmt::format("the entry of {} has {} rows in {} bytes", entry.file.path,
                                             entry.file.record_count, entry.file.file_size_bytes)};
  }
  entry.file.spec_id = manifest.spec_id;
  if (!entry.snapshot_id) {
    entry.snapshot_id = manifest.added_snapshot_id;
  }
  bool inherits = entry.status == EntryStatus::kAdded || manifest.sequence_number == 0;
  if (!inherits && !entry.sequence_number) {
    return Error{Code::kCorrupt, fmt::format("the entry of {} has no sequence number", entry.file.path)};
  }
  if (!entry.sequence_number) {
    entry.sequence_number = manifest.sequence_number;
  }
  if (!entry.file_sequence_number) {
    entry.file_sequence_number = inherits ? manifest.sequence_number : *entry.sequence_number;
  }
  return ok();
}

FieldSummary read_summary(AvroDecoder& in, int type) {
  FieldSummary summary;
  in.read_record(type, [&](const AvroField& field) {
    auto bytes = [&]() -> std::optional<std::string> {
      auto text = in.read_text(field.type);
      return text ? std::optional<std::string>(*text) : std::nullopt;
    };
    switch (id_of(field, kSummaryFields)) {
      case 509: summary.contains_null = in.read_boolean(field.type).value_or(true); return;
      case 518: summary.contains_nan = in.read_boolean(field.type); return;
      case 510: summary.lower_bound = bytes(); return;
      case 511: summary.upper_bound = bytes(); return;
      default: in.skip(field.type); return;
    }
  });
  return summary;
}

void read_line_field(AvroDecoder& in, const AvroField& field, ManifestFile& line) {
  auto number = [&] { return in.read_integer(field.type).value_or(0); };
  auto count = [&] { return in.read_integer(field.type).value_or(kUnknownCount); };
  switch (id_of(field, kLineFields)) {
    case 500: line.path = text_of(in, field.type); return;
    case 501: line.length_bytes = number(); return;
    case 502: line.spec_id = static_cast<int>(number()); return;
    case 517: line.deletes = number() == 1; return;
    case 515: line.sequence_number = number(); return;
    case 516: line.min_sequence_number = number(); return;
    case 503: line.added_snapshot_id = number(); return;
    case 504: line.added_files = count(); return;
    case 505: line.existing_files = count(); return;
    case 506: line.deleted_files = count(); return;
    case 512: line.added_rows = count(); return;
    case 513: line.existing_rows = count(); return;
    case 514: line.deleted_rows = count(); return;
    case 507:
      in.read_array(field.type, [&](int item) { line.partitions.push_back(read_summary(in, item)); });
      line.knows_partitions = true;
      return;
    default: in.skip(field.type); return;
  }
}

}  // namespace

Result<std::vector<ManifestEntry>> read_manifest(std::string_view bytes, const ManifestFile& file) {
  std::vector<ManifestEntry> entries;
  auto read = read_avro(bytes, [&](const AvroHeader& header, AvroDecoder& in) -> Status {
    auto entry = read_entry(in, header.schema.root);
    TARN_CHECK(in.status());
    TARN_CHECK(inherit(entry, file));
    entries.push_back(std::move(entry));
    return ok();
  });
  if (!read) {
    return read.error().at(fmt::format("manifest {}", file.path));
  }
  return entries;
}

Result<ManifestFile> manifest_line(std::string_view bytes, const std::string& path, int64_t snapshot_id) {
  ManifestFile line{.path = path,
                    .length_bytes = static_cast<int64_t>(bytes.size()),
                    .added_snapshot_id = snapshot_id,
                    .knows_partitions = false};
  auto header = read_avro(bytes, [](const AvroHeader& about, AvroDecoder& in) -> Status {
    in.skip(about.schema.root);
    return in.status();
  });
  if (!header) {
    return header.error().at(fmt::format("manifest {}", path));
  }
  const auto spec = header->metadata["partition-spec-id"];
  const auto [end, error] = std::from_chars(spec.data(), spec.data() + spec.size(), line.spec_id);
  if (!spec.empty() && (error != std::errc() || end != spec.data() + spec.size())) {
    return Error{Code::kCorrupt, fmt::format("manifest {}: the partition-spec-id is '{}'", path, spec)};
  }
  line.deletes = header->metadata["content"] == "deletes";
  TARN_TRY(const auto entries, read_manifest(bytes, line));
  fill_counts(line, entries);
  return line;
}

Result<std::vector<ManifestFile>> read_manifest_list(std::string_view bytes) {
  std::vector<ManifestFile> manifests;
  auto read = read_avro(bytes, [&](const AvroHeader& header, AvroDecoder& in) -> Status {
    ManifestFile line;
    line.added_files = line.existing_files = line.deleted_files = kUnknownCount;
    line.added_rows = line.existing_rows = line.deleted_rows = kUnknownCount;
    line.knows_partitions = false;
    in.read_record(header.schema.root, [&](const AvroField& field) { read_line_field(in, field, line); });
    TARN_CHECK(in.status());
    if (line.path.empty()) {
      return Error{Code::kCorrupt, "a line has no manifest path"};
    }
    for (auto number : {line.added_files, line.existing_files, line.deleted_files, line.added_rows,
                        line.existing_rows, line.deleted_rows}) {
      if (number != kUnknownCount && !is_count(number)) {
        return Error{Code::kCorrupt, fmt::format("the line of {} has the count {}", line.path, number)};
      }
    }
    manifests.push_back(std::move(line));
    return ok();
  });
  if (!read) {
    return read.error().at("manifest list");
  }
  return manifests;
}

}  // namespace tarn::iceberg
