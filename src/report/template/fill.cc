#include "report/template/fill.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/ids.h"
#include "report/template/block.h"
#include "report/template/follow.h"
#include "report/template/formula.h"
#include "report/template/sheet_writer.h"
#include "report/template/styles.h"
#include "report/work_file.h"

namespace tarn::report::template_file {
namespace {

std::vector<std::string> names_of(const std::vector<engine::Column>& columns) {
  std::vector<std::string> names;
  for (const auto& column : columns)
    names.push_back(column.name);
  return names;
}

// 'My sheet'!$A$5:$C$90
std::string absolute_reference(const std::string& sheet, const Area& area) {
  std::string quoted;
  for (const char c : sheet)
    quoted += c == '\'' ? "''" : std::string(1, c);
  const Corner first{area.row_first, area.column_first, true, true};
  const Corner last{area.row_last, area.column_last, true, true};
  return fmt::format("'{}'!{}:{}", quoted, to_string(first), to_string(last));
}

class TemplateFiller final : public Filler {
 public:
  TemplateFiller(Env& env, FillOptions options, Book book)
      : env_(env), options_(std::move(options)), book_(std::move(book)) {}

  Result<int64_t> fill(const FillConfig& fill, engine::ResultStream& rows,
                       const RowProgress& progress) override {
    Block block{.names = names_of(rows.columns())};
    TARN_TRY(block.target, find_target(book_, fill, block.names));
    TARN_CHECK(write_block(*env_.files, {work_path(), book_.counts_from_1904()}, rows, progress, block));
    TARN_CHECK(check_cells(book_, block.target, std::max<int64_t>(block.rows, 1)));
    blocks_.push_back(std::move(block));
    return blocks_.back().rows;
  }

  Status finish() override {
    TARN_CHECK(check_rows());
    BookMoves moves;
    for (const auto& block : blocks_) {
      auto& of_sheet = moves[block.target.sheet];
      if (block.target.grows)
        of_sheet.add(
            {block.target.area.row_first, block.target.area.row_last, std::max<int64_t>(block.rows, 1)});
    }
    TARN_TRY(auto styles, Styles::open(book_));
    TARN_CHECK(follow_moves(book_, moves));
    TARN_CHECK(widen_names(moves));
    for (const auto& [sheet, of_sheet] : moves)
      TARN_CHECK(put_sheet(sheet, of_sheet, styles));
    book_.hand_over();
    for (size_t i = 0; i < written_.size(); ++i)
      book_.package().replace_by_file(written_[i], parts_[i]->path());
    return book_.package().save(options_.path);
  }

  [[nodiscard]] std::vector<std::string> warnings() const override {
    std::vector<std::string> all;
    for (const auto& block : blocks_) {
      if (block.cut > 0)
        all.push_back(fmt::format("{}: {} texts are longer than {} characters and were cut",
                                  block.target.what, block.cut, kCellUnitsMax));
    }
    return all;
  }

 private:
  [[nodiscard]] std::string work_path() const {
    return fmt::format("{}/report-{}.part", options_.work_folder, new_uuid(*env_.random));
  }

  // Now that it is known how many rows there are.
  Status check_rows() {
    std::vector<Target> targets;
    for (const auto& block : blocks_) {
      targets.push_back(block.target);
      auto& area = targets.back().area;
      if (!block.target.grows)
        area.row_last = std::max(area.row_last, area.row_first + block.rows - 1);
    }
    return check_apart(book_, targets);
  }

  // A filled name is the whole of what was filled, also when it was one cell before.
  Status widen_names(const BookMoves& moves) {
    TARN_TRY(auto* document, book_.part(book_.workbook_part()));
    const auto nodes = children_of(child_of(document->root(), "definedNames"), "definedName");
    for (const auto& block : blocks_) {
      const auto& target = block.target;
      if (target.name < 0)
        continue;
      auto area = target.area;
      area.row_first = *moves.at(target.sheet).row(area.row_first);
      area.row_last = area.row_first + std::max<int64_t>(block.rows, 1) - 1;
      if (target.header_row)
        --area.row_first;
      set_content(nodes[static_cast<size_t>(target.name)],
                  absolute_reference(book_.sheets()[target.sheet].name, area));
    }
    return ok();
  }

  Status put_sheet(size_t sheet, const RowMoves& moves, Styles& styles) {
    SheetJob job{.sheet = sheet, .moves = &moves};
    for (const auto& block : blocks_) {
      if (block.target.sheet == sheet)
        job.blocks.push_back(&block);
    }
    const auto& part = book_.sheets()[sheet].part;
    parts_.push_back(std::make_unique<WorkFile>(*env_.files, work_path()));
    TARN_TRY(const auto file, env_.files->create(parts_.back()->path()));
    TARN_CHECK(write_sheet(book_, job, styles, *file));
    TARN_CHECK(file->close());
    written_.push_back(part);
    return ok();
  }

  Env& env_;
  const FillOptions options_;
  Book book_;
  std::vector<Block> blocks_;
  std::vector<std::unique_ptr<WorkFile>> parts_;  // sheets, put together
  std::vector<std::string> written_;
};

}  // namespace

Result<std::unique_ptr<Filler>> Filler::open(Env& env, FillOptions options) {
  TARN_TRY(auto package, Package::open(options.template_path, options.shown_path));
  TARN_TRY(auto book, Book::open(std::move(package)));
  return std::unique_ptr<Filler>(std::make_unique<TemplateFiller>(env, std::move(options), std::move(book)));
}

void check_template(const std::string& root, const ReportConfig& config, const std::vector<FillShape>& fills,
                    Diagnostics& diagnostics) {
  const auto tell = [&](const Place& place, const Error& error) {
    diagnostics.push_back({place, error.message});
  };
  auto package = Package::open(root + "/" + config.template_path, config.template_path);
  if (!package)
    return tell(config.template_place, package.error());
  auto book = Book::open(std::move(*package));
  if (!book)
    return tell(config.template_place, book.error());
  std::vector<Target> targets;
  for (const auto& shape : fills) {
    if (shape.columns.empty())
      continue;
    auto target = find_target(*book, *shape.fill, shape.columns);
    if (!target) {
      tell(shape.fill->place, target.error());
      continue;
    }
    if (const auto fits = check_cells(*book, *target, 1); !fits)
      tell(shape.fill->place, fits.error());
    targets.push_back(std::move(*target));
    if (const auto apart = check_apart(*book, targets); !apart) {
      tell(shape.fill->place, apart.error());
      targets.pop_back();
    }
  }
}

}  // namespace tarn::report::template_file
