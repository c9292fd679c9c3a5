// Avro's binary encoding: values to bytes and back (Avro 1.11, "Binary Encoding").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "iceberg/avro_schema.h"
#include "iceberg/value.h"

namespace tarn::iceberg {

// Reads values from the front of a buffer, which must outlive what it gives. The first mistake sticks: from
// then on every read gives zero or nothing and status() says what was wrong.
class AvroDecoder {
 public:
  AvroDecoder(const AvroSchema& schema, std::string_view bytes)
      : schema_(schema), left_(bytes), steps_left_(kStepsSpare + bytes.size() * 4) {}

  [[nodiscard]] bool failed() const { return !error_.empty(); }
  [[nodiscard]] Status status() const;
  [[nodiscard]] size_t left() const { return left_.size(); }

  int64_t read_long();
  std::string_view read_bytes();  // also strings
  void skip(int type, int depth = 0);

  // A value of the writer's type `type`, through a union with null; nullopt for null. A value of another type
  // than wanted is a mistake.
  std::optional<int64_t> read_integer(int type);  // int, long
  std::optional<bool> read_boolean(int type);
  std::optional<std::string_view> read_text(int type);  // string, bytes, fixed
  Value read_value(int type);                           // any primitive; null for null

  // Calls `item(item_type)` for each item of an array, through a union with null.
  template <class Item>
  void read_array(int type, const Item& item) {
    auto held = resolve(type);
    if (!held) {
      return;
    }
    if (schema_.at(*held).kind != AvroKind::kArray) {
      return fail("an array is missing");
    }
    int item_type = schema_.at(*held).parts.at(0);
    for (auto count = block_count(); count > 0 && !failed(); count = block_count()) {
      for (; count > 0 && !failed(); --count) {
        item(item_type);
      }
    }
  }

  // Calls `field(const AvroField&)`, which reads or skips the value, for each field of a record.
  template <class Each>
  void read_record(int type, const Each& each) {
    auto held = resolve(type);
    if (!held) {
      return;
    }
    if (schema_.at(*held).kind != AvroKind::kRecord) {
      return fail("a record is missing");
    }
    for (const auto& field : schema_.at(*held).fields) {
      if (failed()) {
        return;
      }
      each(field);
    }
  }

  void fail(std::string message);

 private:
  // The type itself, or the branch that a union takes here; nullopt for null.
  std::optional<int> resolve(int type);
  std::string_view take(size_t count);
  // Items in the next block of an array or map; 0 at its end.
  int64_t block_count();

  // Records without fields take no bytes, so that a schema of nested ones could ask for endless work.
  static constexpr size_t kStepsSpare = 100'000;

  const AvroSchema& schema_;
  std::string_view left_;
  size_t steps_left_;
  std::string error_;
};

// Appends values to a buffer.
class AvroEncoder {
 public:
  void write_long(int64_t value);
  void write_bytes(std::string_view bytes);
  void write_fixed(std::string_view bytes) { buffer_ += bytes; }
  void write_boolean(bool value) { buffer_.push_back(value ? '\x01' : '\x00'); }
  void write_branch(int branch) { write_long(branch); }
  template <class T>
  void write_little_endian(T value) {
    buffer_.append(reinterpret_cast<const char*>(&value), sizeof(T));
  }

  [[nodiscard]] const std::string& buffer() const { return buffer_; }
  void clear() { buffer_.clear(); }

 private:
  std::string buffer_;
};

}  // namespace tarn::iceberg
