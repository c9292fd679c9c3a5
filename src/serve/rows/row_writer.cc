#include "serve/rows/row_writer.h"

#include "serve/rows/json_value.h"

namespace tarn::serve {
namespace {

constexpr size_t kFlushBytes = 64 * 1024;

class CsvWriter final : public RowWriter {
 public:
  explicit CsvWriter(ByteSink sink) : sink_(std::move(sink)) {}

  Status columns(const std::vector<engine::Column>& columns) override {
    for (size_t i = 0; i < columns.size(); ++i) {
      if (i > 0)
        out_ += ',';
      cell(columns[i].name);
    }
    out_ += '\n';
    return ok();
  }
  Status rows(const engine::TextBatch& batch) override {
    for (size_t row = 0; row < batch.rows; ++row) {
      for (size_t i = 0; i < batch.columns.size(); ++i) {
        if (i > 0)
          out_ += ',';
        // A null is nothing, an empty text is "".
        if (!batch.columns[i].null[row])
          cell(batch.columns[i].text[row]);
      }
      out_ += '\n';
      if (out_.size() >= kFlushBytes)
        TARN_CHECK(flush());
    }
    return flush();
  }
  Status end() override { return flush(); }

 private:
  void cell(std::string_view text) {
    if (!text.empty() && text.find_first_of(",\"\r\n") == std::string_view::npos) {
      out_ += text;
      return;
    }
    out_ += '"';
    for (const char c : text) {
      if (c == '"')
        out_ += '"';
      out_ += c;
    }
    out_ += '"';
  }
  Status flush() {
    const auto sent = sink_(out_);
    out_.clear();
    return sent;
  }

  ByteSink sink_;
  std::string out_;
};

class JsonWriter final : public RowWriter {
 public:
  JsonWriter(ByteSink sink, bool lines) : sink_(std::move(sink)), lines_(lines) {}

  Status columns(const std::vector<engine::Column>& columns) override {
    for (const auto& column : columns) {
      std::string key;
      append_json_string(column.name, key);
      keys_.push_back(key + ":");
      shapes_.push_back(json_shape_of(column.type));
    }
    if (!lines_)
      out_ += '[';
    return ok();
  }
  Status rows(const engine::TextBatch& batch) override {
    for (size_t row = 0; row < batch.rows; ++row) {
      if (!lines_)
        out_ += first_ ? "\n" : ",\n";
      first_ = false;
      append_row(batch, row);
      if (lines_)
        out_ += '\n';
      if (out_.size() >= kFlushBytes)
        TARN_CHECK(flush());
    }
    return flush();
  }
  Status end() override {
    if (!lines_)
      out_ += first_ ? "]\n" : "\n]\n";
    return flush();
  }

 private:
  void append_row(const engine::TextBatch& batch, size_t row) {
    out_ += '{';
    for (size_t i = 0; i < batch.columns.size(); ++i) {
      if (i > 0)
        out_ += ',';
      out_ += keys_[i];
      if (batch.columns[i].null[row]) {
        out_ += "null";
      } else {
        append_json(shapes_[i], batch.columns[i].text[row], out_);
      }
    }
    out_ += '}';
  }
  Status flush() {
    const auto sent = sink_(out_);
    out_.clear();
    return sent;
  }

  ByteSink sink_;
  const bool lines_;
  bool first_ = true;
  std::vector<std::string> keys_;
  std::vector<JsonShape> shapes_;
  std::string out_;
};

}  // namespace

std::unique_ptr<RowWriter> make_csv_writer(ByteSink sink) {
  return std::make_unique<CsvWriter>(std::move(sink));
}

std::unique_ptr<RowWriter> make_json_writer(ByteSink sink) {
  return std::make_unique<JsonWriter>(std::move(sink), false);
}

std::unique_ptr<RowWriter> make_ndjson_writer(ByteSink sink) {
  return std::make_unique<JsonWriter>(std::move(sink), true);
}

std::unique_ptr<RowWriter> make_row_writer(std::string_view format, ByteSink sink) {
  if (format == "csv")
    return make_csv_writer(std::move(sink));
  if (format == "json")
    return make_json_writer(std::move(sink));
  if (format == "ndjson")
    return make_ndjson_writer(std::move(sink));
  return nullptr;
}

std::string_view content_type_of(std::string_view format) {
  if (format == "csv")
    return "text/csv; charset=utf-8; header=present";
  if (format == "ndjson")
    return "application/x-ndjson";
  if (format == "parquet")
    return "application/vnd.apache.parquet";
  return "application/json";
}

Result<int64_t> write_rows(engine::ResultStream& stream, RowWriter& writer) {
  TARN_CHECK(writer.columns(stream.columns()));
  int64_t rows = 0;
  while (true) {
    TARN_TRY(const auto batch, stream.next_text());
    if (!batch)
      break;
    rows += static_cast<int64_t>(batch->rows);
    TARN_CHECK(writer.rows(*batch));
  }
  TARN_CHECK(writer.end());
  return rows;
}

}  // namespace tarn::serve
