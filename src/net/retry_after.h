// What an answer says about asking again.
#pragma once

#include <optional>
#include <string_view>

#include "base/env/env.h"

namespace tarn::net {

// True for answers that may be different next time: 408, 425, 429, 500, 502, 503, 504.
bool is_passing_status(int status);

// The header Retry-After: seconds or an HTTP date. nullopt: neither, or beyond all reason.
std::optional<Duration> parse_retry_after(std::string_view header, Timestamp now);

}  // namespace tarn::net
