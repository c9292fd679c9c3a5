#include "net/http_exchange.h"

#include <algorithm>

#include <fmt/format.h>
#include <boost/asio/post.hpp>
#include <boost/beast/http/status.hpp>

namespace tarn::net {
namespace {

constexpr size_t kQueuedBytesMax = 1024 * 1024;
constexpr size_t kPushedBytesMax = 256 * 1024;

bool is_header_text(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

// Pages say more; everything else is data, which must not be framed, sniffed, or run as a page.
const HttpHeaders kUsualHeaders = {
    {"Cache-Control", "no-store"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox"},
};

class Push final : public HttpPush {
 public:
  explicit Push(std::shared_ptr<HttpExchange> exchange) : exchange_(std::move(exchange)) {}
  ~Push() override { exchange_->end_push(); }
  Push(const Push&) = delete;
  Push& operator=(const Push&) = delete;
  bool push(std::string_view bytes) override { return exchange_->push(bytes); }
  void close() override { exchange_->end_push(); }
  [[nodiscard]] bool is_gone() const override { return exchange_->is_gone(); }

 private:
  const std::shared_ptr<HttpExchange> exchange_;
};

}  // namespace

std::string_view reason_of(int status) {
  const auto reason = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
  return {reason.data(), reason.size()};
}

HttpExchange::HttpExchange(boost::asio::io_context& io, HttpServerRequest request, bool keep_alive)
    : io_(io), request_(std::move(request)), keep_alive_(keep_alive), wake_(io) {}

std::string HttpExchange::head(int status, std::string_view content_type, const HttpHeaders& headers,
                               const std::string& framing) const {
  auto text =
      fmt::format("HTTP/1.1 {} {}\r\nConnection: {}\r\n{}", status, reason_of(status),
                  keep_alive_ ? "keep-alive" : "close", status == 401 ? "WWW-Authenticate: Bearer\r\n" : "");
  if (status != 204 && status != 304)  // these have no body, nor a length of one
    text += fmt::format("Content-Type: {}\r\n{}\r\n", content_type, framing);
  for (const auto& [name, value] : headers) {
    if (is_header_text(name) && is_header_text(value))
      text += fmt::format("{}: {}\r\n", name, value);
  }
  for (const auto& usual : kUsualHeaders) {
    const auto is_same = [&usual](const auto& header) { return header.first == usual.first; };
    if (std::none_of(headers.begin(), headers.end(), is_same))
      text += fmt::format("{}: {}\r\n", usual.first, usual.second);
  }
  return text + "\r\n";
}

void HttpExchange::answer(int status, std::string_view content_type, std::string body) {
  answer(status, content_type, {}, std::move(body));
}

void HttpExchange::answer(int status, std::string_view content_type, const HttpHeaders& headers,
                          std::string body) {
  {
    const std::lock_guard lock(mutex_);
    if (begun_ || finished_)
      return;
    begun_ = finished_ = true;
    head_ = head(status, content_type, headers, fmt::format("Content-Length: {}", body.size()));
    if (request_.method != "HEAD" && status != 204 && status != 304)
      bytes_ = std::move(body);
  }
  notify();
}

Status HttpExchange::begin(int status, std::string_view content_type, const HttpHeaders& headers) {
  const std::lock_guard lock(mutex_);
  if (begun_)
    return Error{Code::kInternal, "the answer was begun twice"};
  begun_ = chunked_ = true;
  head_ = head(status, content_type, headers, "Transfer-Encoding: chunked");
  return ok();
}

std::shared_ptr<HttpPush> HttpExchange::detach(int status, std::string_view content_type,
                                               const HttpHeaders& headers) {
  if (!begin(status, content_type, headers))
    return nullptr;
  {
    const std::lock_guard lock(mutex_);
    detached_ = true;
  }
  notify();
  return std::make_shared<Push>(shared_from_this());
}

bool HttpExchange::push(std::string_view bytes) {
  bool is_slow = false;
  {
    const std::lock_guard lock(mutex_);
    if (gone_ || broken_ || finished_)
      return false;
    is_slow = bytes_.size() + bytes.size() > kPushedBytesMax;
    if (is_slow) {
      broken_ = finished_ = gone_ = true;
      bytes_.clear();
    } else {
      append_chunk(bytes);
    }
  }
  notify();
  return !is_slow;
}

void HttpExchange::end_push() {
  {
    const std::lock_guard lock(mutex_);
    if (finished_)
      return;
    bytes_ += "0\r\n\r\n";
    finished_ = true;
  }
  notify();
}

bool HttpExchange::is_detached() const {
  const std::lock_guard lock(mutex_);
  return detached_;
}

void HttpExchange::append_chunk(std::string_view bytes) {
  bytes_ += fmt::format("{:x}\r\n", bytes.size());
  bytes_ += bytes;
  bytes_ += "\r\n";
}

Status HttpExchange::write(std::string_view bytes) {
  if (bytes.empty() || request_.method == "HEAD")
    return ok();
  {
    std::unique_lock lock(mutex_);
    drained_.wait(lock, [this] { return gone_ || broken_ || bytes_.size() < kQueuedBytesMax; });
    if (gone_ || broken_)
      return Error{Code::kCancelled, "the client closed the connection"};
    append_chunk(bytes);
  }
  notify();
  return ok();
}

void HttpExchange::break_off() {
  {
    const std::lock_guard lock(mutex_);
    broken_ = finished_ = true;
  }
  notify();
}

bool HttpExchange::is_gone() const {
  const std::lock_guard lock(mutex_);
  return gone_;
}

void HttpExchange::on_gone(std::function<void()> callback) {
  const std::lock_guard lock(mutex_);
  on_gone_ = std::move(callback);
  if (gone_ && on_gone_)
    on_gone_();
}

void HttpExchange::finish() {
  on_gone({});
  if (is_detached())
    return;
  bool silent = false;
  {
    const std::lock_guard lock(mutex_);
    silent = !begun_;
    if (chunked_ && !finished_) {
      if (request_.method != "HEAD")
        bytes_ += "0\r\n\r\n";
      finished_ = true;
    }
  }
  if (silent) {
    answer(500, "application/json",
           "{\"error\":{\"code\":\"internal\",\"message\":\"the handler gave no answer\"}}\n");
  }
  notify();
}

Outgoing HttpExchange::take() {
  Outgoing outgoing;
  {
    const std::lock_guard lock(mutex_);
    outgoing.head = std::exchange(head_, {});
    outgoing.bytes = std::exchange(bytes_, {});
    outgoing.finished = finished_;
    outgoing.broken = broken_;
  }
  drained_.notify_all();
  return outgoing;
}

bool HttpExchange::has_output() const {
  const std::lock_guard lock(mutex_);
  return !head_.empty() || !bytes_.empty() || finished_;
}

void HttpExchange::set_gone() {
  {
    const std::lock_guard lock(mutex_);
    if (gone_)
      return;
    gone_ = true;
    if (on_gone_)
      on_gone_();
  }
  drained_.notify_all();
}

void HttpExchange::notify() {
  boost::asio::post(io_, [self = shared_from_this()] { self->wake_.cancel(); });
}

}  // namespace tarn::net
