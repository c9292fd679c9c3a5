// Goal: whatever a server does, send() ends with the answer or with one sentence and the right code.
// Method: the real client against tests/servers/bad_http.py on loopback.
#include "net/http_client.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "net/bad_server_test.h"

namespace tarn::net {
namespace {

class HttpClientTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_GT(server_.port(), 0) << "python3 tests/servers/bad_http.py did not start"; }

  Result<HttpResponse> get(const std::string& path, const HttpHeaders& headers = {}) {
    return fetch(server_.url(path), headers);
  }
  Result<HttpResponse> fetch(const std::string& url, const HttpHeaders& headers = {}) {
    body_.clear();
    return client_.send({.method = "GET", .url = url, .headers = headers, .body = {}}, limits_,
                        [this](std::string_view bytes) {
                          body_ += bytes;
                          return ok();
                        });
  }
  Error error_of(const std::string& path) {
    auto response = get(path);
    EXPECT_FALSE(response) << path;
    return response ? Error{} : response.error();
  }

  BadServer server_;
  HttpClient client_;
  HttpLimits limits_{.body_bytes_max = 1 << 20, .allow_private_addresses = true, .ca_file = {}};
  std::string body_;
};

TEST_F(HttpClientTest, AnswersWithStatusHeadersAndBody) {
  auto response = get("/ok");
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->header("content-type"), "application/json");
  EXPECT_EQ(response->body_bytes, body_.size());
  EXPECT_EQ(body_.front(), '[');
  auto missing = get("/nothing");
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->status, 404);
}

TEST_F(HttpClientTest, PostSendsItsBody) {
  auto response =
      client_.send({.method = "POST", .url = server_.url("/x"), .headers = {}, .body = "{\"a\": 1}"}, limits_,
                   [this](std::string_view bytes) {
                     body_ += bytes;
                     return ok();
                   });
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_NE(body_.find("{\\\"a\\\": 1}"), std::string::npos) << body_;
}

TEST_F(HttpClientTest, ShortBodyIsAnError) {
  Error error = error_of("/short");
  EXPECT_EQ(error.code, Code::kUnavailable);
  EXPECT_NE(error.message.find("closed the connection before the announced length"), std::string::npos)
      << error.message;
}

TEST_F(HttpClientTest, EndlessAndHugeBodiesStopAtTheLimit) {
  EXPECT_EQ(error_of("/endless").code, Code::kExhausted);
  EXPECT_LE(body_.size(), limits_.body_bytes_max);
  EXPECT_EQ(error_of("/huge").code, Code::kExhausted);
  EXPECT_EQ(body_.size(), 0U);
}

TEST_F(HttpClientTest, FloodOfHeadersIsAnError) {
  Code code = error_of("/headers").code;
  EXPECT_TRUE(code == Code::kExhausted || code == Code::kUnavailable);
}

TEST_F(HttpClientTest, SilenceEndsByTheTotalLimit) {
  limits_.total_timeout = std::chrono::milliseconds(300);
  EXPECT_EQ(error_of("/silent").code, Code::kTimeout);
}

TEST_F(HttpClientTest, ClosedConnectionAndClosedPort) {
  EXPECT_EQ(error_of("/reset").code, Code::kUnavailable);
  auto nobody = fetch("http://127.0.0.1:1/");
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, Code::kUnavailable);
}

TEST_F(HttpClientTest, FollowsARedirectAndKeepsItsBodyOut) {
  auto response = get("/hop");
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->redirects, 1);
  EXPECT_EQ(response->final_url, server_.url("/ok"));
  EXPECT_EQ(body_.find("moved"), std::string::npos);
}

TEST_F(HttpClientTest, RedirectLoopEnds) {
  Error error = error_of("/loop");
  EXPECT_EQ(error.code, Code::kExhausted);
  EXPECT_NE(error.message.find("more than 5 times"), std::string::npos) << error.message;
}

TEST_F(HttpClientTest, RedirectToAFileIsRefused) {
  EXPECT_EQ(error_of("/file").code, Code::kUnavailable);
  EXPECT_EQ(body_, "");
}

