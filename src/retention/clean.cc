#include "retention/clean.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/time.h"
#include "flow/task.h"
#include "lake/maintenance.h"
#include "source/remove_rows.h"

namespace tarn::retention {
namespace {

namespace fs = std::filesystem;

constexpr size_t kRunsAtOnce = 200;  // in one transaction: the writer serves others between
constexpr int kQuarantineTries = 5;
constexpr Duration kGuard = kDay;  // files without a record are left alone for so long
// Rows that were taken out of quarantine leave the disk when no version has them any more.
constexpr Duration kQuarantineHistory = 30 * kDay;
constexpr std::string_view kNotOver =
    "(EXISTS (SELECT 1 FROM runs r WHERE r.id = {0} AND r.state IN ('waiting', 'running')) OR EXISTS "
    "(SELECT 1 FROM due d WHERE d.run_id = {0} AND d.state IN ('waiting', 'running')))";

std::string not_over(std::string_view run) {
  return fmt::format(fmt::runtime(kNotOver), run);
}

struct RunKey {
  std::string source, run;
  auto operator<=>(const RunKey&) const = default;
};

class Cleaner {
 public:
  Cleaner(const CleanerParts& parts, const Policy& policy, bool dry_run,
          const std::function<bool()>& cancelled)
      : parts_(parts),
        store_(parts.store),
        policy_(policy),
        dry_(dry_run),
        cancelled_(cancelled),
        now_(parts.env.clock->now()) {}

  Result<Cleaning> run() {
    TARN_CHECK(find_loaded());
    if (!dry_)
      TARN_CHECK(note_start());
    using Step = Status (Cleaner::*)();
    for (const Step step :
         {&Cleaner::raw, &Cleaner::fetches, &Cleaner::quarantine, &Cleaner::logs, &Cleaner::runs,
          &Cleaner::due, &Cleaner::sent, &Cleaner::records, &Cleaner::history, &Cleaner::orphans}) {
      if (cancelled_ && cancelled_())
        return Error{Code::kCancelled, "the cleaning was cancelled; what it took out is gone"};
      TARN_CHECK((this->*step)());
    }
    return std::move(cleaning_);
  }

 private:
  Status note_start() {
    cleaning_.dry_run = false;
    return store_.write([this](store::Connection& db) {
      return db.run(
          "INSERT INTO cleanings VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET started_at = "
          "excluded.started_at",
          {now_});
    });
  }

  void removed(std::string what, int64_t count, int64_t bytes = 0) {
    cleaning_.dry_run = dry_;
    cleaning_.removed.push_back({std::move(what), count, bytes});
  }

  Result<std::vector<std::string>> texts(const std::string& sql, std::initializer_list<store::Bind> binds) {
    return store_.read([&](store::Connection& db) -> Result<std::vector<std::string>> {
      std::vector<std::string> all;
      TARN_TRY(auto rows, db.query(sql, binds));
      while (true) {
        TARN_TRY(const bool more, rows.next());
        if (!more)
          return all;
        all.push_back(rows.text(0));
      }
    });
  }

  // Of each source the newest run whose bytes are kept and whose rows are in the lake.
  Status find_loaded() {
    return store_.read([this](store::Connection& db) -> Status {
      TARN_TRY(auto rows,
               db.query("SELECT source, run, max(finished) FROM fetches WHERE path <> '' GROUP BY source, "
                        "run ORDER BY source, max(finished) DESC, run DESC"));
      while (true) {
        TARN_TRY(const bool more, rows.next());
        if (!more)
          return ok();
        const auto source = rows.text(0), run = rows.text(1);
        if (loaded_.contains(source))
          continue;
        TARN_TRY(const auto token, db.integer("SELECT 1 FROM commit_tokens WHERE token = ?",
                                              {flow::token_of(run, source, "load")}));
        if (token)
          loaded_[source] = {run, rows.time(2)};
      }
    });
  }

  // A source of which nothing was loaded yet keeps everything.
  [[nodiscard]] bool is_needed(const RunKey& key, Timestamp finished) const {
    const auto newest = loaded_.find(key.source);
    return newest == loaded_.end() || key.run == newest->second.run || finished > newest->second.finished;
  }

