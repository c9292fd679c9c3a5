// Run by test_rooms.py, which says what is on the server.
import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { join } from "node:path";

import { findings, logIn, lookAt, open, token, url } from "./browser.mjs";

let browser, page, errors;
const runs = JSON.parse(process.env.TARN_RUNS);

before(async () => {
  ({ browser, page, errors } = await open());
  await logIn(page);
});
after(() => browser?.close());

// Nothing in the console but what a test provoked, and nothing that axe-core finds.
const none = (allowed = []) => {
  const left = errors.splice(0).filter((text) => !allowed.some((part) => text.includes(part)));
  assert.deepEqual([...left, ...findings.splice(0)], []);
};
const go = async (path, selector) => {
  await page.goto(url + path);
  await page.waitForSelector(selector);
};

test("without a login every room leads to it; the token of a link does not stay", async () => {
  await page.context().clearCookies();
  await page.goto(`${url}/flow/runs`);
  await page.waitForSelector("#token");
  await lookAt(page, "login");
  await page.fill("#token", "wrong");
  await page.click("button[type=submit]");
  await page.waitForSelector("[role=alert]");
  await page.fill("#token", token);
  await page.click("button[type=submit]");
  await page.waitForSelector("h1:has-text('Runs')");
  assert.equal(new URL(page.url()).pathname, "/flow/runs");
  await page.context().clearCookies();
  await logIn(page);
  assert.equal(page.url(), `${url}/`);
  assert.ok(!(await page.evaluate(() => JSON.stringify([document.cookie, localStorage, history.state]))).includes(token));
  none(["401", "403"]);
});

test("Home says what is wrong, within a second and 300 KB", async () => {
  const started = Date.now();
  await go("/", "h1:has-text('failed')");
  const ms = Date.now() - started;
  const bytes = await page.evaluate(() =>
    performance.getEntriesByType("resource").filter((one) => one.name.includes("/assets/")).reduce((sum, one) => sum + one.encodedBodySize, 0));
  console.log(`first view: ${bytes} bytes compressed, ${ms} ms`);
  assert.ok(bytes > 20_000 && bytes < 300_000, `${bytes} bytes`);
  await page.waitForSelector("section[aria-labelledby=trouble] >> text=nothing_of_that_name");
  await page.waitForSelector("text=Live");
  await lookAt(page, "home");
  none();
});

test("Data: tables, columns, rows, versions, time travel", async () => {
  await go("/data", "a.table:has-text('mart_prices')");
  await lookAt(page, "data");
  await page.click("a.table:has-text('mart_prices')");
  await page.waitForSelector("td:has-text('symbol')");
  await lookAt(page, "table-columns");
  await page.click("[role=tab]:has-text('Rows')");
  await page.waitForSelector("[role=gridcell]");
  await lookAt(page, "table-rows");
  await page.click("[role=tab]:has-text('Versions')");
  await page.waitForSelector("td:has-text('append'), td:has-text('overwrite')");
  await lookAt(page, "table-versions");
  await page.locator("tbody tr").last().locator("a, span:has-text('now')").first().click();
  await page.click("[role=tab]:has-text('Files')");
  await page.waitForSelector("td:has-text('.parquet')");
  await lookAt(page, "table-files");
  await page.click("[role=tab]:has-text('Written')");
  await page.waitForSelector("h2:text('Read by')");
  await lookAt(page, "table-users");
  await go("/data/public/nothing", "[role=alert]");
  none(["404"]);
});

test("Flow: the graph, the runs, a run with its tasks, log and SQL, the quarantine", async () => {
  await go("/flow", "g.node");
  await lookAt(page, "graph");
  await page.click("g.node:has-text('mart_broken')");
  await page.waitForSelector("aside >> text=nothing_of_that_name");
  await lookAt(page, "graph-task");
  // What it reads in a database of others stands before it, as a node of its own kind.
  await page.click("aside a:has-text('exchange.public.rates')");
  await page.waitForSelector("aside >> text=in the attachment exchange");
  assert.equal(await page.textContent("g.node.outside .sub"), "outside · exchange");
  assert.equal(await page.locator("g.node:not(.faint)").count(), 2);
  await lookAt(page, "graph-outside");
  await page.click("aside a:has-text('mart_broken')");
  await page.waitForSelector("aside >> text=nothing_of_that_name");
  await go("/flow/runs", "tbody tr");
  await lookAt(page, "runs");
  await go("/flow/schedules", "td:has-text('nightly')");
  assert.match(await page.textContent("tbody tr td:nth-child(3)"), /in \d+ (d|h|min|s)/);
  await lookAt(page, "schedules");
  await go(`/flow/runs/${runs[0]}`, "table.gantt");
  await lookAt(page, "run");
  await page.click("table.gantt button:has-text('mart_prices')");
  await page.click("[role=tab]:has-text('Task')");
  await page.waitForSelector("dt:text('Rows written')");
  await lookAt(page, "run-task");
  await page.click("[role=tab]:has-text('Compiled SQL')");
  await page.waitForSelector("pre >> text=select");
  await lookAt(page, "run-sql");
  await page.goBack();
  await page.waitForURL("**/flow/schedules"); // Back may be answered before the page is on its way
  await page.waitForSelector("td:has-text('nightly')");
  await go("/flow/quarantine", "td:has-text('noon')");
  await lookAt(page, "quarantine");
  const [raw] = await Promise.all([page.context().waitForEvent("page"), page.click("a:has-text('fetch')")]);
  await raw.waitForLoadState();
  assert.match(await raw.textContent("body"), /noon,3/);
  await raw.close();
  none();
});

