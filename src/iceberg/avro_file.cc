#include "iceberg/avro_file.h"

#include <array>
#include <memory>

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include "iceberg/murmur3.h"

namespace tarn::iceberg {
namespace {

constexpr std::string_view kMagic("Obj\x01", 4);
constexpr size_t kSyncSize = 16;
constexpr size_t kBlockSize = 64 * 1024;
// A manifest of 8 MB holds blocks of 64 kB; what unpacks to more than this is no manifest.
constexpr size_t kUnpackedMax = 256 * 1024 * 1024;

Error corrupt(std::string message) {
  return Error{Code::kCorrupt, std::move(message)};
}

Result<std::string> inflate_block(std::string_view packed) {
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) {
    return Error{Code::kExhausted, "no memory to unpack an Avro block"};
  }
  std::unique_ptr<z_stream, decltype(&inflateEnd)> guard(&stream, inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string out;
  int answer = Z_OK;
  while (answer == Z_OK) {
    size_t have = out.size();
    if (have >= kUnpackedMax) {
      return corrupt("an Avro block unpacks to more than 256 MB");
    }
    out.resize(have + std::max<size_t>(packed.size() * 4, 4096));
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + have);
    stream.avail_out = static_cast<uInt>(out.size() - have);
    answer = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
  }
  if (answer != Z_STREAM_END) {
    return corrupt("an Avro block does not unpack (deflate)");
  }
  return out;
}

Result<std::string> unzstd_block(std::string_view packed) {
  std::unique_ptr<ZSTD_DStream, decltype(&ZSTD_freeDStream)> stream(ZSTD_createDStream(), ZSTD_freeDStream);
  if (!stream) {
    return Error{Code::kExhausted, "no memory to unpack an Avro block"};
  }
  ZSTD_inBuffer in{packed.data(), packed.size(), 0};
  std::string out;
  size_t more = 1;
  while (more != 0) {
    size_t have = out.size();
    if (have >= kUnpackedMax) {
      return corrupt("an Avro block unpacks to more than 256 MB");
    }
    out.resize(have + std::max<size_t>(packed.size() * 4, ZSTD_DStreamOutSize()));
    ZSTD_outBuffer room{out.data() + have, out.size() - have, 0};
    more = ZSTD_decompressStream(stream.get(), &room, &in);
    out.resize(have + room.pos);
    if (ZSTD_isError(more) != 0 || (more != 0 && room.pos == 0 && in.pos == in.size)) {
      return corrupt("an Avro block does not unpack (zstandard)");
    }
  }
  return out;
}

Result<std::string> unpack(const std::string& codec, std::string_view packed) {
  if (packed.size() > kUnpackedMax) {
    return corrupt("an Avro block is larger than 256 MB");
  }
  if (codec.empty() || codec == "null") {
    return std::string(packed);
  }
  if (codec == "deflate") {
    return inflate_block(packed);
  }
  if (codec == "zstandard") {
    return unzstd_block(packed);
  }
  return Error{
      Code::kUnsupported,
      fmt::format("the Avro codec '{}' cannot be read: use deflate, zstandard or null", codec.substr(0, 80))};
}

std::string deflate_block(const std::string& bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    return {};
  }
  std::string packed(deflateBound(&stream, static_cast<uLong>(bytes.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(packed.size() - stream.avail_out);
  deflateEnd(&stream);
  return packed;
}

// The map of the header, which has no schema of its own.
Result<std::map<std::string, std::string>> read_metadata(AvroDecoder& decoder) {
  std::map<std::string, std::string> metadata;
  for (auto count = decoder.read_long(); count != 0 && !decoder.failed(); count = decoder.read_long()) {
    if (count < 0) {
      decoder.read_long();
      count = count == INT64_MIN ? INT64_MAX : -count;
    }
    for (; count > 0 && !decoder.failed(); --count) {
      std::string key(decoder.read_bytes());
      metadata[std::move(key)] = std::string(decoder.read_bytes());
    }
  }
  TARN_CHECK(decoder.status());
  return metadata;
}

std::string sync_marker(std::string_view seed) {
  std::string marker;
  std::string text(seed);
  for (int i = 0; i < 4; ++i) {
    text.push_back(static_cast<char>('a' + i));
    auto hash = murmur3_32(text);
    for (int shift = 0; shift < 32; shift += 8) {
      marker.push_back(static_cast<char>((hash >> shift) & 0xFF));
    }
  }
  return marker;
}

}  // namespace

Result<AvroHeader> read_avro(std::string_view bytes,
                             const std::function<Status(const AvroHeader&, AvroDecoder&)>& record) {
  if (!bytes.starts_with(kMagic)) {
    return corrupt("not an Avro file: it does not begin with 'Obj'");
  }
  AvroHeader header;
  AvroDecoder file(header.schema, bytes.substr(kMagic.size()));
  TARN_TRY(header.metadata, read_metadata(file));
  auto schema = parse_avro_schema(header.metadata["avro.schema"]);
  if (!schema) {
    return schema.error().at("Avro schema");
  }
  header.schema = std::move(*schema);
  std::string codec = header.metadata["avro.codec"];
  auto left = bytes.substr(bytes.size() - file.left());
  if (left.size() < kSyncSize) {
    return corrupt("the Avro header ends too early");
  }
  auto sync = left.substr(0, kSyncSize);
  left.remove_prefix(kSyncSize);
  while (!left.empty()) {
    AvroDecoder frame(header.schema, left);
    auto count = frame.read_long();
    auto packed = frame.read_bytes();
    TARN_CHECK(frame.status());
    left.remove_prefix(left.size() - frame.left());
    if (!left.starts_with(sync)) {
      return corrupt("an Avro block does not end with the file's sync marker");
    }
    left.remove_prefix(kSyncSize);
    TARN_TRY(auto block, unpack(codec, packed));
    AvroDecoder decoder(header.schema, block);
    if (count < 0 || count > static_cast<int64_t>(block.size())) {
      return corrupt(
          fmt::format("an Avro block of {} bytes says that it holds {} records", block.size(), count));
    }
    for (; count > 0; --count) {
      TARN_CHECK(record(header, decoder));
      TARN_CHECK(decoder.status());
    }
    if (decoder.left() != 0) {
      return corrupt("an Avro block holds more than its records");
    }
  }
  return header;
}

AvroWriter::AvroWriter(const std::string& schema, std::map<std::string, std::string> metadata,
                       std::string_view seed)
    : sync_(sync_marker(seed)) {
  metadata["avro.schema"] = schema;
  metadata["avro.codec"] = "deflate";
  AvroEncoder header;
  header.write_long(static_cast<int64_t>(metadata.size()));
  for (const auto& [key, value] : metadata) {
    header.write_bytes(key);
    header.write_bytes(value);
  }
  header.write_long(0);
  bytes_ = std::string(kMagic) + header.buffer() + sync_;
}

void AvroWriter::end_record() {
  ++count_;
  if (block_.buffer().size() >= kBlockSize) {
    flush();
  }
}

void AvroWriter::flush() {
  if (count_ == 0) {
    return;
  }
  AvroEncoder frame;
  frame.write_long(count_);
  frame.write_bytes(deflate_block(block_.buffer()));
  bytes_ += frame.buffer() + sync_;
  block_.clear();
  count_ = 0;
}

std::string AvroWriter::finish() {
  flush();
  return std::move(bytes_);
}

}  // namespace tarn::iceberg
