// Cancels on the first signal, leaves at once on the second.
#pragma once

#include <unistd.h>

#include "app/signals.h"
#include "flow/task.h"

namespace tarn::app {

class CancelBySignal {
 public:
  explicit CancelBySignal(Signals& signals) : signals_(signals) {
    signals_.on_signal([this] {
      if (cancel.is_set())
        ::_exit(130);
      cancel.set();
    });
  }
  ~CancelBySignal() { signals_.on_signal({}); }
  CancelBySignal(const CancelBySignal&) = delete;
  CancelBySignal& operator=(const CancelBySignal&) = delete;
  flow::CancelFlag cancel;

 private:
  Signals& signals_;
};

}  // namespace tarn::app