test("Alerts: what is the matter, who was told, what may have arrived; by itself on the page", async () => {
  await go("/alerts", "section[aria-labelledby=open] h3:text('mart_broken failed')");
  await page.waitForSelector("section[aria-labelledby=open] h3:text('raw_meter')");
  const badge = page.locator("nav[aria-label=Rooms] .badge");
  const open = async () => Number(/\d+/.exec(await badge.textContent())[0]);
  const before = await open();
  assert.equal(before, await page.locator("section[aria-labelledby=open] h3").count());
  const broken = page.locator("li.episode", { hasText: "mart_broken failed" });
  await broken.locator("text=nothing_of_that_name").waitFor();
  await broken.locator("li:has-text('deaf')", { hasText: "1 try failed" }).waitFor();
  await broken.locator("li:has-text('phone')", { hasText: "told" }).waitFor();
  await lookAt(page, "alerts");
  // One message broke off on its way: somebody looks, and says so.
  await page.click("section[aria-labelledby=lost] button:has-text('It arrived')");
  await page.waitForFunction(() => !document.querySelector("#lost"));
  await page.locator("li.episode li:has-text('hook')", { hasText: "somebody looked: it arrived" }).waitFor();
  // A test message: one that is taken, one that nobody takes.
  await page.click("button:has-text('Send a test to hook')");
  await page.waitForSelector("[role=status]:has-text('Test sent in')");
  await page.click("button:has-text('Send a test to deaf')");
  await page.waitForSelector("[role=status]:has-text('Test not sent in')");
  await page.locator("section[aria-labelledby=channels] tr:has-text('deaf') .tag:text('test')").waitFor();
  // The history: filtered by the server, and in the address.
  await page.getByLabel("Kind").selectOption("quarantine");
  const rows = page.locator("section[aria-labelledby=history] tbody tr");
  await page.waitForFunction(() => [...document.querySelectorAll("section[aria-labelledby=history] tbody tr")].every((row) => row.textContent.includes("quarantine")));
  assert.equal(new URL(page.url()).searchParams.get("event"), "quarantine");
  await page.reload();
  await rows.first().waitFor();
  assert.ok((await rows.allTextContents()).every((text) => text.includes("raw_meter")));
  await rows.first().locator("a:has-text('Refused rows')").click();
  await page.waitForSelector("h1:text('Quarantine')");
  await go("/alerts", "section[aria-labelledby=history] tbody tr");
  await page.getByRole("button", { name: "What", exact: true }).click();
  await page.waitForSelector("section[aria-labelledby=history] th[aria-sort=ascending]");
  await page.waitForFunction(() => {
    const names = [...document.querySelectorAll("section[aria-labelledby=history] tbody tr td:nth-child(2) a")].map((one) => one.textContent.trim());
    return names.length > 2 && names.every((name, i) => !i || names[i - 1].split(" ")[0].replace(":", "") <= name.split(" ")[0].replace(":", ""));
  });
  await page.getByLabel("Search alerts").fill("no such text");
  await page.waitForSelector("text=None is like that.");
  // Something breaks, and is well again: the page says so by itself.
  await go("/alerts", "section[aria-labelledby=open]");
  const model = join(process.env.TARN_PROJECT, "models", "mart_glass.sql");
  const post = (body) => page.evaluate((body) => fetch("/api/v1/runs", { method: "POST", headers: { "X-Tarn-Page": "1", "Content-Type": "application/json" }, body: JSON.stringify(body) }).then((answer) => answer.status), body);
  writeFileSync(model, "{{ config(materialized='table') }}\nselect error('a stone') as id\n");
  assert.equal(await post({ selection: ["mart_glass"] }), 202);
  await page.waitForSelector("section[aria-labelledby=open] h3:text('mart_glass failed')", { timeout: 20_000 });
  await page.waitForFunction((count) => document.querySelector("nav[aria-label=Rooms] .badge").textContent.includes(count), String(before + 1));
  writeFileSync(model, "{{ config(materialized='table') }}\nselect 1 as id\n");
  assert.equal(await post({ selection: ["mart_glass"] }), 202);
  await page.waitForSelector("section[aria-labelledby=history] td:has-text('mart_glass is well again')", { timeout: 20_000 });
  assert.equal(await page.locator("h3:text('mart_glass failed')").count(), 0);
  rmSync(model);
  await go("/", `a:has-text('${before} open alerts')`);
  // Nobody is told: the page teaches how, and follows the file.
  const settings = join(process.env.TARN_PROJECT, "tarn.yml");
  const text = readFileSync(settings, "utf8");
  writeFileSync(settings, text.slice(0, text.indexOf("\nalerts:")));
  await go("/alerts", "h1");
  await page.waitForSelector("h2:text('Nobody is told yet')", { timeout: 20_000 });
  await lookAt(page, "alerts-nobody");
  writeFileSync(settings, text);
  await page.waitForSelector("h2:text('Who is told')", { timeout: 20_000 });
  none();
});

