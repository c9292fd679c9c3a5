#include "net/local_client.h"

#include <array>

#include <fmt/format.h>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

namespace tarn::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using ErrorCode = boost::system::error_code;

Error unreachable(const LocalRequest& request, std::string_view reason) {
  return Error{Code::kUnavailable,
               fmt::format("the server at {}:{} does not answer properly: {}; see whether 'tarn "
                           "serve' still runs",
                           request.host, request.port, reason)};
}

http::request<http::string_body> message_of(const LocalRequest& request) {
  http::request<http::string_body> message;
  message.version(11);
  message.method_string(request.method);
  message.target(request.target);
  message.set(http::field::host, fmt::format("{}:{}", request.host, request.port));
  message.set(http::field::authorization, "Bearer " + request.token);
  message.set(http::field::connection, "close");
  if (!request.body.empty())
    message.set(http::field::content_type, "application/json");
  message.body() = request.body;
  message.prepare_payload();
  return message;
}

Result<int> exchange(asio::ip::tcp::socket& socket, const LocalRequest& request, const AnswerSink& sink) {
  ErrorCode error;
  http::write(socket, message_of(request), error);
  if (error)
    return unreachable(request, error.message());
  if (request.on_sent)
    request.on_sent(socket.native_handle());
  beast::flat_buffer buffer;
  http::response_parser<http::buffer_body> parser;
  parser.body_limit(boost::none);
  http::read_header(socket, buffer, parser, error);
  if (error)
    return unreachable(request, error.message());
  std::array<char, 64 * 1024> bytes{};
  while (!parser.is_done()) {
    parser.get().body().data = bytes.data();
    parser.get().body().size = bytes.size();
    http::read(socket, buffer, parser, error);
    if (error && error != http::error::need_buffer)
      return unreachable(request, error.message());
    const size_t got = bytes.size() - parser.get().body().size;
    if (got > 0 && !sink(static_cast<int>(parser.get().result_int()), {bytes.data(), got}))
      return Error{Code::kCancelled, "the answer was not read to its end"};
  }
  return static_cast<int>(parser.get().result_int());
}

}  // namespace

Result<int> send_local(const LocalRequest& request, const AnswerSink& sink) {
  ErrorCode error;
  const auto address = asio::ip::make_address(request.host, error);
  if (error)
    return unreachable(request, "its host is not an address");
  asio::io_context io;
  asio::ip::tcp::socket socket(io);
  socket.connect({address, static_cast<uint16_t>(request.port)}, error);
  if (error)
    return unreachable(request, error.message());
  socket.set_option(asio::ip::tcp::no_delay(true), error);
  auto status = exchange(socket, request, sink);
  if (request.on_sent)
    request.on_sent(-1);
  return status;
}

Result<LocalAnswer> call_local(const LocalRequest& request) {
  LocalAnswer answer;
  TARN_TRY(answer.status, send_local(request, [&answer](int, std::string_view bytes) {
             answer.body += bytes;
             return true;
           }));
  return answer;
}

}  // namespace tarn::net
