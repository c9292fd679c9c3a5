// SHA-256 (FIPS 180-4) of bytes that come in pieces or at once, as lower-case hex.
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

}  // namespace tarn::codec
