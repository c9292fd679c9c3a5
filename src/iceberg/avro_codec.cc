#include "iceberg/avro_codec.h"

#include <cstring>

namespace tarn::iceberg {
namespace {

constexpr int kDepthMax = 64;

template <class T>
T little_endian(std::string_view bytes) {
  T value{};
  if (bytes.size() == sizeof(T)) {
    std::memcpy(&value, bytes.data(), sizeof(T));
  }
  return value;
}

}  // namespace

Status AvroDecoder::status() const {
  return error_.empty() ? ok() : Status(Error{Code::kCorrupt, error_});
}

void AvroDecoder::fail(std::string message) {
  if (error_.empty()) {
    error_ = std::move(message);
  }
  left_ = {};
}

std::string_view AvroDecoder::take(size_t count) {
  if (count > left_.size()) {
    fail("the data ends too early");
    return {};
  }
  auto taken = left_.substr(0, count);
  left_.remove_prefix(count);
  return taken;
}

int64_t AvroDecoder::read_long() {
  uint64_t number = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    auto byte = take(1);
    if (byte.empty()) {
      return 0;
    }
    auto bits = static_cast<unsigned char>(byte[0]);
    number |= static_cast<uint64_t>(bits & 0x7F) << shift;
    if ((bits & 0x80) == 0) {
      return static_cast<int64_t>(number >> 1) ^ -static_cast<int64_t>(number & 1);
    }
  }
  fail("a number is longer than 64 bits");
  return 0;
}

std::string_view AvroDecoder::read_bytes() {
  auto length = read_long();
  if (length < 0) {
    fail("a length is negative");
    return {};
  }
  return take(static_cast<size_t>(length));
}

int64_t AvroDecoder::block_count() {
  auto count = read_long();
  if (count < 0) {
    read_long();  // the size of the block in bytes
    count = count == INT64_MIN ? INT64_MAX : -count;
  }
  // Each item of what Iceberg stores takes at least a byte; without this a few bytes could ask for endless
  // work.
  if (count > static_cast<int64_t>(left_.size())) {
    fail("a block holds fewer items than it says");
    return 0;
  }
  return count;
}

std::optional<int> AvroDecoder::resolve(int type) {
  const auto* held = &schema_.at(type);
  if (held->kind == AvroKind::kUnion) {
    auto branch = read_long();
    if (failed()) {
      return std::nullopt;
    }
    if (branch < 0 || branch >= static_cast<int64_t>(held->parts.size())) {
      fail("a union takes a branch that it does not have");
      return std::nullopt;
    }
    type = held->parts[static_cast<size_t>(branch)];
    held = &schema_.at(type);
  }
  return held->kind == AvroKind::kNull ? std::nullopt : std::optional<int>(type);
}

void AvroDecoder::skip(int type, int depth) {
  if (failed()) {
    return;
  }
  if (depth > kDepthMax || steps_left_-- == 0) {
    steps_left_ = 1;
    return fail("the data is nested too deeply");
  }
  auto resolved = resolve(type);
  if (!resolved || failed()) {
    return;
  }
  const auto& held = schema_.at(*resolved);
  switch (held.kind) {
    case AvroKind::kNull: return;
    case AvroKind::kBoolean: take(1); return;
    case AvroKind::kInt:
    case AvroKind::kLong:
    case AvroKind::kEnum: read_long(); return;
    case AvroKind::kFloat: take(4); return;
    case AvroKind::kDouble: take(8); return;
    case AvroKind::kBytes:
    case AvroKind::kString: read_bytes(); return;
    case AvroKind::kFixed: take(held.size); return;
    case AvroKind::kRecord:
      for (const auto& field : held.fields) {
        skip(field.type, depth + 1);
      }
      return;
    case AvroKind::kArray:
    case AvroKind::kMap:
      for (auto count = block_count(); count > 0 && !failed(); count = block_count()) {
        for (; count > 0 && !failed(); --count) {
          if (held.kind == AvroKind::kMap) {
            read_bytes();
          }
          skip(held.parts.at(0), depth + 1);
        }
      }
      return;
    case AvroKind::kUnion: return fail("a union lies directly in a union");
  }
}

std::optional<int64_t> AvroDecoder::read_integer(int type) {
  auto held = resolve(type);
  if (!held) {
    return std::nullopt;
  }
  auto kind = schema_.at(*held).kind;
  if (kind != AvroKind::kInt && kind != AvroKind::kLong) {
    fail("a whole number is missing");
    return std::nullopt;
  }
  return read_long();
}

std::optional<bool> AvroDecoder::read_boolean(int type) {
  auto held = resolve(type);
  if (!held) {
    return std::nullopt;
  }
  if (schema_.at(*held).kind != AvroKind::kBoolean) {
    fail("a boolean is missing");
    return std::nullopt;
  }
  auto byte = take(1);
  return !byte.empty() && byte[0] != 0;
}

std::optional<std::string_view> AvroDecoder::read_text(int type) {
  auto held = resolve(type);
  if (!held) {
    return std::nullopt;
  }
  const auto& text = schema_.at(*held);
  if (text.kind == AvroKind::kFixed) {
    return take(text.size);
  }
  if (text.kind != AvroKind::kString && text.kind != AvroKind::kBytes) {
    fail("text is missing");
    return std::nullopt;
  }
  return read_bytes();
}

Value AvroDecoder::read_value(int type) {
  auto resolved = resolve(type);
  if (!resolved) {
    return {};
  }
  const auto& held = schema_.at(*resolved);
  switch (held.kind) {
    case AvroKind::kBoolean: {
      auto byte = take(1);
      return !byte.empty() && byte[0] != 0;
    }
    case AvroKind::kInt: return static_cast<int32_t>(read_long());
    case AvroKind::kLong: return read_long();
    case AvroKind::kFloat: return little_endian<float>(take(4));
    case AvroKind::kDouble: return little_endian<double>(take(8));
    case AvroKind::kBytes:
    case AvroKind::kString:
    case AvroKind::kFixed: {
      std::string bytes(held.kind == AvroKind::kFixed ? take(held.size) : read_bytes());
      if (held.logical != "decimal" || failed()) {
        return bytes;
      }
      auto decimal = from_bytes({.kind = TypeKind::kDecimal, .fields = {}}, bytes);
      if (!decimal) {
        fail(decimal.error().message);
        return {};
      }
      return std::move(*decimal);
    }
    default: fail("a value is not of a primitive type"); return {};
  }
}

void AvroEncoder::write_long(int64_t value) {
  auto bits = (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
  while (bits >= 0x80) {
    buffer_.push_back(static_cast<char>((bits & 0x7F) | 0x80));
    bits >>= 7;
  }
  buffer_.push_back(static_cast<char>(bits));
}

void AvroEncoder::write_bytes(std::string_view bytes) {
  write_long(static_cast<int64_t>(bytes.size()));
  buffer_ += bytes;
}

}  // namespace tarn::iceberg
