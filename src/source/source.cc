#include "source/source.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/time.h"
#include "codec/text_distance.h"
#include "flow/record_table.h"
#include "project/yaml_folder.h"
#include "source/check.h"
#include "source/kind.h"
#include "source/load.h"

namespace tarn::source {
namespace {

class SourceTask : public flow::Task {
 public:
  SourceTask(std::shared_ptr<const Sources> sources, std::shared_ptr<const SourceConfig> config,
             FetchRecords& records, std::vector<std::string> upstream)
      : sources_(std::move(sources)),
        config_(std::move(config)),
        records_(records),
        upstream_(std::move(upstream)) {}

  [[nodiscard]] std::string name() const override { return config_->name; }
  [[nodiscard]] std::string kind() const override { return "source"; }
  [[nodiscard]] std::string path() const override { return config_->path; }
  [[nodiscard]] std::vector<std::string> tags() const override { return config_->tags; }
  [[nodiscard]] std::vector<std::string> upstream() const override { return upstream_; }
  [[nodiscard]] std::vector<std::string> writes() const override {
    return {config_->table.schema + "." + config_->table.name};
  }
  [[nodiscard]] flow::RetryPolicy retry() const override { return {}; }  // requests are retried one by one
  [[nodiscard]] flow::Freshness freshness() const override { return config_->freshness; }
  Result<bool> can_resume(session::SessionService& sessions, const std::string& run_id) override;
  Status run(flow::TaskContext& context) override;

