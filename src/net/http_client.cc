#include "net/http_client.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <mutex>

#include <fmt/format.h>

namespace tarn::net {
namespace {

using std::chrono::milliseconds;

constexpr size_t kHeaderBytesMax = 256 * 1024;

void init_curl_once() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  return out;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && std::string_view(" \t\r\n").find(text.back()) != std::string_view::npos) {
    text.remove_suffix(1);
  }
  return text;
}

bool in_network(uint32_t address, uint32_t network, int bits) {
  return (address >> (32 - bits)) == (network >> (32 - bits));
}

bool is_private_v4(uint32_t a) {
  struct Network {
    uint32_t base;
    int bits;
  };
  // "This" network, private use, carrier NAT, loopback, link-local, protocol assignments, test nets,
  // benchmarks, multicast and reserved: RFC 6890.
  static constexpr Network kNetworks[] = {
      {0x00000000, 8},  {0x0A000000, 8},  {0x64400000, 10}, {0x7F000000, 8},  {0xA9FE0000, 16},
      {0xAC100000, 12}, {0xC0000000, 24}, {0xC0000200, 24}, {0xC0A80000, 16}, {0xC6120000, 15},
      {0xC6336400, 24}, {0xCB007100, 24}, {0xE0000000, 4},  {0xF0000000, 4}};
  return std::any_of(std::begin(kNetworks), std::end(kNetworks),
                     [a](const Network& n) { return in_network(a, n.base, n.bits); });
}

uint32_t read_u32(const unsigned char* bytes) {
  return (uint32_t{bytes[0]} << 24) | (uint32_t{bytes[1]} << 16) | (uint32_t{bytes[2]} << 8) | bytes[3];
}

bool is_private_v6(const unsigned char* a) {
  static constexpr unsigned char kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  static constexpr unsigned char kNat64[12] = {0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0};
  if (std::memcmp(a, kMapped, 12) == 0 || std::memcmp(a, kNat64, 12) == 0) {
    return is_private_v4(read_u32(a + 12));
  }
  if (a[0] == 0x20 && a[1] == 0x02) {  // 6to4 carries an IPv4 address
    return is_private_v4(read_u32(a + 2));
  }
  return (a[0] & 0xe0) != 0x20;  // only 2000::/3 is public
}

bool is_private_sockaddr(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    return is_private_v4(ntohl(v4.sin_addr.s_addr));
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, address, sizeof v6);
    return is_private_v6(v6.sin6_addr.s6_addr);
  }
  return true;
}

std::string address_text(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = {0};
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
  } else if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, address, sizeof v6);
    inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
  }
  return text;
}

// What the callbacks of one hop share. They run on the thread of send().
struct Hop {
  const HttpLimits* limits = nullptr;
  const HttpSink* sink = nullptr;
  const std::function<bool()>* cancelled = nullptr;
  bool* sent = nullptr;
  CURL* easy = nullptr;
  HttpResponse response;
  size_t header_bytes = 0;
  bool too_large = false;
  bool headers_too_large = false;
  std::string private_address;
  Status sink_status;
};

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

size_t on_body(char* bytes, size_t size, size_t count, void* user) {
  auto& hop = *static_cast<Hop*>(user);
  size_t length = size * count;
  if (is_redirect(hop.response.status) && !hop.response.header("location").empty()) {
    hop.header_bytes += length;  // thrown away, but not without a bound
    return hop.header_bytes > kHeaderBytesMax ? 0 : length;
  }
  hop.response.body_bytes += length;
  if (hop.response.body_bytes > hop.limits->body_bytes_max) {
    hop.too_large = true;
    return 0;
  }
  hop.sink_status = (*hop.sink)(std::string_view(bytes, length));
  return hop.sink_status ? length : 0;
}

size_t on_header(char* bytes, size_t size, size_t count, void* user) {
  auto& hop = *static_cast<Hop*>(user);
  size_t length = size * count;
  std::string_view line(bytes, length);
  hop.header_bytes += length;
  if (hop.header_bytes > kHeaderBytesMax) {
    hop.headers_too_large = true;
    return 0;
  }
  if (line.starts_with("HTTP/")) {
    hop.response.headers.clear();
    long status = 0;
    curl_easy_getinfo(hop.easy, CURLINFO_RESPONSE_CODE, &status);
    hop.response.status = static_cast<int>(status);
    return length;
  }
  size_t colon = line.find(':');
  if (colon != std::string_view::npos) {
    hop.response.headers.emplace_back(lower(trim(line.substr(0, colon))), trim(line.substr(colon + 1)));
  }
  return length;
}

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  auto& hop = *static_cast<Hop*>(user);
  return *hop.cancelled && (*hop.cancelled)() ? 1 : 0;
}

