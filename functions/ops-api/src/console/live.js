// Times in the reader's zone, and the page anew every ten seconds. The console works without it.
"use strict";

const EVERY_MS = 10_000;
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

/** Shows all times below `root` as the reader's clocks do; UTC stays in the title. */
function localise(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    time.textContent = `${day.format(at)}, ${clock.format(at)}`;
  }
  for (const tick of root.querySelectorAll("text[data-at]")) {
    const at = new Date(tick.dataset.at);
    tick.textContent = (tick.dataset.form === "day" ? day : clock).format(at);
  }
  for (const zone of root.querySelectorAll("[data-zone]")) {
    zone.textContent = Intl.DateTimeFormat().resolvedOptions().timeZone;
  }
}

/** Whether somebody is at work: writes, has a form open, is on a link by keyboard, or marks text. */
function isBusy(main) {
  const active = document.activeElement;
  const within = active !== main && main.contains(active);
  return within || main.querySelector("details[open] form") !== null || !getSelection().isCollapsed;
}

async function refresh() {
  const main = document.querySelector("main");
  if (document.hidden || isBusy(main)) return;
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (answer.status === 401) location.reload(); // the session is over: the page itself asks to sign in
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector("main");
  if (fresh === null || isBusy(main)) return;
  const scrolled = [...main.querySelectorAll(".wide")].map((box) => box.scrollLeft);
  localise(fresh);
  main.replaceWith(document.adoptNode(fresh));
  fresh.querySelectorAll(".wide").forEach((box, n) => box.scrollTo(scrolled[n] ?? 0, 0));
  document.title = page.title;
}

// What was done is said once, not again when the page comes anew.
const here = new URL(location.href);
if (here.searchParams.has("done")) {
  here.searchParams.delete("done");
  history.replaceState(null, "", here);
}
localise(document);
// A stack that is gone for a moment is asked again at the next beat. What a refused form says stays.
if (document.querySelector("main [role=alert]") === null) {
  setInterval(() => refresh().catch(() => {}), EVERY_MS);
}
