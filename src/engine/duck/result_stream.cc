#include "engine/duck/result_stream.h"

#include "duckdb/common/arrow/arrow_converter.hpp"
#include "duckdb/common/types/column/column_data_collection.hpp"
#include "duckdb/common/vector_operations/vector_operations.hpp"
#include "duckdb/function/table/arrow/arrow_duck_schema.hpp"
#include "engine/duck/errors.h"

namespace tarn::engine {
namespace {

class DuckStream : public ResultStream {
 public:
  DuckStream(duckdb::shared_ptr<duckdb::ClientContext> context,
             duckdb::unique_ptr<duckdb::QueryResult> result, std::string sql)
      : context_(std::move(context)), result_(std::move(result)), sql_(std::move(sql)) {
    using duckdb::StatementReturnType;
    switch (result_->properties.return_type) {
      case StatementReturnType::QUERY_RESULT: columns_ = columns_of(result_->names, result_->types); return;
      case StatementReturnType::CHANGED_ROWS: rows_changed_ = take_rows_changed(*result_); break;
      case StatementReturnType::NOTHING: break;
    }
    result_.reset();
  }

  [[nodiscard]] const std::vector<Column>& columns() const override { return columns_; }
  [[nodiscard]] std::optional<int64_t> rows_changed() const override { return rows_changed_; }

  Result<std::optional<TextBatch>> next_text() override {
    TARN_TRY(auto chunk, fetch());
    if (!chunk) {
      return std::optional<TextBatch>();
    }
    try {
      return std::optional<TextBatch>(to_text(*chunk));
    } catch (const std::exception& exception) {
      return to_error(exception, sql_);
    }
  }

  Result<ArrowBatch> next_arrow() override {
    TARN_TRY(auto chunk, fetch());
    if (!chunk) {
      return ArrowBatch();
    }
    try {
      ArrowBatch batch(new ArrowArray{});
      duckdb::ArrowConverter::ToArrowArray(*chunk, batch.get(), properties_(), extensions());
      return batch;
    } catch (const std::exception& exception) {
      return to_error(exception, sql_);
    }
  }

  Status arrow_schema(ArrowSchema* schema) override {
    try {
      duckdb::vector<std::string> names;
      for (const auto& column : columns_) {
        names.push_back(column.name);
      }
      auto properties = properties_();
      duckdb::ArrowConverter::ToArrowSchema(schema, types(), names, properties);
      return ok();
    } catch (const std::exception& exception) {
      return to_error(exception, sql_);
    }
  }

  Status set_aside(uint64_t bytes_max) override {
    if (failed_) {
      return *failed_;
    }
    if (!result_ || ended_ || kept_) {
      return ok();
    }
    auto status = keep_rest(bytes_max);
    if (!status) {
      failed_ = status.error();
      if (result_->type == duckdb::QueryResultType::STREAM_RESULT) {
        result_->Cast<duckdb::StreamQueryResult>().Close();
      }
    }
    return status;
  }

 private:
  // In blocks of the engine's buffer manager: they count towards its memory limit and spill to its folder.
  Status keep_rest(uint64_t bytes_max) {
    try {
      auto rest = duckdb::make_uniq<duckdb::ColumnDataCollection>(*context_, result_->types);
      duckdb::ColumnDataAppendState append;
      rest->InitializeAppend(append);
      while (true) {
        TARN_TRY(auto chunk, fetch_running());
        if (!chunk) {
          break;
        }
        rest->Append(append, *chunk);
        if (rest->SizeInBytes() > bytes_max) {
          return Error{Code::kExhausted,
                       fmt::format("the next statement came while more than {} MB of this result were "
                                   "unread; read it first, or use a session of its own",
                                   bytes_max / 1'000'000)};
        }
      }
      rest->InitializeScan(scan_, duckdb::ColumnDataScanProperties::DISALLOW_ZERO_COPY);
      kept_ = std::move(rest);
      return ok();
    } catch (const std::exception& exception) {
      return to_error(exception, sql_);
    }
  }

  Result<duckdb::unique_ptr<duckdb::DataChunk>> fetch_kept() {
    try {
      auto chunk = duckdb::make_uniq<duckdb::DataChunk>();
      kept_->InitializeScanChunk(scan_, *chunk);
      if (!kept_->Scan(scan_, *chunk)) {
        return duckdb::unique_ptr<duckdb::DataChunk>();
      }
      return chunk;
    } catch (const std::exception& exception) {
      failed_ = to_error(exception, sql_);
      return *failed_;
    }
  }

  duckdb::ClientProperties properties_() {
    return result_ ? result_->client_properties : context_->GetClientProperties();
  }

