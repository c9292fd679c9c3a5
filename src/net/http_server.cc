#include "net/http_server.h"

#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <list>
#include <thread>

#include <fmt/format.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include "net/http_exchange.h"
#include "net/http_gate.h"

namespace tarn::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using Parser = http::request_parser<http::string_body>;

// How often a waiting connection looks whether its client is still there.
constexpr std::chrono::milliseconds kLook{200};
constexpr std::chrono::milliseconds kSendTimeMax{60'000};
// A page that listens: its socket tells when it closes, so that many of them cost nothing while nothing
// comes.
constexpr std::chrono::milliseconds kPushLook{60'000};

bool peer_closed(tcp::socket& socket) {
  char byte = 0;
  const auto got = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

// The message may quote what a client sent, so bytes that may not be UTF-8 are left out.
std::string error_body(std::string_view code, std::string_view message) {
  std::string escaped;
  for (const char c : message) {
    if (c == '"' || c == '\\')
      escaped += '\\';
    escaped += static_cast<unsigned char>(c) < 0x20 ? ' ' : static_cast<unsigned char>(c) < 0x80 ? c : '?';
  }
  return fmt::format("{{\"error\":{{\"code\":\"{}\",\"message\":\"{}\"}}}}\n", code, escaped);
}

HttpServerRequest request_of(http::request<http::string_body>& message) {
  HttpServerRequest request;
  request.method = std::string(message.method_string());
  for (const auto& field : message) {
    std::string name(field.name_string());
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    // A second Host or Authorization would pass one check and mean another.
    auto& value = request.headers[name];
    if (!value.empty())
      value += ", ";
    value += std::string(field.value());
  }
  request.body = std::move(message.body());
  return request;
}

class Server final : public HttpServer {
 public:
  Server(HttpServerOptions options, HttpHandler handler)
      : options_(std::move(options)),
        handler_(std::move(handler)),
        pool_(static_cast<size_t>(std::max(1, options_.handlers))),
        acceptor_(io_) {}

  ~Server() override { stop(std::chrono::milliseconds{0}); }

  Status listen();
  [[nodiscard]] int port() const override { return port_; }
  void stop(std::chrono::milliseconds patience) override;

 private:
  asio::awaitable<void> accept_all();
  asio::awaitable<void> serve(beast::tcp_stream stream);
  asio::awaitable<bool> serve_one(beast::tcp_stream& stream, beast::flat_buffer& buffer);
  asio::awaitable<bool> send(beast::tcp_stream& stream, std::shared_ptr<HttpExchange> exchange);
  asio::awaitable<void> wait_for_output(beast::tcp_stream& stream, HttpExchange& exchange);
  asio::awaitable<bool> send_refusal(beast::tcp_stream& stream, int status, std::string body);
  void start_handler(std::shared_ptr<HttpExchange> exchange);

  const HttpServerOptions options_;
  const HttpHandler handler_;
  asio::io_context io_{1};
  asio::thread_pool pool_;
  tcp::acceptor acceptor_;
  std::thread thread_;
  int port_ = 0;
  bool stopped_ = false;
  // Touched by the socket thread only.
  bool stopping_ = false;
  int connections_ = 0;
  std::list<tcp::socket*> idle_;
  std::set<HttpExchange*> running_exchanges_;
  std::atomic<int> requests_{0};
};

Status Server::listen() {
  const auto host = options_.host == "localhost" ? std::string("127.0.0.1") : options_.host;
  ErrorCode error;
  const auto address = asio::ip::make_address(host, error);
  if (error)
    return Error{Code::kInvalid, fmt::format("'{}' is not an address to listen on; use 127.0.0.1", host)};
  if (!address.is_loopback() && !options_.allow_public) {
    return Error{
        Code::kDenied,
        fmt::format("{} can be reached from other machines, and there is no TLS yet; listen on 127.0.0.1, or "
                    "say --allow-public if the network is trusted",
                    host)};
  }
  const tcp::endpoint endpoint(address, static_cast<uint16_t>(options_.port));
  acceptor_.open(endpoint.protocol(), error);
  if (!error)
    acceptor_.set_option(asio::socket_base::reuse_address(true), error);
  if (!error)
    acceptor_.bind(endpoint, error);
  if (!error)
    acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return Error{Code::kUnavailable,
                 fmt::format("cannot listen on {}:{}: {}; choose another port with --http", host,
                             options_.port, error.message())};
  }
  port_ = acceptor_.local_endpoint().port();
  asio::co_spawn(io_, accept_all(), asio::detached);
  thread_ = std::thread([this] { io_.run(); });
  return ok();
}

asio::awaitable<void> Server::accept_all() {
  while (!stopping_) {
    ErrorCode error;
    auto socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (stopping_ || error == asio::error::operation_aborted)
      co_return;
    if (error) {  // out of descriptors and the like: wait, as busy clients will give some back
      asio::steady_timer pause(io_, kLook);
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
      continue;
    }
    if (connections_ >= options_.connections_max)
      continue;  // closes it
    ++connections_;
    beast::tcp_stream stream(std::move(socket));
    asio::co_spawn(io_, serve(std::move(stream)), asio::detached);
  }
}

asio::awaitable<void> Server::serve(beast::tcp_stream stream) {
  ErrorCode error;
  stream.socket().set_option(tcp::no_delay(true), error);
  beast::flat_buffer buffer;
  bool more = true;
  while (more && !stopping_) {
    if (buffer.size() == 0) {
      stream.expires_after(options_.idle_time_max);
      idle_.push_back(&stream.socket());
      const auto place = std::prev(idle_.end());
      // Reads a byte or more of the next request; the time for the request starts with it.
      auto room = buffer.prepare(4096);
      const size_t got =
          co_await stream.async_read_some(room, asio::redirect_error(asio::use_awaitable, error));
      idle_.erase(place);
      if (error)
        break;
      buffer.commit(got);
    }
    more = co_await serve_one(stream, buffer);
  }
  stream.socket().shutdown(tcp::socket::shutdown_both, error);
  --connections_;
}

asio::awaitable<bool> Server::send_refusal(beast::tcp_stream& stream, int status, std::string body) {
  auto text = fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: "
      "close\r\n{}\r\n{}",
      status, reason_of(status), body.size(), status == 401 ? "WWW-Authenticate: Bearer\r\n" : "", body);
  ErrorCode error;
  stream.expires_after(kSendTimeMax);
  co_await asio::async_write(stream, asio::buffer(text), asio::redirect_error(asio::use_awaitable, error));
  co_return false;
}

// Answers one request; false when the connection must be closed.
asio::awaitable<bool> Server::serve_one(beast::tcp_stream& stream, beast::flat_buffer& buffer) {
  Parser parser;
  parser.header_limit(options_.header_bytes_max);
  parser.body_limit(options_.body_bytes_max);
  stream.expires_after(options_.read_time_max);
  ErrorCode error;
  co_await http::async_read_header(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
  HttpServerRequest request;
  if (!error) {
    // The gate comes before the body: nobody without a token makes the server keep one.
    request = request_of(parser.get());
    if (!read_target(std::string(parser.get().target()), request)) {
      co_return co_await send_refusal(stream, 400,
                                      error_body("invalid", "the request's target is malformed"));
    }
    const auto refusal = refuse(options_, request);
    if (refusal) {
      auto body = options_.refusal_body ? options_.refusal_body(request, refusal->status, refusal->message)
                                        : std::string();
      if (body.empty()) {
        body = error_body(refusal->status == 401 || refusal->status == 403 ? "denied" : "invalid",
                          refusal->message);
      }
      co_return co_await send_refusal(stream, refusal->status, std::move(body));
    }
    if (beast::iequals(parser.get()[http::field::expect], "100-continue")) {
      const std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
      co_await asio::async_write(stream, asio::buffer(go_on),
                                 asio::redirect_error(asio::use_awaitable, error));
    }
  }
  if (!error)
    co_await http::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
  if (error == http::error::end_of_stream || error == beast::error::timeout)
    co_return false;
  if (error == http::error::body_limit) {
    auto body =
        error_body("exhausted", fmt::format("the body is larger than {} bytes", options_.body_bytes_max));
    co_return co_await send_refusal(stream, 413, std::move(body));
  }
  if (error == http::error::header_limit) {
    auto body =
        error_body("exhausted", fmt::format("the header is larger than {} bytes", options_.header_bytes_max));
    co_return co_await send_refusal(stream, 431, std::move(body));
  }
  if (error) {
    co_return co_await send_refusal(stream, 400, error_body("invalid", "not a request: " + error.message()));
  }
  request.body = std::move(parser.get().body());
  if (requests_.load() >= options_.handlers + options_.waiting_max) {
    co_return co_await send_refusal(stream, 503,
                                    error_body("exhausted", "too many requests at once; try again"));
  }
  auto exchange = std::make_shared<HttpExchange>(io_, std::move(request), parser.get().keep_alive());
  start_handler(exchange);
  running_exchanges_.insert(exchange.get());
  const bool more = co_await send(stream, exchange);
  running_exchanges_.erase(exchange.get());
  co_return more;
}

void Server::start_handler(std::shared_ptr<HttpExchange> exchange) {
  requests_.fetch_add(1);
  asio::post(pool_, [this, exchange = std::move(exchange)] {
    handler_(exchange->request(), *exchange);
    exchange->finish();
    requests_.fetch_sub(1);
  });
}

// A client that closed its side may still read: it asked for an end, and gets the answer there is.
asio::awaitable<void> Server::wait_for_output(beast::tcp_stream& stream, HttpExchange& exchange) {
  using asio::experimental::awaitable_operators::operator||;
  ErrorCode error, ignored;
  exchange.wake().expires_after(exchange.is_detached() ? kPushLook : kLook);
  // Bytes of a next request would make the socket ready at once, again and again.
  if (exchange.is_gone() || stream.socket().available(ignored) > 0) {
    co_await exchange.wake().async_wait(asio::redirect_error(asio::use_awaitable, error));
  } else {
    co_await (exchange.wake().async_wait(asio::redirect_error(asio::use_awaitable, error)) ||
              stream.socket().async_wait(tcp::socket::wait_read,
                                         asio::redirect_error(asio::use_awaitable, ignored)));
  }
  if (!exchange.has_output() && peer_closed(stream.socket()))
    exchange.set_gone();
}

asio::awaitable<bool> Server::send(beast::tcp_stream& stream, std::shared_ptr<HttpExchange> exchange) {
  ErrorCode error;
  stream.expires_never();
  while (true) {
    if (!exchange->has_output()) {
      if (exchange->is_detached() && exchange->is_gone())
        co_return false;
      co_await wait_for_output(stream, *exchange);
      continue;
    }
    auto outgoing = exchange->take();
    auto text = std::move(outgoing.head);
    text += outgoing.bytes;
    if (!text.empty()) {
      stream.expires_after(kSendTimeMax);
      co_await asio::async_write(stream, asio::buffer(text),
                                 asio::redirect_error(asio::use_awaitable, error));
      if (error) {
        exchange->set_gone();
        co_return false;
      }
    }
    if (outgoing.broken)
      co_return false;
    if (outgoing.finished)
      co_return exchange->keep_alive();
  }
}

void Server::stop(std::chrono::milliseconds patience) {
  if (std::exchange(stopped_, true))
    return;
  if (!thread_.joinable())
    return;
  asio::post(io_, [this] {
    stopping_ = true;
    ErrorCode error;
    acceptor_.close(error);
    for (auto* socket : idle_)
      socket->cancel(error);
  });
  const auto end = std::chrono::steady_clock::now() + patience;
  while (requests_.load() > 0 && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  asio::post(io_, [this] {
    for (auto* exchange : running_exchanges_) {
      exchange->set_gone();
      exchange->wake().cancel();
    }
  });
  pool_.join();
  // The handlers are done; their last bytes leave within the send time, unless a client does not read.
  for (int i = 0; i < 200 && !io_.stopped(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  io_.stop();
  thread_.join();
}

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::start(HttpServerOptions options, HttpHandler handler) {
  auto server = std::make_unique<Server>(std::move(options), std::move(handler));
  TARN_CHECK(server->listen());
  return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace tarn::net