  Status raw() {
    int64_t count = 0, bytes = 0;
    std::vector<RunKey> old;
    if (policy_.raw) {
      TARN_CHECK(store_.read([&](store::Connection& db) -> Status {
        TARN_TRY(auto rows,
                 db.query(fmt::format(
                              "SELECT source, run, count(*), sum(bytes), max(finished) FROM fetches f WHERE "
                              "path <> '' GROUP BY source, run HAVING max(finished) < ? AND NOT {}",
                              not_over("f.run")),
                          {now_ - *policy_.raw}));
        while (true) {
          TARN_TRY(const bool more, rows.next());
          if (!more)
            return ok();
          RunKey key{rows.text(0), rows.text(1)};
          if (is_needed(key, rows.time(4)))
            continue;
          count += rows.integer(2);
          bytes += rows.integer(3);
          old.push_back(std::move(key));
        }
      }));
    }
    removed("raw", count, bytes);
    if (dry_)
      return ok();
    const auto why = policy_.raw ? fmt::format("removed after {} days (retention)", *policy_.raw / kDay) : "";
    for (size_t at = 0; at < old.size(); at += kRunsAtOnce) {
      const auto end = std::min(old.size(), at + kRunsAtOnce);
      TARN_CHECK(store_.write([&](store::Connection& db) -> Status {
        for (size_t i = at; i < end; ++i) {
          TARN_CHECK(
              db.run("UPDATE fetches SET path = '', error = ? WHERE source = ? AND run = ? AND path <> ''",
                     {why, old[i].source, old[i].run}));
        }
        return ok();
      }));
    }
    return sweep();
  }

  // Folders that no record names: of records that are gone, and of runs that were killed while they landed.
  Status sweep() {
    const fs::path root = parts_.data_folder + "/raw";
    std::error_code error;
    for (fs::directory_iterator source(root, error), end; !error && source != end; source.increment(error)) {
      std::error_code gone;
      if (fs::symlink_status(source->path(), gone).type() != fs::file_type::directory)
        continue;
      for (fs::directory_iterator run(source->path(), gone), last; !gone && run != last;
           run.increment(gone)) {
        std::error_code ignored;
        if (fs::symlink_status(run->path(), ignored).type() == fs::file_type::directory)
          TARN_CHECK(sweep_run(source->path().filename().string(), run->path()));
      }
    }
    return ok();
  }

  Status sweep_run(const std::string& source, const fs::path& folder) {
    const auto run = folder.filename().string();
    std::error_code error;
    const auto changed = fs::last_write_time(folder, error);
    if (error)
      return ok();
    const auto age = std::chrono::duration_cast<Duration>(
        now_ - std::chrono::time_point_cast<Duration>(std::chrono::file_clock::to_sys(changed)));
    if (age < kGuard)
      return ok();
    TARN_TRY(const auto used, store_.read([&](store::Connection& db) {
      return db.integer(
          fmt::format("SELECT 1 WHERE EXISTS (SELECT 1 FROM fetches WHERE source = ? AND run = ? AND "
                      "path <> '') OR {}",
                      not_over("?")),
          {source, run, run, run});
    }));
    if (used)
      return ok();
    TARN_TRY(const auto names, parts_.env.files->list(folder.string()));
    for (const auto& name : names)
      TARN_CHECK(parts_.env.files->remove(folder.string() + "/" + name));
    fs::remove(folder, error);
    return ok();
  }

  // Rows of a table of control.sqlite.
  Status table(std::string what, const std::string& name, const std::string& where,
               std::initializer_list<store::Bind> binds) {
    TARN_TRY(const auto count, store_.read([&](store::Connection& db) {
      return db.integer(fmt::format("SELECT count(*) FROM {} WHERE {}", name, where), binds);
    }));
    removed(std::move(what), count.value_or(0));
    if (dry_ || count.value_or(0) == 0)
      return ok();
    return store_.write([&](store::Connection& db) {
      return db.run(fmt::format("DELETE FROM {} WHERE {}", name, where), binds);
    });
  }

  // A cursor of a file names the fetch that it was loaded from, whose checksum says whether it changed.
  Status fetches() {
    if (!policy_.fetches)
      return ok();
    return table(
        "fetches", "fetches",
        fmt::format("finished < ? AND path = '' AND NOT {} AND NOT EXISTS (SELECT 1 FROM source_cursors c "
                    "WHERE c.source = fetches.source AND json_valid(c.value) AND json_extract(c.value, "
                    "'$.id') = fetches.run || '/' || fetches.number)",
                    not_over("fetches.run")),
        {now_ - *policy_.fetches});
  }

