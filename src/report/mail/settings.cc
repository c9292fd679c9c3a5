#include "report/mail/settings.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/time.h"
#include "project/project.h"

namespace tarn::report::mail {
namespace {

constexpr size_t kAddressBytesMax = 254;

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos)
    return "";
  return std::string(text.substr(first, text.find_last_not_of(' ') - first + 1));
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

// What could end an envelope's address, or is none.
bool is_plain_address(std::string_view text) {
  const auto at = text.find('@');
  const bool one_at = at != std::string_view::npos && at > 0 && at + 1 < text.size() &&
                      text.find('@', at + 1) == std::string_view::npos;
  return one_at && text.size() <= kAddressBytesMax && std::none_of(text.begin(), text.end(), [](char c) {
           return is_control(c) || static_cast<unsigned char>(c) >= 0x80 ||
                  std::string_view(" <>()[],;:\\\"").find(c) != std::string_view::npos;
         });
}

}  // namespace

Result<Address> parse_address(std::string_view text) {
  Address address;
  const auto open = text.find('<');
  if (open != std::string_view::npos && text.ends_with('>')) {
    address.name = trimmed(text.substr(0, open));
    address.address = trimmed(text.substr(open + 1, text.size() - open - 2));
    if (address.name.size() >= 2 && address.name.starts_with('"') && address.name.ends_with('"'))
      address.name = address.name.substr(1, address.name.size() - 2);
  } else {
    address.address = trimmed(text);
  }
  const bool name_is_plain = std::none_of(address.name.begin(), address.name.end(), is_control) &&
                             address.name.find_first_of("\"\\") == std::string::npos;
  if (!is_plain_address(address.address) || !name_is_plain)
    return Error{
        Code::kInvalid,
        fmt::format("'{}' is no mail address: write ada@example.org or Ada <ada@example.org>", text)};
  return address;
}

std::string to_string(const Address& address) {
  return address.name.empty() ? address.address : fmt::format("{} <{}>", address.name, address.address);
}

std::vector<Address> read_addresses(codec::YamlReader& reader, std::string_view key,
                                    const codec::YamlNode& map, Diagnostics& diagnostics) {
  std::vector<Address> all;
  for (const auto& text : reader.texts(key).value_or(std::vector<std::string>())) {
    auto address = parse_address(text);
    if (address) {
      all.push_back(std::move(*address));
    } else {
      diagnostics.push_back({map.find(key)->place, address.error().message});
    }
  }
  return all;
}

Settings read_settings(const codec::YamlNode& node, Diagnostics& diagnostics) {
  Settings settings;
  if (node.kind == codec::YamlNode::Kind::kNull)
    return settings;
  codec::YamlReader reader(node, "mail", diagnostics);
  settings.host = reader.required_text("host");
  static const std::vector<std::string> kKinds = {"starttls", "implicit", "none"};
  const auto tls = reader.choice("tls", kKinds, "starttls");
  settings.tls = static_cast<Tls>(std::find(kKinds.begin(), kKinds.end(), tls) - kKinds.begin());
  const auto port = reader.integer("port").value_or(settings.tls == Tls::kImplicit ? 465 : 587);
  if (port < 1 || port > 65535)
    reader.mistake(*node.find("port"), fmt::format("port {} is not between 1 and 65535", port));
  settings.port = static_cast<int>(port);
  if (settings.tls == Tls::kNone && !is_loopback(settings.host))
    reader.mistake(*node.find("tls"),
                   "without TLS mail may only go to this machine: write starttls or implicit");
  settings.user = reader.text("user");
  settings.password = reader.text("password");
  if (!settings.password.empty() && !project::has_secret(settings.password))
    reader.mistake(*node.find("password"),
                   "write the password as a reference: ${env:SMTP_PASSWORD} or ${file:path}");
  settings.ca_file = reader.text("ca");
  const auto from = reader.required_text("from");
  if (const auto address = parse_address(from)) {
    settings.from = *address;
  } else if (node.find("from") != nullptr) {
    reader.mistake(*node.find("from"), address.error().message);
  }
  if (const auto timeout = reader.text("timeout"); !timeout.empty()) {
    const auto parsed = parse_duration(timeout);
    if (!parsed || *parsed < std::chrono::seconds(1) || *parsed > std::chrono::minutes(30)) {
      reader.mistake(*node.find("timeout"), "timeout is between 1s and 30m");
    } else {
      settings.timeout = std::chrono::duration_cast<std::chrono::seconds>(*parsed);
    }
  }
  reader.finish();
  return settings;
}

}  // namespace tarn::report::mail