curl_socket_t on_open_socket(void* user, curlsocktype, curl_sockaddr* address) {
  auto& hop = *static_cast<Hop*>(user);
  if (!hop.limits->allow_private_addresses && is_private_sockaddr(&address->addr)) {
    hop.private_address = address_text(&address->addr);
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

// The connection stands; nothing of the request is on its way.
int on_before_request(void* user, char*, char*, int, int) {
  auto& hop = *static_cast<Hop*>(user);
  if (hop.sent != nullptr) {
    *hop.sent = true;
  }
  return CURL_PREREQFUNC_OK;
}

std::string mask(const std::string& url) {
  size_t cut = url.find('?');
  return cut == std::string::npos ? url : url.substr(0, cut);
}

Error hop_error(const Hop& hop, CURLcode code, const std::string& url, const char* detail) {
  std::string where = mask(url);
  if (!hop.sink_status) {
    return hop.sink_status.error();
  }
  if (!hop.private_address.empty()) {
    return Error{Code::kDenied,
                 fmt::format("{} has the private address {}, which fetchers may not reach; set "
                             "allow_private_addresses: true in tarn.yml to allow it",
                             where, hop.private_address)};
  }
  if (hop.too_large || code == CURLE_FILESIZE_EXCEEDED) {
    return Error{Code::kExhausted,
                 fmt::format("{} sends more than the {} bytes allowed; raise max_bytes if this is "
                             "right",
                             where, hop.limits->body_bytes_max)};
  }
  if (hop.headers_too_large) {
    return Error{Code::kExhausted,
                 fmt::format("{} sends more than {} bytes of headers", where, kHeaderBytesMax)};
  }
  const char* text = detail[0] != 0 ? detail : curl_easy_strerror(code);
  switch (code) {
    case CURLE_ABORTED_BY_CALLBACK: return Error{Code::kCancelled, fmt::format("{} was cancelled", where)};
    case CURLE_OPERATION_TIMEDOUT:
      return Error{Code::kTimeout, fmt::format("{} did not answer in time: {}", where, text)};
    case CURLE_PARTIAL_FILE:
      return Error{Code::kUnavailable,
                   fmt::format("{} closed the connection before the announced length: {}", where, text)};
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
      return Error{Code::kUnavailable, fmt::format("{} has no trustworthy TLS certificate: {}", where, text)};
    case CURLE_COULDNT_RESOLVE_HOST:
      return Error{Code::kUnavailable, fmt::format("the host of {} is not known: {}", where, text)};
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return Error{Code::kInvalid, fmt::format("{} is not an http or https URL: {}", where, text)};
    default: return Error{Code::kUnavailable, fmt::format("{} cannot be fetched: {}", where, text)};
  }
}

void set_method(CURL* easy, const HttpRequest& request) {
  if (request.method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  } else if (!request.body.empty() || request.method == "POST") {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.c_str());
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  } else if (request.method != "GET") {
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
}

void set_limits(CURL* easy, const HttpLimits& limits, milliseconds left) {
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits.connect_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<int64_t>(left.count(), 1)));
  long idle_s = static_cast<long>(std::max<int64_t>((limits.idle_timeout.count() + 999) / 1000, 1));
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, idle_s);
  curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(limits.body_bytes_max));
  if (!limits.ca_file.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, limits.ca_file.c_str());
  }
}

void set_callbacks(CURL* easy, Hop& hop) {
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &hop);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &hop);
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(easy, CURLOPT_XFERINFODATA, &hop);
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &hop);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_before_request);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, &hop);
}

std::chrono::microseconds timing(CURL* easy, CURLINFO info) {
  curl_off_t value = 0;
  curl_easy_getinfo(easy, info, &value);
  return std::chrono::microseconds(value);
}

struct HeaderList {
  curl_slist* list = nullptr;
  explicit HeaderList(const HttpHeaders& headers) {
    for (const auto& [name, value] : headers) {
      list = curl_slist_append(list, (name + ": " + value).c_str());
    }
    list = curl_slist_append(list, "Expect:");
  }
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  ~HeaderList() { curl_slist_free_all(list); }
};

// One request without following anything. `redirect` gets the absolute target of a redirect.
Result<HttpResponse> send_hop(CURL* easy, const HttpRequest& request, const HttpLimits& limits,
                              milliseconds left, const HttpSink& sink, const std::function<bool()>& cancelled,
                              std::string& redirect) {
  Hop hop{.limits = &limits,
          .sink = &sink,
          .cancelled = &cancelled,
          .sent = request.sent,
          .easy = easy,
          .response = {},
          .private_address = {},
          .sink_status = ok()};
  char detail[CURL_ERROR_SIZE] = {0};
  curl_easy_reset(easy);
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_PROXY, "");  // a proxy would hide the address that is checked
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, detail);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "tarn");
  set_method(easy, request);
  set_limits(easy, limits, left);
  set_callbacks(easy, hop);
  HeaderList headers(request.headers);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.list);
  CURLcode code = curl_easy_perform(easy);
  const char* target = nullptr;
  if (code == CURLE_OK) {
    curl_easy_getinfo(easy, CURLINFO_REDIRECT_URL, &target);
    redirect = target != nullptr && is_redirect(hop.response.status) ? target : "";
    hop.response.first_byte = timing(easy, CURLINFO_STARTTRANSFER_TIME_T);
    hop.response.total = timing(easy, CURLINFO_TOTAL_TIME_T);
    hop.response.final_url = request.url;
  }
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, nullptr);
  if (code != CURLE_OK) {
    return hop_error(hop, code, request.url, detail);
  }
  return std::move(hop.response);
}

