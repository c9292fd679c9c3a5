// One request and its answer, between the handler's thread (which fills) and the socket's (which sends).
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "net/http_server.h"

namespace tarn::net {

// What the socket's side finds to send.
struct Outgoing {
  std::string head;   // status line and headers; not empty once, first
  std::string bytes;  // body, framed already
  bool finished = false;
  bool broken = false;  // close the connection now
};

class HttpExchange : public HttpServerResponse, public std::enable_shared_from_this<HttpExchange> {
 public:
  HttpExchange(boost::asio::io_context& io, HttpServerRequest request, bool keep_alive);

  // The handler's side.
  void answer(int status, std::string_view content_type, std::string body) override;
  void answer(int status, std::string_view content_type, const HttpHeaders& headers,
              std::string body) override;
  Status begin(int status, std::string_view content_type, const HttpHeaders& headers) override;
  std::shared_ptr<HttpPush> detach(int status, std::string_view content_type,
                                   const HttpHeaders& headers) override;
  Status write(std::string_view bytes) override;
  void break_off() override;
  [[nodiscard]] bool is_gone() const override;
  void on_gone(std::function<void()> callback) override;
  void finish();  // after the handler returned; a detached answer goes on
  bool push(std::string_view bytes);
  void end_push();
  [[nodiscard]] const HttpServerRequest& request() const { return request_; }

  // The socket's side.
  Outgoing take();
  [[nodiscard]] bool has_output() const;
  void set_gone();
  boost::asio::steady_timer& wake() { return wake_; }
  [[nodiscard]] bool keep_alive() const { return keep_alive_; }
  [[nodiscard]] bool is_detached() const;

 private:
  std::string head(int status, std::string_view content_type, const HttpHeaders& headers,
                   const std::string& framing) const;
  void append_chunk(std::string_view bytes);  // under mutex_
  void notify();

  boost::asio::io_context& io_;
  const HttpServerRequest request_;
  const bool keep_alive_;
  boost::asio::steady_timer wake_;  // the socket's thread only

  mutable std::mutex mutex_;
  std::condition_variable drained_;
  std::string head_, bytes_;
  bool begun_ = false, finished_ = false, broken_ = false, gone_ = false, chunked_ = false, detached_ = false;
  std::function<void()> on_gone_;
};

std::string_view reason_of(int status);

}  // namespace tarn::net
