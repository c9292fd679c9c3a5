#include "report/deliver.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/ids.h"
#include "base/time.h"
#include "report/chart/draw.h"
#include "report/mail/html.h"
#include "report/mail/transport.h"
#include "report/relative_date.h"
#include "report/work_file.h"

namespace tarn::report {
namespace {

using mail::Outcome;
using mail::SentState;

constexpr Duration kLook = std::chrono::milliseconds(200);
constexpr Duration kDelayMax = std::chrono::minutes(30);
constexpr std::string_view kBookType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

SentState state_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::kSent: return SentState::kSent;
    case Outcome::kRefused: return SentState::kRefused;
    case Outcome::kNotSent: return SentState::kNotSent;
    case Outcome::kUnknown: return SentState::kUnknown;
  }
  return SentState::kUnknown;
}

class Delivery {
 public:
  Delivery(const Reports& reports, const ReportConfig& config, mail::SentLog& log, flow::Runs& runs,
           const DeliverRequest& request, flow::TaskContext& context, mail::SentRecord& record)
      : reports_(reports),
        config_(config),
        log_(log),
        runs_(runs),
        request_(request),
        context_(context),
        record_(record) {}

  Status run(const std::string& work_folder) {
    TARN_TRY(const auto transport, transport_of());
    record_.key = occasion();
    TARN_TRY(const auto before, log_.find(record_.key));
    if (before && (before->state == SentState::kSent || before->state == SentState::kNoRows)) {
      record_ = *before;
      context_.log.line(fmt::format("the mail of {} was done at {}: nothing to do", record_.key,
                                    format_utc(record_.started_at)));
      return ok();
    }
    const WorkFile book(*context_.env.files,
                        fmt::format("{}/report-{}.mail.xlsx", work_folder, new_uuid(*context_.env.random)));
    mail::BodyTable table;
    MakeRequest make{.name = request_.name, .parameters = request_.parameters, .as_of = request_.as_of};
    make.path = book.path();
    make.body_table = config_.mail->table.text.empty() ? nullptr : &table;
    chart::ChartData points;
    make.body_chart = config_.mail->chart ? &points : nullptr;
    TARN_TRY(const auto made,
             reports_.make(make, context_.sessions, work_folder, &context_.log, context_.cancel));
    context_.report->counts.rows_in = made.rows;
    context_.report->warnings = made.warnings;
    TARN_TRY(const auto message, message_of(made, make.body_table, make.body_chart, transport, book.path()));
    TARN_CHECK(log_.begin(record_, config_.mail->repeatable));
    const auto rows = make.body_table != nullptr ? table.all : made.rows;
    if (config_.mail->only_if_rows && rows == 0) {
      record_.state = SentState::kNoRows;
      context_.log.line("no rows: nothing was mailed");
      return log_.end(record_);
    }
    return send(transport, message);
  }

 private:
  std::string occasion() {
    if (!request_.key.empty())
      return request_.key;
    const auto run = runs_.get(context_.run_id);
    const bool due = run && !run->schedule.empty() && run->due_at;
    return fmt::format("{} {}", config_.name,
                       due ? fmt::format("{} {}", run->schedule, format_utc(*run->due_at)) : context_.run_id);
  }

  Result<mail::Transport> transport_of() const {
    if (!config_.mail)
      return Error{Code::kInvalid,
                   fmt::format("report {} has no mail: write 'mail: {{to: ada@example.org}}' in {}",
                               config_.name, config_.file.path)};
    return mail::make_transport(*context_.env.files, reports_.project());
  }

  Result<mail::Message> message_of(const Made& made, const mail::BodyTable* table,
                                   const chart::ChartData* points, const mail::Transport& transport,
                                   const std::string& book_path) {
    std::map<std::string, std::string> values = {{"title", config_.title},
                                                 {"today", format_date(made.today)}};
    for (const auto& value : made.values)
      values[value.name] = value.shown;
    mail::Message message{.from = transport.settings.from};
    TARN_TRY(message.subject, mail::put_values(config_.mail->subject, values));
    mail::Body body{.title = config_.title};
    TARN_TRY(body.text, mail::put_values(config_.mail->text, values));
    body.footer = fmt::format("{}: report {}, version {} of the lake, run {}", reports_.project().name,
                              config_.name, made.lake_version, context_.run_id);
    if (points != nullptr)
      TARN_CHECK(add_chart(*points, body, message));
    message.text = mail::text_body(body, table);
    message.html = mail::html_body(body, table);
    message.to = config_.mail->to;
    message.cc = config_.mail->cc;
    message.bcc = config_.mail->bcc;
    message.at = context_.env.clock->now();
    const auto& address = message.from.address;
    message.id = fmt::format("{}{}", new_uuid(*context_.env.random), address.substr(address.find('@')));
    if (config_.mail->attach) {
      message.attachments.push_back({book_path, config_.name + ".xlsx", std::string(kBookType)});
      TARN_TRY(const auto bytes, context_.env.files->size(book_path));
      record_.bytes = static_cast<int64_t>(bytes);
    }
    record_.id = message.id;
    record_.report = config_.name;
    record_.run = context_.run_id;
    record_.sender = mail::to_string(message.from);
    record_.recipients = mail::all_recipients(*config_.mail);
    record_.subject = message.subject;
    record_.lake_version = made.lake_version;
    for (const auto& value : made.values) {
      auto& texts = record_.parameters[value.name];
      if (value.bound.list)
        texts = *value.bound.list;
      else if (value.bound.text)
        texts = {*value.bound.text};
    }
    record_.started_at = message.at;
    return message;
  }

