// Makes a workbook: settles the parameters, pins one version of the lake, runs the queries into the writer.
#include <fmt/format.h>

#include "base/ids.h"
#include "base/time.h"
#include "report/ask.h"
#include "report/compiled_query.h"
#include "report/report.h"
#include "report/template/fill.h"
#include "report/work_file.h"
#include "report/workbook/book_writer.h"

namespace tarn::report {
namespace {

constexpr int kPinTries = 10;

Status place_file(FileSystem& files, const std::string& from, const std::string& to) {
  const auto unfinished = to + ".unfinished";
  TARN_TRY(const bool left, files.exists(unfinished));
  if (left)
    TARN_CHECK(files.remove(unfinished));
  TARN_CHECK(files.link_or_copy(from, unfinished));
  return files.rename(unfinished, to);
}

class Maker {
 public:
  Maker(Env& env, const Reports& reports, const ReportConfig& config, const MakeRequest& request,
        session::SessionService& sessions, session::Session& session)
      : env_(env),
        reports_(reports),
        config_(config),
        request_(request),
        sessions_(sessions),
        session_(session),
        asker_(session, env, reports.models(), config.file) {}

  Result<Made> make(const std::string& work_folder, const RowProgress& progress) {
    TARN_TRY(const auto today, asker_.today());
    TARN_TRY(values_, asker_.settle("report " + config_.name, config_.parameters, request_.parameters));
    for (const auto& value : values_)
      bound_.push_back(value.bound);
    Made made;
    TARN_TRY(made.lake_version, pin());
    const WorkFile file(*env_.files, fmt::format("{}/report-{}.xlsx", work_folder, new_uuid(*env_.random)));
    if (config_.template_path.empty()) {
      TARN_TRY(made.rows, write_sheets(file.path(), work_folder, made.lake_version, progress));
    } else {
      TARN_TRY(made.rows, fill_template(file.path(), work_folder, progress));
    }
    if (request_.body_table != nullptr && config_.mail) {
      TARN_TRY(const auto rows, ask(config_.mail->table));
      TARN_TRY(*request_.body_table, mail::read_table(*rows, static_cast<size_t>(config_.mail->table_rows)));
    }
    if (request_.body_chart != nullptr && config_.mail && config_.mail->chart) {
      TARN_TRY(const auto rows, ask(config_.mail->chart->query));
      TARN_TRY(*request_.body_chart, chart::read_data(*config_.mail->chart, *rows));
    }
    made.warnings = warnings_;
    made.today = today;
    made.values = values_;
    TARN_CHECK(session_.rollback());
    TARN_CHECK(place_file(*env_.files, file.path(), request_.path));
    return made;
  }

 private:
  // All queries see the version that is returned.
  Result<int64_t> pin() {
    if (request_.as_of) {
      TARN_TRY(const auto then, sessions_.catalog().at_time(*request_.as_of));
      TARN_CHECK(session_.begin());
      return then->number;
    }
    for (int i = 0; i < kPinTries; ++i) {
      TARN_TRY(const auto before, sessions_.catalog().head());
      TARN_CHECK(session_.begin());
      TARN_TRY(const auto touched, session_.query_own("SELECT count(*) FROM information_schema.tables"));
      TARN_TRY([[maybe_unused]] const auto rows, touched->next_text());
      TARN_TRY(const auto after, sessions_.catalog().head());
      if (before->number == after->number)
        return after->number;
      TARN_CHECK(session_.rollback());
    }
    return Error{Code::kConflict,
                 "the lake changes too quickly to say which version the report shows; try again"};
  }

  Result<std::unique_ptr<engine::ResultStream>> ask(const Query& query) {
    Diagnostic mistake;
    TARN_TRY(const auto compiled, compile_query(reports_.models(), config_.file, query, mistake));
    auto rows = session_.query(compiled.rendered.text, bound_);
    if (!rows)
      return Error{rows.error().code, to_string(mistake_in(config_.file, query, compiled, rows.error()))};
    return rows;
  }

  Result<BookFacts> facts(int64_t lake_version) {
    BookFacts facts{.title = config_.title, .description = config_.description};
    TARN_TRY(const auto now, asker_.now_text());
    facts.lines = {{"Report", config_.name},
                   {"Made at", fmt::format("{} ({})", now, reports_.project().time_zone)},
                   {"Project", reports_.project().name},
                   {"Lake version", std::to_string(lake_version)}};
    if (request_.as_of)
      facts.lines.emplace_back("Data as of", format_utc(*request_.as_of));
    for (const auto& value : values_)
      facts.parameters.emplace_back(value.label, value.shown);
    for (const auto& sheet : config_.sheets)
      facts.queries.emplace_back(sheet.name, sheet.query.text);
    return facts;
  }

