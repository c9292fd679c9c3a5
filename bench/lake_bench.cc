// What the lake costs above plain DuckDB, in one process and one run: a small read, a big aggregate, a
// one-row commit. Prints medians and ratios; `./dev bench lake_bench` builds and runs it.
#include <unistd.h>
#include <chrono>
#include <cstdio>
#include <filesystem>

#include <fmt/format.h>

#include "base/env/env.h"
#include "base/ids.h"
#include "bench_tools.h"
#include "lake/lake.h"
#include "session/session.h"

namespace tarn {
namespace {

using namespace bench;

constexpr int64_t kRows = 5'000'000;

// The data files of a table, as read_parquet wants them.
std::string files_of(engine::LakeCatalog& catalog, const std::string& name) {
  auto head = need(catalog.head());
  auto metadata = need(head->schemas.at("public")->tables.at(name)->metadata());
  auto plan = need(catalog.plan(*metadata, *metadata->current_snapshot_id, {}));
  std::string list;
  for (const auto& each : plan.files) {
    std::string path = each.file.path.substr(std::string_view("file://").size());
    list += (list.empty() ? "" : ", ") + session::quote_literal(path);
  }
  return "read_parquet([" + list + "])";
}

struct Bench {
  session::Session& session;
  engine::Connection& plain;
  engine::LakeCatalog& catalog;

  // `sql` holds {} where the table stands. Limit: peer * factor + plus_ms.
  void compare(const char* what, const std::string& sql, const std::string& table, int repeats, double factor,
               double plus_ms) {
    std::string ours = fmt::format(fmt::runtime(sql), table);
    std::string theirs = fmt::format(fmt::runtime(sql), files_of(catalog, table));
    ask(session, ours);
    ask(plain, theirs);
    double tarn_ms = median_ms(repeats, [&] { ask(session, ours); });
    double peer_ms = median_ms(repeats, [&] { ask(plain, theirs); });
    double limit = peer_ms * factor + plus_ms;
    fmt::print(
        "{}: tarn {:.2f} ms, DuckDB on the same files {:.2f} ms, ratio {:.3f} (promise: at most {:.2f} ms) "
        "{}\n",
        what, tarn_ms, peer_ms, tarn_ms / peer_ms, limit, tarn_ms <= limit ? "holds" : "MISSED");
  }
};

void run() {
  Env& env = real_env();
  std::string folder = fmt::format("{}/tarn-bench-{}", std::filesystem::current_path().string(), getpid());
  {
    auto lake = need(lake::Lake::open(env, {.data_folder = folder}));
    auto sessions = session::make_session_service(lake->database(), lake->catalog(), env, {});
    auto session = need(sessions->open({}));
    auto peer = need(engine::Database::open({.allowed_folders = {folder}}));
    auto plain = need(peer->connect());
    Bench bench{*session, *plain, lake->catalog()};

    need(session->execute(
        "create table small as select i as id, hash(i) % 1000 as v from range(100000) r(i)"));
    need(
        session->execute(fmt::format("create table bars as select 'S' || (i % 50) as symbol, timestamp "
                                     "'2026-01-02' + to_minutes(i // 50) as ts, "
                                     "100 + (hash(i) % 1000) / 100.0::double as close, (hash(i) % "
                                     "100000)::bigint as volume from range({}) r(i)",
                                     kRows)));
    bench.compare("read of one compacted table", "select sum(v) from {} where id between 500 and 600",
                  "small", 201, 1, 2);
    bench.compare("aggregate of 5 million rows",
                  "select symbol, count(*), sum(volume), avg(close) from {} group by symbol", "bars", 15,
                  1.05, 5);
    bench.compare("selective read of 5 million rows",
                  "select count(*) from {} where ts = timestamp '2026-01-20 10:00:00'", "bars", 51, 1.05, 5);

    need(session->execute("create table ticks (id bigint, v varchar)"));
    int i = 0;
    double commit = median_ms(
        201, [&] { need(session->execute(fmt::format("insert into ticks values ({}, 'x')", i++))); });
    fmt::print("one-row commit, p50 of 201: {:.2f} ms (promise: at most 15 ms) {}\n", commit,
               commit <= 15 ? "holds" : "MISSED");
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace tarn

int main() {
  tarn::run();
}
