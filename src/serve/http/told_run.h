// The run of something that answers when it is done: pages hear of it as of any other.
#pragma once

#include <string>

#include "flow/executor.h"
#include "serve/http/json.h"
#include "serve/http/run_events.h"
#include "serve/http/run_hub.h"

namespace tarn::serve {

class ToldRun {
 public:
  explicit ToldRun(RunHub& hub)
      : writer_([this, &hub](const Json& event) {
          if (text_of(event, "event") == "run_started")
            run_ = text_of(event.value("run", Json::object()), "id");
          hub.publish(run_, event);
        }) {}
  flow::RunObserver& observer() { return writer_; }

 private:
  std::string run_;
  EventWriter writer_;
};

}  // namespace tarn::serve