  Result<int64_t> write_sheets(const std::string& path, const std::string& work_folder, int64_t lake_version,
                               const RowProgress& progress) {
    TARN_TRY(const auto writer, BookWriter::create({.path = path, .work_folder = work_folder}));
    TARN_TRY(const auto about, facts(lake_version));
    int64_t total = 0;
    for (const auto& sheet : config_.sheets) {
      TARN_TRY(const auto rows, ask(sheet.query));
      TARN_TRY(const auto count, writer->add_sheet(sheet, *rows, progress));
      total += count;
    }
    TARN_CHECK(writer->finish(config_.info_sheet ? &about : nullptr));
    return total;
  }

  Result<int64_t> fill_template(const std::string& path, const std::string& work_folder,
                                const RowProgress& progress) {
    const auto from = reports_.project().root + "/" + config_.template_path;
    TARN_TRY(const auto filler, template_file::Filler::open(env_, {.template_path = from,
                                                                   .shown_path = config_.template_path,
                                                                   .path = path,
                                                                   .work_folder = work_folder}));
    int64_t total = 0;
    for (const auto& fill : config_.fills) {
      TARN_TRY(const auto rows, ask(fill.query));
      TARN_TRY(const auto count, filler->fill(fill, *rows, progress));
      total += count;
    }
    TARN_CHECK(filler->finish());
    warnings_ = filler->warnings();
    return total;
  }

  Env& env_;
  const Reports& reports_;
  const ReportConfig& config_;
  const MakeRequest& request_;
  session::SessionService& sessions_;
  session::Session& session_;
  Asker asker_;
  std::vector<Value> values_;
  std::vector<engine::Parameter> bound_;
  std::vector<std::string> warnings_;
};

class ReportTask final : public flow::Task {
 public:
  ReportTask(std::shared_ptr<const Reports> reports, MakeRequest request, std::string work_folder, Made& made)
      : reports_(std::move(reports)),
        request_(std::move(request)),
        work_folder_(std::move(work_folder)),
        made_(made) {}

  [[nodiscard]] std::string name() const override { return "report:" + request_.name; }
  [[nodiscard]] std::string kind() const override { return "report"; }
  [[nodiscard]] std::string path() const override { return "reports/" + request_.name + ".yml"; }
  [[nodiscard]] std::vector<std::string> tags() const override { return {}; }
  [[nodiscard]] std::vector<std::string> upstream() const override { return {}; }
  [[nodiscard]] std::vector<std::string> writes() const override { return {}; }
  [[nodiscard]] flow::RetryPolicy retry() const override { return {}; }
  Status run(flow::TaskContext& context) override {
    TARN_TRY(made_, reports_->make(request_, context.sessions, work_folder_, &context.log, context.cancel));
    context.report->counts.rows_in = made_.rows;
    context.report->warnings = made_.warnings;
    context.log.line(fmt::format("{} rows of lake version {}", made_.rows, made_.lake_version));
    return ok();
  }

 private:
  std::shared_ptr<const Reports> reports_;
  const MakeRequest request_;
  const std::string work_folder_;
  Made& made_;
};

}  // namespace

Result<Made> Reports::make(const MakeRequest& request, session::SessionService& sessions,
                           const std::string& work_folder, flow::TaskLog* log,
                           const flow::CancelFlag& cancel) const {
  TARN_TRY(const auto config, find_whole(request.name));
  TARN_TRY(const auto session, sessions.open({.principal = {}, .as_of = request.as_of}));
  const RowProgress progress = [log, &cancel](int64_t rows) -> Status {
    if (cancel.is_set())
      return Error{Code::kCancelled, "the report was cancelled"};
    if (log != nullptr)
      log->progress(fmt::format("{} rows", rows));
    return ok();
  };
  TARN_TRY(auto made, Maker(env_, *this, *config, request, sessions, *session).make(work_folder, progress));
  for (const auto& value : made.values) {
    if (log != nullptr)
      log->line(fmt::format("{} = {}", value.name, value.shown));
  }
  return made;
}

std::unique_ptr<flow::Task> make_report_task(std::shared_ptr<const Reports> reports, MakeRequest request,
                                             std::string work_folder, Made& made) {
  return std::make_unique<ReportTask>(std::move(reports), std::move(request), std::move(work_folder), made);
}

}  // namespace tarn::report
