// Chromium as a person has it, watched: whatever a page complains about fails the test.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before } from "node:test";

import { launched } from "./chromium.js";
import { Stack } from "./stack.js";

const SHOTS = process.env.SCREENSHOTS ?? "target/screenshots";

/** How every test's browser is set; without motion, since what scrolls by itself cannot be clicked. */
const READER = { locale: "en-GB", timezoneId: "UTC", reducedMotion: "reduce" };

let browser;
before(async () => {
  browser = await launched();
});
after(() => browser?.close());

/** A test's body: `act` in a page of its own, with a stack of its own. */
export function inBrowser(options, act) {
  return async () => {
    const { up = [], says = [], ...context } = options;
    const stack = await Stack.start(...up);
    try {
      const person = await browser.newContext({ baseURL: stack.url, ...READER, ...context });
      const page = await person.newPage();
      const complaints = watched(page, stack.url);
      await act({ page, stack });
      assert.deepEqual(complaints.filter((it) => !says.some((known) => it.includes(known))), []);
      await person.close();
    } finally {
      await stack.stop();
    }
  };
}

/** What a page complains about: errors, refusals of its content security policy, dialogs, and calls to elsewhere. */
function watched(page, url) {
  const complaints = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("dialog", (dialog) => {
    complaints.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(`${url}/`) && !request.url().startsWith("data:")) {
      complaints.push(`a call to ${request.url()}`);
    }
  });
  return complaints;
}

/** Signs in to the local stack, on its page. */
export async function signIn(page, name) {
  await page.goto("/");
  await page.getByRole("link", { name: "Change" }).click();
  await page.getByRole("button", { name: `Act as ${name}` }).click();
  await page.getByText(`You are ${name}`).waitFor();
}

/** Keeps a picture of the whole page among what the build leaves behind. */
export async function shot(page, name) {
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: true });
}
