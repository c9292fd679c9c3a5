// TPC-H on lake tables beside DuckDB on its own Parquet files, in one process and one run: `./dev bench tpch`
// makes the files (bench/tpch.py) and runs it. FOLDER holds TABLE.parquet and NN.sql.
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/env/env.h"
#include "bench_tools.h"
#include "lake/lake.h"

namespace tarn {
namespace {

using namespace bench;

constexpr int kRepeats = 7;
constexpr int kQueries = 22;
constexpr std::array kTables = {"lineitem", "orders",   "customer", "part",
                                "partsupp", "supplier", "nation",   "region"};

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string answer(engine::Connection& connection, const std::string& sql) {
  std::string rows;
  auto stream = need(connection.query(sql));
  while (auto batch = need(stream->next_text())) {
    for (size_t row = 0; row < batch->rows; ++row) {
      for (const auto& column : batch->columns) {
        rows += (column.null[row] ? "NULL" : column.text[row]) + '|';
      }
      rows += '\n';
    }
  }
  return rows;
}

// Each query once by one, once by the other, so that both meet the same machine.
void compare(const std::string& folder, engine::Connection& tarn, engine::Connection& peer) {
  double tarn_all = 0;
  double peer_all = 0;
  for (int number = 1; number <= kQueries; ++number) {
    const std::string sql = text_of(fmt::format("{}/{:02}.sql", folder, number));
    if (answer(tarn, sql) != answer(peer, sql)) {
      fail({Code::kInternal, fmt::format("query {} has two answers", number)});
    }
    std::vector<double> ours;
    std::vector<double> theirs;
    for (int i = 0; i < kRepeats; ++i) {
      ours.push_back(median_ms(1, [&] { ask(tarn, sql); }));
      theirs.push_back(median_ms(1, [&] { ask(peer, sql); }));
    }
    std::sort(ours.begin(), ours.end());
    std::sort(theirs.begin(), theirs.end());
    const double tarn_ms = ours[kRepeats / 2];
    const double peer_ms = theirs[kRepeats / 2];
    fmt::print("q{:02}: tarn {:.0f} ms, DuckDB on its own Parquet {:.0f} ms, ratio {:.2f}\n", number, tarn_ms,
               peer_ms, tarn_ms / peer_ms);
    tarn_all += tarn_ms;
    peer_all += peer_ms;
  }
  fmt::print(
      "all 22: tarn {:.0f} ms, DuckDB on its own Parquet {:.0f} ms, ratio {:.3f} (promise: at most 1.1) {}\n",
      tarn_all, peer_all, tarn_all / peer_all, tarn_all <= peer_all * 1.1 ? "holds" : "MISSED");
}

void run(const std::string& folder) {
  Env& env = real_env();
  const std::string data = fmt::format("{}/tarn-bench-{}", std::filesystem::current_path().string(), getpid());
  {
    auto lake = need(lake::Lake::open(env, {.data_folder = data, .external_access = true}));
    auto tarn = need(lake->database().connect());
    auto database = need(engine::Database::open({.external_access = true}));
    auto peer = need(database->connect());
    for (const auto* table : kTables) {
      const auto file = session::quote_literal(fmt::format("{}/{}.parquet", folder, table));
      need(tarn->execute(fmt::format("create table {} as select * from read_parquet({})", table, file)));
      need(peer->execute(fmt::format("create view {} as select * from read_parquet({})", table, file)));
    }
    compare(folder, *tarn, *peer);
  }
  std::filesystem::remove_all(data);
}

}  // namespace
}  // namespace tarn

int main(int count, char** arguments) {
  if (count != 2) {
    fmt::print(stderr, "tpch_bench FOLDER: ./dev bench tpch makes it\n");
    return 2;
  }
  tarn::run(arguments[1]);
}