// Changes `request` into the one that follows a redirect.
Status follow(HttpRequest& request, int status, const std::string& target) {
  TARN_TRY(std::string from, url_origin(request.url));
  auto to = url_origin(target);
  if (!to) {
    return Error{Code::kUnavailable, fmt::format("{} redirects to something that is not http or https: {}",
                                                 mask(request.url), mask(target))};
  }
  if (from.starts_with("https:") && to->starts_with("http:")) {
    return Error{Code::kUnavailable,
                 fmt::format("{} redirects from https to plain http: {}", mask(request.url), mask(target))};
  }
  if (from != *to) {
    request.headers.clear();  // they may hold secrets of the first origin
  }
  bool keeps_method = status == 307 || status == 308 || request.method == "GET" || request.method == "HEAD";
  if (keeps_method && from != *to && !request.body.empty()) {
    return Error{Code::kUnavailable, fmt::format("{} redirects a {} with a body to another host: {}",
                                                 mask(request.url), request.method, mask(target))};
  }
  if (!keeps_method) {
    request.method = "GET";
    request.body.clear();
  }
  request.url = target;
  return ok();
}

}  // namespace

struct HttpClient::Impl {
  CURL* easy = nullptr;
  Impl() {
    init_curl_once();
    easy = curl_easy_init();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { curl_easy_cleanup(easy); }
};

bool HttpClient::may_have_arrived() const {
  long given = 0;
  return impl_->easy != nullptr &&
         curl_easy_getinfo(impl_->easy, CURLINFO_REQUEST_SIZE, &given) == CURLE_OK && given > 0;
}

HttpClient::HttpClient() : impl_(std::make_unique<Impl>()) {}
HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;

Result<HttpResponse> HttpClient::send(const HttpRequest& request, const HttpLimits& limits,
                                      const HttpSink& sink, const std::function<bool()>& cancelled) {
  if (impl_->easy == nullptr) {
    return Error{Code::kExhausted, "libcurl cannot start: out of memory"};
  }
  TARN_CHECK(url_origin(request.url));
  HttpRequest current = request;
  milliseconds left = limits.total_timeout;
  for (int redirects = 0;; ++redirects) {
    std::string target;
    TARN_TRY(auto response, send_hop(impl_->easy, current, limits, left, sink, cancelled, target));
    if (target.empty() || !limits.follow_redirects) {
      response.redirects = redirects;
      return response;
    }
    if (redirects >= limits.redirects_max) {
      return Error{Code::kExhausted,
                   fmt::format("{} redirects more than {} times, lastly to {}; write the final "
                               "address as url",
                               mask(request.url), limits.redirects_max, mask(target))};
    }
    left -= std::chrono::duration_cast<milliseconds>(response.total);
    TARN_CHECK(follow(current, response.status, target));
  }
}

std::string_view HttpResponse::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) {
      return value;
    }
  }
  return {};
}

bool is_private_address(std::string_view address) {
  std::string text(address);
  unsigned char bytes[16];
  if (inet_pton(AF_INET, text.c_str(), bytes) == 1) {
    return is_private_v4(read_u32(bytes));
  }
  if (inet_pton(AF_INET6, text.c_str(), bytes) == 1) {
    return is_private_v6(bytes);
  }
  return true;
}

std::string url_encode(std::string_view text) {
  std::string out;
  for (char c : text) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                 c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

Result<std::string> url_origin(const std::string& url) {
  struct Url {
    CURLU* handle = curl_url();
    ~Url() { curl_url_cleanup(handle); }
  } parsed;
  auto part = [&parsed](CURLUPart which, unsigned flags = 0) {
    char* text = nullptr;
    std::string out;
    if (curl_url_get(parsed.handle, which, &text, flags) == CURLUE_OK && text != nullptr) {
      out = text;
    }
    curl_free(text);
    return lower(out);
  };
  CURLUcode code = curl_url_set(parsed.handle, CURLUPART_URL, url.c_str(), 0);
  std::string scheme = code == CURLUE_OK ? part(CURLUPART_SCHEME) : "";
  if (scheme != "http" && scheme != "https") {
    return Error{Code::kInvalid, fmt::format("not an http or https URL: '{}'", mask(url))};
  }
  std::string port = part(CURLUPART_PORT, CURLU_NO_DEFAULT_PORT);
  return scheme + "://" + part(CURLUPART_HOST) + (port.empty() ? "" : ":" + port);
}

}  // namespace tarn::net
