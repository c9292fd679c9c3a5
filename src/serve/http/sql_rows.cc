#include "serve/http/sql_rows.h"

#include "serve/http/json.h"
#include "serve/rows/json_value.h"

namespace tarn::serve {
namespace {

class TypedRowWriter final : public RowWriter {
 public:
  explicit TypedRowWriter(ByteSink sink) : sink_(std::move(sink)) {}
  Status columns(const std::vector<engine::Column>&) override { return ok(); }
  Status rows(const engine::TextBatch& batch) override {
    std::string out;
    for (size_t row = 0; row < batch.rows; ++row) {
      out += '[';
      for (size_t i = 0; i < batch.columns.size(); ++i) {
        if (i > 0)
          out += ',';
        if (batch.columns[i].null[row]) {
          out += "null";
        } else {
          append_json_string(batch.columns[i].text[row], out);
        }
      }
      out += "]\n";
    }
    total_ += static_cast<int64_t>(batch.rows);
    return sink_(out);
  }
  Status end() override { return sink_(dump({{"rows", total_}}) + "\n"); }

 private:
  ByteSink sink_;
  int64_t total_ = 0;
};

}  // namespace

std::string rows_head(const std::vector<engine::Column>& columns, std::optional<int64_t> rows_changed) {
  Json head = {{"columns", Json::array()}, {"rows_changed", Json()}};
  for (const auto& column : columns)
    head["columns"].push_back({{"name", column.name}, {"type", column.type}});
  if (rows_changed)
    head["rows_changed"] = *rows_changed;
  return dump(head) + "\n";
}

std::unique_ptr<RowWriter> make_typed_row_writer(ByteSink sink) {
  return std::make_unique<TypedRowWriter>(std::move(sink));
}

}  // namespace tarn::serve
