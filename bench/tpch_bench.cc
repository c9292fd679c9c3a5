// TPC-H on lake tables beside DuckDB on its own Parquet files, in one process and one run: `./dev bench tpch`
// makes the files (bench/tpch.py) and runs it. FOLDER holds TABLE.parquet and NN.sql. TARN_BENCH_CODEC is the
// codec of the lake's files when it is not the default one.
#include <sys/resource.h>
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

double cpu_ms() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto ms = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e3 + time.tv_usec / 1e3;
  };
  return ms(usage.ru_utime) + ms(usage.ru_stime);
}

struct Times {
  double wall_ms = 0;
  double cpu_ms = 0;
};

// One that answers, with its times.
class Side {
 public:
  Side(std::string name, engine::Connection& connection) : name_(std::move(name)), connection_(connection) {}

  std::string answer_to(const std::string& sql) { return answer(connection_, sql); }

  void ask_once(const std::string& sql) {
    const double before = cpu_ms();
    wall_.push_back(median_ms(1, [&] { ask(connection_, sql); }));
    cpu_.push_back(cpu_ms() - before);
  }

  // The medians since the last call; they are added to `all`.
  Times take() {
    const Times times{.wall_ms = middle(wall_), .cpu_ms = middle(cpu_)};
    all.wall_ms += times.wall_ms;
    all.cpu_ms += times.cpu_ms;
    return times;
  }

  [[nodiscard]] const std::string& name() const { return name_; }
  Times all;

 private:
  static double middle(std::vector<double>& values) {
    std::sort(values.begin(), values.end());
    const double middle = values[values.size() / 2];
    values.clear();
    return middle;
  }

  std::string name_;
  engine::Connection& connection_;
  std::vector<double> wall_;
  std::vector<double> cpu_;
};

// Each query by one after the other, so that all meet the same machine.
void compare(const std::string& folder, std::vector<Side>& sides) {
  for (int number = 1; number <= kQueries; ++number) {
    const std::string sql = text_of(fmt::format("{}/{:02}.sql", folder, number));
    const auto expected = sides.front().answer_to(sql);
    for (auto& side : sides) {
      if (side.answer_to(sql) != expected) {
        fail({Code::kInternal, fmt::format("query {} has two answers", number)});
      }
    }
    for (int i = 0; i < kRepeats; ++i) {
      for (auto& side : sides) {
        side.ask_once(sql);
      }
    }
    std::string line;
    for (auto& side : sides) {
      const auto times = side.take();
      line += fmt::format(" {} {:.0f} ms ({:.0f} CPU)", side.name(), times.wall_ms, times.cpu_ms);
    }
    fmt::print("q{:02}:{}\n", number, line);
  }
}

void show(const Side& tarn, const Side& peer, const Side& same_files) {
  for (const auto& side : {tarn, peer, same_files}) {
    fmt::print("all 22, {}: {:.0f} ms, {:.0f} ms CPU\n", side.name(), side.all.wall_ms, side.all.cpu_ms);
  }
  const double ratio = tarn.all.wall_ms / peer.all.wall_ms;
  fmt::print("tarn to DuckDB on its own Parquet: {:.3f} (CPU {:.3f}; promise: at most 1.1) {}\n", ratio,
             tarn.all.cpu_ms / peer.all.cpu_ms, ratio <= 1.1 ? "holds" : "MISSED");
  fmt::print("tarn to DuckDB on tarn's files: {:.3f} (CPU {:.3f})\n",
             tarn.all.wall_ms / same_files.all.wall_ms, tarn.all.cpu_ms / same_files.all.cpu_ms);
}

// The data files of a table, as read_parquet wants them.
std::string files_of(engine::LakeCatalog& catalog, const std::string& name) {
  auto head = need(catalog.head());
  auto metadata = need(head->schemas.at("public")->tables.at(name)->metadata());
  std::string list;
  for (const auto& each : need(catalog.plan(*metadata, *metadata->current_snapshot_id, {})).files) {
    list += (list.empty() ? "" : ", ") +
            session::quote_literal(each.file.path.substr(std::string_view("file://").size()));
  }
  return list;
}

void run(const std::string& folder) {
  Env& env = real_env();
  const std::string data =
      fmt::format("{}/tarn-bench-{}", std::filesystem::current_path().string(), getpid());
  {
    auto lake = need(lake::Lake::open(env, {.data_folder = data, .external_access = true}));
    auto tarn = need(lake->database().connect());
    auto database = need(engine::Database::open({.external_access = true}));
    auto peer = need(database->connect());
    auto other = need(engine::Database::open({.external_access = true}));
    auto same_files = need(other->connect());
    const char* codec = std::getenv("TARN_BENCH_CODEC");
    for (const auto* table : kTables) {
      const auto file = session::quote_literal(fmt::format("{}/{}.parquet", folder, table));
      need(tarn->execute(
          fmt::format("create table {} as select * from read_parquet({}) limit 0", table, file)));
      if (codec != nullptr) {
        need(tarn->execute(
            fmt::format("alter table {} set (\"write.parquet.compression-codec\" = '{}')", table, codec)));
      }
      need(tarn->execute(fmt::format("insert into {} select * from read_parquet({})", table, file)));
      need(peer->execute(fmt::format("create view {} as select * from read_parquet({})", table, file)));
      need(same_files->execute(fmt::format("create view {} as select * from read_parquet([{}])", table,
                                           files_of(lake->catalog(), table))));
    }
    std::vector<Side> sides{{"tarn", *tarn}, {"DuckDB", *peer}, {"DuckDB on tarn's files", *same_files}};
    compare(folder, sides);
    show(sides[0], sides[1], sides[2]);
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
