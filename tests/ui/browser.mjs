// Chromium on a running server: what the tests of the rooms share.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const root = process.env.TARN_ROOT;
const require = createRequire(join(root, "ui", "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

export const url = process.env.TARN_URL;
export const token = process.env.TARN_TOKEN;
export const wide = { width: 1360, height: 860 };
export const narrow = { width: 390, height: 844 };
const pictures = process.env.TARN_PICTURES;

export async function open() {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--js-flags=--expose-gc", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
  const context = await browser.newContext({
    viewport: wide, colorScheme: "light", reducedMotion: "reduce", locale: "en-GB", timezoneId: "Europe/Amsterdam",
    permissions: ["clipboard-read", "clipboard-write"], acceptDownloads: true,
  });
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  return { browser, context, page, errors: listen(page) };
}

// What the console and the page complained of; a refused request that a test provokes is taken out by name.
function listen(page) {
  const errors = [];
  page.on("console", (message) => message.type() === "error" && errors.push(`${message.text()} (${message.location().url})`));
  page.on("pageerror", (error) => errors.push(String(error.stack ?? error)));
  return errors;
}

export async function logIn(page) {
  await page.goto(`${url}/login?token=${token}`);
  await page.waitForSelector("nav[aria-label=Rooms]");
}

const standards = { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] };

async function axeFindings(page, runOnly) {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axe);
  const { violations } = await page.evaluate((runOnly) => globalThis.axe.run(document, { runOnly, resultTypes: ["violations"] }), runOnly);
  return violations.flatMap((one) => one.nodes.slice(0, 3).map((node) => `${one.id}: ${node.target.join(" ")}: ${node.failureSummary?.split("\n")[1]?.trim()}`));
}

export const findings = [];

// The page as it stands: wide and narrow, light and dark; nothing scrolls sideways, and axe-core finds nothing.
export async function lookAt(page, name) {
  for (const [width, size] of [["wide", wide], ["narrow", narrow]]) {
    await page.setViewportSize(size);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await page.waitForFunction((theme) => document.documentElement.dataset.theme === theme, colorScheme);
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      const look = `${name}-${width}-${colorScheme}`;
      findings.push(...(await axeFindings(page, standards)).map((text) => `${look}: ${text}`));
      await page.screenshot({ path: join(pictures, `${look}.png`) });
    }
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (overflow > 0) findings.push(`${name}-${width}: the page is ${overflow} px wider than the screen`);
  }
  await page.setViewportSize(wide);
  await page.emulateMedia({ colorScheme: "light" });
}
