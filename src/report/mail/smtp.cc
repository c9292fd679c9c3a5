#include "report/mail/smtp.h"

#include <curl/curl.h>

#include <chrono>
#include <memory>
#include <mutex>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "codec/base64.h"

namespace tarn::report::mail {
namespace {

constexpr size_t kEncodedWordBytes = 42;  // of text; 75 characters at most when encoded
constexpr long kConnectSeconds = 30;
constexpr long kWholeSeconds = 30 * 60;

struct FreeCurl {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  void operator()(curl_mime* mime) const { curl_mime_free(mime); }
};
using Curl = std::unique_ptr<CURL, FreeCurl>;
using List = std::unique_ptr<curl_slist, FreeCurl>;
using Mime = std::unique_ptr<curl_mime, FreeCurl>;

void add(List& list, const std::string& text) {
  list.reset(curl_slist_append(list.release(), text.c_str()));
}

std::string header_address(const Address& address) {
  if (address.name.empty())
    return address.address;
  const bool plain = header_text(address.name) == address.name;
  return fmt::format("{} <{}>", plain ? "\"" + address.name + "\"" : header_text(address.name),
                     address.address);
}

std::string header_addresses(const std::vector<Address>& all) {
  std::string out;
  for (const auto& one : all)
    out += (out.empty() ? "" : ",\r\n ") + header_address(one);
  return out;
}

std::string date_text(Timestamp at) {
  const auto seconds = std::chrono::time_point_cast<std::chrono::seconds>(at);
  return fmt::format("{:%a, %d %b %Y %H:%M:%S} +0000",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)));
}

List headers_of(const Message& message) {
  List headers;
  add(headers, "Date: " + date_text(message.at));
  add(headers, "From: " + header_address(message.from));
  if (!message.to.empty())
    add(headers, "To: " + header_addresses(message.to));
  if (!message.cc.empty())
    add(headers, "Cc: " + header_addresses(message.cc));
  add(headers, "Subject: " + header_text(message.subject));
  add(headers, fmt::format("Message-ID: <{}>", message.id));
  add(headers, "Auto-Submitted: auto-generated");
  return headers;
}

void add_text(curl_mime* parent, const std::string& text, const char* type) {
  auto* part = curl_mime_addpart(parent);
  curl_mime_data(part, text.data(), text.size());
  curl_mime_type(part, type);
  curl_mime_encoder(part, "quoted-printable");
}

curl_slist* one_header(const std::string& text) {
  return curl_slist_append(nullptr, text.c_str());
}

// The HTML with the pictures that it shows: multipart/related, or the HTML alone.
void add_html(CURL* curl, curl_mime* words, const Message& message) {
  if (message.inlines.empty())
    return add_text(words, message.html, "text/html; charset=utf-8");
  auto* related = curl_mime_init(curl);
  add_text(related, message.html, "text/html; charset=utf-8");
  for (const auto& one : message.inlines) {
    auto* part = curl_mime_addpart(related);
    curl_mime_data(part, one.bytes.data(), one.bytes.size());
    curl_mime_type(part, one.type.c_str());
    curl_mime_encoder(part, "base64");
    auto* headers = one_header(fmt::format("Content-ID: <{}>", one.id));
    headers = curl_slist_append(
        headers, fmt::format("Content-Disposition: inline; filename=\"{}\"", one.name).c_str());
    curl_mime_headers(part, headers, 1);
  }
  auto* part = curl_mime_addpart(words);
  curl_mime_subparts(part, related);
  curl_mime_type(part, "multipart/related; type=\"text/html\"");
  curl_mime_headers(part, one_header("Content-Disposition: inline"), 1);
}

Mime body_of(CURL* curl, const Message& message) {
  Mime whole(curl_mime_init(curl));
  auto* words = curl_mime_init(curl);
  add_text(words, message.text, "text/plain; charset=utf-8");
  if (!message.html.empty())
    add_html(curl, words, message);  // the last is shown if it can be
  auto* first = curl_mime_addpart(whole.get());
  curl_mime_subparts(first, words);
  curl_mime_type(first, "multipart/alternative");
  curl_mime_headers(first, one_header("Content-Disposition: inline"), 1);
  for (const auto& file : message.attachments) {
    auto* part = curl_mime_addpart(whole.get());
    curl_mime_filedata(part, file.path.c_str());
    curl_mime_filename(part, file.name.c_str());
    curl_mime_type(part, file.type.c_str());
    curl_mime_encoder(part, "base64");
  }
  return whole;
}

struct Watch {
  const std::function<bool()>& cancelled;
  bool stopped = false;
};

int look(void* data, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  auto& watch = *static_cast<Watch*>(data);
  watch.stopped = watch.cancelled && watch.cancelled();
  return watch.stopped ? 1 : 0;
}

