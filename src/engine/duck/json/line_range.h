// The lines of a file that start within a range of its bytes, read in blocks. One thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "duckdb.hpp"

namespace tarn::engine::json {

namespace db = duckdb;

struct FileRange {
  size_t file = 0;
  uint64_t number = 0;  // within the file, from 0
  uint64_t begin = 0;
  uint64_t end = 0;     // a line that starts before it is read to its own end
  bool packed = false;  // compressed: read from the front
};

class LineRange {
 public:
  static constexpr uint64_t kLineBytesMax = uint64_t{256} << 20;

  void open(db::ClientContext& context, const std::string& path, const FileRange& range);
  // The next line without its end; a view until the next call. False: there is none.
  bool next(std::string_view& line);
  // Lines given so far.
  [[nodiscard]] uint64_t count() const { return count_; }

 private:
  // Appends a block to the buffer; false at the end of the file.
  bool read_block();
  bool next_raw(std::string_view& line);

  std::string path_;
  FileRange range_;
  db::unique_ptr<db::FileHandle> handle_;
  std::string buffer_;
  size_t at_ = 0;           // in the buffer
  uint64_t buffer_at_ = 0;  // place of the buffer's first byte in the file
  uint64_t read_to_ = 0;    // place of the next block
  bool file_ended_ = false;
  uint64_t count_ = 0;
};

}  // namespace tarn::engine::json
