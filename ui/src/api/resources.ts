// What pages show, and which events change it: the only place that knows.
import type { AlertPage, Alerts, MailPage } from "./alerts";
import { boardPath, type Board, type BoardSummary } from "./boards";
import { askMeanings, reportPath, type FieldMeaning, type Report } from "./reports";
import { isGuest } from "./client";
import type {
  Attachment,
  BackfillProgress,
  Calendar,
  Due,
  Flow,
  Mistake,
  Overview,
  Run,
  RunDetail,
  Schedule,
  Table,
  TableDetail,
} from "./client";
import type { Share } from "./shares";
import { useKept, useResource, useRows } from "./resource";

export const useOverview = () =>
  useResource<Overview>(
    () => (isGuest() ? null : "/api/v1/overview"),
    (event) => ["run", "task", "lake", "status"].includes(event.kind),
  );

export const useMistakes = () =>
  useResource<{ mistakes: Mistake[] }>(
    () => "/api/v1/check",
    (event) => event.kind === "run" || event.kind === "status",
  );

export const useSchedules = () =>
  useResource<{ schedules: Schedule[]; problem: string }>(
    () => "/api/v1/schedules",
    (event) => event.kind === "schedule" || event.kind === "run" || event.kind === "status",
  );

export const useUpcoming = () =>
  useResource<{ upcoming: { at: string; schedule: string }[] }>(
    () => "/api/v1/upcoming",
    (event) => event.kind === "schedule" || event.kind === "status",
  );

const timeChanges = (event: { kind: string }) =>
  event.kind === "schedule" || event.kind === "run" || event.kind === "status";
export const useCalendar = (of: () => { from: string; days: number; by: "day" | "hour" }) =>
  useResource<Calendar>(
    () => `/api/v1/calendar?days=${of().days}&by=${of().by}${of().from ? `&from=${of().from}` : ""}`,
    timeChanges,
  );
export const useBackfills = () =>
  useResource<{ backfills: BackfillProgress[]; time_zone: string }>(() => "/api/v1/backfill", timeChanges);
export const useDue = (schedule: () => string | null) =>
  useResource<{ due: Due[] }>(
    () => (schedule() ? `/api/v1/schedules/${encodeURIComponent(schedule()!)}/due?limit=30` : null),
    timeChanges,
  );

export const useFlows = () =>
  useResource<{ flows: Flow[] }>(
    () => "/api/v1/flows",
    (event) => event.kind === "run" || event.kind === "status",
  );

export const useFlow = (name: () => string) =>
  useResource<Flow>(
    () => `/api/v1/flows/${encodeURIComponent(name())}`,
    (event) => event.kind === "run" || event.kind === "status",
  );

export const useRuns = (limit: () => number) =>
  useResource<{ runs: Run[] }>(
    () => `/api/v1/runs?limit=${limit()}`,
    (event) => event.kind === "run",
  );

// Also what happens in runs that are parts of it: "<run>.fetch" is one of its task "flow/fetch".
export const isOfRun = (run: string, id: string | null): boolean =>
  id !== null && (run === id || run.startsWith(`${id}.`));
export const useRun = (id: () => string | null) =>
  useResource<RunDetail>(
    () => (id() ? `/api/v1/runs/${encodeURIComponent(id()!)}/detail` : null),
    (event) =>
      (event.kind === "run" && isOfRun(event.data.id, id())) ||
      (event.kind === "task" && isOfRun(event.data.run, id())),
  );

export const useTables = () =>
  useResource<{ tables: Table[] }>(
    () => "/api/v1/tables",
    (event) => event.kind === "lake",
  );

export const useTable = (of: () => { schema: string; name: string; asOf: string } | null) =>
  useResource<TableDetail>(
    () => {
      const wanted = of();
      if (!wanted) return null;
      const query = wanted.asOf ? `?as_of=${encodeURIComponent(wanted.asOf)}` : "";
      return `/api/v1/tables/${encodeURIComponent(wanted.schema)}/${encodeURIComponent(wanted.name)}${query}`;
    },
    (event) => event.kind === "lake" && event.data.tables.includes(`${of()?.schema}.${of()?.name}`),
  );

