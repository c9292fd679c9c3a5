// Cells of any text drawn as a table and as a chart: no control character reaches the terminal, and a cut
// text is as narrow as asked. The first line is a column's name, the other lines are cells.
#include "app/show/box_table.h"
#include "app/show/chart.h"
#include "base/input_fuzz.h"

namespace {

tarn::engine::TextBatch batch_of(tarn::FuzzInput& input) {
  tarn::engine::TextBatch batch;
  batch.columns.resize(2);
  for (; !input.at_end() && batch.rows < 200; ++batch.rows) {
    for (auto& column : batch.columns) {
      column.text.push_back(input.take_line());
      column.null.push_back(column.text.back() == "NULL");
    }
  }
  return batch;
}

void draw(tarn::serve::RowWriter& writer, const std::string& name, const tarn::engine::TextBatch& batch) {
  if (writer.columns({{.name = name, .type = "VARCHAR"}, {.name = "value", .type = "DOUBLE"}}) &&
      writer.rows(batch)) {
    (void)writer.end();
  }
}

void look(std::string_view drawn) {
  for (size_t i = 0; i < drawn.size(); ++i) {
    const auto c = static_cast<unsigned char>(drawn[i]);
    tarn::must((c >= 0x20 || c == '\n') && c != 0x7f, "no control character is shown");
    const auto next = static_cast<unsigned char>(i + 1 < drawn.size() ? drawn[i + 1] : 0);
    tarn::must(c != 0xc2 || next < 0x80 || next >= 0xa0, "no control character of the upper half is shown");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tarn::FuzzInput input(data, size);
  auto name = input.take_line();
  auto shown = tarn::app::one_line(name);
  for (int cells : {0, 1, 7}) {
    tarn::must(tarn::app::display_width(tarn::app::cut_to_width(shown, cells)) <= cells, "a cut text fits");
  }
  auto batch = batch_of(input);
  std::string drawn;
  auto sink = [&drawn](std::string_view bytes) {
    drawn += bytes;
    return tarn::ok();
  };
  draw(*tarn::app::make_box_table_writer({.width = 60}, sink), name, batch);
  draw(*tarn::app::make_chart_writer({.width = 60}, sink), name, batch);
  look(drawn);
  return 0;
}
