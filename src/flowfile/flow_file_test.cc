// Goal: a flow's file is read whole, and every mistake has its place and says what to write. Method: texts
// in, values and diagnostics out.
#include "flowfile/flow_file.h"

#include <gmock/gmock.h>

namespace tarn::flowfile {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> mistakes_of(std::string_view text) {
  Diagnostics found;
  const auto flow = read_flow(text, "flows/f.yml", found);
  EXPECT_EQ(flow->broken, !found.empty());
  std::vector<std::string> all;
  for (const auto& one : found)
    all.push_back(to_string(one));
  return all;
}

std::string tasks(const std::string& lines) {
  return "tasks:\n" + lines;
}

TEST(FlowFileTest, ReadsWhatIsWritten) {
  Diagnostics found;
  const auto flow = read_flow(
      "title: The night\n"
      "parameters:\n  day: {type: date, default: today}\n"
      "at_once: 8\n"
      "tasks:\n"
      "  fetch: {run: [raw_bars+], exclude: slow, vars: {day: \"${day}\"}}\n"
      "  count: {sql: select count(*) as n from bars where day = $day, after: fetch}\n"
      "  fit:\n    script: scripts/fit.py\n    after: [fetch, count]\n    when: $count.n > 0\n"
      "    memory: 2GB\n    cpu_time: 5m\n    timeout: 20m\n    retries: 2\n    retry_delay: 1m\n"
      "    env: {KEY: \"${env:MODEL_KEY}\"}\n    arguments: [--fast, \"${count.n}\"]\n"
      "  tell:\n    http:\n      url: https://example.org/hook\n      json: {rows: \"${count.n}\", ok: "
      "true}\n"
      "    if_before: ended\n    after: fit\n"
      "  mails:\n    report: daily\n    file: exports/${row.region}.xlsx\n    mail: true\n"
      "    for_each: select region from regions\n    at_once: 2\n    parameters: {region: "
      "\"${row.region}\"}\n",
      "flows/night.yml", found);
  ASSERT_TRUE(found.empty()) << to_string(found.front());
  EXPECT_EQ(flow->name, "night");
  EXPECT_EQ(flow->at_once, 8);
  ASSERT_EQ(flow->tasks.size(), 5U);
  EXPECT_EQ(flow->tasks[0].kind, Kind::kRun);
  EXPECT_THAT(flow->tasks[0].run.leave, ElementsAre("slow"));
  const auto& fit = flow->tasks[2];
  EXPECT_EQ(fit.script.memory_bytes, 2'000'000'000U);
  EXPECT_EQ(fit.timeout, std::chrono::minutes(20));
  EXPECT_EQ(fit.retries, 2);
  EXPECT_FALSE(fit.repeatable);
  EXPECT_THAT(flow->all_before(fit), ElementsAre("count", "fetch"));
  EXPECT_EQ(flow->tasks[3].http.method, "POST");
  EXPECT_EQ(flow->tasks[3].join, flow::Join::kAllEnded);
  EXPECT_TRUE(flow->tasks[4].report.mail);
  EXPECT_EQ(flow->tasks[4].at_once, 2);
}

TEST(FlowFileTest, InSequenceEachWaitsForTheOneBefore) {
  Diagnostics found;
  const auto flow = read_flow(
      "in_sequence: true\ntasks:\n  a: {sql: select 1}\n  b: {shell: date}\n  c: {sql: select 1, after: a}\n",
      "flows/f.yml", found);
  ASSERT_TRUE(found.empty());
  EXPECT_THAT(flow->all_before(flow->tasks[1]), ElementsAre("a"));
  EXPECT_THAT(flow->all_before(flow->tasks[2]), ElementsAre("a"));
}

TEST(FlowFileTest, RequestsThatChangeNothingMayBeRepeated) {
  Diagnostics found;
  const auto flow =
      read_flow(tasks("  a: {http: https://example.org}\n"
                      "  b: {http: {url: https://example.org, method: POST}}\n"
                      "  c: {http: {url: https://example.org, method: PUT}, repeatable: false}\n"),
                "flows/f.yml", found);
  ASSERT_TRUE(found.empty());
  EXPECT_TRUE(flow->tasks[0].repeatable);
  EXPECT_FALSE(flow->tasks[1].repeatable);
  EXPECT_FALSE(flow->tasks[2].repeatable);
}

TEST(FlowFileTest, MistakesOfATask) {
  EXPECT_THAT(mistakes_of("title: x\n"), ElementsAre(HasSubstr("flows/f.yml:1:1: a flow needs tasks")));
  EXPECT_THAT(mistakes_of(tasks("  a: {sql: select 1, http: https://x.org}\n")),
              ElementsAre(HasSubstr("flows/f.yml:2:3: task a needs exactly one of run, sql")));
  EXPECT_THAT(mistakes_of(tasks("  a: {sql: select 1, exclude: b}\n")),
              ElementsAre(HasSubstr("flows/f.yml:2:22: unknown key 'exclude'")));
  EXPECT_THAT(mistakes_of(tasks("  a: {shell: date, memory: 1}\n")),
              ElementsAre(HasSubstr("flows/f.yml:2:28: memory '1' is not a size of at least 16MB")));
  EXPECT_THAT(mistakes_of(tasks("  a: {shell: date, env: {TARN_TOKEN: x}}\n")),
              ElementsAre(HasSubstr("cannot be a variable of a script")));
  EXPECT_THAT(mistakes_of(tasks("  a: {script: ../x.sh}\n")),
              ElementsAre(HasSubstr("flows/f.yml:2:15: script is a file in the project")));
  EXPECT_THAT(mistakes_of(tasks("  a: {shell: 'echo ${x} ${row.y} ${z'}\n")),
              ElementsAre(HasSubstr("flows/f.yml:2:25: the shell's text is not filled: write 'env: {X: "
                                    "\"${row.y}\"}', and $X here")));
  EXPECT_THAT(mistakes_of(tasks("  a: {report: daily, mail: false}\n")),
              ElementsAre(HasSubstr("the report goes nowhere")));
  EXPECT_THAT(mistakes_of(tasks("  a: {report: daily, file: /etc/x.xlsx}\n")),
              ElementsAre(HasSubstr("file is a path in the project")));
  EXPECT_THAT(mistakes_of(tasks("  a: {http: {url: ftp://x.org}}\n")),
              ElementsAre(HasSubstr("flows/f.yml:2:19: url begins with http:// or https://")));
  EXPECT_THAT(mistakes_of(tasks("  a: {http: {url: https://x.org, accept: [200]}}\n")),
              ElementsAre(HasSubstr("accept lists statuses from 400 to 599")));
  EXPECT_THAT(mistakes_of(tasks("  a: {sql: select 1, at_once: 2}\n")),
              ElementsAre(HasSubstr("at_once is of the rows of for_each")));
  EXPECT_THAT(mistakes_of(tasks("  a: {run: [flow:b]}\n")),
              ElementsAre(HasSubstr("a flow cannot run another one")));
  EXPECT_THAT(mistakes_of(tasks("  row: {sql: select 1}\n")),
              ElementsAre(HasSubstr("cannot be a task's name")));
}

TEST(FlowFileTest, MistakesOfTheOrder) {
  EXPECT_THAT(mistakes_of(tasks("  fetch: {sql: select 1}\n  b: {sql: select 1, after: fetsh}\n")),
              ElementsAre("flows/f.yml:3:29: there is no task 'fetsh' in this flow: did you mean 'fetch'?"));
  EXPECT_THAT(
      mistakes_of(tasks("  a: {sql: select 1, after: b}\n  b: {sql: select 1, after: [c]}\n"
                        "  c: {sql: select 1, after: a}\n")),
      ElementsAre("flows/f.yml:2:29: these tasks wait for each other, so none can start: a -> b -> c -> "
                  "a; take a name out of 'after'"));
  EXPECT_THAT(mistakes_of(tasks("  a: {sql: select 1, after: a}\n")),
              ElementsAre(HasSubstr("a -> a; take a name")));
  EXPECT_THAT(mistakes_of(tasks("  a: {sql: select 1, if_before: failed}\n")),
              ElementsAre(HasSubstr("comes after nothing")));
}

TEST(FlowFileTest, MistakesOfReferences) {
  EXPECT_THAT(mistakes_of("parameters: {day: date}\n" + tasks("  a: {sql: 'select $dya'}\n")),
              ElementsAre("flows/f.yml:3:20: there is no parameter 'dya': did you mean 'day'?"));
  EXPECT_THAT(mistakes_of(tasks("  a: {sql: select 1 as n}\n  b: {sql: select $a.n}\n")),
              ElementsAre("flows/f.yml:3:19: the result of a is not there yet: write a into 'after'"));
  EXPECT_THAT(mistakes_of(tasks("  a: {sql: select 1 as n}\n  b: {sql: select $a, after: a}\n")),
              ElementsAre(HasSubstr("of the result of task a write a.FIELD")));
  EXPECT_THAT(mistakes_of(tasks("  a: {http: 'https://x.org/${row.x}'}\n")),
              ElementsAre("flows/f.yml:2:28: row.x is a column of for_each, which is not known here"));
  EXPECT_THAT(mistakes_of(tasks("  a: {http: 'https://x.org/${day'}\n")),
              ElementsAre(HasSubstr("flows/f.yml:2:28: '${day' refers to nothing")));
  EXPECT_THAT(mistakes_of(tasks("  a: {sql: select $run.x}\n")), ElementsAre(HasSubstr("run has no 'x'")));
  EXPECT_THAT(mistakes_of("parameters: {a_n: number}\n" +
                          tasks("  a: {sql: select 1 as n}\n  b: {sql: 'select $a.n + $a_n', after: a}\n")),
              ElementsAre(HasSubstr("$a.n and $a_n are one name to the engine")));
}

}  // namespace
}  // namespace tarn::flowfile
