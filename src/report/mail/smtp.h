// Sends one mail by SMTP (libcurl): text, HTML and files, to all recipients or to none. Blocking; a server
// that hangs is given up after the time-out. Nothing of the password comes into a message.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/env/env.h"
#include "base/result.h"
#include "report/mail/settings.h"

namespace tarn::report::mail {

struct Attachment {
  std::string path;  // absolute; read while it is sent
  std::string name;  // for the reader
  std::string type;
};

// A picture that the HTML shows as <img src="cid:ID">.
struct Inline {
  std::string id;  // "chart@tarn"
  std::string name, type;
  std::string bytes;
};

struct Message {
  std::string id;  // unique; "Message-ID: <id>"
  Address from;
  std::vector<Address> to, cc, bcc;
  std::string subject, text, html;  // html may be empty
  std::vector<Inline> inlines;
  std::vector<Attachment> attachments;
  Timestamp at;
};

// What became of it.
enum class Outcome {
  kSent,     // the server has taken it
  kRefused,  // it will not take it: repeating does not help
  kNotSent,  // nothing of the message was given away; repeating may help
  kUnknown,  // the connection broke after the message was on its way: it may have been taken
};

struct Sent {
  Outcome outcome = Outcome::kNotSent;
  std::string answer;  // why, in one sentence; empty when sent
};

struct Transport {
  Settings settings;    // its password is settled
  std::string ca_file;  // absolute; empty: the machine's
};

Sent send(const Transport& transport, const Message& message, const std::function<bool()>& cancelled);

// A header's text: as it is, or encoded as RFC 2047 says. Line ends become blanks.
std::string header_text(std::string_view text);

}  // namespace tarn::report::mail
