// The pictures in README: Today and a late run, of a stack on whose plate there is something of everything.

import { launched } from "./chromium.js";
import { Stack } from "./stack.js";

const [folder] = process.argv.slice(2);
const VIEW = { width: 1200, height: 800 };

const stack = await Stack.start("--demo");
await stack.filledIn("form:1", "Pricing for 40 seats, Harbour & Sons");
const partner = await stack.filledIn("form:2", "Partner enquiry, Nordlicht GmbH");
await stack.command("ben", `/v1/runs/${partner}/acknowledge`, {});
await stack.advance("150m");
const late = await stack.filledIn("form:3", "Demo request, Ostrava Tools");
await stack.command("ben", `/v1/runs/${late}/acknowledge`, {});
await stack.command("ben", `/v1/runs/${partner}/outcomes/answered/fail`, { reason: "the mailbox of the partner is full" });
await stack.advance("270m");
await stack.filledIn("form:4", "Newsletter question, Café Lumière");
await stack.advance("10m");

const browser = await launched();
const page = await browser.newPage({ baseURL: stack.url, viewport: VIEW, locale: "en-GB", timezoneId: "UTC" });
await page.context().addCookies([{ name: "meshline-local-person", value: "ben", url: stack.url }]);
for (const [name, path] of Object.entries({ today: "/", run: `/runs/${late}` })) {
  await page.goto(path);
  await page.screenshot({ path: `${folder}/${name}.png` });
}
await browser.close();
await stack.stop();
