// `mail:` of tarn.yml: the server that takes mail. The password is a reference until it is used.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "base/result.h"
#include "codec/yaml.h"

namespace tarn::report::mail {

// "Home <home@example.org>" or "home@example.org".
struct Address {
  std::string name;
  std::string address;
  bool operator==(const Address&) const = default;
};

Result<Address> parse_address(std::string_view text);
std::string to_string(const Address& address);

enum class Tls { kStartTls, kImplicit, kNone };

struct Settings {
  std::string host;  // empty: tarn.yml has no mail
  int port = 0;
  Tls tls = Tls::kStartTls;
  std::string user;
  std::string password;  // with references
  std::string ca_file;   // relative to the project; empty: the machine's
  Address from;
  std::chrono::seconds timeout{60};  // without any answer or progress
};

// A null node: no mail.
Settings read_settings(const codec::YamlNode& node, Diagnostics& diagnostics);

// Addresses of a key, one or a list.
std::vector<Address> read_addresses(codec::YamlReader& reader, std::string_view key,
                                    const codec::YamlNode& map, Diagnostics& diagnostics);

}  // namespace tarn::report::mail
