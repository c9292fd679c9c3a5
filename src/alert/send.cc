#include "alert/send.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/time.h"
#include "net/http_client.h"
#include "net/retry_after.h"
#include "report/mail/transport.h"

namespace tarn::alert {
namespace {

using report::mail::Outcome;

constexpr size_t kAnswerBytesMax = 200;  // of what a receiver says that is kept
constexpr uint64_t kBodyBytesMax = 1 << 20;
constexpr std::chrono::milliseconds kConnectTimeout{10'000};

Sent send_mail(Env& env, const project::Project& project, const Channel& channel, const Letter& letter,
               const std::function<bool()>& cancelled) {
  auto transport = report::mail::make_transport(*env.files, project);
  if (!transport)
    return {Outcome::kNotSent, transport.error().message};  // until somebody mends it
  transport->settings.timeout = std::min(transport->settings.timeout, channel.timeout);
  report::mail::Message message;
  message.from = transport->settings.from;
  const auto& address = message.from.address;
  message.id = letter.id + address.substr(address.find('@'));
  message.to = channel.to;
  message.subject = title(letter);
  message.text = plain_text(letter);
  message.html = html_text(letter);
  message.at = letter.at;
  auto sent = report::mail::send(*transport, message, cancelled);
  return {sent.outcome, std::move(sent.answer)};
}

struct Post {
  net::HttpRequest request;
  std::string origin;  // all that is ever shown of the address
};

// "https://ntfy.sh/topic" is where people look; messages go to "https://ntfy.sh/" and name the topic.
Result<std::string> split_topic(std::string& url) {
  while (url.ends_with('/'))
    url.pop_back();
  const auto host = url.find("://");
  const auto slash = url.rfind('/');
  if (host == std::string::npos || slash <= host + 2)
    return Error{Code::kInvalid, "the ntfy address names no topic: write https://ntfy.sh/TOPIC"};
  auto topic = url.substr(slash + 1);
  url.resize(slash + 1);
  return topic;
}

Result<Post> post_of(Env& env, const project::Project& project, const Channel& channel,
                     const Letter& letter) {
  auto& files = *env.files;
  Post post;
  auto& request = post.request;
  request.method = "POST";
  TARN_TRY(request.url, project::resolve_secrets(files, project.root, channel.url));
  auto origin = net::url_origin(request.url);
  if (!origin)
    return Error{Code::kInvalid, "what its reference holds is no http or https address"};
  post.origin = std::move(*origin);
  if (post.origin.starts_with("http:") && !project.allow_private_addresses) {
    return Error{Code::kInvalid,
                 fmt::format("{} is not encrypted: write https://, or allow_private_addresses: true for a "
                             "receiver in the home network",
                             post.origin)};
  }
  request.headers = {{"Content-Type", "application/json; charset=utf-8"}};
  switch (channel.kind) {
    case Kind::kSlack: request.body = slack_body(letter); break;
    case Kind::kTeams: request.body = teams_body(letter); break;
    case Kind::kNtfy: {
      TARN_TRY(const auto topic, split_topic(request.url));
      request.body = ntfy_body(letter, topic);
      break;
    }
    case Kind::kMail:
    case Kind::kWebhook: request.body = webhook_body(letter); break;
  }
  if (!channel.token.empty()) {
    TARN_TRY(const auto token, project::resolve_secrets(files, project.root, channel.token));
    request.headers.emplace_back("Authorization", "Bearer " + token);
  }
  if (channel.kind != Kind::kWebhook)
    return post;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(letter.at.time_since_epoch()).count();
  request.headers.emplace_back("webhook-id", letter.id);
  request.headers.emplace_back("webhook-timestamp", std::to_string(seconds));
  if (!channel.secret.empty()) {
    TARN_TRY(const auto secret, project::resolve_secrets(files, project.root, channel.secret));
    request.headers.emplace_back("webhook-signature", signature(secret, letter.id, seconds, request.body));
  }
  return post;
}

void replace_all(std::string& text, const std::string& what, const std::string& by) {
  if (what.empty())
    return;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
}

// An answer may show our own address back to us.
std::string without_address(std::string text, const Post& post) {
  const auto& url = post.request.url;
  replace_all(text, url, post.origin);
  replace_all(text, url.substr(0, url.find('?')), post.origin);
  const auto path = url.find('/', url.find("://") + 3);
  if (path != std::string::npos && url.size() - path > 4)
    replace_all(text, url.substr(path), "/…");
  return text;
}

// What it says, as one line of printable letters.
std::string said(std::string body) {
  std::replace_if(
      body.begin(), body.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F; },
      ' ');
  return body.empty() ? "" : ": " + body;
}

Sent judge(const net::HttpResponse& response, const std::string& body, const Post& post, Timestamp now) {
  if (response.status >= 200 && response.status < 300)
    return {Outcome::kSent, ""};
  Sent sent;
  const bool redirects = response.status >= 300 && response.status < 400;
  sent.answer =
      redirects
          ? fmt::format("{} answers {}, a redirect: write the address that it leads to", post.origin,
                        response.status)
          : without_address(fmt::format("{} answers {}{}", post.origin, response.status, said(body)), post);
  sent.outcome = net::is_passing_status(response.status) ? Outcome::kNotSent : Outcome::kRefused;
  if (sent.outcome == Outcome::kNotSent)
    sent.retry_after = net::parse_retry_after(response.header("retry-after"), now).value_or(Duration(0));
  return sent;
}

Sent send_post(Env& env, const project::Project& project, const Channel& channel, const Letter& letter,
               const std::function<bool()>& cancelled) {
  const auto post = post_of(env, project, channel, letter);
  if (!post)
    return {Outcome::kNotSent, post.error().message};  // until somebody mends it
  net::HttpLimits limits;
  limits.connect_timeout = std::min<std::chrono::milliseconds>(kConnectTimeout, channel.timeout);
  limits.total_timeout = channel.timeout;
  limits.idle_timeout = channel.timeout;
  limits.body_bytes_max = kBodyBytesMax;
  limits.follow_redirects = false;
  limits.allow_private_addresses = project.allow_private_addresses;
  std::string body;
  net::HttpClient client;
  const auto response = client.send(
      post->request, limits,
      [&body](std::string_view bytes) {
        body += bytes.substr(0, kAnswerBytesMax - std::min(kAnswerBytesMax, body.size()));
        return ok();
      },
      cancelled);
  if (response)
    return judge(*response, body, *post, env.clock->now());
  return {client.may_have_arrived() ? Outcome::kUnknown : Outcome::kNotSent,
          without_address(response.error().message, *post)};
}

}  // namespace

Sent send(Env& env, const project::Project& project, const Channel& channel, const Letter& letter,
          const std::function<bool()>& cancelled) {
  return channel.kind == Kind::kMail ? send_mail(env, project, channel, letter, cancelled)
                                     : send_post(env, project, channel, letter, cancelled);
}

}  // namespace tarn::alert
