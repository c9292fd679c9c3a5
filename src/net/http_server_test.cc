// Goal: only a request with our Host, no foreign Origin and the token reaches a handler; answers stream with
// back pressure; a client that hangs up is noticed; limits hold. Method: real sockets on loopback, port 0.
#include "net/http_server.h"

#include <sys/socket.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "net/local_client.h"

namespace tarn::net {
namespace {

using boost::asio::ip::tcp;
using testing::HasSubstr;
using testing::StartsWith;

class HttpServerTest : public testing::Test {
 protected:
  void start(HttpHandler handler, HttpServerOptions options = {}) {
    options.token = "secret";
    options.open_paths = {"/healthz"};
    auto server = HttpServer::start(std::move(options), std::move(handler));
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
  }

  LocalRequest request(std::string target, std::string method = "GET") {
    LocalRequest asked;
    asked.port = server_->port();
    asked.token = "secret";
    asked.method = std::move(method);
    asked.target = std::move(target);
    return asked;
  }

  // Sends the bytes as they are and reads until the server closes.
  std::string raw(const std::string& text) {
    boost::asio::io_context io;
    tcp::socket socket(io);
    socket.connect({boost::asio::ip::make_address("127.0.0.1"), static_cast<uint16_t>(server_->port())});
    boost::system::error_code error;
    boost::asio::write(socket, boost::asio::buffer(text), error);
    std::string answer;
    boost::asio::read(socket, boost::asio::dynamic_buffer(answer), error);
    return answer;
  }