void set_transport(CURL* curl, const Transport& transport) {
  const auto& settings = transport.settings;
  const bool bare_v6 = settings.host.find(':') != std::string::npos;
  const auto url = fmt::format("{}://{}:{}/{}", settings.tls == Tls::kImplicit ? "smtps" : "smtp",
                               bare_v6 ? "[" + settings.host + "]" : settings.host, settings.port, "tarn");
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_easy_setopt(curl, CURLOPT_PROXY, "");  // mail goes where it is said to go
  if (settings.tls != Tls::kNone)
    curl_easy_setopt(curl, CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));
  if (!transport.ca_file.empty()) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, transport.ca_file.c_str());
    curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
  }
  if (!settings.user.empty()) {
    curl_easy_setopt(curl, CURLOPT_USERNAME, settings.user.c_str());
    curl_easy_setopt(curl, CURLOPT_PASSWORD, settings.password.c_str());
  }
  const auto seconds = static_cast<long>(settings.timeout.count());
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, std::min(kConnectSeconds, seconds));
  curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, seconds);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, seconds);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, kWholeSeconds);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
}

// The last refusal of the server, for the reason; libcurl hands each line of its answers here, and says
// good-bye behind it.
size_t keep_refusal(char* data, size_t size, size_t count, void* to) {
  std::string line(data, size * count);
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r'))
    line.pop_back();
  if (line.starts_with('4') || line.starts_with('5'))
    *static_cast<std::string*>(to) = line;
  return size * count;
}

Sent judge(CURL* curl, CURLcode code, const std::string& answer, const Watch& watch,
           const Transport& transport) {
  long status = 0;
  curl_off_t given = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(curl, CURLINFO_SIZE_UPLOAD_T, &given);
  if (code == CURLE_OK)
    return {Outcome::kSent, ""};
  const auto where = fmt::format("mail server {}:{}", transport.settings.host, transport.settings.port);
  const bool answered = status >= 400 && status < 600 && answer.starts_with(std::to_string(status));
  Sent sent;
  sent.answer = fmt::format("{}: {}", where,
                            watch.stopped ? "it was cancelled"
                            : answered    ? "it said " + answer
                                          : curl_easy_strerror(code));
  if (answered && status >= 500) {
    sent.outcome = Outcome::kRefused;
  } else if (code == CURLE_LOGIN_DENIED || code == CURLE_PEER_FAILED_VERIFICATION ||
             code == CURLE_USE_SSL_FAILED || code == CURLE_READ_ERROR) {
    sent.outcome = Outcome::kRefused;
  } else if (answered || given == 0) {
    sent.outcome = Outcome::kNotSent;
  } else {
    sent.outcome = Outcome::kUnknown;
  }
  return sent;
}

}  // namespace

std::string header_text(std::string_view text) {
  std::string plain;
  bool ascii = true;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    plain += byte < 0x20 || byte == 0x7F ? ' ' : c;
    ascii &= byte < 0x80;
  }
  if (ascii && plain.find("=?") == std::string::npos)
    return plain;
  std::string out;
  for (size_t at = 0; at < plain.size();) {
    size_t end = std::min(at + kEncodedWordBytes, plain.size());
    while (end < plain.size() && end > at + 1 && (static_cast<unsigned char>(plain[end]) & 0xC0) == 0x80)
      --end;  // no letter is cut
    out += (out.empty() ? "" : "\r\n ") +
           fmt::format("=?utf-8?B?{}?=", codec::base64(plain.substr(at, end - at)));
    at = end;
  }
  return out;
}

Sent send(const Transport& transport, const Message& message, const std::function<bool()>& cancelled) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  const Curl curl(curl_easy_init());
  if (!curl)
    return {Outcome::kNotSent, "no mail can be sent: out of memory"};
  set_transport(curl.get(), transport);
  const auto sender = "<" + message.from.address + ">";
  curl_easy_setopt(curl.get(), CURLOPT_MAIL_FROM, sender.c_str());
  List recipients;
  for (const auto* list : {&message.to, &message.cc, &message.bcc}) {
    for (const auto& one : *list)
      add(recipients, "<" + one.address + ">");
  }
  curl_easy_setopt(curl.get(), CURLOPT_MAIL_RCPT, recipients.get());
  const List headers = headers_of(message);
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  const Mime body = body_of(curl.get(), message);
  curl_easy_setopt(curl.get(), CURLOPT_MIMEPOST, body.get());
  Watch watch{cancelled};
  curl_easy_setopt(curl.get(), CURLOPT_XFERINFOFUNCTION, look);
  curl_easy_setopt(curl.get(), CURLOPT_XFERINFODATA, &watch);
  curl_easy_setopt(curl.get(), CURLOPT_NOPROGRESS, 0L);
  std::string answer;
  curl_easy_setopt(curl.get(), CURLOPT_HEADERFUNCTION, keep_refusal);
  curl_easy_setopt(curl.get(), CURLOPT_HEADERDATA, &answer);
  const auto code = curl_easy_perform(curl.get());
  return judge(curl.get(), code, answer, watch, transport);
}

}  // namespace tarn::report::mail
