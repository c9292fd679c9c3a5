#include "serve/http/sql_book.h"

#include "report/workbook/book_writer.h"

namespace tarn::serve {

Result<int64_t> write_book(engine::ResultStream& rows, const BookRequest& request) {
  TARN_TRY(const auto writer,
           report::BookWriter::create({.path = request.path, .work_folder = request.work_folder}));
  report::SheetConfig sheet;
  sheet.name = "Result";
  const auto progress = [&request](int64_t) -> Status {
    return request.is_gone() ? Status(Error{Code::kCancelled, "nobody waits for the workbook any more"})
                             : ok();
  };
  TARN_TRY(const auto count, writer->add_sheet(sheet, rows, progress));
  report::BookFacts facts{.title = "Result of a query", .description = ""};
  facts.lines = {{"Made at", request.made_at}};
  facts.queries = {{"Result", request.sql}};
  TARN_CHECK(writer->finish(&facts));
  return count;
}

}  // namespace tarn::serve
