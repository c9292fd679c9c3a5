#include "app/backend/project_tasks.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "flow/selection.h"
#include "retention/config.h"

namespace tarn::app {
namespace {

std::string folded_name(const engine::TableName& table) {
  return engine::fold(table.schema) + "." + engine::fold(table.name);
}

model::LoadOptions model_options(const source::Sources& sources,
                                 const std::shared_ptr<const engine::LakeVersion>& lake) {
  model::LoadOptions options;
  options.lake = lake;
  for (const auto& config : sources.configs()) {
    options.sources.push_back(
        {.name = config->name, .writes = {config->table}, .after = config->after, .reads = config->reads});
  }
  return options;
}

// Which task writes which table, for sources that read tables.
std::map<std::string, std::string> producers_of(const source::Sources& sources,
                                                const model::ModelProject& models) {
  std::map<std::string, std::string> producers;
  for (const auto& config : sources.configs())
    producers[folded_name(config->table)] = config->name;
  for (const auto& node : model::list_nodes(models)) {
    if (!node.table.empty())
      producers[engine::fold(node.table)] = node.name;
  }
  return producers;
}

bool by_place(const Diagnostic& a, const Diagnostic& b) {
  return std::tie(a.place.file, a.place.line, a.place.column, a.message) <
         std::tie(b.place.file, b.place.line, b.place.column, b.message);
}

constexpr std::string_view kMail = "mail:";
constexpr std::string_view kFlow = "flow:";

struct Words {
  std::vector<std::string> others;  // for flow/selection.h
  std::set<std::string> mails;
};

void split_mails(const std::string& text, Words& words) {
  std::string others;
  for (size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find_first_of(" \t", at), text.size());
    const auto word = text.substr(at, end - at);
    if (word.starts_with(kMail)) {
      words.mails.insert(word);
    } else if (!word.empty()) {
      others += (others.empty() ? "" : " ") + word;
    }
    at = end + 1;
  }
  if (!others.empty() || text.empty())
    words.others.push_back(others);
}

Result<std::set<std::string>> names_of_flow(const ProjectPlan& plan, const std::vector<std::string>& take,
                                            const std::vector<std::string>& leave) {
  const auto word = std::string(kFlow) + flow_of(take);
  if (take.size() != 1 || take.front() != word || !leave.empty()) {
    return Error{
        Code::kInvalid,
        fmt::format("{} stands alone: run the others by themselves, or as a task of the flow", word)};
  }
  TARN_TRY(const auto flow, plan.flows->find_whole(flow_of(take)));
  TARN_TRY(auto names, plan.flows->tasks_of(*flow, selector_of(plan)));
  names.insert(word);
  return names;
}

Status check_mail(const ProjectPlan& plan, const std::string& name) {
  TARN_TRY(const auto config, plan.reports->find_whole(name.substr(kMail.size())));
  if (!config->mail)
    return Error{Code::kInvalid,
                 fmt::format("report {} has no mail: write 'mail: {{to: ada@example.org}}' in {}",
                             config->name, config->file.path)};
  return ok();
}

}  // namespace

Result<ProjectPlan> read_project(Env& env, const project::Project& project, const serve::Vars& vars,
                                 const std::shared_ptr<const engine::LakeVersion>& lake) {
  ProjectPlan plan;
  TARN_TRY(auto current, project::load_project(*env.files, project.root, plan.mistakes));
  for (const auto& [name, value] : vars)
    current.vars[name] = value;
  TARN_TRY(plan.sources, source::Sources::read(*env.files, current, plan.mistakes));
  TARN_TRY(plan.models, model::load(env, current, model_options(*plan.sources, lake), plan.mistakes));
  TARN_TRY(plan.reports, report::Reports::read(env, current, plan.models, plan.page_mistakes));
  TARN_TRY(plan.boards, board::Boards::read(env, current, plan.models, plan.page_mistakes));
  TARN_TRY(plan.flows, flowfile::Flows::read(env, current, plan.models, plan.reports, plan.page_mistakes));
  (void)retention::read_policy(current.retention, plan.page_mistakes);
  std::sort(plan.mistakes.begin(), plan.mistakes.end(), by_place);
  return plan;
}

