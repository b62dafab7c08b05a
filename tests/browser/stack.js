// A local stack of one test: `meshline up` on a free port of the loopback, with a clock that the test moves.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

const START = "2026-11-23T09:00:00Z";
const BINARY = process.env.MESHLINE;

export class Stack {
  #process;
  #deliveries = 0;

  /** Starts one; `--demo` plays its story first. */
  static async start(...options) {
    if (!BINARY) throw new Error("MESHLINE names no binary: use `make browser`");
    const stack = new Stack();
    const options_ = ["up", "--port", "0", "--clock", START, "--clock-frozen", ...options];
    stack.#process = spawn(BINARY, options_, { stdio: ["ignore", "pipe", "inherit"] });
    const isReady = options.includes("--demo") ? /the stack stays up/ : /meshline apply|curl \S+\/v1\/runs/;
    for await (const line of createInterface({ input: stack.#process.stdout })) {
      stack.url ??= line.match(/^meshline is up at (\S+)/)?.[1];
      if (isReady.test(line)) {
        stack.#process.stdout.resume();
        return stack;
      }
    }
    throw new Error("`meshline up` ended before it was up");
  }

  async stop() {
    this.#process.kill("SIGINT");
    await once(this.#process, "exit");
  }

  /** A form of the example flow `lead-form` is filled in; gives the id of the run that it opens. */
  async filledIn(asset, title) {
    await this.#hook({ event: "form.submitted", asset, title });
    const { items } = await this.get("/v1/runs?flow=lead-form&limit=1");
    return items[0].run;
  }

  /** What the form asked for was answered. */
  async answered(asset) {
    await this.#hook({ event: "form.answered", asset });
  }

  /** Moves the clock, and lets everything happen that is due by then: `advance("3h")`. */
  async advance(by) {
    await this.#post("/_local/clock", { advance: by });
  }

  async command(person, path, body) {
    await this.#post(path, body, { authorization: `Local ${person}` });
    await this.#post("/_local/settle", {});
  }

  async get(path) {
    return (await this.#call(path)).json();
  }

  async #hook(body) {
    this.#deliveries += 1;
    const token = { "x-forms-token": "local-forms-token" };
    await this.#post("/hooks/forms", { delivery: `d${this.#deliveries}`, ...body }, token);
    await this.#post("/_local/settle", {});
  }

  async #post(path, body, headers = {}) {
    const json = { "content-type": "application/json", ...headers };
    await this.#call(path, { method: "POST", headers: json, body: JSON.stringify(body) });
  }

  async #call(path, request) {
    const answer = await fetch(this.url + path, request);
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
    return answer;
  }
}
