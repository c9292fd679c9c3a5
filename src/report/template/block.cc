#include "report/template/block.h"

#include <cstring>

#include <fmt/format.h>

#include "report/template/xml.h"

namespace tarn::report::template_file {
namespace {

constexpr size_t kPieceBytes = 256 * 1024;
constexpr double kDaysTo1904 = 1462;

void put(const BlockCell& cell, std::string& out) {
  const auto size = static_cast<uint32_t>(cell.text.size());
  char head[5] = {static_cast<char>(cell.kind)};
  std::memcpy(head + 1, &size, sizeof(size));
  out.append(head, sizeof(head));
  out += cell.text;
}

class Writer {
 public:
  Writer(const BlockOptions& options, WritableFile& file, Block& block)
      : options_(options), file_(file), block_(block) {}

  Status write(engine::ResultStream& rows, const RowProgress& progress) {
    while (true) {
      TARN_TRY(const auto batch, rows.next_text());
      if (!batch)
        break;
      for (size_t row = 0; row < batch->rows; ++row) {
        for (size_t i = 0; i < block_.kinds.size(); ++i)
          put(cell_at(*batch, row, i), out_);
        if (out_.size() >= kPieceBytes)
          TARN_CHECK(flush());
      }
      block_.rows += static_cast<int64_t>(batch->rows);
      if (block_.rows > kSheetRows)
        return Error{Code::kExhausted, fmt::format("{}: the query has more rows than a sheet: {}",
                                                   block_.target.what, kSheetRows)};
      if (progress)
        TARN_CHECK(progress(block_.rows));
    }
    return flush();
  }

 private:
  Status flush() {
    TARN_CHECK(file_.append(out_));
    out_.clear();
    return ok();
  }

  BlockCell cell_at(const engine::TextBatch& batch, size_t row, size_t i) {
    const auto& column = batch.columns[i];
    if (column.null[row])
      return {};
    const auto kind = block_.kinds[i];
    const auto cell = cell_of(kind, column.text[row]);
    if (cell.kind == Cell::Kind::kText) {
      bool cut = false;
      auto out = text_cell(column.text[row], cut);
      block_.cut += cut ? 1 : 0;
      return out;
    }
    const bool is_day = kind == ColumnKind::kDate || kind == ColumnKind::kTimestamp;
    const double number = cell.number - (is_day && options_.counts_from_1904 ? kDaysTo1904 : 0);
    return {cell.kind == Cell::Kind::kBoolean ? BlockCell::Kind::kBoolean : BlockCell::Kind::kNumber,
            fmt::format("{}", number)};
  }

  const BlockOptions& options_;
  WritableFile& file_;
  Block& block_;
  std::string out_;
};

}  // namespace

BlockCell text_cell(std::string_view text, bool& cut) {
  std::string out;
  for (const char c : escape_units(cell_text(text, cut))) {
    // XML has no way to write these; Excel's is this.
    const bool is_control = static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r';
    out += is_control ? fmt::format("_x{:04X}_", static_cast<unsigned>(c)) : std::string(1, c);
  }
  return {BlockCell::Kind::kText, escaped(out)};
}

void append_cell_end(const BlockCell& cell, std::string_view prefix, std::string& out) {
  switch (cell.kind) {
    case BlockCell::Kind::kEmpty: out += "/>"; return;
    case BlockCell::Kind::kNumber:
    case BlockCell::Kind::kBoolean:
      out += cell.kind == BlockCell::Kind::kBoolean ? " t=\"b\"" : "";
      fmt::format_to(std::back_inserter(out), "><{0}v>{1}</{0}v></{0}c>", prefix, cell.text);
      return;
    case BlockCell::Kind::kText:  // in place, and never a formula, whatever it begins with
      fmt::format_to(std::back_inserter(out),
                     " t=\"inlineStr\"><{0}is><{0}t xml:space=\"preserve\">{1}</{0}t></{0}is></{0}c>", prefix,
                     cell.text);
      return;
  }
}

Status write_block(FileSystem& files, const BlockOptions& options, engine::ResultStream& rows,
                   const RowProgress& progress, Block& block) {
  for (const auto& column : rows.columns())
    block.kinds.push_back(kind_of_type(column.type));
  block.file = std::make_unique<WorkFile>(files, options.path);
  TARN_TRY(const auto file, files.create(options.path));
  TARN_CHECK(Writer(options, *file, block).write(rows, progress));
  return file->close();
}

Result<BlockReader> BlockReader::open(const Block& block) {
  TARN_TRY(auto reader, FileReader::open(block.file->path()));
  return BlockReader(std::move(reader), block.kinds.size(), block.rows);
}

Status BlockReader::need(size_t bytes) {
  while (bytes_.size() - at_ < bytes) {
    bytes_.erase(0, at_);
    at_ = 0;
    TARN_TRY(const auto piece, reader_.next());
    if (piece.empty())
      return Error{Code::kIo, "a work file of a report is shorter than it was written"};
    bytes_ += piece;
  }
  return ok();
}

Result<bool> BlockReader::next(std::vector<BlockCell>& cells) {
  cells.resize(columns_);
  if (left_ == 0)
    return false;
  --left_;
  for (auto& cell : cells) {
    TARN_CHECK(need(5));
    uint32_t size = 0;
    cell.kind = static_cast<BlockCell::Kind>(bytes_[at_]);
    std::memcpy(&size, bytes_.data() + at_ + 1, sizeof(size));
    at_ += 5;
    TARN_CHECK(need(size));
    cell.text.assign(bytes_, at_, size);
    at_ += size;
  }
  return true;
}

}  // namespace tarn::report::template_file
