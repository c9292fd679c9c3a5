// Any workbook as a template: it is refused with a sentence, or filled into one whose sheets are XML again.
// An input is a line with the target ("table Prices", "name Lines", "cell Report!A1", "insert Report!A1"),
// then the parts, each behind a line "=== name"; or, behind the first line, the bytes of a zip.
#include <zip.h>

#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <unistd.h>

#include "base/env/env.h"
#include "base/input_fuzz.h"
#include "report/template/book.h"
#include "report/template/fill.h"

namespace {

using tarn::report::FillConfig;

class ThreeRows final : public tarn::engine::ResultStream {
 public:
  ThreeRows() : columns_({{"symbol", "VARCHAR"}, {"day", "DATE"}}) {}
  [[nodiscard]] const std::vector<tarn::engine::Column>& columns() const override { return columns_; }
  tarn::Result<std::optional<tarn::engine::TextBatch>> next_text() override {
    if (std::exchange(done_, true))
      return std::optional<tarn::engine::TextBatch>();
    tarn::engine::TextBatch batch;
    batch.rows = 3;
    batch.columns.resize(2);
    batch.columns[0].text = {"=1+1", "<&\"\r\n", ""};
    batch.columns[0].null = {false, false, true};
    batch.columns[1].text = {"2026-11-21", "0001-01-01", "2026-11-22"};
    batch.columns[1].null = {false, false, false};
    return std::optional(std::move(batch));
  }
  [[nodiscard]] std::optional<int64_t> rows_changed() const override { return std::nullopt; }
  tarn::Result<tarn::engine::ArrowBatch> next_arrow() override { return tarn::engine::ArrowBatch(); }
  tarn::Status arrow_schema(ArrowSchema*) override { return tarn::ok(); }
  tarn::Status set_aside(uint64_t) override { return tarn::ok(); }

 private:
  std::vector<tarn::engine::Column> columns_;
  bool done_ = false;
};

void write_zip(const std::string& path, std::string_view text) {
  std::filesystem::remove(path);
  int code = 0;
  zip_t* archive = zip_open(path.c_str(), ZIP_CREATE, &code);
  std::vector<std::string> kept;
  kept.reserve(text.size() / 4 + 1);  // their bytes must stay until the end
  while (text.starts_with("=== ")) {
    const auto line_end = std::min(text.find('\n'), text.size());
    const std::string name(text.substr(4, line_end - 4));
    const auto next = text.find("\n=== ", line_end);
    const auto body_end = next == std::string_view::npos ? text.size() : next;
    const auto body =
        line_end < body_end ? text.substr(line_end + 1, body_end - line_end - 1) : std::string_view();
    kept.emplace_back(body);
    auto* source = zip_source_buffer(archive, kept.back().data(), kept.back().size(), 0);
    if (zip_file_add(archive, name.c_str(), source, ZIP_FL_OVERWRITE) < 0)
      zip_source_free(source);
    text.remove_prefix(std::min(body_end + 1, text.size()));
  }
  if (zip_close(archive) != 0)
    zip_discard(archive);
}

FillConfig fill_of(const std::string& line) {
  FillConfig fill;
  const auto blank = line.find(' ');
  const auto word = line.substr(0, blank);
  fill.target = blank == std::string::npos ? "" : line.substr(blank + 1);
  fill.kind = word == "table"                      ? FillConfig::Kind::kTable
              : word == "name" || word == "header" ? FillConfig::Kind::kName
                                                   : FillConfig::Kind::kCell;
  fill.inserts = word != "cell";
  fill.header = word == "header";
  return fill;
}

void check_result(const std::string& path) {
  namespace template_file = tarn::report::template_file;
  auto package = template_file::Package::open(path, "filled.xlsx");
  tarn::must(package.has_value(), "a filled workbook is a zip");
  auto book = template_file::Book::open(std::move(*package));
  if (!book)
    return;  // what was odd before, and nobody needed, may still be odd
  for (const auto& sheet : book->sheets()) {
    const auto part = book->part(sheet.part);
    if (!part)
      std::fprintf(stderr, "%s\n", part.error().message.c_str());
    tarn::must(part.has_value(), "sheets of a filled workbook are XML");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tarn::FuzzInput input(data, size);
  const auto fill = fill_of(input.take_line());
  const auto folder =
      (std::filesystem::temp_directory_path() / fmt::format("tarn-book-fuzz-{}", ::getpid())).string();
  std::filesystem::create_directories(folder);
  const auto path = folder + "/template.xlsx";
  if (input.rest().starts_with("=== ")) {
    write_zip(path, input.rest());
  } else {
    std::ofstream(path, std::ios::binary) << input.rest();
  }
  namespace template_file = tarn::report::template_file;
  const auto filler = template_file::Filler::open(
      tarn::real_env(),
      {.template_path = path, .shown_path = "x.xlsx", .path = folder + "/out.xlsx", .work_folder = folder});
  if (filler) {
    ThreeRows rows;
    if ((*filler)->fill(fill, rows, {}) && (*filler)->finish())
      check_result(folder + "/out.xlsx");
  } else {
    tarn::must(!filler.error().message.empty(), "a refusal says why");
  }
  std::filesystem::remove_all(folder);
  return 0;
}