test("Sent mails: one that may have arrived is settled by who looked, or sent again", async () => {
  for (let i = 0; i < 2; i += 1) {
    await go("/reports/lost", "button:has-text('Send now')");
    await page.click("button:has-text('Send now')");
    await page.click("[role=alertdialog] button:has-text('Mail it')");
    await page.waitForSelector("[role=alert]:has-text('nobody knows whether it was sent')");
  }
  await go("/reports", "a:has-text('2 mails may not have arrived')");
  await page.click("a:has-text('2 mails may not have arrived')");
  await page.waitForSelector("td:has-text('A lost letter')");
  await lookAt(page, "sent-mails");
  await page.locator("button:has-text('It arrived')").first().click();
  await page.waitForFunction(() => document.querySelectorAll("tbody tr").length === 1);
  await page.click("button:has-text('Send again')");
  await page.waitForSelector("[role=alertdialog] >> text=goes to Ada");
  await lookAt(page, "sent-again");
  await page.click("[role=alertdialog] button:has-text('Mail it again')");
  await page.waitForSelector("text=None is like that.");
  await page.getByLabel("State").selectOption("");
  await page.waitForFunction(() => document.querySelectorAll("tbody tr").length === 3);
  assert.deepEqual((await page.locator("tbody tr td:nth-child(3)").allTextContents()).map((text) => text.trim().split(/\s{2,}|(?=somebody)/)[0]).sort(), ["not sent", "sent", "sent"]);
  none(["422", "500", "400", "502", "503"]);
});

test("Flows: the list, a form that starts one, its rows and parts in the run, what failed", async () => {
  await go("/flow/flows", "td:has-text('One that fails')");
  await lookAt(page, "flows");
  await page.click("a:has-text('Shares, with a look')");
  await page.waitForSelector("td:has-text('for each row of')");
  await page.fill("input[type=number]", "5");
  await lookAt(page, "flow");
  await page.click("button:has-text('Run now')");
  await page.waitForSelector("table.gantt");
  await page.waitForSelector(".title .ok, .title >> text=done", { state: "attached", timeout: 60_000 });
  await page.waitForSelector("table.gantt button:has-text('shares/look[2]')");
  await page.waitForSelector("table.gantt tr.part button:has-text('mart_prices')");
  await page.click("table.gantt button:has-text('shares/look[2]')");
  await page.waitForSelector("[role=log] >> text=on its best day");
  await page.click("[role=tab]:has-text('Task')");
  await page.waitForSelector("dd:has-text('sentence')");
  await lookAt(page, "flow-run");
  await page.click("table.gantt tr.part button:has-text('mart_prices')");
  await page.click("[role=tab]:has-text('Compiled SQL')");
  await page.waitForSelector("pre >> text=select");
  await go("/flow/flows/failing", "button:has-text('Run now')");
  await page.click("button:has-text('Run now')");
  await page.waitForSelector("[role=alert] >> text=it ended with exit code 3", { timeout: 30_000 });
  await lookAt(page, "flow-run-failed");
  none();
});

test("tasks of a part are live on the page of the flow's run, with their bars", async () => {
  const file = (name) => join(process.env.TARN_PROJECT, name);
  const slow = "(select count(*) from range(250000000) r(i) where hash(i) % 7 = 1)";
  writeFileSync(file("models/mart_slow_a.sql"), `{{ config(materialized='table') }}\nselect ${slow} as n\n`);
  writeFileSync(file("models/mart_slow_b.sql"), `{{ config(materialized='table') }}\nselect n, ${slow} as m from {{ ref('mart_slow_a') }}\n`);
  writeFileSync(file("flows/slow.yml"), "title: Slow\ntasks:\n  both: {run: [mart_slow_a+]}\n");
  await go("/flow/flows/slow", "button:has-text('Run now')");
  await page.click("button:has-text('Run now')");
  await page.waitForSelector("table.gantt tr.part button:has-text('mart_slow_a')", { timeout: 20_000 });
  // The first is done and the second at work, while the task that started them has not ended.
  await page.waitForFunction(() => {
    const row = (name) => [...document.querySelectorAll("table.gantt tbody tr")].find((one) => one.querySelector("button")?.textContent.includes(name));
    const is = (name, state) => row(name)?.querySelector(`.state.${state}`) && row(name).querySelector(`.lane i.${state}`);
    return is("mart_slow_a", "ok") && is("mart_slow_b", "running") && is("slow/both", "running");
  }, null, { timeout: 60_000 });
  await page.locator("tr.part button:has-text('mart_slow_b')").click();
  await page.waitForSelector(".title >> text=done", { state: "attached", timeout: 60_000 });
  await page.waitForSelector("tr.part:has(button:has-text('mart_slow_b')) .state.ok", { state: "attached" });
  for (const name of ["models/mart_slow_a.sql", "models/mart_slow_b.sql", "flows/slow.yml"]) rmSync(file(name));
  none();
});

