// Ids: UUIDs and run ids, made from an Env's randomness so that tests can repeat them.
#pragma once

#include <string>

#include "base/env/env.h"

namespace tarn {

// A random (version 4) UUID, lower case with hyphens.
std::string new_uuid(Random& random);

// Sortable by time: "20261121T063500-3fa9c1".
std::string new_run_id(Clock& clock, Random& random);

// 32 random bytes as 64 hex digits.
std::string new_secret(Random& random);

}  // namespace tarn