  duckdb::vector<duckdb::LogicalType> types() const {
    return result_ ? result_->types : duckdb::vector<duckdb::LogicalType>();
  }

  const duckdb::unordered_map<duckdb::idx_t, const duckdb::shared_ptr<duckdb::ArrowTypeExtensionData>>&
  extensions() {
    if (!extensions_) {
      extensions_ = duckdb::ArrowTypeExtensionData::GetExtensionTypes(*context_, types());
    }
    return *extensions_;
  }

  // The next chunk that has rows; null at the end.
  Result<duckdb::unique_ptr<duckdb::DataChunk>> fetch() {
    if (failed_) {
      return *failed_;
    }
    if (kept_) {
      return fetch_kept();
    }
    if (!result_ || ended_) {
      return duckdb::unique_ptr<duckdb::DataChunk>();
    }
    return fetch_running();
  }

  Result<duckdb::unique_ptr<duckdb::DataChunk>> fetch_running() {
    try {
      auto chunk = result_->Fetch();
      if (result_->HasError()) {
        failed_ = to_error(result_->GetErrorObject(), sql_);
        return *failed_;
      }
      if (!chunk || chunk->size() == 0) {
        ended_ = true;
        return duckdb::unique_ptr<duckdb::DataChunk>();
      }
      return chunk;
    } catch (const std::exception& exception) {
      failed_ = to_error(exception, sql_);
      return *failed_;
    }
  }

  TextBatch to_text(duckdb::DataChunk& chunk) {
    TextBatch batch;
    batch.rows = chunk.size();
    batch.columns.resize(chunk.ColumnCount());
    for (duckdb::idx_t i = 0; i < chunk.ColumnCount(); ++i) {
      auto& cells = batch.columns[i];
      cells.text.resize(batch.rows);
      cells.null.resize(batch.rows, false);
      duckdb::Vector text(duckdb::LogicalType::VARCHAR, batch.rows);
      if (chunk.data[i].GetType().id() == duckdb::LogicalTypeId::VARCHAR) {
        text.Reinterpret(chunk.data[i]);
      } else {
        duckdb::VectorOperations::Cast(*context_, chunk.data[i], text, batch.rows);
      }
      duckdb::UnifiedVectorFormat format;
      text.ToUnifiedFormat(batch.rows, format);
      const auto* strings = duckdb::UnifiedVectorFormat::GetData<duckdb::string_t>(format);
      for (size_t row = 0; row < batch.rows; ++row) {
        auto index = format.sel->get_index(row);
        if (format.validity.RowIsValid(index)) {
          cells.text[row].assign(strings[index].GetData(), strings[index].GetSize());
        } else {
          cells.null[row] = true;
        }
      }
    }
    return batch;
  }

  duckdb::shared_ptr<duckdb::ClientContext> context_;
  duckdb::unique_ptr<duckdb::QueryResult> result_;
  std::string sql_;
  std::vector<Column> columns_;
  std::optional<int64_t> rows_changed_;
  std::optional<Error> failed_;
  bool ended_ = false;
  duckdb::unique_ptr<duckdb::ColumnDataCollection> kept_;  // the rest of the rows, once set aside
  duckdb::ColumnDataScanState scan_;                       // of kept_
  std::optional<
      duckdb::unordered_map<duckdb::idx_t, const duckdb::shared_ptr<duckdb::ArrowTypeExtensionData>>>
      extensions_;
};

}  // namespace

void ArrowRelease::operator()(ArrowArray* array) const {
  if (array->release != nullptr) {
    array->release(array);
  }
  delete array;
}

std::vector<Column> columns_of(const duckdb::vector<std::string>& names,
                               const duckdb::vector<duckdb::LogicalType>& types) {
  std::vector<Column> columns;
  for (size_t i = 0; i < types.size(); ++i) {
    columns.push_back({names[i], types[i].ToString()});
  }
  return columns;
}

int64_t take_rows_changed(duckdb::QueryResult& result) {
  int64_t rows = 0;
  while (auto chunk = result.Fetch()) {
    for (duckdb::idx_t i = 0; i < chunk->size(); ++i) {
      auto value = chunk->GetValue(0, i);
      rows += value.IsNull() ? 0 : value.GetValue<int64_t>();
    }
  }
  return rows;
}

std::unique_ptr<ResultStream> make_stream(duckdb::shared_ptr<duckdb::ClientContext> context,
                                          duckdb::unique_ptr<duckdb::QueryResult> result, std::string sql) {
  return std::make_unique<DuckStream>(std::move(context), std::move(result), std::move(sql));
}

}  // namespace tarn::engine
