// Chromium as this machine has it, without a way to the network.

import { execFileSync } from "node:child_process";

import { chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

function binary() {
  for (const name of process.env.CHROMIUM ? [process.env.CHROMIUM] : NAMES) {
    try {
      return execFileSync("sh", ["-c", 'command -v "$0"', name], { encoding: "utf8" }).trim();
    } catch {
      // Not this one.
    }
  }
  throw new Error("Chromium is missing: `apt-get install chromium`, or name the binary of one by CHROMIUM");
}

/** Chromium, which finds no host but this one. As root it cannot make its sandbox. */
export function launched() {
  const options = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"];
  return chromium.launch({ executablePath: binary(), chromiumSandbox: process.getuid?.() !== 0, args: options });
}
