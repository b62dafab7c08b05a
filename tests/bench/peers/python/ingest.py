"""Ingest as one would write it in Python with boto3: a signed Contentful webhook is verified, kept once, and answered 202.

Clients are made outside the handler, as AWS advises. The secret comes from the environment, which spares it the call that
Meshline's own ingest makes."""

import hashlib
import hmac
import json
import os
import time
from urllib.parse import quote

import boto3
from botocore.exceptions import ClientError

TABLE = os.environ["MESHLINE_EVENTS_TABLE"]
SECRET = os.environ["CONTENTFUL_SECRET"].encode()
TIME_TO_LIVE_MS = 30_000
dynamodb = boto3.client("dynamodb")


def verified(request, body):
    headers = request["headers"]
    listed = headers.get("x-contentful-signed-headers", "").split(",")
    canonical = ";".join(f"{name}:{headers[name].strip()}" for name in sorted(listed) if name in headers)
    text = "\n".join([request["requestContext"]["http"]["method"], quote(request["rawPath"], safe="/"), canonical, body])
    expected = hmac.new(SECRET, text.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, headers.get("x-contentful-signature", "")):
        return False
    age = time.time() * 1000 - int(headers.get("x-contentful-timestamp", 0))
    return abs(age) < TIME_TO_LIVE_MS


def answer(status, **body):
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}


def handler(request, _context):
    body = request.get("body") or ""
    if not verified(request, body):
        return answer(401, detail="the signature does not fit")
    entry = json.loads(body)
    subject = "contentful:" + entry["sys"]["id"]
    event = hashlib.sha256(body.encode()).hexdigest()
    item = {
        "pk": {"S": "PEER#" + hashlib.sha256(subject.encode()).hexdigest()[:32]},
        "sk": {"S": "contentful#" + event},
        "received_at": {"S": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())},
        "event": {"S": body},
    }
    try:
        dynamodb.put_item(TableName=TABLE, Item=item, ConditionExpression="attribute_not_exists(pk)")
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return answer(202, event=event, duplicate=True)
    return answer(202, event=event, duplicate=False)
