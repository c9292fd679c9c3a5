#include "net/http_exchange.h"

#include <fmt/format.h>
#include <boost/asio/post.hpp>
#include <boost/beast/http/status.hpp>

namespace tarn::net {
namespace {

constexpr size_t kQueuedBytesMax = 1024 * 1024;

bool is_header_text(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

}  // namespace

std::string_view reason_of(int status) {
  const auto reason = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
  return {reason.data(), reason.size()};
}

HttpExchange::HttpExchange(boost::asio::io_context& io, HttpServerRequest request, bool keep_alive)
    : io_(io), request_(std::move(request)), keep_alive_(keep_alive), wake_(io) {}

std::string HttpExchange::head(int status, std::string_view content_type, const std::string& framing) const {
  return fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: {}\r\n{}\r\nConnection: {}\r\nCache-Control: no-store\r\n"
      "X-Content-Type-Options: nosniff\r\n{}",
      status, reason_of(status), content_type, framing, keep_alive_ ? "keep-alive" : "close",
      status == 401 ? "WWW-Authenticate: Bearer\r\n" : "");
}

void HttpExchange::answer(int status, std::string_view content_type, std::string body) {
  {
    const std::lock_guard lock(mutex_);
    if (begun_ || finished_)
      return;
    begun_ = finished_ = true;
    head_ = head(status, content_type, fmt::format("Content-Length: {}", body.size())) + "\r\n";
    if (request_.method != "HEAD")
      bytes_ = std::move(body);
  }
  notify();
}

Status HttpExchange::begin(int status, std::string_view content_type,
                           const std::vector<std::pair<std::string, std::string>>& headers) {
  const std::lock_guard lock(mutex_);
  if (begun_)
    return Error{Code::kInternal, "the answer was begun twice"};
  begun_ = chunked_ = true;
  head_ = head(status, content_type, "Transfer-Encoding: chunked");
  for (const auto& [name, value] : headers) {
    if (is_header_text(name) && is_header_text(value))
      head_ += fmt::format("{}: {}\r\n", name, value);
  }
  head_ += "\r\n";
  return ok();
}

Status HttpExchange::write(std::string_view bytes) {
  if (bytes.empty() || request_.method == "HEAD")
    return ok();
  {
    std::unique_lock lock(mutex_);
    drained_.wait(lock, [this] { return gone_ || broken_ || bytes_.size() < kQueuedBytesMax; });
    if (gone_ || broken_)
      return Error{Code::kCancelled, "the client closed the connection"};
    bytes_ += fmt::format("{:x}\r\n", bytes.size());
    bytes_ += bytes;
    bytes_ += "\r\n";
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