  Status add_chart(const chart::ChartData& points, mail::Body& body, mail::Message& message) const {
    const auto& config = *config_.mail->chart;
    const auto& title = config.title.empty() ? config_.title : config.title;
    TARN_TRY(auto picture, chart::draw(config, title, points));
    body.image = mail::Body::Image{.id = "chart@tarn",
                                   .words = chart::described(config, title, points),
                                   .width = picture.width,
                                   .height = picture.height};
    message.inlines.push_back({"chart@tarn", "chart.png", "image/png", std::move(picture.png)});
    return ok();
  }

  Status send(const mail::Transport& transport, const mail::Message& message) {
    auto delay = config_.mail->first_delay;
    mail::Sent sent;
    while (true) {
      ++record_.attempts;
      sent = mail::send(transport, message, [this] { return context_.cancel.is_set(); });
      const bool again = sent.outcome == Outcome::kNotSent ||
                         (sent.outcome == Outcome::kUnknown && config_.mail->repeatable);
      if (!again || record_.attempts >= config_.mail->attempts || context_.cancel.is_set())
        break;
      context_.log.line(
          fmt::format("attempt {}: {}; again in {}", record_.attempts, sent.answer, format_duration(delay)));
      if (!wait(delay))
        break;
      delay = std::min(delay * 2, kDelayMax);
    }
    record_.state = state_of(sent.outcome);
    record_.answer = sent.answer;
    TARN_CHECK(log_.end(record_));
    return verdict(sent);
  }

  // False: cancelled.
  bool wait(Duration delay) {
    const auto end = context_.env.clock->steady() + delay;
    while (context_.env.clock->steady() < end) {
      if (context_.cancel.is_set())
        return false;
      context_.env.clock->sleep_for(std::min(kLook, end - context_.env.clock->steady()));
    }
    return true;
  }

  Status verdict(const mail::Sent& sent) {
    if (sent.outcome == Outcome::kSent) {
      context_.log.line(fmt::format("mailed to {}", record_.recipients));
      return ok();
    }
    if (context_.cancel.is_set() && sent.outcome == Outcome::kNotSent)
      return Error{Code::kCancelled, "the mail was cancelled before it was sent"};
    if (sent.outcome == Outcome::kRefused)
      return Error{Code::kFailed, sent.answer};
    if (sent.outcome == Outcome::kUnknown)
      return Error{Code::kFailed, fmt::format("{}: nobody knows whether it was sent", sent.answer)};
    // Not kUnavailable: the run would try again what was tried as often as the report says.
    return Error{Code::kFailed, fmt::format("{}, {} times", sent.answer, record_.attempts)};
  }

  const Reports& reports_;
  const ReportConfig& config_;
  mail::SentLog& log_;
  flow::Runs& runs_;
  const DeliverRequest& request_;
  flow::TaskContext& context_;
  mail::SentRecord& record_;
};

class DeliveryTask final : public flow::Task {
 public:
  DeliveryTask(std::shared_ptr<const Reports> reports, mail::SentLog& log, flow::Runs& runs,
               DeliverRequest request, std::string work_folder, mail::SentRecord& record)
      : reports_(std::move(reports)),
        log_(log),
        runs_(runs),
        request_(std::move(request)),
        work_folder_(std::move(work_folder)),
        record_(record) {}

  [[nodiscard]] std::string name() const override { return "mail:" + request_.name; }
  [[nodiscard]] std::string kind() const override { return "report"; }
  [[nodiscard]] std::string path() const override { return "reports/" + request_.name + ".yml"; }
  [[nodiscard]] std::vector<std::string> tags() const override { return {}; }
  [[nodiscard]] std::vector<std::string> upstream() const override {
    const auto config = reports_->find(request_.name);
    auto names = config ? reports_->reads_of(**config) : std::vector<std::string>();
    names.insert(names.end(), request_.after.begin(), request_.after.end());
    return names;
  }
  [[nodiscard]] std::vector<std::string> writes() const override { return {}; }
  [[nodiscard]] flow::RetryPolicy retry() const override { return {}; }
  Status run(flow::TaskContext& context) override {
    TARN_TRY(const auto config, reports_->find_whole(request_.name));
    return Delivery(*reports_, *config, log_, runs_, request_, context, record_).run(work_folder_);
  }

 private:
  std::shared_ptr<const Reports> reports_;
  mail::SentLog& log_;
  flow::Runs& runs_;
  const DeliverRequest request_;
  const std::string work_folder_;
  mail::SentRecord& record_;
};

}  // namespace

std::unique_ptr<flow::Task> make_delivery_task(std::shared_ptr<const Reports> reports, mail::SentLog& log,
                                               flow::Runs& runs, DeliverRequest request,
                                               std::string work_folder, mail::SentRecord& record) {
  return std::make_unique<DeliveryTask>(std::move(reports), log, runs, std::move(request),
                                        std::move(work_folder), record);
}

}  // namespace tarn::report
