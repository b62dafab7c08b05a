// What a person does with a run that is late, from Today to the report: with a mouse, without JavaScript, by keyboard.

import assert from "node:assert/strict";
import test from "node:test";

import { inBrowser, shot, signIn } from "./browser.js";

/** A request that nobody acknowledged and that is an hour late; it is Dev's, the backup's, by now. */
async function late(stack) {
  const run = await stack.filledIn("form:7", "Demo request by Harbour & Sons");
  await stack.advance("5h");
  return run;
}

/** A figure of the report, by the words beside it. */
function figure(page, words) {
  const report = page.getByRole("region", { name: "Lead form answered", exact: true });
  return report.getByRole("listitem").filter({ hasText: words }).locator("strong").innerText();
}

async function workedOff({ page, stack }) {
  const run = await late(stack);
  await signIn(page, "Dev Patel");
  await page.goto("/reports");
  assert.equal(await figure(page, "missed"), "1");
  assert.equal(await figure(page, "to acknowledge, median"), "–");

  await page.getByRole("link", { name: "Today" }).click();
  const overdue = page.getByRole("region", { name: "Overdue" });
  assert.match(await overdue.innerText(), /Demo request by Harbour & Sons[^]*was due 1 h ago/);
  await overdue.getByRole("link").first().click();
  const situation = page.getByRole("region", { name: "Where it stands" });
  assert.match(await situation.innerText(), /First answer sent is overdue: it was due 23 Nov,? 13:00/);
  assert.match(await situation.innerText(), /It is Dev Patel’s to bring about/);

  await page.getByRole("button", { name: "I have it" }).click();
  await page.getByText("Acknowledged. The deadlines run on").waitFor();
  await page.getByText("Raise an exception", { exact: true }).first().click();
  await page.getByLabel("What is wrong").fill("the first answer went to the wrong address");
  await page.getByRole("button", { name: "Raise an exception" }).click();
  await page.getByText("The exception is open, and its owner is told.").waitFor();

  await page.getByText("Complete", { exact: true }).first().click();
  await page.getByLabel("Evidence: a link or a text").first().fill("https://mail.example.com/sent/1");
  await page.getByRole("button", { name: "Complete" }).click();
  await page.getByText("The outcome is done, with your evidence in the trail.").waitFor();
  assert.equal(await page.getByRole("link", { name: "https://mail.example.com/sent/1" }).count() > 0, true);
  assert.match(await situation.innerText(), /Every outcome is done. Before it can close:[^]*Raised by a person/);

  await stack.advance("2h");
  await page.goto("/exceptions");
  await page.getByRole("link", { name: "Demo request by Harbour & Sons" }).click();
  await page.getByText("Resolve", { exact: true }).first().click();
  await page.getByLabel("How it was resolved").fill("sent once more, to the right one");
  await page.getByRole("button", { name: "Resolve" }).click();
  await page.getByText("closed, promises missed").waitFor();

  await page.getByRole("link", { name: "Reports" }).click();
  assert.equal(await figure(page, "missed"), "1");
  assert.equal(await figure(page, "to acknowledge, median"), "5 h");
  assert.equal(await figure(page, "to resolve an exception, on average"), "1 h 30 min");
  const { items } = await stack.get(`/v1/runs/${run}/audit`);
  const byDev = items.filter((record) => record.actor.id === "dev").map((record) => record.kind);
  assert.deepEqual([...new Set(byDev)], ["acknowledged", "exception_opened", "outcome_done", "exception_resolved"]);
}

test("a run that is late is found, understood, worked off, and seen in the report", inBrowser({}, workedOff));

test("all of that works without JavaScript", inBrowser({ javaScriptEnabled: false }, workedOff));

test("the demo leaves something late, for whoever looks around afterwards", inBrowser({ up: ["--demo"] }, async ({ page }) => {
  await page.goto("/");
  const overdue = page.getByRole("region", { name: "Overdue" });
  assert.match(await overdue.innerText(), /Demo request, Nordlicht GmbH[^]*was due 1 h ago/);
}));

test("a list is narrowed down to one flow and one owner, and shown whole again", inBrowser({ up: ["--demo"] }, async ({ page, stack }) => {
  await stack.filledIn("form:1", "Pricing question");
  await page.goto("/runs");
  const rows = () => page.getByRole("main").locator(".rows > li").allInnerTexts();
  assert.equal((await rows()).length, 3);
  await page.getByLabel("Flow").selectOption("Lead form answered");
  await page.getByRole("button", { name: "Show" }).click();
  assert.match((await rows()).join(), /^Pricing question[^]*Ben Okafor/);
  assert.equal((await rows()).length, 2);
  await page.getByLabel("Owner").selectOption("Ana Reyes");
  await page.getByRole("button", { name: "Show" }).click();
  await page.getByText("No run is like that.").waitFor();
  await page.getByRole("link", { name: "Show all" }).click();
  await page.getByRole("link", { name: "Closed" }).click();
  assert.match((await rows()).join(), /^Spring launch/);
}));

test("a keyboard is enough, and always shows where it is", inBrowser({}, async ({ page, stack }) => {
  const run = await late(stack);
  await signIn(page, "Dev Patel");
  await page.goto(`/runs/${run}`);
  await page.keyboard.press("Tab");
  assert.deepEqual(await focused(page), { text: "Skip to content", isShown: true });
  await shot(page, "keyboard-skip-link");
  await page.keyboard.press("Enter");
  await to(page, "I have it");
  await page.keyboard.press("Enter");
  await page.getByText("Acknowledged. The deadlines run on").waitFor();

  await to(page, "Complete");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.type("told them on the phone");
  await page.keyboard.press("Enter");
  await page.getByText("Evidence: told them on the phone").first().waitFor();
  await page.getByText("closed, promises missed").waitFor();
}));

/** Tabs on to what says `text`, which must come within a page's worth of stops, each of them visible. */
async function to(page, text) {
  for (let stop = 0; stop < 60; stop += 1) {
    await page.keyboard.press("Tab");
    const here = await focused(page);
    assert.ok(here.isShown, `the focus is not to be seen on “${here.text}”`);
    if (here.text === text) return;
  }
  assert.fail(`no Tab leads to “${text}”`);
}

/** What has the focus, and whether a person sees that. */
function focused(page) {
  return page.evaluate(() => {
    const element = document.activeElement;
    const box = element.getBoundingClientRect();
    const isShown = getComputedStyle(element).outlineStyle !== "none" && box.width > 0 && box.right > 0 && box.bottom > 0;
    return { text: element.textContent.trim(), isShown };
  });
}