 private:
  std::shared_ptr<const Sources> sources_;
  std::shared_ptr<const SourceConfig> config_;
  FetchRecords& records_;
  std::vector<std::string> upstream_;
};

// A run whose rows are in the lake is over, even if it died before it could write that down: what has arrived
// since needs a run of its own.
Result<bool> SourceTask::can_resume(session::SessionService& sessions, const std::string& run_id) {
  TARN_TRY(const auto done, sessions.catalog().find_token(flow::token_of(run_id, config_->name, "load")));
  return !done;
}

Status SourceTask::run(flow::TaskContext& context) {
  std::string token = context.token("load");
  TARN_TRY(auto done, context.sessions.catalog().find_token(token));
  if (done) {
    context.log.line("was loaded by an earlier attempt of this run");
    context.report->lake_version = done->lake_version;
    return ok();
  }
  TARN_TRY(
      auto landing,
      Landing::open(context.env, records_,
                    {.data_folder = context.data_folder, .source = config_->name, .run = context.run_id}));
  FetchContext fetch{
      .task = context, .config = *config_, .landing = *landing, .project = sources_->project()};
  TARN_TRY(auto fetched, config_->fetcher->fetch(fetch));
  if (fetched.landed.empty() && fetched.unchanged > 0) {
    context.log.line(fmt::format("nothing new: {} unchanged", fetched.unchanged));
  }
  context.log.progress(fmt::format("{} landed, loading", fetched.landed.size()));
  const auto landed = fetched.landed;
  const auto before_commit = [&]() -> Status {
    TARN_CHECK(landing->record_digests(landed));
    return fetched.before_commit ? fetched.before_commit() : ok();
  };
  return load({.config = *config_,
               .task = context,
               .landed = landed,
               .run = context.run_id,
               .token = token,
               .cursors = std::move(fetched.cursors),
               .before_commit = before_commit});
}

const SourceConfig* find_config(const Sources& sources, const std::string& name) {
  for (const auto& config : sources.configs()) {
    if (config->name == name) {
      return config.get();
    }
  }
  return nullptr;
}

std::string known_names(const Sources& sources, const std::string& wrong) {
  std::vector<std::string> names;
  for (const auto& config : sources.configs()) {
    names.push_back(config->name);
  }
  std::string near = codec::nearest(wrong, names);
  return near.empty() ? fmt::format("the sources are {}", fmt::join(names, ", "))
                      : fmt::format("did you mean '{}'?", near);
}

// Fetches whose rows a later fetch of the same file stands for.
Result<std::set<std::string>> superseded(FetchRecords& records, const std::string& source) {
  std::set<std::string> ids;
  TARN_CHECK(records.scan([&](const FetchRecord& record) {
    if (record.source == source && !record.replaces.empty()) {
      ids.insert(record.replaces);
    }
    return true;
  }));
  return ids;
}

// A replay of a table that each run replaces would put the run's rows in place of what a later run loaded.
Status refuse_older(FetchRecords& records, const SourceConfig& config, const std::string& run,
                    engine::LakeCatalog& catalog) {
  std::vector<std::string> later;  // newest first
  TARN_CHECK(records.scan([&](const FetchRecord& record) {
    if (record.source == config.name && (later.empty() || later.back() != record.run)) {
      later.push_back(record.run);
    }
    return record.source != config.name || record.run != run;
  }));
  for (const auto& one : later) {
    if (one == run) {
      continue;
    }
    TARN_TRY(const auto loaded, catalog.find_token(flow::token_of(one, config.name, "load")));
    if (loaded) {
      return Error{
          Code::kFailed,
          fmt::format("run {} is not the newest that loaded {}: run {} did after it, and each run replaces "
                      "all rows; replay that one, or run the source again",
                      run, config.name, one)};
    }
  }
  return ok();
}

}  // namespace

Sources::Sources() = default;
Sources::~Sources() = default;

Result<std::shared_ptr<const Sources>> Sources::read(FileSystem& files, project::Project project,
                                                     Diagnostics& diagnostics) {
  auto sources = std::shared_ptr<Sources>(new Sources());
  sources->project_ = std::move(project);
  sources->registry_ = std::make_unique<Registry>();
  add_all(*sources->registry_);
  TARN_TRY(sources->configs_, read_configs(*sources->registry_, files, sources->project_.root, diagnostics));
  std::map<std::string, std::string> writers;
  for (const auto& config : sources->configs_) {
    auto [other, fresh] =
        writers.emplace(engine::fold(config->table.schema + "." + config->table.name), config->path);
    const bool told =  // that they have one name
        !fresh && engine::fold(project::name_of_file(other->second)) == engine::fold(config->name);
    if (!fresh && !told) {
      diagnostics.push_back({Place{.file = config->path},
                             fmt::format("{} writes the same table {}.{}: give one of them another 'table'",
                                         other->second, config->table.schema, config->table.name)});
    }
  }
  return std::shared_ptr<const Sources>(std::move(sources));
}

Status Sources::draft_tables(session::Draft& draft, Diagnostics& diagnostics) const {
  for (const auto& config : configs_) {
    TARN_CHECK(draft_table(*config, draft, diagnostics));
  }
  return ok();
}

Status Sources::check_sql(session::SessionService& sessions, session::Draft& draft, FetchRecords& records,
                          Diagnostics& diagnostics) const {
  CheckContext context{
      .sessions = sessions, .draft = draft, .records = records, .data_folder = project_.data_folder};
  for (const auto& config : configs_) {
    TARN_CHECK(source::check_sql(*config, context, diagnostics));
  }
  return ok();
}

std::vector<std::unique_ptr<flow::Task>> source_tasks(const std::shared_ptr<const Sources>& sources,
                                                      FetchRecords& records,
                                                      const std::map<std::string, std::string>& producers) {
  std::map<std::string, std::string> writers = producers;
  for (const auto& config : sources->configs()) {
    writers.emplace(engine::fold(config->table.schema + "." + config->table.name), config->name);
  }
  std::vector<std::unique_ptr<flow::Task>> tasks;
  for (const auto& config : sources->configs()) {
    std::set<std::string> upstream(config->after.begin(), config->after.end());
    for (const auto& table : config->reads) {
      auto writer = writers.find(engine::fold(table));
      if (writer != writers.end() && writer->second != config->name) {
        upstream.insert(writer->second);
      }
    }
    tasks.push_back(std::make_unique<SourceTask>(sources, config, records,
                                                 std::vector<std::string>(upstream.begin(), upstream.end())));
  }
  return tasks;
}

Status replay(const Sources& sources, FetchRecords& records, const std::string& source,
              const std::string& run, flow::TaskContext& context) {
  const SourceConfig* config = find_config(sources, source);
  if (config == nullptr) {
    return Error{Code::kNotFound,
                 fmt::format("there is no source '{}'; {}", source, known_names(sources, source))};
  }
  TARN_TRY(auto all, records.of_run(source, run));
  TARN_TRY(auto gone, superseded(records, source));
  std::vector<Landed> landed;
  for (const auto& record : all) {
    if (record.path.empty() || gone.contains(record.id())) {
      continue;
    }
    std::string path = context.data_folder + "/" + record.path;
    TARN_TRY(auto digest, digest_file(path));
    if (!record.sha256.empty() && digest.sha256 != record.sha256) {
      return Error{Code::kCorrupt,
                   fmt::format("{} is not what was fetched: its checksum differs; the run cannot be "
                               "replayed",
                               path)};
    }
    landed.push_back({.number = record.number,
                      .id = record.id(),
                      .path = path,
                      .each_json = record.each_json,
                      .request_key = record.request_key,
                      .replaces = ""});
  }
  if (landed.empty()) {
    return Error{Code::kNotFound,
                 fmt::format("nothing is kept of run {} of source {}; see select distinct run from "
                             "_tarn.fetches where source = '{}'",
                             run, source, source)};
  }
  if (config->mode == Mode::kReplace) {
    TARN_CHECK(refuse_older(records, *config, run, context.sessions.catalog()));
  }
  return load({.config = *config,
               .task = context,
               .landed = std::move(landed),
               .run = run,
               .token = context.token("replay"),
               .cursors = {},
               .replay = true});
}

std::shared_ptr<engine::TableSource> fetches_table(store::Store& store) {
  using flow::kText, flow::kTime, flow::kWhole;
  return flow::record_table(
      store,
      {.name = "fetches",
       .about = "One row per answer or file that a source fetched, newest first.",
       .columns = {{{"id", kText, "run and number; _tarn_fetch of the rows made from it"},
                    "run || '/' || number"},
                   {{"source", kText, ""}, "source"},
                   {{"run", kText, ""}, "run"},
                   {{"number", kWhole, "within the run"}, "number"},
                   {{"each", kText, "the row of each it was asked for, as JSON"}, "nullif(each_json, '')"},
                   {{"method", kText, ""}, "method"},
                   {{"url", kText, "secrets are left as references"}, "url"},
                   {{"status", kWhole, "of HTTP; null: no answer, or a file"}, "nullif(status, 0)"},
                   {{"headers", kText, "of the answer, as JSON"}, "nullif(headers, '')"},
                   {{"sha256", kText, "of the kept bytes"}, "nullif(sha256, '')"},
                   {{"bytes", kWhole, "kept"}, "bytes"},
                   {{"encoding", kText, "content-encoding of the kept bytes"}, "nullif(encoding, '')"},
                   {{"path", kText, "in the data folder; null: nothing was kept"}, "nullif(path, '')"},
                   {{"error", kText, "why nothing was kept"}, "nullif(error, '')"},
                   {{"replaces", kText, "an earlier fetch of the same file, whose rows this one stands for"},
                    "nullif(replaces, '')"},
                   {{"started_at", kTime, ""}, "started"},
                   {{"finished_at", kTime, ""}, "finished"}},
       .from = "fetches ORDER BY started DESC"});
}

}  // namespace tarn::source