test("a run started on Home is seen to its end without a reload", async () => {
  await go("/", "button:has-text('Run everything')");
  await page.click("button:has-text('Run everything')");
  await page.waitForSelector("table.gantt");
  const id = page.url().split("/").pop();
  await page.waitForSelector(".title >> text=failed", { state: "attached", timeout: 60_000 });
  await page.waitForSelector("table.gantt button:has-text('mart_broken')");
  await page.click("a:has-text('Home')");
  await page.waitForSelector(`a[href*='${id}']`);
  none();
});

test("SQL: completion, a big result, sorting, a chart, exports, errors, stopping", async () => {
  await go("/sql", ".cm-content");
  await page.click(".cm-content");
  await page.keyboard.type("select sym from mart_pri");
  await page.waitForSelector(".cm-tooltip-autocomplete >> text=mart_prices");
  await lookAt(page, "sql-completion");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("select symbol, day, close from mart_prices order by day");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+Enter");
  await page.waitForSelector("[role=gridcell]");
  await lookAt(page, "sql-rows");
  await page.click("button:has-text('Chart')");
  await page.waitForSelector(".picture canvas");
  await lookAt(page, "sql-chart");
  await page.click("button:has-text('Export')");
  const [csv] = await Promise.all([page.waitForEvent("download"), page.click("[role=menuitem]:has-text('CSV')")]);
  assert.match(readFileSync(await csv.path(), "utf8"), /^symbol,day,close\n/);
  await page.click("button:has-text('Export')");
  const [workbook] = await Promise.all([page.waitForEvent("download"), page.click("[role=menuitem]:has-text('Excel')")]);
  assert.match(workbook.suggestedFilename(), /\.xlsx$/);
  assert.equal(readFileSync(await workbook.path()).subarray(0, 2).toString(), "PK");
  await page.click("button:has-text('Export')");
  const [parquet] = await Promise.all([page.waitForEvent("download"), page.click("[role=menuitem]:has-text('Parquet')")]);
  assert.equal(readFileSync(await parquet.path()).subarray(0, 4).toString(), "PAR1");
  await page.click("button:has-text('Rows')");

  await page.goto(`${url}/sql?q=${encodeURIComponent("select i, i * 7 % 1000 as n, 'row ' || i as name from range(150000) r(i)")}`);
  await page.waitForSelector("text=The first 100,000 rows");
  assert.ok((await page.locator("[role=gridcell]").count()) < 400, "only rows in sight are in the page");
  const slowest = await page.evaluate(async () => {
    const box = document.querySelector("[role=grid]");
    let worst = 0;
    for (let i = 1; i <= 40; i += 1) {
      const from = performance.now();
      box.scrollTop = (box.scrollHeight * i) / 40;
      await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      worst = Math.max(worst, performance.now() - from);
    }
    return worst;
  });
  console.log(`scrolling through 100,000 rows: the slowest two frames took ${Math.round(slowest)} ms`);
  await page.waitForSelector("[role=rowheader]:text-is('100000')");
  await page.click("[role=columnheader] button:has-text('name')");
  await page.click("[role=columnheader] button:has-text('name')");
  await page.waitForSelector("[role=columnheader][aria-sort=descending]");
  await page.evaluate(() => (document.querySelector("[role=grid]").scrollTop = 0));
  await page.waitForSelector("[role=gridcell]:text-is('row 99999')");

  await page.goto(`${url}/sql?q=${encodeURIComponent("select nothing_here from mart_prices")}`);
  await page.waitForSelector("[role=alert] >> text=nothing_here");
  await lookAt(page, "sql-error");
  await page.goto(`${url}/sql?q=${encodeURIComponent("select count(*) from range(1000000000000) r(i) where hash(i) = 1")}`);
  await page.click("button:has-text('Stop')");
  await page.waitForSelector("text=Stopped.");
  await page.click("button:has-text('History')");
  await page.waitForSelector("aside[aria-label=History] li");
  await lookAt(page, "sql-history");
  await page.click("button:has-text('Tables')");
  await page.click("summary:has-text('mart_prices')");
  await lookAt(page, "sql-tables");
  none(["400", "404"]);
});

