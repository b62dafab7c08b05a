// Ingest as one would write it for Node with the AWS SDK v3: a signed Contentful webhook is verified, kept once, and answered 202.
//
// Clients are made outside the handler, as AWS advises. The secret comes from the environment, which spares it the call that
// Meshline's own ingest makes.

import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";

const TABLE = process.env.MESHLINE_EVENTS_TABLE;
const SECRET = process.env.CONTENTFUL_SECRET;
const TIME_TO_LIVE_MS = 30_000;
const dynamodb = new DynamoDBClient({});

const sha256 = (text) => createHash("sha256").update(text).digest("hex");

function verified(request, body) {
  const { headers } = request;
  const listed = (headers["x-contentful-signed-headers"] ?? "").split(",").filter((name) => name in headers);
  const canonical = listed.sort().map((name) => `${name}:${headers[name].trim()}`).join(";");
  const text = [request.requestContext.http.method, encodeURI(request.rawPath), canonical, body].join("\n");
  const expected = Buffer.from(createHmac("sha256", SECRET).update(text).digest("hex"));
  const signature = Buffer.from(headers["x-contentful-signature"] ?? "");
  if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) return false;
  return Math.abs(Date.now() - Number(headers["x-contentful-timestamp"])) < TIME_TO_LIVE_MS;
}

const answer = (statusCode, body) => ({
  statusCode,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

export async function handler(request) {
  const body = request.body ?? "";
  if (!verified(request, body)) return answer(401, { detail: "the signature does not fit" });
  const subject = `contentful:${JSON.parse(body).sys.id}`;
  const event = sha256(body);
  const Item = {
    pk: { S: `PEER#${sha256(subject).slice(0, 32)}` },
    sk: { S: `contentful#${event}` },
    received_at: { S: new Date().toISOString() },
    event: { S: body },
  };
  try {
    const put = { TableName: TABLE, Item, ConditionExpression: "attribute_not_exists(pk)" };
    await dynamodb.send(new PutItemCommand(put));
  } catch (error) {
    if (error.name !== "ConditionalCheckFailedException") throw error;
    return answer(202, { event, duplicate: true });
  }
  return answer(202, { event, duplicate: false });
}
