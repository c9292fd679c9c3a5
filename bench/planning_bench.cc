// What it costs to find the files of a query: a table of 10,000 files beside one of a single file, and a
// table of 1,000 manifests beside the same rows in few. `./dev bench planning_bench` builds and runs it.
#include <unistd.h>

#include <filesystem>

#include "base/env/env.h"
#include "bench_tools.h"
#include "lake/lake.h"

namespace tarn {
namespace {

using namespace bench;

constexpr int kFilesPerCommit = 100;
constexpr int kFileCommits = 100;
constexpr int kManifests = 1000;
constexpr int kRepeats = 51;

struct Bench {
  session::Session& session;
  engine::LakeCatalog& catalog;

  void make_files() {
    need(session.execute("create table many(k int, day date, v bigint) partitioned by (k)"));
    for (int i = 0; i < kFileCommits; ++i) {
      const int first = i * kFilesPerCommit;
      need(session.execute(fmt::format(
          "insert into many select i // 10, date '2026-01-01' + (i % 365)::int, i from range({}, {}) r(i)",
          first * 10, (first + kFilesPerCommit) * 10)));
    }
  }

  void make_manifests() {
    for (const char* name : {"scattered", "gathered"}) {
      need(session.execute(fmt::format("create table {}(day int, v bigint)", name)));
    }
    need(session.execute("alter table scattered set (\"commit.manifest-merge.enabled\" = 'false')"));
    for (int i = 0; i < kManifests; ++i) {
      for (const char* name : {"scattered", "gathered"}) {
        need(session.execute(fmt::format("insert into {} select {}, i from range(10) r(i)", name, i)));
      }
    }
  }

  engine::ScanPlan plan(const std::string& name) {
    auto head = need(catalog.head());
    auto metadata = need(head->schemas.at("public")->tables.at(name)->metadata());
    return need(catalog.plan(*metadata, *metadata->current_snapshot_id, {}));
  }

  void time_plans() {
    const double whole = median_ms(kRepeats, [&] { plan("many"); });
    fmt::print("plan of all {} files: {:.1f} ms (promise: at most 50 ms) {}\n", plan("many").files.size(),
               whole, whole <= 50 ? "holds" : "MISSED");
  }

  double time(const std::string& sql) {
    ask(session, sql);
    return median_ms(kRepeats, [&] { ask(session, sql); });
  }

  void time_queries() {
    for (const std::string condition : {"k = 4711", "v = 47110", "k between 100 and 104"}) {
      const double ms = time("select sum(v) from many where " + condition);
      fmt::print("one of 10,000 files, where {}: {:.1f} ms (promise: at most 50 ms of planning) {}\n",
                 condition, ms, ms <= 50 ? "holds" : "MISSED");
    }
    fmt::print("explain of all files: {:.1f} ms\n", time("explain select sum(v) from many"));
    const double scattered = time("select sum(v) from scattered where day = 400");
    const double gathered = time("select sum(v) from gathered where day = 400");
    fmt::print("selective query, 1,000 manifests: {:.2f} ms, the same rows in few: {:.2f} ms, ratio {:.2f}\n",
               scattered, gathered, scattered / gathered);
  }

  void time_first() {
    fmt::print("the first query of a new process: {} {:.0f} ms\n", "where k = 4711",
               median_ms(1, [&] { ask(session, "select sum(v) from many where k = 4711"); }));
    fmt::print("the first query of a new process: 1,000 manifests {:.0f} ms\n",
               median_ms(1, [&] { ask(session, "select sum(v) from scattered where day = 400"); }));
    fmt::print("the first query of a new process: few manifests {:.0f} ms\n",
               median_ms(1, [&] { ask(session, "select sum(v) from gathered where day = 400"); }));
  }
};

void run() {
  Env& env = real_env();
  const std::string folder =
      fmt::format("{}/tarn-bench-{}", std::filesystem::current_path().string(), getpid());
  for (const bool first : {true, false}) {
    auto lake = need(lake::Lake::open(env, {.data_folder = folder}));
    auto sessions = session::make_session_service(lake->database(), lake->catalog(), env, {});
    auto session = need(sessions->open({}));
    Bench bench{*session, lake->catalog()};
    if (first) {
      bench.make_files();
      bench.make_manifests();
    } else {
      bench.time_first();
      bench.time_plans();
      bench.time_queries();
    }
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace tarn

int main() {
  tarn::run();
}