test("Boards: tiles, filters in the address, the rows behind a number, a tile added, moved and taken off", async () => {
  await go("/boards", "h2:text('Shares')");
  await lookAt(page, "boards");
  await page.click("a:has-text('Shares')");
  await page.waitForSelector(".tile canvas");
  await page.waitForSelector(".tile .pivot td:has-text('.')");
  await lookAt(page, "board");
  const bars = page.locator("section[aria-label='Bars shown'] button.value");
  const all = await bars.textContent();
  await page.click("button[aria-label^='Shares:']");
  await page.waitForSelector("[role=dialog] input[type=checkbox]");
  await lookAt(page, "board-filter");
  await page.getByRole("checkbox", { name: "Amazon" }).uncheck();
  await page.waitForFunction((before) => document.querySelector("section[aria-label='Bars shown'] button.value").textContent !== before, all);
  assert.deepEqual(new URL(page.url()).searchParams.getAll("f.symbols"), ["AAPL", "IBM", "MSFT"]);
  await page.keyboard.press("Escape");
  await page.reload();
  await page.waitForSelector("button[aria-label='Shares: Apple, IBM +1']");
  await page.locator(".pivot .cell").first().click();
  await page.waitForSelector("aside >> text=12 rows behind it");
  await lookAt(page, "board-origin");
  await page.click("aside button[aria-label=Close]");

  await page.goto(`${url}/sql?q=${encodeURIComponent("select symbol, last_close from mart_price_summary")}`);
  await page.waitForSelector("[role=gridcell]");
  await page.click("button:has-text('Chart')");
  await page.click("button:has-text('Add to a board')");
  await page.waitForSelector("form[aria-label='Add to a board'] option:has-text('Shares')", { state: "attached" });
  await page.selectOption("form[aria-label='Add to a board'] select", "");
  await page.fill("form[aria-label='Add to a board'] input", "Mine");
  await page.click("button:has-text('Go on')");
  await page.waitForSelector("[role=dialog] canvas");
  await page.getByLabel("Title", { exact: true }).fill("Closes");
  await lookAt(page, "board-editor");
  await page.click("button:has-text('Add to the board')");
  await page.waitForURL("**/boards/mine");
  await page.waitForSelector("section[aria-label=Closes] canvas");
  await page.click("button:has-text('Move tiles')");
  await page.focus("[aria-label='Place of Closes']");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Shift+ArrowDown");
  await page.click("button:has-text('Save places')");
  await page.waitForSelector("button:has-text('Move tiles')");
  assert.match(await page.locator(".place").getAttribute("style"), /1 \/ 2 \/ span 5 \/ span 6/);
  page.once("dialog", (dialog) => dialog.accept());
  await page.click("button[aria-label='Menu of Closes']");
  await page.click("[role=menuitem]:has-text('Take off')");
  await page.waitForSelector("h2:text('No tiles yet')");
  none();
});

test("Reports: a form whose dates say what they mean, made, mailed after asking, looked back at", async () => {
  await go("/reports", "td:has-text('Closes')");
  await page.waitForSelector("td:has-text('in ')");
  await lookAt(page, "reports");
  await page.click("a:has-text('Closes')");
  await page.waitForSelector("text=/[A-Z][a-z]{2} 1 [A-Z][a-z]{2} 20\\d\\d/");
  await page.fill("#field-from", "someday");
  await page.waitForSelector(".problem:has-text('someday')");
  assert.ok(await page.locator("button:has-text('Make the workbook')").isDisabled());
  await lookAt(page, "report-mistake");
  await page.fill("#field-from", "2005-01-01");
  await page.waitForSelector("text=Sat 1 Jan 2005");
  await page.click("button[aria-label^='Shares:']");
  await page.getByRole("checkbox", { name: "IBM" }).check();
  await page.keyboard.press("Escape");
  await page.click("button[aria-label^='One:']");
  await page.getByRole("radio", { name: "Pears" }).check();
  await page.keyboard.press("Escape");
  const query = new URL(page.url()).searchParams;
  assert.deepEqual([query.get("f.from"), query.getAll("f.symbols"), query.get("f.one")], ["2005-01-01", ["AAPL", "IBM"], "b"]);
  await page.reload();
  await page.waitForSelector("text=Sat 1 Jan 2005");
  const [book] = await Promise.all([page.waitForEvent("download"), page.click("button:has-text('Make the workbook')")]);
  assert.equal(book.suggestedFilename(), "closes.xlsx");
  assert.equal(readFileSync(await book.path()).subarray(0, 2).toString(), "PK");
  await page.waitForSelector("text=/Made: [\\d,]+ rows/");
  await page.waitForSelector("section[aria-labelledby=made] td:has-text('symbols = AAPL, IBM')");
  await page.click("button:has-text('Send now')");
  await page.waitForSelector("[role=alertdialog] >> text=ada@example.org");
  await lookAt(page, "report-send");
  await page.click("[role=alertdialog] button:has-text('Leave it')");
  await page.click("button:has-text('Send now')");
  await page.click("[role=alertdialog] button:has-text('Mail it')");
  await page.waitForSelector("text=/sent *to Ada/");
  await page.waitForSelector("section[aria-labelledby=sent] td:has-text('Closes from 2005-01-01')");
  await lookAt(page, "report");
  await page.keyboard.press("Control+K");
  await page.waitForSelector("[role=option]");
  await page.keyboard.type("Prices of");
  await page.waitForSelector("[role=option] >> text=Prices of shares");
  await page.keyboard.press("Enter");
  await page.waitForSelector("h1:text('Prices of shares')");
  none(["400"]);
});

