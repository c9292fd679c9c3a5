// What the scheduler needs, done by the hub of a server.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "flow/scheduler.h"
#include "serve/http/run_hub.h"

namespace tarn::serve {

class HubHost final : public flow::SchedulerHost {
 public:
  using Reload = std::function<std::optional<flow::SchedulePlan>()>;
  using Versions =
      std::function<Result<std::map<std::string, std::string>>(const std::set<std::string>& names)>;
  HubHost(RunHub& hub, Reload reload, Versions versions)
      : hub_(hub), reload_(std::move(reload)), versions_(std::move(versions)) {}

  Status launch(const flow::Launch& launch, OnEnd on_end) override;
  std::optional<flow::SchedulePlan> reload() override { return reload_(); }
  Result<std::map<std::string, std::string>> versions(const std::set<std::string>& names) override {
    return versions_(names);
  }
  // Listeners hear {"event": "schedule_changed", "name": …}; an empty name: any of them.
  void changed(const std::string& schedule) override;

 private:
  RunHub& hub_;
  const Reload reload_;
  const Versions versions_;
};

}  // namespace tarn::serve