// Databases of others: their names, and what one of them holds, for which it is opened.
export const useAttachments = () =>
  useResource<{ attachments: { name: string; kind: string }[] }>(
    () => "/api/v1/attachments",
    () => false,
  );
export const useAttachment = (name: () => string | null) =>
  useResource<Attachment>(
    () => (name() ? `/api/v1/attachments/${encodeURIComponent(name()!)}` : null),
    () => false,
  );

// Schema, table, column, type, and the attachment that they are in: for completion.
export const useColumns = () =>
  useRows(
    () => ({
      text: `select table_schema, table_name, column_name, data_type,
        case when table_catalog in ('lake', 'system', 'temp') then '' else table_catalog end as outside
        from information_schema.columns where column_name <> '…' order by outside, table_schema, table_name, ordinal_position`,
      limit: 20_000,
    }),
    (event) => event.kind === "lake",
  );

// The rows of a table that its page shows; those of a moment never change.
export const usePreview = (of: () => { schema: string; name: string; asOf: string; limit: number }) =>
  useRows(
    () => ({
      table: { schema: of().schema, name: of().name },
      limit: of().limit,
      asOf: of().asOf || undefined,
    }),
    (event) =>
      event.kind === "lake" && !of().asOf && event.data.tables.includes(`${of().schema}.${of().name}`),
  );

// What is open, who is told, what was told last. `on`: false while nobody is logged in.
const alertChanges = (event: { kind: string }) => event.kind === "alert" || event.kind === "status";
export const useAlerts = (on: () => boolean = () => true) =>
  useResource<Alerts>(() => (on() && !isGuest() ? "/api/v1/alerts" : null), alertChanges);
export const useAlertHistory = (query: () => string) =>
  useResource<AlertPage>(() => `/api/v1/alerts/history?${query()}`, alertChanges);
export const useUnknownAlerts = () => useAlertHistory(() => "state=unknown&limit=100");

// The log of mails.
export const useMails = (query: () => string) =>
  useResource<MailPage>(
    () => `/api/v1/mails?${query()}`,
    (event) => ["alert", "run", "task"].includes(event.kind),
  );

const quarantineChanges = (event: { kind: string; data: object }) =>
  event.kind === "lake" && (event.data as { tables: string[] }).tables.includes("_tarn.quarantine");
const ofRun = (run: string) => (run ? "where run = $run" : "");

// `run` is empty for all, null to ask for nothing.
export const useQuarantineReasons = (run: () => string | null) =>
  useRows(() => {
    const wanted = run();
    if (wanted === null) return null;
    const text = `select source, reason, count(*) as n from _tarn.quarantine ${ofRun(wanted)} group by all order by n desc`;
    return { text: `${text} limit 100`, parameters: { run: wanted }, limit: 100 };
  }, quarantineChanges);

export const useQuarantine = (run: () => string | null, limit: number) =>
  useRows(() => {
    const wanted = run();
    if (wanted === null) return null;
    const text = `select source, run, fetch_id, row_number, reason, raw, quarantined_at from _tarn.quarantine ${ofRun(wanted)}`;
    return {
      text: `${text} order by quarantined_at desc, source, row_number limit ${limit}`,
      parameters: { run: wanted },
      limit,
    };
  }, quarantineChanges);

// Name and description, of those that a statement may use.
export const useFunctions = () =>
  useRows(
    () => ({
      text:
        "select function_name, any_value(description) from duckdb_functions() " +
        "where regexp_full_match(function_name, '[a-z][a-z0-9_]*') group by all order by all",
      limit: 5000,
    }),
    () => false,
  );

export const useBoards = () =>
  useResource<{ boards: BoardSummary[] }>(
    () => "/api/v1/boards",
    () => false,
  );

// Its file may change at any time: the data says which stamp it is of.
export const useBoard = (name: () => string) =>
  useResource<Board>(
    () => boardPath(name()),
    () => false,
  );

export const useReports = () =>
  useResource<{ reports: Report[] }>(
    () => "/api/v1/reports",
    (event) => event.kind === "status",
  );

// With its choices, which may come from tables.
export const useReport = (name: () => string) =>
  useResource<Report>(
    () => reportPath(name()),
    (event) => event.kind === "lake",
  );