test("Reports: what can be chosen follows the other values of the form", async () => {
  await go("/reports/chosen", "button[aria-label='Day: none']");
  await page.click("button[aria-label='Day: none']");
  await page.getByRole("radio", { name: /^AAPL / }).first().check();
  await page.keyboard.press("Escape");
  await page.click("button[aria-label='Share: AAPL']");
  await page.getByRole("radio", { name: "IBM" }).check();
  await page.keyboard.press("Escape");
  await page.waitForSelector(".problem:has-text('is not among the choices')");
  assert.ok(await page.locator("button:has-text('Make the workbook')").isDisabled());
  await lookAt(page, "report-choices");
  await page.click("button[aria-label^='Day: AAPL']");
  assert.equal(await page.getByRole("radio", { name: /^IBM / }).count(), 5);
  await page.getByRole("radio", { name: /^IBM / }).last().check();
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => !document.querySelector(".problem"));
  const [book] = await Promise.all([page.waitForEvent("download"), page.click("button:has-text('Make the workbook')")]);
  assert.equal(book.suggestedFilename(), "chosen.xlsx");
  await page.waitForSelector("section[aria-labelledby=made] td:has-text('share = IBM')");
  none();
});

test("Flow: a calendar of what comes, a schedule paused and resumed, a backfill seen before it begins", async () => {
  await go("/flow/calendar", "section.day.today");
  assert.match(await page.textContent(".room > p"), /Europe\/Amsterdam/);
  await page.click("button[aria-label=Later]");
  await page.waitForSelector(".line:has-text('03:00')");
  assert.equal(await page.locator(".line:has-text('nightly')").count(), 7);
  await lookAt(page, "calendar-week");
  await page.locator(".line:has-text('nightly')").first().click();
  await page.click("aside button:has-text('Pause')");
  await page.waitForSelector("aside .tag:text('paused')");
  await page.waitForFunction(() => ![...document.querySelectorAll(".line")].some((one) => one.textContent.includes("nightly")));
  await lookAt(page, "calendar-paused");
  await page.click("aside button:has-text('Resume')");
  await page.waitForSelector(".line:has-text('nightly')");
  await page.click("aside button[aria-label=Close]");
  await page.locator(".day h2 a").first().click();
  await page.waitForSelector("td:text('03:00')");
  await lookAt(page, "calendar-day");
  assert.equal(new URL(page.url()).searchParams.get("view"), "day");

  await go("/flow/backfill?selection=mart_price_summary&from=2026-01-01&to=2026-01-04", "button:has-text('Show the steps')");
  await page.click("button:has-text('Show the steps')");
  await page.waitForSelector("li:has-text('2026-01-03 – 2026-01-04')");
  await lookAt(page, "backfill-plan");
  await page.click("button:has-text('Start 3 runs')");
  await page.waitForSelector("td:has-text('3 of 3: 3 done')", { timeout: 30_000 });
  await page.fill("form input[list=backfill-tasks]", "no_such_task");
  await page.keyboard.press("Tab");
  await page.click("button:has-text('Show the steps')");
  await page.waitForSelector("[role=alert]:has-text('no_such_task')");
  await lookAt(page, "backfill");
  none(["400", "404"]);
});

test("Data quality: tests over time, the rows that failed, what is usual, what was refused", async () => {
  await go("/data/quality", "td:has-text('no_cheap_share')");
  await page.waitForSelector("button.spark");
  await page.waitForSelector("section[aria-labelledby=refused] strong:text('raw_meter')");
  await lookAt(page, "quality");
  await page.getByRole("checkbox", { name: "Only tests" }).check();
  await page.waitForFunction(() => document.querySelectorAll("section[aria-labelledby=tests] tbody tr").length === 1);
  await page.locator("button.cell.warned").last().click();
  await page.waitForSelector("aside >> text=/rows? failed/");
  await page.waitForSelector("aside [aria-label='Failing rows'] td");
  await lookAt(page, "quality-test");
  await page.click("aside a:has-text('Ask again')");
  await page.waitForSelector("[role=gridcell]");
  await page.goBack();
  await page.click("aside button[aria-label=Close]");
  await page.click("button.spark:has(svg[aria-label^='Rows written of mart_price_summary:'])");
  await page.waitForSelector("aside >> text=as usual");
  await lookAt(page, "quality-measure");
  none();
});

