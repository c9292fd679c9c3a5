#include "source/http/fetch.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "source/http/kind.h"
#include "source/http/pages.h"
#include "source/http/request.h"
#include "source/http/retry.h"
#include "source/http/template.h"
#include "source/landing.h"

namespace tarn::source::http {
namespace {

using nlohmann::json;

constexpr int64_t kEachRowsMax = 100'000;
constexpr Duration kWaitMax = std::chrono::minutes(15);
constexpr size_t kErrorBodyMax = 300;

bool is_number_type(const std::string& type) {
  return type.ends_with("INT") || type == "INTEGER" || type == "DOUBLE" || type == "FLOAT" ||
         type.starts_with("DECIMAL");
}

void add_row(const engine::TextBatch& batch, const std::vector<engine::Column>& columns, size_t i,
             std::vector<EachRow>& rows, std::set<std::string>& seen) {
  EachRow row;
  json object = json::object();
  for (size_t c = 0; c < columns.size(); ++c) {
    const std::string& text = batch.columns[c].text[i];
    if (batch.columns[c].null[i]) {
      object[columns[c].name] = nullptr;
      row.columns[columns[c].name] = "";
      continue;
    }
    json number =
        is_number_type(columns[c].type) ? json::parse(text, nullptr, false) : json(json::value_t::discarded);
    object[columns[c].name] = number.is_discarded() ? json(text) : number;
    row.columns[columns[c].name] = text;
  }
  row.json = object.dump(-1, ' ', false, json::error_handler_t::replace);
  if (seen.insert(row.json).second) {
    rows.push_back(std::move(row));
  }
}

// The rows of `each`, without doubles; one empty row when there is no `each`.
Result<std::vector<EachRow>> each_rows(const HttpConfig& http, FetchContext& context) {
  std::vector<EachRow> rows;
  if (http.each.text.empty()) {
    rows.emplace_back();
    return rows;
  }
  TARN_TRY(auto session, context.task.sessions.open({}));
  auto stream = session->query(http.each.text);
  if (!stream) {
    return Error{stream.error().code,
                 to_string(mistake_in(context.config, http.each, "each", stream.error()))};
  }
  std::set<std::string> seen;
  for (;;) {
    TARN_TRY(auto batch, (*stream)->next_text());
    if (!batch) {
      return rows;
    }
    for (size_t i = 0; i < batch->rows; ++i) {
      add_row(*batch, (*stream)->columns(), i, rows, seen);
    }
    if (static_cast<int64_t>(rows.size()) > kEachRowsMax) {
      return Error{Code::kExhausted, fmt::format("{}: each gives more than {} rows; narrow it with a where",
                                                 to_string(http.each.place), kEachRowsMax)};
    }
  }
}

std::string headers_json(const net::HttpHeaders& headers) {
  json object = json::object();
  for (const auto& [name, value] : headers) {
    if (name != "set-cookie") {  // may be a secret
      object[name] = value;
    }
  }
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

// "json", "csv.gz", ...: DuckDB unpacks by the last part.
std::string ending_of(const Format& format, const std::string& encoding) {
  static const std::map<FormatKind, std::string> kEndings = {{FormatKind::kJson, "json"},
                                                             {FormatKind::kNdjson, "ndjson"},
                                                             {FormatKind::kCsv, "csv"},
                                                             {FormatKind::kParquet, "parquet"}};
  const std::string& ending = kEndings.at(format.kind);
  std::string packed = !encoding.empty() ? encoding : format.compression;
  return packed == "gzip" ? ending + ".gz" : packed == "zstd" ? ending + ".zst" : ending;
}

// What one answer of a server became.
struct Answer {
  FetchRecord record;
  std::optional<Landed> landed;  // empty: not modified
  PageAnswer page;
};

// All requests of one run. Its threads share the fields below the mutex.
class Run {
 public:
  Run(const HttpConfig& http, FetchContext& context)
      : http_(http), context_(context), rate_(*context.task.env.clock, http.rate) {}

  Result<FetchResult> fetch();

 private:
  void work();
  Status fetch_row(net::HttpClient& client, const EachRow& row);
  Result<Answer> fetch_page(net::HttpClient& client, const PreparedRequest& prepared, const EachRow& row);
  Result<Answer> send_once(net::HttpClient& client, const PreparedRequest& prepared, const EachRow& row,
                           std::optional<Duration>& retry_after, bool& passing);
  Result<Answer> keep(RawFile& raw, FetchRecord record, const net::HttpResponse& response);
  Status add_conditions(const PreparedRequest& prepared, net::HttpRequest& request);
  Result<std::string> cursor_of(const EachRow& row);
  Result<json> stored(const std::string& key);
  Result<Answer> not_modified(FetchRecord record);
  void note(const Answer& answer);
  [[nodiscard]] bool stopping() const { return failed_.load() || context_.task.cancel.is_set(); }
  uint64_t random() {
    std::lock_guard lock(mutex_);
    return context_.task.env.random->next();
  }

  const HttpConfig& http_;
  FetchContext& context_;
  RateLimit rate_;
  std::vector<EachRow> rows_;
  net::HttpLimits limits_;
  std::atomic<bool> failed_{false};
  std::atomic<size_t> next_row_{0};

  std::mutex mutex_;  // guards all below
  FetchResult result_;
  Status status_;
  std::vector<std::string> unchanged_;  // paths of earlier bytes that are still current
};

class LockedRandom : public Random {
 public:
  explicit LockedRandom(std::function<uint64_t()> next) : next_(std::move(next)) {}
  uint64_t next() override { return next_(); }

 private:
  std::function<uint64_t()> next_;
};

Result<FetchResult> Run::fetch() {
  limits_ = http_.limits;
  limits_.allow_private_addresses = context_.project.allow_private_addresses;
  if (!http_.ca_file.empty()) {
    limits_.ca_file =
        http_.ca_file.starts_with("/") ? http_.ca_file : context_.project.root + "/" + http_.ca_file;
  }
  TARN_TRY(rows_, each_rows(http_, context_));
  size_t threads = std::min<size_t>(static_cast<size_t>(http_.concurrency), rows_.size());
  std::vector<std::thread> pool;
  for (size_t i = 1; i < threads; ++i) {
    pool.emplace_back([this] { work(); });
  }
  work();
  for (auto& thread : pool) {
    thread.join();
  }
  TARN_CHECK(status_);
  if (context_.task.cancel.is_set()) {
    return Error{Code::kCancelled, "cancelled while fetching"};
  }
  bool nothing_new =
      result_.landed.empty() || result_.unchanged == static_cast<int64_t>(result_.landed.size());
  if (context_.config.mode == Mode::kReplace && nothing_new && result_.unchanged > 0) {
    result_.landed.clear();  // every answer is what the table was made of
  }
  std::sort(result_.landed.begin(), result_.landed.end(),
            [](const Landed& a, const Landed& b) { return a.number < b.number; });
  return std::move(result_);
}

void Run::work() {
  net::HttpClient client;
  while (!stopping()) {
    size_t i = next_row_.fetch_add(1);
    if (i >= rows_.size()) {
      return;
    }
    Status status = fetch_row(client, rows_[i]);
    if (!status) {
      std::lock_guard lock(mutex_);
      if (!failed_.exchange(true)) {
        status_ = std::move(status);
      }
    }
  }
}

Result<json> Run::stored(const std::string& key) {
  if (context_.task.full_refresh) {
    return json();
  }
  TARN_TRY(auto text, context_.task.sessions.catalog().cursor(context_.config.name, key));
  return text ? json::parse(*text, nullptr, false) : json();
}

Result<std::string> Run::cursor_of(const EachRow& row) {
  if (!context_.config.since) {
    return std::string();
  }
  TARN_TRY(json value, stored("since:" + row.json));
  if (value.is_object() && value.contains("value") && value["value"].is_string()) {
    return value["value"].get<std::string>();
  }
  return context_.config.since->initial;
}

Status Run::fetch_row(net::HttpClient& client, const EachRow& row) {
  TARN_TRY(std::string cursor, cursor_of(row));
  PageState page = first_page(http_.pages);
  std::set<std::string> urls;
  for (;;) {
    if (stopping()) {
      return Error{Code::kCancelled, "cancelled while fetching"};
    }
    TARN_TRY(auto prepared, prepare(http_, context_, row, page, cursor));
    if (!urls.insert(prepared.request.url).second && http_.pages.kind != Pages::Kind::kNone &&
        prepared.request.body.empty()) {
      return Error{Code::kFailed, fmt::format("the pages do not end: {} came twice", prepared.shown_url)};
    }
    auto answer = fetch_page(client, prepared, row);
    if (!answer) {
      return Error{answer.error().code, scrub(answer.error().message, prepared.secrets)};
    }
    note(*answer);
    if (!answer->landed) {
      return ok();
    }
    TARN_TRY(auto next,
             next_page(http_.pages, context_.config.format, page, answer->page, *context_.task.env.files));
    if (!next) {
      return ok();
    }
    page = std::move(*next);
    if (page.index >= http_.pages.max) {
      return Error{Code::kExhausted,
                   fmt::format("more than {} pages from {}; raise pages: max if this is right",
                               http_.pages.max, prepared.shown_url)};
    }
  }
}

void Run::note(const Answer& answer) {
  std::lock_guard lock(mutex_);
  auto& counts = context_.task.report->counts;
  counts.requests += 1;
  if (!answer.landed) {
    return;
  }
  counts.bytes_in += answer.record.bytes;
  result_.landed.push_back(*answer.landed);
  json headers = json::parse(answer.record.headers, nullptr, false);
  json validators = json::object();
  for (const char* name : {"etag", "last-modified"}) {
    if (headers.is_object() && headers.contains(name)) {
      validators[name] = headers[name];
    }
  }
  if (!validators.empty() && http_.pages.kind == Pages::Kind::kNone) {
    validators["path"] = answer.record.path;
    result_.cursors.push_back(
        {context_.config.name, "validators:" + answer.record.request_key, validators.dump()});
  }
  context_.task.log.progress(fmt::format("{} answers, {} bytes", counts.requests, counts.bytes_in));
}

Result<Answer> Run::fetch_page(net::HttpClient& client, const PreparedRequest& prepared, const EachRow& row) {
  if (auto earlier = context_.landing.find(prepared.key)) {
    Answer answer{.record = *earlier, .landed = context_.landing.landed(*earlier), .page = {}};
    json headers = json::parse(earlier->headers, nullptr, false);
    if (headers.is_object()) {
      answer.page.link = headers.value("link", "");
      answer.page.final_url = headers.value("tarn-final-url", prepared.request.url);
    }
    answer.page.path = answer.landed->path;
    answer.page.encoding = earlier->encoding;
    return answer;
  }
  LockedRandom locked([this] { return random(); });
  auto stop = [this] { return stopping(); };
  for (int64_t attempt = 1;; ++attempt) {
    if (!sleep_until_cancelled(*context_.task.env.clock, rate_.take(), stop)) {
      return Error{Code::kCancelled, "cancelled while waiting for the next request"};
    }
    std::optional<Duration> retry_after;
    bool passing = false;
    auto answer = send_once(client, prepared, row, retry_after, passing);
    if (answer || !passing || attempt >= http_.retry.attempts) {
      return answer;
    }
    Duration delay = retry_delay(http_.retry, attempt, retry_after, locked);
    if (delay > kWaitMax) {
      return Error{Code::kUnavailable, fmt::format("{} asks to come back in {} s; run again then",
                                                   prepared.shown_url, delay.count() / 1'000'000)};
    }
    context_.task.log.line(fmt::format("{}; attempt {} of {}, waiting {} ms",
                                       scrub(answer.error().message, prepared.secrets), attempt,
                                       http_.retry.attempts, delay.count() / 1000));
    if (retry_after) {
      rate_.hold(delay);
    } else if (!sleep_until_cancelled(*context_.task.env.clock, delay, stop)) {
      return Error{Code::kCancelled, "cancelled while waiting to try again"};
    }
  }
}

Status Run::add_conditions(const PreparedRequest& prepared, net::HttpRequest& request) {
  if (http_.pages.kind != Pages::Kind::kNone || http_.method != "GET") {
    return ok();
  }
  TARN_TRY(json validators, stored("validators:" + prepared.key));
  if (!validators.is_object()) {
    return ok();
  }
  for (auto [stored_name, header] :
       {std::pair{"etag", "If-None-Match"}, {"last-modified", "If-Modified-Since"}}) {
    if (validators.contains(stored_name) && validators[stored_name].is_string()) {
      request.headers.emplace_back(header, validators[stored_name].get<std::string>());
    }
  }
  return ok();
}

// Nothing new. A replaced table is made of all answers, so the earlier bytes stand in for this one.
Result<Answer> Run::not_modified(FetchRecord record) {
  Answer answer{.record = record, .landed = std::nullopt, .page = {}};
  TARN_TRY(json validators, stored("validators:" + record.request_key));
  std::string path = validators.is_object() ? validators.value("path", "") : "";
  if (context_.config.mode == Mode::kReplace && !path.empty()) {
    std::string from = context_.task.data_folder + "/" + path;
    TARN_TRY(auto digest, digest_file(from));
    record.sha256 = digest.sha256;
    record.bytes = digest.bytes;
    std::string name = path.substr(path.rfind('/') + 1);
    TARN_TRY(answer.landed, context_.landing.adopt(from, record, name.substr(name.find('.') + 1)));
    record.path = answer.landed->path.substr(context_.task.data_folder.size() + 1);
    answer.record = record;
  } else {
    TARN_CHECK(context_.landing.refused(record));
  }
  std::lock_guard lock(mutex_);
  result_.unchanged += 1;
  return answer;
}

Result<Answer> Run::keep(RawFile& raw, FetchRecord record, const net::HttpResponse& response) {
  record.encoding = response.header("content-encoding");
  if (record.encoding == "identity") {
    record.encoding.clear();
  }
  if (record.encoding == "x-gzip") {
    record.encoding = "gzip";
  }
  bool known = record.encoding.empty() || record.encoding == "gzip" || record.encoding == "zstd";
  if (!known || (!record.encoding.empty() && !context_.config.format.compression.empty() &&
                 context_.config.format.compression != "none" &&
                 context_.config.format.compression != record.encoding)) {
    return Error{Code::kFailed, fmt::format("{} answers with content-encoding {}, which was not asked for",
                                            record.url, record.encoding)};
  }
  Answer answer{.record = {}, .landed = std::nullopt, .page = {}};
  answer.page = {.final_url = response.final_url,
                 .link = std::string(response.header("link")),
                 .path = {},
                 .encoding = record.encoding};
  TARN_TRY(answer.landed,
           context_.landing.finish(raw, record, ending_of(context_.config.format, record.encoding)));
  if (auto found = context_.landing.find(record.request_key)) {
    record = *found;
  }
  answer.page.path = answer.landed->path;
  answer.record = std::move(record);
  return answer;
}

Result<Answer> Run::send_once(net::HttpClient& client, const PreparedRequest& prepared, const EachRow& row,
                              std::optional<Duration>& retry_after, bool& passing) {
  FetchRecord record{.request_key = prepared.key,
                     .each_json = row.json,
                     .method = http_.method,
                     .url = prepared.shown_url,
                     .started = context_.task.env.clock->now()};
  net::HttpRequest request = prepared.request;
  TARN_CHECK(add_conditions(prepared, request));
  TARN_TRY(auto raw, context_.landing.start());
  std::string start_of_body;
  auto sink = [&](std::string_view bytes) -> Status {
    start_of_body += bytes.substr(0, kErrorBodyMax - std::min(kErrorBodyMax, start_of_body.size()));
    return raw->append(bytes);
  };
  auto response = client.send(request, limits_, sink, [this] { return stopping(); });
  if (!response) {
    Code code = response.error().code;
    passing = code == Code::kUnavailable || code == Code::kTimeout;
    record.error = scrub(response.error().message, prepared.secrets);
    TARN_CHECK(context_.landing.refused(record));
    return response.error();
  }
  record.status = response->status;
  net::HttpHeaders headers = response->headers;
  headers.emplace_back("tarn-final-url", scrub(response->final_url, prepared.secrets));
  record.headers = headers_json(headers);
  if (response->status == 304) {
    return not_modified(std::move(record));
  }
  if (response->status >= 200 && response->status < 300) {
    return keep(*raw, std::move(record), *response);
  }
  passing = is_passing_status(response->status);
  retry_after = passing ? parse_retry_after(response->header("retry-after"), context_.task.env.clock->now())
                        : std::nullopt;
  std::replace_if(start_of_body.begin(), start_of_body.end(), [](unsigned char c) { return c < 32; }, ' ');
  Error error{passing ? Code::kUnavailable : Code::kFailed,
              fmt::format("{} answered {}: {}", prepared.shown_url, response->status, start_of_body)};
  record.error = scrub(error.message, prepared.secrets);
  TARN_CHECK(context_.landing.refused(record));
  return error;
}

}  // namespace

Result<FetchResult> HttpFetcher::fetch(FetchContext& context) const {
  Run run(*config_, context);
  return run.fetch();
}

void add(Registry& registry) {
  registry.kind("http",
                [](codec::YamlReader& reader, const SourceConfig& shared,
                   Diagnostics& diagnostics) -> std::shared_ptr<const Fetcher> {
                  auto config = read_http_config(reader, shared, diagnostics);
                  if (!config) {
                    return nullptr;
                  }
                  return std::make_shared<HttpFetcher>(std::move(config));
                });
}

}  // namespace tarn::source::http