  std::unique_ptr<HttpServer> server_;
};

HttpHandler echo() {
  return [](const HttpServerRequest& request, HttpServerResponse& response) {
    const auto x = request.query.find("x");
    response.answer(200, "text/plain",
                    request.method + " " + request.path + " " + (x == request.query.end() ? "" : x->second) +
                        " " + request.body);
  };
}

TEST_F(HttpServerTest, AnswersWithDecodedTargetAndBody) {
  start(echo());
  auto asked = request("/a%20b?x=1%2B2&y=", "POST");
  asked.body = "{}";
  const auto answer = call_local(asked);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "POST /a b 1+2 {}");
}

TEST_F(HttpServerTest, TokenIsNeededButForOpenPaths) {
  start(echo());
  auto asked = request("/x");
  asked.token = "secrex";
  EXPECT_EQ(call_local(asked)->status, 401);
  asked.token = "";
  EXPECT_EQ(call_local(asked)->status, 401);
  asked.target = "/healthz";
  EXPECT_EQ(call_local(asked)->status, 200);
}

TEST_F(HttpServerTest, ForeignHostAndOriginAreRefused) {
  start(echo());
  const std::string auth = "Authorization: Bearer secret\r\nConnection: close\r\n";
  EXPECT_THAT(raw("GET / HTTP/1.1\r\nHost: evil.example\r\n" + auth + "\r\n"), StartsWith("HTTP/1.1 421"));
  EXPECT_THAT(raw("GET / HTTP/1.1\r\n" + auth + "\r\n"), StartsWith("HTTP/1.1 421"));
  EXPECT_THAT(raw("GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n" + auth + "\r\n"),
              StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(raw("GET / HTTP/1.1\r\nHost: localhost:1\r\nOrigin: http://localhost:1\r\n" + auth + "\r\n"),
              StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, TwoRequestsOnOneConnection) {
  start(echo());
  const auto answers = raw(
      "GET /one HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret\r\n\r\n"
      "GET /two HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answers, HasSubstr("GET /one"));
  EXPECT_THAT(answers, HasSubstr("GET /two"));
}

TEST_F(HttpServerTest, LimitsOnHeaderAndBody) {
  HttpServerOptions options;
  options.header_bytes_max = 1024;
  options.body_bytes_max = 10;
  start(echo(), options);
  const std::string start_line = "POST / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret\r\n";
  EXPECT_THAT(raw(start_line + "X: " + std::string(2000, 'x') + "\r\n\r\n"), StartsWith("HTTP/1.1 431"));
  EXPECT_THAT(raw(start_line + "Content-Length: 11\r\n\r\n01234567890"), StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(raw("nonsense\r\n\r\n"), StartsWith("HTTP/1.1 400"));
}

TEST_F(HttpServerTest, ASlowRequestIsDropped) {
  HttpServerOptions options;
  options.read_time_max = std::chrono::milliseconds{50};
  start(echo(), options);
  EXPECT_EQ(raw("GET / HTTP/1.1\r\nHost: local"), "");
}

TEST_F(HttpServerTest, StreamsMoreThanItsQueueHolds) {
  start([](const HttpServerRequest&, HttpServerResponse& response) {
    ASSERT_TRUE(response.begin(200, "text/plain", {{"X-One", "1"}}));
    for (int i = 0; i < 5000; ++i)
      ASSERT_TRUE(response.write(std::string(1000, 'a')));
  });
  const auto answer = call_local(request("/"));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body.size(), 5'000'000U);
}

TEST_F(HttpServerTest, ABrokenAnswerIsNoticed) {
  start([](const HttpServerRequest&, HttpServerResponse& response) {
    ASSERT_TRUE(response.begin(200, "text/plain", {}));
    ASSERT_TRUE(response.write("half"));
    response.break_off();
  });
  EXPECT_FALSE(call_local(request("/")));
}

TEST_F(HttpServerTest, AClientThatClosedItsSideGetsTheAnswer) {
  start([&](const HttpServerRequest&, HttpServerResponse& response) {
    std::promise<void> gone;
    response.on_gone([&] { gone.set_value(); });
    EXPECT_EQ(gone.get_future().wait_for(std::chrono::seconds{20}), std::future_status::ready);
    response.on_gone({});
    response.answer(200, "text/plain", "stopped");
  });
  auto asked = request("/");
  asked.on_sent = [](int socket) {
    if (socket >= 0)
      EXPECT_EQ(::shutdown(socket, SHUT_WR), 0);
  };
  const auto answer = call_local(asked);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, "stopped");
}

TEST_F(HttpServerTest, AHandlerHearsThatItsClientLeft) {
  std::mutex mutex;
  std::condition_variable heard;
  bool gone = false;
  start([&](const HttpServerRequest&, HttpServerResponse& response) {
    response.on_gone([&] {
      const std::lock_guard lock(mutex);
      gone = true;
      heard.notify_all();
    });
    std::unique_lock lock(mutex);
    EXPECT_TRUE(heard.wait_for(lock, std::chrono::seconds{20}, [&] { return gone; }));
    lock.unlock();
    response.on_gone({});
  });
  boost::asio::io_context io;
  {
    tcp::socket socket(io);
    socket.connect({boost::asio::ip::make_address("127.0.0.1"), static_cast<uint16_t>(server_->port())});
    const std::string text = "GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret\r\n\r\n";
    boost::asio::write(socket, boost::asio::buffer(text));
  }
  std::unique_lock lock(mutex);
  EXPECT_TRUE(heard.wait_for(lock, std::chrono::seconds{20}, [&] { return gone; }));
  lock.unlock();
  server_->stop(std::chrono::seconds{5});
}

TEST_F(HttpServerTest, StopWaitsForARunningRequest) {
  std::atomic<bool> inside{false};
  std::atomic<bool> let_go{false};
  start([&](const HttpServerRequest&, HttpServerResponse& response) {
    inside = true;
    inside.notify_all();
    let_go.wait(false);
    response.answer(200, "text/plain", "done");
  });
  std::string body;
  std::thread client([&] {
    const auto answer = call_local(request("/"));
    if (answer)
      body = answer->body;
  });
  inside.wait(false);
  std::thread stopper([&] { server_->stop(std::chrono::seconds{20}); });
  let_go = true;
  let_go.notify_all();
  stopper.join();
  client.join();
  EXPECT_EQ(body, "done");
  EXPECT_FALSE(call_local(request("/")));
}

// Everything that a browser sends with the cookie of a login, but what a page of another site cannot send.
HttpServerOptions with_sessions() {
  HttpServerOptions options;
  options.knows_session = [](std::string_view secret) { return secret == "mine"; };
  options.is_open = [](const HttpServerRequest& request) { return request.path == "/login"; };
  return options;
}

TEST_F(HttpServerTest, ASessionsCookieStandsForTheToken) {
  start(echo(), with_sessions());
  const std::string head = " / HTTP/1.1\r\nHost: localhost:7\r\nConnection: close\r\n";
  EXPECT_THAT(raw("GET" + head + "Cookie: a=b; tarn_7=mine\r\n\r\n"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(raw("GET" + head + "Cookie: tarn_7=other\r\n\r\n"), StartsWith("HTTP/1.1 401"));
  // The cookie of a server on another port of this host.
  EXPECT_THAT(raw("GET" + head + "Cookie: tarn_8=mine\r\n\r\n"), StartsWith("HTTP/1.1 401"));
  EXPECT_THAT(raw("GET" + head + "\r\n"), StartsWith("HTTP/1.1 401"));
  EXPECT_THAT(raw("GET /login HTTP/1.1\r\nHost: localhost:7\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, PagesOfOtherSitesGainNothingByTheCookie) {
  start(echo(), with_sessions());
  const std::string head = " / HTTP/1.1\r\nHost: localhost:7\r\nConnection: close\r\nCookie: tarn_7=mine\r\n";
  const auto status = [&](const std::string& method, const std::string& headers) {
    return raw(method + head + headers + "\r\n").substr(9, 3);
  };
  const std::string own = "Sec-Fetch-Site: same-origin\r\n", page = "X-Tarn-Page: 1\r\n";
  EXPECT_EQ(status("GET", "Sec-Fetch-Site: none\r\n"), "200");
  EXPECT_EQ(status("GET", "Sec-Fetch-Site: cross-site\r\n"), "403");
  EXPECT_EQ(status("GET", "Sec-Fetch-Site: same-site\r\n"), "403");
  EXPECT_EQ(status("POST", own + page), "200");
  EXPECT_EQ(status("POST", "Origin: http://localhost:7\r\n" + page), "200");
  EXPECT_EQ(status("POST", own), "403");
  EXPECT_EQ(status("POST", page), "403");
  EXPECT_EQ(status("POST", "Sec-Fetch-Site: none\r\n" + page), "403");
  EXPECT_EQ(status("POST", "Origin: http://localhost:8\r\n" + own + page), "403");
  EXPECT_EQ(status("DELETE", own), "403");
}

TEST_F(HttpServerTest, DataMayNotBeFramedSniffedOrRun) {
  start([](const HttpServerRequest&, HttpServerResponse& response) {
    response.answer(200, "text/plain", {{"Cache-Control", "no-cache"}}, "x");
  });
  const auto answer =
      raw("GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("X-Frame-Options: DENY\r\n"));
  EXPECT_THAT(answer, HasSubstr("X-Content-Type-Options: nosniff\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Security-Policy: default-src 'none'"));
  EXPECT_THAT(answer, HasSubstr("Cache-Control: no-cache\r\n"));
  EXPECT_THAT(answer, testing::Not(HasSubstr("no-store")));
}

// Keeps the answers that the handlers left open.
class Pushes {
 public:
  HttpHandler handler() {
    return [this](const HttpServerRequest& request, HttpServerResponse& response) {
      if (request.path != "/events")
        return response.answer(200, "text/plain", "here");
      auto push = response.detach(200, "text/event-stream", {});
      const std::lock_guard lock(mutex_);
      all_.push_back(std::move(push));
      came_.notify_all();
    };
  }
  std::vector<std::shared_ptr<HttpPush>> wait_for(size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(came_.wait_for(lock, std::chrono::seconds{20}, [&] { return all_.size() >= count; }));
    return all_;
  }
  void drop() {
    const std::lock_guard lock(mutex_);
    all_.clear();
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<std::shared_ptr<HttpPush>> all_;
};

TEST_F(HttpServerTest, APushedAnswerHoldsNoHandler) {
  Pushes pushes;
  HttpServerOptions options;
  options.handlers = 1;
  start(pushes.handler(), options);
  std::vector<std::thread> clients;
  std::atomic<int> whole{0};
  for (int i = 0; i < 20; ++i) {
    clients.emplace_back([&] {
      const auto answer = call_local(request("/events"));
      if (answer && answer->body == "one two")
        ++whole;
    });
  }
  for (const auto& push : pushes.wait_for(20))
    EXPECT_TRUE(push->push("one "));
  EXPECT_EQ(call_local(request("/"))->body, "here");
  for (const auto& push : pushes.wait_for(20))
    EXPECT_TRUE(push->push("two"));
  pushes.drop();
  for (auto& client : clients)
    client.join();
  EXPECT_EQ(whole, 20);
}

TEST_F(HttpServerTest, ASlowReaderOfPushesIsDropped) {
  Pushes pushes;
  start(pushes.handler());
  boost::asio::io_context io;
  tcp::socket socket(io);
  socket.connect({boost::asio::ip::make_address("127.0.0.1"), static_cast<uint16_t>(server_->port())});
  const std::string text = "GET /events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret\r\n\r\n";
  boost::asio::write(socket, boost::asio::buffer(text));
  const auto push = pushes.wait_for(1).front();
  const std::string much(64 * 1024, 'x');
  int pushed = 0;  // the sockets' own buffers take some megabytes
  while (pushed < 10'000 && push->push(much))
    ++pushed;
  EXPECT_LT(pushed, 10'000);
  EXPECT_TRUE(push->is_gone());
  EXPECT_FALSE(push->push("more"));
}

TEST_F(HttpServerTest, StopEndsPushedAnswers) {
  Pushes pushes;
  start(pushes.handler());
  std::thread client([&] { (void)call_local(request("/events")); });
  const auto push = pushes.wait_for(1).front();
  server_->stop(std::chrono::seconds{1});
  client.join();
  EXPECT_FALSE(push->push("late"));
}

TEST(HttpServerBindTest, PublicAddressesNeedAWord) {
  HttpServerOptions options;
  options.host = "0.0.0.0";
  const auto server = HttpServer::start(options, echo());
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code, Code::kDenied);
}

TEST(HttpServerBindTest, SecretsAreCompared) {
  EXPECT_TRUE(same_secret("abc", "abc"));
  EXPECT_FALSE(same_secret("abc", "abd"));
  EXPECT_FALSE(same_secret("abc", "abcabc"));
  EXPECT_FALSE(same_secret("abc", ""));
}

}  // namespace
}  // namespace tarn::net