test("Data quality is whole at every width, with a panel open and without", async () => {
  const cut = () => page.evaluate(() => {
    const found = [];
    for (const box of document.querySelectorAll(".split .scroll:not([aria-label='Failing rows'])")) // those have any columns
      if (box.scrollWidth > box.clientWidth + 1) found.push(`${box.getAttribute("aria-label")}: ${box.scrollWidth} in ${box.clientWidth}`);
    if (document.documentElement.scrollWidth > window.innerWidth) found.push("the page");
    const panel = document.querySelector("aside.panel")?.getBoundingClientRect();
    if (panel && (panel.right > window.innerWidth + 1 || panel.left < 0 || panel.width < 280)) found.push(`the panel: ${panel.left} to ${panel.right}`);
    return found;
  });
  const wrong = [];
  for (const panel of ["", "test", "measure"]) {
    await page.setViewportSize({ width: 1360, height: 860 });
    await go("/data/quality", "button.spark");
    if (panel === "test") await page.locator("button.cell.warned").last().click();
    if (panel === "measure") await page.click("button.spark:has(svg[aria-label^='Rows written of mart_price_summary:'])");
    if (panel) await page.waitForSelector("aside.panel table");
    for (const width of [360, 414, 540, 720, 768, 900, 1024, 1180, 1280, 1360, 1536, 1920]) {
      await page.setViewportSize({ width, height: 860 });
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      wrong.push(...(await cut()).map((text) => `${width} ${panel || "no panel"}: ${text}`));
      await page.screenshot({ path: join(process.env.TARN_PICTURES, `quality-at-${width}${panel && `-${panel}`}.png`) });
    }
  }
  await page.setViewportSize({ width: 1360, height: 860 });
  assert.deepEqual(wrong, []);
  none();
});

test("a link shows a board to who is not logged in, and nothing else; taken back it is a plain page", async () => {
  await go("/boards/shares?f.symbols=IBM", ".tile canvas");
  await page.click("button:has-text('Share…')");
  await page.click("button:has-text('Make a link')");
  const link = await page.inputValue("input[aria-label='The link']");
  await lookAt(page, "share");
  const stranger = await browser.newContext({ viewport: { width: 1360, height: 860 }, reducedMotion: "reduce", locale: "en-GB" });
  const guest = await stranger.newPage();
  const asked = [];
  guest.on("request", (request) => request.url().includes("/api/") && asked.push(new URL(request.url()).pathname));
  guest.on("console", (message) => message.type() === "error" && errors.push(`guest: ${message.text()}`));
  await guest.goto(link);
  await guest.waitForSelector(".tile canvas");
  await guest.waitForSelector("dd:text('IBM')");
  assert.equal(await guest.locator("nav").count(), 0);
  assert.ok(asked.length > 1 && asked.every((path) => path.startsWith("/api/v1/shared")), asked.join(" "));
  await lookAt(guest, "shared-board");
  await guest.goto(`${url}/boards`);
  await guest.waitForSelector("#token");
  await page.click("li button:has-text('Take back')");
  await page.waitForFunction(() => !document.querySelector("#live-links"));
  const gone = await guest.goto(link);
  assert.equal(gone.status(), 404);
  await guest.waitForSelector("h1:text('does not work any more')");
  await stranger.close();
  none(["401", "404"]);
});

test("a board is printed whole: no bars and buttons, no tile cut by the end of a page", async () => {
  await go("/boards/shares", ".tile canvas");
  await page.emulateMedia({ media: "print" });
  for (const gone of ["nav", "button:has-text('Share…')", "button:has-text('Add a tile')", ".more >> nth=0"])
    assert.ok(!(await page.locator(gone).first().isVisible()), gone);
  assert.equal(await page.locator(".place").first().evaluate((place) => getComputedStyle(place).breakInside), "avoid");
  await page.screenshot({ path: join(process.env.TARN_PICTURES, "board-print.png"), fullPage: true });
  const pdf = await page.pdf({ format: "A4", landscape: true });
  const pages = pdf.toString("latin1").match(/\/Type \/Page\b/g).length;
  assert.ok(pages >= 2 && pages <= 4, `${pages} pages`);
  await page.emulateMedia({ media: "screen" });
  none();
});

test("a list sorts by its headers, is searched, and is copied by the keyboard", async () => {
  await go("/flow/runs", "tbody tr");
  await page.getByRole("button", { name: "Took" }).focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await page.waitForSelector("th[aria-sort=descending]");
  assert.equal(new URL(page.url()).searchParams.get("sort"), "-took");
  await page.fill("input[type=search]", "price_summary");
  await page.waitForFunction(() => [...document.querySelectorAll("tbody tr")].every((row) => row.textContent.includes("price_summary")));
  const rows = await page.locator("tbody tr").count();
  await page.focus(".scroll[role=region]");
  await page.keyboard.press("Control+C");
  await page.waitForFunction(async (rows) => (await navigator.clipboard.readText()).split("\n").length === rows + 1, rows);
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^State\tWhat\tStarted\tTook\tRun\n/);
  // From the top of the page by Tab alone: first the way past the bar, then the rooms, each seen.
  await page.reload();
  await page.waitForSelector("tbody tr");
  const focused = () => page.evaluate(() => [document.activeElement.textContent.trim(), getComputedStyle(document.activeElement).outlineStyle]);
  const seen = [];
  for (let i = 0; i < 12; i += 1) {
    await page.keyboard.press("Tab");
    seen.push(await focused());
  }
  assert.equal(seen[0][0], "Skip to the page");
  assert.deepEqual(seen.slice(3, 11).map(([text]) => text.replace(/\s+\d+.*/s, "")), ["Home", "Data", "Flow", "Alerts", "SQL", "Boards", "Reports", "Settings"]);
  assert.ok(seen.every(([, outline]) => outline !== "none"), JSON.stringify(seen));
  none();
});

