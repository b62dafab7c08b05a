// What others write is shown as text, whatever it is; and what a page of another site sends changes nothing.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import test from "node:test";

import { inBrowser, shot, signIn } from "./browser.js";

const TITLES = {
  "a script": "<script>window.owned = 1</script>",
  "an image that fails": "<img src=x onerror='window.owned = 1'>",
  "quotes and the end of an attribute": "\"'><svg onload=window.owned=1> `${7*7}` {{7*7}}",
  "the end of the page's own tags": "</bdi></title></textarea></script><script>window.owned = 1</script>",
};

for (const [what, title] of Object.entries(TITLES)) {
  test(`a title with ${what} is shown as it was written`, inBrowser({}, async ({ page, stack }) => {
    const run = await stack.filledIn(`form:${title}`, title);
    await stack.command("ben", `/v1/runs/${run}/note`, { text: title });
    await stack.advance("5h");
    for (const path of ["/", "/runs", `/runs/${run}`, "/exceptions", `/subjects/${encodeURIComponent(`form:${title}`)}`, "/flows/lead-form"]) {
      await page.goto(path);
      assert.ok((await page.getByRole("main").innerText()).includes(title), `${path} does not say ${title}`);
      assert.equal(await page.evaluate(() => window.owned), undefined, path);
    }
    await page.goto(`/runs/${run}`);
    assert.equal(await page.title(), `${title} · Meshline`);
  }));
}

test("a title that turns the direction of reading turns nothing around it", inBrowser({}, async ({ page, stack }) => {
  const run = await stack.filledIn("form:1", "invoice \u202Efdp.exe\u2066 \u05D0\u05D1\u05D2 done");
  for (const path of ["/", "/runs", `/runs/${run}`]) {
    await page.goto(path);
    const text = await page.locator("body").innerText();
    assert.ok(text.includes("invoice fdp.exe"), text);
    assert.doesNotMatch(text, /[\u202A-\u202E\u2066-\u2069\u200E\u200F]/);
  }
  await shot(page, "hostile-direction");
  assert.equal(await page.locator("h1").evaluate((it) => getComputedStyle(it.querySelector("bdi")).unicodeBidi), "isolate");
}));

test("evidence that is no web address is no link", inBrowser({}, async ({ page, stack }) => {
  const run = await stack.filledIn("form:1", "Demo request");
  await stack.command("ben", `/v1/runs/${run}/outcomes/answered/complete`, { evidence: "javascript:window.owned=1" });
  await page.goto(`/runs/${run}`);
  await page.getByText("javascript:window.owned=1").first().click();
  assert.equal(await page.locator('a[href^="javascript"]').count(), 0);
  assert.equal(await page.evaluate(() => window.owned), undefined);
}));

test("a script that got into a page after all would not run", inBrowser({ says: ["Content Security Policy"] }, async ({ page }) => {
  await page.goto("/");
  await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "window.owned = 1";
    document.body.append(script);
    document.body.insertAdjacentHTML("beforeend", "<button id=trap onclick='window.owned = 2'>trap</button>");
  });
  await page.locator("#trap").click();
  assert.equal(await page.evaluate(() => window.owned), undefined);
}));

const FORGED = ["a call to http://127.0.0.1:", "the server responded with a status of 403"];

test("the form of another site is refused, though the person is signed in", inBrowser({ says: FORGED }, async ({ page, stack }) => {
  const run = await stack.filledIn("form:1", "Demo request");
  await signIn(page, "Ben Okafor");
  const form = `<form method="post" action="${stack.url}/runs/${run}/acknowledge"><button>Win a prize</button></form>`;
  const elsewhere = createServer((_, answer) => answer.setHeader("content-type", "text/html").end(form));
  await once(elsewhere.listen(0, "127.0.0.1"), "listening");
  // Another port is another origin, but of the same site: cookies are sent with its form, as they are not from a foreign one.
  await page.route(`http://127.0.0.1:${elsewhere.address().port}/favicon.ico`, (route) => route.fulfill({ status: 204 }));
  await page.goto(`http://127.0.0.1:${elsewhere.address().port}/`);
  await page.getByRole("button", { name: "Win a prize" }).click();
  await page.getByText("This form was not sent from a page of the console").waitFor();
  const { acknowledgement } = await stack.get(`/v1/runs/${run}`);
  assert.equal(acknowledgement.acknowledged_at, null);
  elsewhere.close();
}));
