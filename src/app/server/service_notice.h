// Tells a service manager how the server is doing, as sd_notify(3) describes; without one nothing happens.
#pragma once

#include <string_view>

namespace tarn::app {

// "READY=1", "STOPPING=1", "STATUS=...". Failing to tell is no reason to stop.
void notify_service_manager(std::string_view state);

}  // namespace tarn::app
