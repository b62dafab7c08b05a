// What Lambda's Node runtime does around a handler, in ten lines: its official client for other images, `aws-lambda-ric`, compiles C++
// and needs cmake. This one starts sooner than that would.

import { handler } from "./ingest.mjs";

const base = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation`;
for (;;) {
  const next = await fetch(`${base}/next`);
  const id = next.headers.get("lambda-runtime-aws-request-id");
  const answer = await handler(await next.json());
  await fetch(`${base}/${id}/response`, { method: "POST", body: JSON.stringify(answer) });
}
