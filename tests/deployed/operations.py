"""What operators do by hand with a deployed stack, after the scenarios were played there: the runbook's commands are run as
they stand in it."""

import base64
import datetime
import hmac
import json
import re
import subprocess
import time
import unittest
import urllib.error
import urllib.request

from stack import CONTENTFUL_SECRET, FUNCTIONS, NAME, ROOT, SECRETS

STACK = None  # set by run.py


def section(heading):
    """A section of the runbook, as text."""
    return (ROOT / "docs" / "RUNBOOK.md").read_text().split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def blocks(heading):
    """The shell blocks of a section of the runbook."""
    return re.findall(r"^ *```(?:sh|bash)\n(.*?)^ *```", section(heading), re.S | re.M)


def sh(command, **more):
    """Runs a command as the runbook's reader would: with the functions that it begins with."""
    # The emulator's API is called by another address than the stack's output says.
    (prelude,) = (re.sub(r"(?m)^export MESHLINE_URL=.*$", "", block) for block in blocks("Before anything else"))
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", prelude + command],
                          env=STACK.env | more, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(f"{command}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def runs(flow):
    return json.loads(sh(f"meshline runs --flow {flow} --json"))["items"]


def today():
    return datetime.datetime.now(datetime.UTC).date()


def hubspot(secret):
    """Sends a HubSpot webhook, signed as its version 3 is, and gives the status of the answer."""
    path, body, now = "/hooks/hubspot", b"[]", str(int(time.time() * 1000))
    signed = b"POST" + (STACK.outputs["ApiUrl"] + path).encode() + body + now.encode()
    signature = base64.b64encode(hmac.digest(secret.encode(), signed, "sha256")).decode()
    headers = {"content-type": "application/json", "x-hubspot-signature-v3": signature, "x-hubspot-request-timestamp": now}
    try:
        return urllib.request.urlopen(urllib.request.Request(STACK.env["MESHLINE_URL"] + path, body, headers)).status
    except urllib.error.HTTPError as error:
        return error.code


class CommandLine(unittest.TestCase):
    def test_the_tool_reads_a_deployed_stack_with_signed_requests(self):
        (run,) = runs("publish-to-close")
        self.assertRegex(sh(f"meshline audit verify {run['run']}"), "valid")
        self.assertRegex(sh("meshline report --flow lead-form"), "lead-form")

    def test_nobody_in_particular_is_refused(self):
        for path, method in (("/v1/runs", "GET"), ("/v1/config", "PUT")):
            request = urllib.request.Request(STACK.env["MESHLINE_URL"] + path, method=method)
            with self.assertRaises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request)
            self.assertEqual(refused.exception.code, 403)


class AskingTheAuditTable(unittest.TestCase):
    def test_every_query_of_the_runbook_finds_something(self):
        (run,) = runs("publish-to-close")
        # Runs that stay open, some of them overdue; a person who owns and did something.
        facts = {"RUN": run["run"], "FLOW": "breach-escalates", "DAY": str(today()), "PERSON": "ana"}
        shards = [f"DUE#{n:02}" for n in range(16)]
        queries = blocks("Ask the audit table")
        self.assertGreaterEqual(len(queries), 8)
        for query in queries:
            with self.subTest(query=query):
                of_shards = [query.replace("DUE#07", shard) for shard in shards] if "DUE#07" in query else [query]
                found = [json.loads(sh(one, **facts))["Items"] for one in of_shards]
                self.assertTrue(any(found), "it finds nothing")


class Trail(unittest.TestCase):
    def test_not_even_an_administrator_changes_or_removes_a_record(self):
        (run,) = runs("publish-to-close")
        key = json.dumps({"pk": {"S": run["run"]}, "sk": {"N": "1"}})
        iam = STACK.client("iam")
        iam.create_user(UserName="administrator")
        allow_all = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        iam.put_user_policy(UserName="administrator", PolicyName="all", PolicyDocument=json.dumps(allow_all))
        made = iam.create_access_key(UserName="administrator")["AccessKey"]
        keys = {"AWS_ACCESS_KEY_ID": made["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"]}
        table = "--table-name $(out AuditTableName) --key '" + key + "'"
        self.assertIn("run_opened", sh(f"aws dynamodb get-item {table}", **keys))
        for change in (f"delete-item {table}", f"update-item {table} --update-expression 'SET kind = :k' "
                       "--expression-attribute-values '{\":k\": {\"S\": \"note_added\"}}'"):
            with self.subTest(change=change), self.assertRaisesRegex(AssertionError, "AccessDenied"):
                sh(f"aws dynamodb {change}", **keys)
        self.assertRegex(sh(f"meshline audit verify {run['run']}"), "valid")


class Secrets(unittest.TestCase):
    def test_a_new_value_is_used_at_once_and_the_old_one_no_longer(self):
        old, new = SECRETS["hubspot-current"], "another-client-secret"
        self.assertEqual(hubspot(old), 202)
        sh(f"aws secretsmanager put-secret-value --secret-id meshline/hubspot-current --secret-string {new}")
        self.assertEqual(hubspot(new), 202)
        self.assertEqual(hubspot(old), 401)


class Logs(unittest.TestCase):
    def test_lines_are_json_and_say_what_they_are_about_and_no_secret(self):
        logs = STACK.client("logs")
        ids = set()
        for function in FUNCTIONS:
            pages = logs.get_paginator("filter_log_events").paginate(logGroupName=f"/meshline/{NAME}/{function}")
            lines = [event["message"] for page in pages for event in page["events"]]
            for line in lines:
                for secret in (CONTENTFUL_SECRET, *SECRETS.values(), "another-client-secret", "Spring launch"):
                    self.assertNotIn(secret, line)
                if line.startswith("{"):
                    ids |= json.loads(line).keys()
        self.assertLessEqual({"run", "flow", "subject", "trace_id"}, ids)
