// SHA-256 (FIPS 180-4) of bytes that come in pieces or at once, as lower-case hex; and keyed, by HMAC.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace tarn::codec {

// update() as often as needed, then hex() once. One thread.
class Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();

  void update(std::string_view bytes);
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_hex(std::string_view bytes);

// HMAC-SHA-256 (RFC 2104): 32 raw bytes.
std::string hmac_sha256(std::string_view key, std::string_view bytes);

}  // namespace tarn::codec