  Status quarantine() {
    if (!policy_.quarantine)
      return ok();
    auto where = fmt::format("quarantined_at < TIMESTAMPTZ '{}'", format_utc(now_ - *policy_.quarantine));
    for (const auto& [source, newest] : loaded_)
      where += fmt::format(" AND NOT (source = {} AND run = {})", session::quote_literal(source),
                           session::quote_literal(newest.run));
    for (int i = 1;; ++i) {
      TARN_TRY(const auto session, parts_.sessions.open({}));
      const auto count = source::remove_quarantined(*session, where, dry_);
      if (count) {
        removed("quarantine", *count);
        return ok();
      }
      if (count.error().code != Code::kConflict || i >= kQuarantineTries)
        return count.error();
    }
  }

  // Of the newest outcome, and the newest success, of each task nothing goes.
  Result<std::set<std::string>> needed_runs() {
    std::set<std::string> needed;
    for (const auto* states : {"'done'", "'done', 'failed', 'interrupted', 'unknown'"}) {
      TARN_TRY(
          const auto runs,
          texts(fmt::format("SELECT (SELECT t.run_id FROM tasks t WHERE t.name = n.name AND t.state IN ({}) "
                            "ORDER BY t.started_at DESC LIMIT 1) FROM (SELECT DISTINCT name FROM tasks) n",
                            states),
                {}));
      needed.insert(runs.begin(), runs.end());
    }
    for (const auto& [source, newest] : loaded_)
      needed.insert(newest.run);
    return needed;
  }

  Result<std::vector<std::string>> old_runs(Duration age) {
    TARN_TRY(const auto needed, needed_runs());
    TARN_TRY(auto all, texts(fmt::format("SELECT id FROM runs WHERE finished_at < ? AND NOT {} ORDER BY id",
                                         not_over("runs.id")),
                             {now_ - age}));
    std::erase_if(all, [&](const auto& run) { return needed.contains(run); });
    return all;
  }

  Status of_runs(std::string what, const std::vector<std::string>& runs,
                 const std::vector<std::string>& tables) {
    int64_t count = 0;
    for (size_t at = 0; at < runs.size(); at += kRunsAtOnce) {
      const auto end = std::min(runs.size(), at + kRunsAtOnce);
      const auto each = [&](store::Connection& db) -> Status {
        for (size_t i = at; i < end; ++i) {
          for (const auto& name : tables) {
            const auto key = name == "runs" ? "id" : "run_id";
            if (dry_) {
              TARN_TRY(const auto some,
                       db.integer(fmt::format("SELECT count(*) FROM {} WHERE {} = ?", name, key), {runs[i]}));
              count += name == tables.front() ? some.value_or(0) : 0;
              continue;
            }
            TARN_CHECK(db.run(fmt::format("DELETE FROM {} WHERE {} = ?", name, key), {runs[i]}));
            count += name == tables.front() ? db.changes() : 0;
          }
        }
        return ok();
      };
      TARN_CHECK(dry_ ? store_.read(each) : store_.write(each));
    }
    removed(std::move(what), count);
    return ok();
  }

  Status logs() {
    if (!policy_.logs)
      return ok();
    TARN_TRY(const auto runs, old_runs(*policy_.logs));
    return of_runs("logs", runs, {"attempt_log"});
  }

  Status runs() {
    if (!policy_.runs)
      return ok();
    if (!dry_) {  // of runs that are not recorded any more
      TARN_CHECK(store_.write([this](store::Connection& db) {
        return db.run("DELETE FROM test_results WHERE at < ? AND run_id NOT IN (SELECT id FROM runs)",
                      {now_ - *policy_.runs});
      }));
    }
    TARN_TRY(const auto runs, old_runs(*policy_.runs));
    return of_runs("runs", runs,
                   {"runs", "tasks", "attempts", "attempt_log", "task_versions", "test_results",
                    "task_values", "run_parts", "flow_runs", "effects", "prepared_results"});
  }

