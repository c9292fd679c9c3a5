// Avro object container files: a header with the schema and metadata, then compressed blocks of records.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "iceberg/avro_codec.h"
#include "iceberg/avro_schema.h"

namespace tarn::iceberg {

struct AvroHeader {
  AvroSchema schema;
  std::map<std::string, std::string> metadata;  // "avro.schema" and "avro.codec" among it
};

// Reads a whole file; `record` takes one record of the root type from the decoder and is called for each.
// Codecs null, deflate and zstandard.
Result<AvroHeader> read_avro(std::string_view bytes,
                             const std::function<Status(const AvroHeader&, AvroDecoder&)>& record);

// Writes one file with the codec deflate. `schema` is JSON.
class AvroWriter {
 public:
  // `seed` makes the sync marker; two files should not have the same.
  AvroWriter(const std::string& schema, std::map<std::string, std::string> metadata, std::string_view seed);

  // Where to encode the next record; call end_record() after it.
  AvroEncoder& record() { return block_; }
  void end_record();
  // The bytes of the whole file; nothing may be added afterwards.
  std::string finish();

 private:
  void flush();

  std::string sync_;
  std::string bytes_;
  AvroEncoder block_;
  int64_t count_ = 0;
};

}  // namespace tarn::iceberg
