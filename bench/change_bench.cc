// What changes of rows cost beside DuckDB's own tables, in one process and one run: UPDATE of 1 % and DELETE
// of 10 % of 5 million rows, a scan of the rest, MERGE of 100,000 rows. `./dev bench change_bench` builds and
// runs it.
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>

#include "base/env/env.h"
#include "bench_tools.h"
#include "lake/lake.h"

namespace tarn {
namespace {

using namespace bench;

constexpr int64_t kRows = 5'000'000;
constexpr int kRepeats = 5;

std::string table_sql(const std::string& name) {
  return fmt::format(
      "create or replace table {} as select i as id, 'S' || (i % 50) as symbol, timestamp '2026-01-02' + "
      "to_minutes(i // 50) as ts, 100 + (hash(i) % 1000) / 100.0::double as close, (hash(i) % "
      "100000)::bigint as "
      "volume from range({}) r(i)",
      name, kRows);
}

struct Bench {
  session::Session& session;
  engine::Connection& plain;

  void make() {
    ask(session, table_sql("bars"));
    ask(plain, table_sql("bars"));
  }

  // Each repeat starts from a new table.
  void compare(const char* what, const std::string& sql, double factor) {
    std::vector<double> ours;
    std::vector<double> theirs;
    for (int i = 0; i < kRepeats; ++i) {
      make();
      ours.push_back(median_ms(1, [&] { need(session.execute(sql)); }));
      theirs.push_back(median_ms(1, [&] { need(plain.execute(sql)); }));
    }
    std::sort(ours.begin(), ours.end());
    std::sort(theirs.begin(), theirs.end());
    const double tarn = ours[kRepeats / 2];
    const double duckdb = theirs[kRepeats / 2];
    fmt::print(
        "{}: tarn {:.0f} ms, DuckDB's own table {:.0f} ms, ratio {:.2f} (promise: at most {:.1f}) {}\n", what,
        tarn, duckdb, tarn / duckdb, factor, tarn <= duckdb * factor ? "holds" : "MISSED");
  }

  void scan_after_deletes() {
    const std::string sql = "select symbol, count(*), sum(volume), avg(close) from bars group by symbol";
    make();
    ask(session, sql);
    const double before = median_ms(15, [&] { ask(session, sql); });
    ask(session, "delete from bars where hash(id) % 10 = 3");
    ask(session, sql);
    const double after = median_ms(15, [&] { ask(session, sql); });
    fmt::print(
        "scan with 10 % of the rows deleted: {:.1f} ms, without deletes {:.1f} ms, ratio {:.2f} "
        "(promise: at most 1.2) {}\n",
        after, before, after / before, after <= before * 1.2 ? "holds" : "MISSED");
  }

  // One row into a table of 5 million with a key that grows, and with one at random.
  void keys() {
    for (const char* key : {"i", "(hash(i) >> 1)::bigint"}) {
      need(session.execute("create or replace table keyed(k bigint primary key, v int)"));
      need(session.execute(
          fmt::format("insert into keyed select {}, i % 100 from range({}) r(i)", key, kRows)));
      int64_t next = kRows;
      const double ms = median_ms(15, [&] {
        need(session.execute(
            fmt::format("insert into keyed select {}, 0 from range({}, {}) r(i)", key, next, next + 1)));
        ++next;
      });
      fmt::print("one row into 5 million with the key {}: {:.1f} ms\n", key, ms);
    }
  }

  void merge() {
    make();
    ask(session, "create table news as select i * 97 as id, i as v from range(100000) r(i)");
    ask(plain, "create table news as select i * 97 as id, i as v from range(100000) r(i)");
    const std::string sql =
        "merge into bars using news on bars.id = news.id when matched then update set volume = news.v "
        "when not matched then insert (id, volume) values (news.id, news.v)";
    const double tarn = median_ms(1, [&] { need(session.execute(sql)); });
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const double duckdb = median_ms(1, [&] { need(plain.execute(sql)); });
    fmt::print(
        "merge of 100,000 rows into 5 million: tarn {:.0f} ms, DuckDB's own table {:.0f} ms; the process at "
        "most {} MB so far, both engines (promise: at most 3,000 ms and 1,000 MB) {}\n",
        tarn, duckdb, usage.ru_maxrss / 1024,
        tarn <= 3000 && usage.ru_maxrss / 1024 <= 1000 ? "holds" : "MISSED");
  }
};

void run() {
  Env& env = real_env();
  const std::string folder =
      fmt::format("{}/tarn-bench-{}", std::filesystem::current_path().string(), getpid());
  {
    auto lake = need(lake::Lake::open(env, {.data_folder = folder}));
    auto sessions = session::make_session_service(lake->database(), lake->catalog(), env, {});
    auto session = need(sessions->open({}));
    auto peer = need(engine::Database::open({.allowed_folders = {folder}}));
    auto plain = need(peer->connect());
    need(plain->execute(fmt::format("attach '{}/peer.duckdb' as peer; use peer", folder)));
    Bench bench{*session, *plain};
    bench.merge();
    bench.compare("UPDATE of 1 % of 5 million rows", "update bars set volume = volume + 1 where id % 100 = 7",
                  3);
    bench.compare("UPDATE of 1 %, in one place",
                  "update bars set volume = 0 where id between 100000 and 149999", 3);
    bench.compare("DELETE of 10 % of 5 million rows", "delete from bars where id % 10 = 3", 3);
    bench.scan_after_deletes();
    bench.keys();
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace tarn

int main() {
  tarn::run();
}
