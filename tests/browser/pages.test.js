// Every page, by day and by night, wide and as wide as a phone: nothing that axe objects to, nothing to scroll sideways for.

import assert from "node:assert/strict";
import test from "node:test";

import axe from "axe-core";

import { inBrowser, shot } from "./browser.js";

const PHONE = { width: 360, height: 740 };
const DESK = { width: 1200, height: 900 };

/** The pages of a stack whose demo was played, with a run that is late, one that waits for somebody, and one that is new. */
async function pages(stack) {
  const late = await stack.filledIn("form:1", "Pricing question of a company whose name goes on and on, GmbH & Co. KG");
  const waiting = await stack.filledIn("form:2", "Partner enquiry");
  await stack.command("ben", `/v1/runs/${waiting}/exceptions`, { reason: "the partner has no contract" });
  await stack.answered("form:2");
  await stack.advance("5h");
  const fresh = await stack.filledIn("form:3", "Demo request");
  const { items } = await stack.get("/v1/runs?flow=blog-launch");
  return {
    today: "/",
    "today-of-nobody": "/?owner=cleo&flow=lead-form",
    runs: "/runs",
    overdue: "/runs?overdue=true",
    "run-late": `/runs/${late}`,
    "run-waiting": `/runs/${waiting}`,
    "run-fresh": `/runs/${fresh}`,
    "run-closed": `/runs/${items[0].run}`,
    "run-acknowledged": `/runs/${items[0].run}?done=acknowledge`,
    exceptions: "/exceptions",
    "exceptions-resolved": "/exceptions?status=resolved",
    flows: "/flows",
    flow: "/flows/blog-launch",
    subject: `/subjects/${encodeURIComponent(items[0].subject)}`,
    reports: "/reports",
    "sign-in": "/_local/sign-in",
    "not-found": "/runs/no-such-run",
  };
}

/** What axe objects to on the page, with every form unfolded. Its source is evaluated, which no policy forbids a debugger. */
async function objections(page) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => window.axe.run());
  return violations.map((it) => `${it.id}: ${it.help}: ${it.nodes.map((node) => node.html.slice(0, 120)).join(" | ")}`);
}

for (const colorScheme of ["light", "dark"]) {
  const says = ["Failed to load resource: the server responded with a status of 404"];
  const options = { up: ["--demo"], colorScheme, says };
  test(`axe objects to nothing on any page, in ${colorScheme} colours`, inBrowser(options, async ({ page, stack }) => {
    const found = [];
    for (const [name, path] of Object.entries(await pages(stack))) {
      for (const [width, viewport] of Object.entries({ desk: DESK, phone: PHONE })) {
        await page.setViewportSize(viewport);
        await page.goto(path);
        await shot(page, `${name}-${width}-${colorScheme}`);
        await page.evaluate(() => document.querySelectorAll("details").forEach((it) => (it.open = true)));
        found.push(...(await objections(page)).map((it) => `${name} (${width}): ${it}`));
      }
    }
    assert.deepEqual(found, []);
  }));
}

test("no page of a phone is scrolled sideways, also with its forms unfolded", inBrowser({ up: ["--demo"], viewport: PHONE, says: ["404"] }, async ({ page, stack }) => {
  const widths = {};
  for (const [name, path] of Object.entries(await pages(stack))) {
    await page.goto(path);
    await page.evaluate(() => document.querySelectorAll("details").forEach((it) => (it.open = true)));
    widths[name] = await page.evaluate(() => document.documentElement.scrollWidth);
  }
  assert.deepEqual(Object.entries(widths).filter(([, width]) => width > PHONE.width), []);
}));

test("a page is dark where the reader's screen is", inBrowser({ colorScheme: "dark" }, async ({ page }) => {
  await page.goto("/");
  const colour = (name) => page.evaluate((it) => getComputedStyle(document.body)[it].match(/\d+/g).map(Number), name);
  const [paper, ink] = [await colour("backgroundColor"), await colour("color")];
  assert.ok(Math.max(...paper) < 64, `the paper is ${paper}`);
  assert.ok(Math.min(...ink) > 192, `the ink is ${ink}`);
}));

test("a page comes anew by itself, but not under the hands of somebody who writes", inBrowser({}, async ({ page, stack }) => {
  const run = await stack.filledIn("form:1", "Demo request");
  await page.clock.install();
  await page.goto(`/runs/${run}`);
  await page.getByText("Ben Okafor has not said that they have it").waitFor();
  await stack.command("ben", `/v1/runs/${run}/acknowledge`, {});
  await page.clock.fastForward("00:11");
  await page.getByText("Acknowledged by Ben Okafor").waitFor();

  await page.getByText("Write a note", { exact: true }).first().click();
  await page.getByLabel("Note").fill("half a sen");
  await stack.command("ben", `/v1/runs/${run}/note`, { text: "seen in the meantime" });
  await page.clock.fastForward("00:30");
  assert.equal(await page.getByText("seen in the meantime").count(), 0);
  assert.equal(await page.getByLabel("Note").inputValue(), "half a sen");
}));

test("times are those of the reader's clock, with UTC behind them", inBrowser({ timezoneId: "America/New_York" }, async ({ page, stack }) => {
  const run = await stack.filledIn("form:1", "Demo request");
  await page.goto(`/runs/${run}`);
  const due = page.getByRole("region", { name: "Where it stands" }).locator("time").last();
  assert.equal(await due.innerText(), "23 Nov, 08:00");
  assert.equal(await due.getAttribute("title"), "2026-11-23 13:00 UTC");
}));