Result<ProjectPlan> plan_project(Env& env, const project::Project& project, const serve::Vars& vars,
                                 source::FetchRecords& fetches, engine::LakeCatalog& lake) {
  TARN_TRY(const auto version, lake.head());
  TARN_TRY(auto plan, read_project(env, project, vars, version));
  plan.tasks = source::source_tasks(plan.sources, fetches, producers_of(*plan.sources, *plan.models));
  auto models = model::model_tasks(plan.models);
  std::move(models.begin(), models.end(), std::back_inserter(plan.tasks));
  return plan;
}

Status check_by_engine(ProjectPlan& plan, session::SessionService& sessions, source::FetchRecords& fetches) {
  TARN_TRY(auto draft, session::Draft::open(sessions));
  TARN_CHECK(plan.sources->draft_tables(*draft, plan.mistakes));
  TARN_CHECK(model::check(*plan.models, sessions, *draft, plan.mistakes));
  TARN_CHECK(plan.sources->check_sql(sessions, *draft, fetches, plan.mistakes));
  TARN_CHECK(plan.reports->check(*draft, plan.page_mistakes));
  TARN_CHECK(plan.boards->check(*draft, plan.page_mistakes));
  TARN_CHECK(plan.flows->check(*draft, selector_of(plan), plan.page_mistakes));
  plan.mistakes.insert(plan.mistakes.end(), plan.page_mistakes.begin(), plan.page_mistakes.end());
  std::sort(plan.mistakes.begin(), plan.mistakes.end(), by_place);
  return ok();
}

flowfile::Select selector_of(const ProjectPlan& plan) {
  return [&plan](const auto& take, const auto& leave) { return select_names(plan, take, leave); };
}

std::string flow_of(const std::vector<std::string>& take) {
  for (const auto& text : take) {
    const auto at = text.find(kFlow);
    if (at != std::string::npos && (at == 0 || text[at - 1] == ' '))
      return text.substr(at + kFlow.size(), text.find(' ', at) - at - kFlow.size());
  }
  return "";
}

Result<std::set<std::string>> select_names(const ProjectPlan& plan, const std::vector<std::string>& take,
                                           const std::vector<std::string>& leave) {
  if (!flow_of(take).empty())
    return names_of_flow(plan, take, leave);
  Words wanted, left_out;
  for (const auto& text : take)
    split_mails(text, wanted);
  for (const auto& text : leave)
    split_mails(text, left_out);
  for (const auto& mail : wanted.mails)
    TARN_CHECK(check_mail(plan, mail));
  std::set<std::string> names;
  if (wanted.mails.empty() || !wanted.others.empty()) {
    TARN_TRY(names, flow::select_tasks(plan.tasks, {.take = wanted.others, .leave = left_out.others}));
  }
  names.insert(wanted.mails.begin(), wanted.mails.end());
  for (const auto& mail : left_out.mails)
    names.erase(mail);
  return names;
}

std::vector<std::string> mailed_reports(const std::set<std::string>& names) {
  std::vector<std::string> reports;
  for (const auto& name : names) {
    if (name.starts_with(kMail))
      reports.push_back(name.substr(kMail.size()));
  }
  return reports;
}

Result<std::vector<flow::Task*>> chosen_tasks(const ProjectPlan& plan, const serve::RunRequest& request) {
  TARN_TRY(const auto names, select_names(plan, request.selection, request.exclude));
  std::vector<flow::Task*> chosen;
  for (const auto& task : plan.tasks) {
    if (names.contains(task->name()))
      chosen.push_back(task.get());
  }
  return chosen;
}

std::string selection_text(const serve::RunRequest& request) {
  std::string text;
  for (const auto& word : request.selection)
    text += (text.empty() ? "" : " ") + word;
  for (const auto& word : request.exclude)
    text += (text.empty() ? "--exclude " : " --exclude ") + word;
  return text;
}

Error mistakes_error(const Diagnostics& mistakes) {
  std::string text;
  for (const auto& mistake : mistakes)
    text += (text.empty() ? "" : "\n") + to_string(mistake);
  return Error{Code::kInvalid, std::move(text)};
}

}  // namespace tarn::app