test("lists fit a narrow window, and the part of Flow that is open is in sight", async () => {
  const wrong = [];
  for (const [path, list] of [["/flow/runs", "tbody tr"], ["/alerts", "section[aria-labelledby=history] tbody tr"]]) {
    for (const width of [1360, 1000, 820]) {
      await page.setViewportSize({ width, height: 860 });
      await go(path, list);
      wrong.push(...(await page.evaluate(() => [...document.querySelectorAll("main .scroll")].filter((box) => box.scrollWidth > box.clientWidth + 1)
        .map((box) => `${box.getAttribute("aria-label")}: ${box.scrollWidth} in ${box.clientWidth}`))).map((text) => `${path} at ${width}: ${text}`));
    }
  }
  await page.setViewportSize({ width: 390, height: 844 });
  await go("/flow/quarantine", "h1");
  await page.waitForFunction(() => document.querySelector(".tabs [aria-current]").getBoundingClientRect().right <= window.innerWidth + 1);
  await page.setViewportSize({ width: 1360, height: 860 });
  assert.deepEqual(wrong, []);
  none();
});

test("a page open for a day: thousands of events and broken connections leave it small, and it heals", async () => {
  await go("/", "h1:has-text('failed')");
  await page.waitForSelector("text=Live");
  let served = 0;
  // What a day brings: the stream breaks again and again, each time with hundreds of events.
  const burst = (n) => {
    let text = "retry: 20\n\n";
    for (let i = 0; i < 500; i += 1) {
      text += `id: day-${n * 500 + i}\nevent: task\ndata: ${JSON.stringify({ run: `run-${n}-${i}`, name: "mart_prices", state: i % 2 ? "done" : "running" })}\n\n`;
      text += `event: progress\ndata: ${JSON.stringify({ run: `run-${n}-${i}`, name: "mart_prices", text: `${i} rows` })}\n\n`;
      if (i % 50 === 0) text += `event: lake\ndata: ${JSON.stringify({ version: i, tables: ["public.mart_prices"] })}\n\n`;
    }
    return text;
  };
  await page.route("**/api/v1/events*", (route) =>
    route.fulfill({ status: 200, contentType: "text/event-stream", body: burst((served += 1)) }));
  await page.reload();
  const heap = async () => {
    await page.evaluate(() => globalThis.gc());
    return page.evaluate(() => performance.memory.usedJSHeapSize);
  };
  const until = async (n) => {
    for (let i = 0; served < n && i < 200; i += 1) await page.waitForTimeout(50);
    assert.ok(served >= n, `only ${served} connections`);
  };
  await until(10);
  const before = await heap();
  await until(60);
  const grown = (await heap()) - before;
  console.log(`${served * 1000} events over ${served} connections: the page's memory grew by ${Math.round(grown / 1024)} KB`);
  assert.ok(grown < 8 * 1024 * 1024, `${grown} bytes`);
  await page.waitForSelector("h1:has-text('failed')"); // it still follows: neither starved nor stuck
  await page.unroute("**/api/v1/events*");
  await page.waitForSelector("text=Live");
  await page.click("button:has-text('Run everything')");
  await page.waitForSelector(".title >> text=failed", { state: "attached", timeout: 60_000 });
  none(["ERR_ABORTED"]);
});

test("Settings, the palette, the keys, and logging out", async () => {
  await go("/settings", "h2:text('Project')");
  await page.waitForSelector("section[aria-labelledby=project] .good");
  await lookAt(page, "settings");
  await page.keyboard.press("Control+K");
  await page.waitForSelector("[role=option]");
  await lookAt(page, "palette");
  await page.keyboard.type("mart_prices");
  await page.keyboard.press("Enter");
  await page.waitForSelector("h1:has-text('mart_prices')");
  await page.locator("main").focus();
  await page.keyboard.press("?");
  await page.waitForSelector("h2:text('Keys')");
  await lookAt(page, "keys");
  await page.keyboard.press("Escape");
  await page.keyboard.press("g");
  await page.keyboard.press(",");
  await page.click("button:has-text('Log out')");
  await page.waitForSelector("#token");
  await page.goto(`${url}/data`);
  await page.waitForSelector("#token");
  none(["401"]);
});
