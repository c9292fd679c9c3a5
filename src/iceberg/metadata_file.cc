#include "iceberg/metadata_file.h"

#include <memory>

#include <zlib.h>

namespace tarn::iceberg {
namespace {

constexpr size_t kTextMax = size_t{1} << 30;
constexpr int kGzip = 16 + MAX_WBITS;

}  // namespace

Result<std::string> metadata_text(std::string bytes) {
  if (!bytes.starts_with("\x1f\x8b")) {
    return bytes;
  }
  z_stream stream{};
  if (inflateInit2(&stream, kGzip) != Z_OK) {
    return Error{Code::kExhausted, "no memory to unpack table metadata"};
  }
  std::unique_ptr<z_stream, decltype(&inflateEnd)> guard(&stream, inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string text;
  int answer = Z_OK;
  while (answer == Z_OK) {
    const size_t have = text.size();
    if (have >= kTextMax) {
      return Error{Code::kCorrupt, "table metadata unpack to more than 1 GB"};
    }
    text.resize(have + std::max<size_t>(bytes.size() * 4, 4096));
    stream.next_out = reinterpret_cast<Bytef*>(text.data() + have);
    stream.avail_out = static_cast<uInt>(text.size() - have);
    answer = inflate(&stream, Z_NO_FLUSH);
    text.resize(text.size() - stream.avail_out);
  }
  if (answer != Z_STREAM_END) {
    return Error{Code::kCorrupt, "table metadata do not unpack (gzip)"};
  }
  return text;
}

}  // namespace tarn::iceberg