  // The newest of each schedule says what came of it last; the newest of all gives the next number.
  Status due() {
    if (!policy_.due)
      return ok();
    TARN_CHECK(
        table("due", "due",
              "finished_at < ? AND state NOT IN ('waiting', 'running') AND id < (SELECT max(d.id) FROM due d "
              "WHERE d.schedule = due.schedule AND d.state <> 'skipped') AND id < (SELECT max(id) FROM due)",
              {now_ - *policy_.due}));
    if (dry_)
      return ok();
    return store_.write([this](store::Connection& db) {
      return db.run(
          "DELETE FROM backfills WHERE created_at < ? AND NOT EXISTS (SELECT 1 FROM due WHERE "
          "due.schedule = 'backfill ' || backfills.id)",
          {now_ - *policy_.due});
    });
  }

  Status sent() {
    if (!policy_.sent)
      return ok();
    const auto before = now_ - *policy_.sent;
    TARN_CHECK(table("sent", "sent", "started_at < ? AND state <> 'sending'", {before}));
    TARN_TRY(const auto alerts, store_.read([&](store::Connection& db) {
      return db.integer(
          "SELECT count(*) FROM alerts WHERE created_at < ? AND state NOT IN ('waiting', 'sending') AND "
          "episode IN (SELECT id FROM alert_episodes WHERE closed_at IS NOT NULL)",
          {before});
    }));
    cleaning_.removed.back().count += alerts.value_or(0);
    if (dry_)
      return ok();
    return store_.write([&](store::Connection& db) -> Status {
      TARN_CHECK(
          db.run("DELETE FROM alerts WHERE created_at < ? AND state NOT IN ('waiting', 'sending') AND "
                 "episode IN (SELECT id FROM alert_episodes WHERE closed_at IS NOT NULL)",
                 {before}));
      TARN_CHECK(
          db.run("DELETE FROM alert_episodes WHERE closed_at < ? AND NOT EXISTS (SELECT 1 FROM alerts "
                 "WHERE alerts.episode = alert_episodes.id)",
                 {before}));
      return db.run("DELETE FROM alert_messages WHERE started_at < ? AND state <> 'sending'", {before});
    });
  }

  // A dry run takes no rows out, and so cannot know which pages become free.
  Status records() {
    if (dry_) {
      removed("records", 0);
      return ok();
    }
    TARN_TRY(const auto bytes, store_.shrink(cancelled_));
    TARN_TRY(const auto page_bytes,
             store_.read([](store::Connection& db) { return db.integer("PRAGMA page_size"); }));
    removed("records", bytes / std::max<int64_t>(page_bytes.value_or(1), 1), bytes);
    return ok();
  }

  Status history() {
    const lake::HistoryPolicy policy{.age = policy_.history,
                                     .at_most = {{"_tarn.quarantine", kQuarantineHistory}}};
    TARN_TRY(const auto found, lake::expire(parts_.lake, policy, dry_));
    removed("history", found.versions);
    if (found.unread.empty())
      return ok();
    return Error{Code::kCorrupt, "a table keeps its whole history, because " + found.unread.front()};
  }

  Status orphans() {
    if (!policy_.orphans)
      return ok();
    TARN_TRY(auto found,
             lake::sweep(parts_.lake, {.guard = *policy_.orphans, .dry_run = dry_, .cancelled = cancelled_}));
    removed("orphans", found.files, found.bytes);
    for (auto& path : found.paths)
      cleaning_.removed.back().paths.push_back(
          fs::path(path).lexically_relative(parts_.data_folder).string());
    return ok();
  }

  const CleanerParts& parts_;
  store::Store& store_;
  const Policy& policy_;
  const bool dry_;
  const std::function<bool()>& cancelled_;
  const Timestamp now_;
  struct Loaded {
    std::string run;
    Timestamp finished;
  };
  std::map<std::string, Loaded> loaded_;  // by source
  Cleaning cleaning_;
};

}  // namespace

Status open_records(store::Store& store) {
  return store.migrate(
      {.component = "retention",
       .steps = {"CREATE TABLE cleanings (id INTEGER PRIMARY KEY, started_at INTEGER NOT NULL) "
                 "STRICT;"}});
}

Result<std::optional<Timestamp>> last_cleaned_at(store::Store& store) {
  TARN_TRY(const auto at, store.read([](store::Connection& db) {
    return db.integer("SELECT started_at FROM cleanings WHERE id = 1");
  }));
  return at ? std::optional(Timestamp(Duration(*at))) : std::nullopt;
}

Result<Cleaning> clean(const CleanerParts& parts, const Policy& policy, bool dry_run,
                       const std::function<bool()>& cancelled) {
  return Cleaner(parts, policy, dry_run, cancelled).run();
}

}  // namespace tarn::retention