// A secret header must not reach another origin: the other server's log shows what came.
TEST_F(HttpClientTest, HeadersStayWithTheirOrigin) {
  BadServer other;
  ASSERT_GT(other.port(), 0);
  auto response = get("/away?to=" + url_encode(other.url("/echo")), {{"X-Key", "secret"}});
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(body_.find("secret"), std::string::npos) << body_;
  ASSERT_TRUE(get("/away?to=" + url_encode(server_.url("/echo")), {{"X-Key", "secret"}}));
  EXPECT_NE(body_.find("secret"), std::string::npos) << body_;
}

TEST_F(HttpClientTest, PrivateAddressesAreRefusedUnlessAllowed) {
  limits_.allow_private_addresses = false;
  HttpClient fresh;
  auto response = fresh.send({.method = "GET", .url = server_.url("/ok"), .headers = {}, .body = {}}, limits_,
                             [](std::string_view) { return ok(); });
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Code::kDenied);
  EXPECT_NE(response.error().message.find("127.0.0.1"), std::string::npos);
}

TEST_F(HttpClientTest, OtherSchemesAreRefused) {
  for (const char* url : {"file:///etc/passwd", "ftp://example.org/x", "gopher://x", "no url", ""}) {
    auto response = fetch(url);
    ASSERT_FALSE(response) << url;
    EXPECT_EQ(response.error().code, Code::kInvalid) << url;
  }
}

TEST_F(HttpClientTest, UntrustedCertificateIsRefused) {
  auto folder = std::filesystem::temp_directory_path() / ("tarn-tls-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  std::string key = folder / "key.pem";
  std::string cert = folder / "cert.pem";
  std::string make =
      "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext "
      "subjectAltName=IP:127.0.0.1 -keyout " +
      key + " -out " + cert + " 2>/dev/null";
  ASSERT_EQ(std::system(make.c_str()), 0);
  {
    BadServer tls({"--tls", cert, key});
    ASSERT_GT(tls.port(), 0);
    std::string url = "https://127.0.0.1:" + std::to_string(tls.port()) + "/ok";
    auto refused = fetch(url);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::kUnavailable);
    EXPECT_NE(refused.error().message.find("TLS certificate"), std::string::npos) << refused.error().message;
    limits_.ca_file = cert;
    auto trusted = fetch(url);
    ASSERT_TRUE(trusted) << trusted.error().message;
    EXPECT_EQ(trusted->status, 200);
  }
  std::filesystem::remove_all(folder);
}

TEST_F(HttpClientTest, CancelAndSinkErrorsEndTheRequest) {
  auto cancelled = client_.send(
      {.method = "GET", .url = server_.url("/endless"), .headers = {}, .body = {}}, limits_,
      [](std::string_view) { return ok(); }, [] { return true; });
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().code, Code::kCancelled);
  auto full = client_.send({.method = "GET", .url = server_.url("/ok"), .headers = {}, .body = {}}, limits_,
                           [](std::string_view) -> Status { return Error{Code::kDiskFull, "no space"}; });
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, Code::kDiskFull);
}

TEST(HttpAddressTest, KnowsPrivateNetworks) {
  for (const char* address :
       {"127.0.0.1", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "0.0.0.0",
        "100.64.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fd00::1", "::ffff:10.0.0.1",
        "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1"}) {
    EXPECT_TRUE(is_private_address(address)) << address;
  }
  for (const char* address : {"8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8"}) {
    EXPECT_FALSE(is_private_address(address)) << address;
  }
}

TEST(HttpUrlTest, OriginAndEncoding) {
  EXPECT_EQ(url_origin("HTTPS://Example.org:443/a?b").value(), "https://example.org");
  EXPECT_EQ(url_origin("http://example.org:8080/").value(), "http://example.org:8080");
  EXPECT_EQ(url_encode("a b&c=d/\xC3\xA9"), "a%20b%26c%3Dd%2F%C3%A9");
}

}  // namespace
}  // namespace tarn::net