// What the values of a form mean; asked again when they change.
export const useMeanings = (name: () => string, body: () => object | null) =>
  useKept<{ values: FieldMeaning[] }>(
    () => (body() ? JSON.stringify([`${reportPath(name())}/values`, body()]) : null),
    (key, signal) => {
      const [path, asked] = JSON.parse(key) as [string, object];
      return askMeanings(path, asked, signal);
    },
    (event) => event.kind === "lake",
  );

const utc = (column: string) => `strftime(${column} at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')`;
const reportChanges = (event: { kind: string }) => event.kind === "run";

// The newest making and mailing of each report.
export const useReportsLast = () =>
  useRows(
    () => ({
      text:
        `select 'made' as what, substr(task, 8) as report, state, ${utc("coalesce(finished_at, started_at)")} as at, run, ` +
        "null as recipients, error as answer from _tarn.tasks where task like 'report:%' and kind = 'report' " +
        "qualify row_number() over (partition by task order by run desc) = 1 union all " +
        `select 'mailed', report, state, ${utc("started_at")}, run, recipients, answer from _tarn.sent ` +
        "qualify row_number() over (partition by report order by started_at desc) = 1",
      limit: 2000,
    }),
    reportChanges,
  );

export const useReportMade = (name: () => string) =>
  useRows(
    () => ({
      text:
        `select t.run, t.state, ${utc("t.started_at")} as at, ${utc("t.finished_at")} as ended, t.rows_in, t.error, ` +
        "t.task like 'mail:%' as mailed, (select string_agg(l.text, '; ' order by l.line) from _tarn.task_log l " +
        "where l.run = t.run and l.task = t.task and regexp_matches(l.text, '^[A-Za-z_]\\w* = ')) as with_values " +
        "from _tarn.tasks t where t.task in ($made, $mailed) order by t.run desc limit 50",
      parameters: { made: `report:${name()}`, mailed: `mail:${name()}` },
      limit: 50,
    }),
    reportChanges,
  );

// What data tests said in their last runs, newest first.
export const useTests = () =>
  useRows(
    () => ({
      text:
        `select test, task, table_name, column_name, kind, severity, state, failures, run, ${utc("tested_at")} as at ` +
        "from _tarn.tests qualify row_number() over (partition by task, test order by tested_at desc) <= 30 " +
        "order by table_name nulls last, task, test, tested_at desc",
      limit: 50_000,
    }),
    (event) => event.kind === "task" || event.kind === "run",
  );

export const useTestResult = (of: () => { run: string; task: string; test: string } | null) =>
  useRows(
    () => {
      const wanted = of();
      if (!wanted) return null;
      return {
        text:
          `select state, failures, message, sample, sql, path, line, severity, ${utc("tested_at")} as at from _tarn.tests ` +
          "where run = $run and task = $task and test = $test",
        parameters: { ...wanted },
        limit: 1,
      };
    },
    () => false,
  );

// Each load's numbers with what is usual, oldest first.
export const useMeasures = () =>
  useRows(
    () => ({
      text:
        `select table_name, task, measure, ${utc("measured_at")} as at, value, expected, low, high, points, basis, state, run ` +
        "from _tarn.measures qualify row_number() over (partition by table_name, task, measure order by measured_at desc) <= 60 " +
        "order by table_name, task, measure, measured_at",
      limit: 100_000,
    }),
    (event) => event.kind === "lake" || event.kind === "status",
  );

// Rows refused in the last thirty days, by source and day.
export const useQuarantineDays = () =>
  useRows(
    () => ({
      text:
        "select task, strftime(finished_at, '%Y-%m-%d') as day, sum(rows_quarantined)::bigint as n, sum(rows_in)::bigint as of " +
        "from _tarn.tasks where kind = 'source' and finished_at > now() - interval 30 days group by all order by all",
      limit: 20_000,
    }),
    (event) => event.kind === "run",
  );

export const useShares = (board: () => string) =>
  useResource<{ shares: Share[] }>(
    () => `/api/v1/shares?board=${encodeURIComponent(board())}`,
    () => false,
  );
