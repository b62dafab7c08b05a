"""What operators do by hand with a deployed stack, after the scenarios were played there: the runbook's commands are run as
they stand in it."""

import base64
import datetime
import hmac
import json
import re
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

import botocore.exceptions

from provider import Provider
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


class KeepingTheTables(unittest.TestCase):
    def test_a_table_is_restored_and_one_is_exported_as_the_runbook_says(self):
        (restore,) = blocks("Restore to a second")
        sh(re.sub(r"--restore-date-time \S+", f"--restore-date-time {datetime.datetime.now(datetime.UTC):%FT%TZ}", restore))
        count = "aws dynamodb scan --table-name $TABLE --select COUNT --query Count"
        self.assertGreaterEqual(int(sh(count, TABLE="state-restored")), 20)
        (export,) = blocks("Export the audit table")
        STACK.client("s3").create_bucket(Bucket="exported")
        self.assertIn("ExportDescription", sh(export, EXPORT_BUCKET="exported"))


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

    def test_the_day_that_is_over_is_closed_signed_and_locked(self):
        sh("aws lambda invoke --function-name $(id ReportFunction) /dev/stdout")
        yesterday = today() - datetime.timedelta(days=1)
        verified = sh(f"meshline audit verify --since {yesterday}")
        self.assertRegex(verified, "valid")
        key = f"checkpoints/{yesterday:%Y/%m/%Y-%m-%d}.json"
        s3, bucket = STACK.client("s3"), STACK.outputs["CheckpointsBucketName"]
        (version,) = s3.list_object_versions(Bucket=bucket, Prefix=key)["Versions"]
        with self.assertRaisesRegex(botocore.exceptions.ClientError, "AccessDenied"):
            s3.delete_object(Bucket=bucket, Key=key, VersionId=version["VersionId"])
        with tempfile.TemporaryDirectory() as folder:
            sh(f"meshline audit key > {folder}/key.pem; meshline audit export --since {yesterday} --out {folder}/trail.jsonl")
            offline = {"MESHLINE_URL": "http://127.0.0.1:1"}
            verify = f"meshline audit verify --export {folder}/trail.jsonl --public-key {folder}/key.pem"
            self.assertRegex(sh(verify, **offline), "valid")
            sh(f"sed -i 's/publish-to-close/publish-to-close-2/' {folder}/trail.jsonl")
            with self.assertRaisesRegex(AssertionError, "not what was hashed"):
                sh(verify, **offline)


class Replay(unittest.TestCase):
    def test_a_window_replayed_changes_nothing_that_was_done(self):
        def state():
            return {run["run"]: run["version"] for flow in ("publish-to-close", "duplicate-delivery") for run in runs(flow)}

        before = state()
        window = f"--source hubspot --from {today() - datetime.timedelta(days=1)} --to {today() + datetime.timedelta(days=1)}"
        self.assertRegex(sh(f"meshline replay {window} --dry-run"), "events to replay: [1-9]")
        self.assertRegex(sh(f"meshline replay {window} --yes"), "events replayed: [1-9]")
        self.assertEqual(state(), before)


class Secrets(unittest.TestCase):
    def test_a_new_value_is_used_within_half_a_minute_and_the_old_one_no_longer(self):
        old, new = SECRETS["hubspot-current"], "another-client-secret"
        self.assertEqual(hubspot(old), 202)
        sh(f"aws secretsmanager put-secret-value --secret-id meshline/hubspot-current --secret-string {new}")
        give_up = time.monotonic() + 35
        while (status := hubspot(new)) == 401 and time.monotonic() < give_up:
            time.sleep(1)  # a value that was read moments ago is not read again for 30 s
        self.assertEqual(status, 202)
        self.assertEqual(hubspot(old), 401)


class KeepsRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Browser:
    """A browser at the deployed API: cookies, and answers as they are."""

    opener = urllib.request.build_opener(KeepsRedirects)

    def __init__(self):
        self.cookies = {}

    def open(self, path, form=None):
        """Status, `Location` and text of the answer."""
        body = None if form is None else urllib.parse.urlencode(form).encode()
        headers = {"cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        request = urllib.request.Request(STACK.env["MESHLINE_URL"] + path, body, headers if self.cookies else {})
        try:
            answer = self.opener.open(request)
        except urllib.error.HTTPError as error:
            answer = error
        for cookie in answer.headers.get_all("set-cookie") or []:
            name, value = cookie.split(";")[0].split("=", 1)
            self.cookies[name] = value
        return answer.status, answer.headers["location"], answer.read().decode()


class Console(unittest.TestCase):
    def test_a_person_signs_in_after_the_commands_of_the_runbook(self):
        active = json.loads(sh("meshline runs --status active --json"))["items"]
        run, subject = next((run["run"], run["subject"]) for run in active if not run["suppressed"])
        commands = "\n".join(blocks("Sign in to the console")[:3])
        made = sh(f"{commands}\necho $POOL $CLIENT", DOMAIN="meshline-console", EMAIL="ana@example.com")
        pool, client_id = made.split()[-2:]
        client = STACK.client("cognito-idp").describe_user_pool_client(UserPoolId=pool, ClientId=client_id)["UserPoolClient"]
        back = f"{STACK.outputs['ApiUrl']}/sign-in/callback"
        self.assertEqual((client["CallbackURLs"], client["AllowedOAuthFlows"]), ([back], ["code"]))

        browser = Browser()
        page = f"/runs/{run}"
        self.assertEqual(browser.open(page)[:2], (303, f"/sign-in?to={urllib.parse.quote(page, safe='')}"))
        # The emulator's Cognito calls itself by AWS's name and is not reached by it: another provider takes its place.
        with Provider(client_id, client["ClientSecret"]) as provider:
            STACK.ask_provider(provider.url, client_id)
            status, leaving, shown = browser.open(browser.open(page)[1])
            self.assertEqual(status, 303, shown)
            came_back = provider.sign_in(leaving, "ana@example.com")
            self.assertTrue(came_back.startswith(f"{back}?"), came_back)
            status, to, shown = browser.open(came_back.removeprefix(STACK.outputs["ApiUrl"]))
            self.assertEqual((status, to), (303, page), shown)
        status, _, shown = browser.open(page)
        self.assertEqual(status, 200, shown)
        self.assertIn("<strong>Ana", shown)
        subject = urllib.parse.quote(subject, safe="")
        for path in ("/", "/runs", "/exceptions", "/exceptions?status=resolved", "/flows", "/reports", "/flows/publish-to-close",
                     f"/subjects/{subject}", "/assets/console.css"):
            with self.subTest(path):
                self.assertEqual(browser.open(path)[0], 200)
        (token,) = set(re.findall(r'name="token" value="(\w+)"', shown))
        self.assertEqual(browser.open(f"{page}/note", {"token": token, "text": "seen in a browser"})[0], 303)
        records = json.loads(sh(f"meshline audit show {run} --json"))["items"]
        self.assertEqual([r["actor"]["id"] for r in records if r["detail"].get("text") == "seen in a browser"], ["ana"])
        self.assertEqual(browser.open("/v1/runs")[0], 403, "a session is for pages")


class Notices(unittest.TestCase):
    def test_the_owner_of_an_exception_is_told_by_mail_and_the_trail_says_so(self):
        open_runs = json.loads(sh("meshline runs --status active --json"))["items"]
        run, outcome = next((run["run"], outcome["id"]) for run in open_runs if not run["suppressed"]
                            for outcome in run["outcomes"] if outcome["status"] == "open")
        sh(f"meshline fail {run} {outcome} --reason 'no access'")
        give_up = time.monotonic() + 120  # what the scenarios left in the queues comes first
        while True:
            records = json.loads(sh(f"meshline audit show {run} --json"))["items"]
            (opened,) = [r for r in records if r["kind"] == "exception_opened" and r["detail"]["kind"] == "outcome_failed"]
            told = [r["detail"] for r in records if r["kind"] == "delivery_succeeded" and r["detail"]["message"] == opened["seq"]]
            if told:
                self.assertEqual([(it["to"], it["by"]) for it in told], [(f"person:{opened['detail']['owner']}", "email")])
                return
            self.assertLess(time.monotonic(), give_up, records[-3:])
            time.sleep(1)


class Telemetry(unittest.TestCase):
    def lines(self, function):
        pages = STACK.client("logs").get_paginator("filter_log_events").paginate(logGroupName=f"/meshline/{NAME}/{function}")
        return [event["message"] for page in pages for event in page["events"]]

    def test_log_lines_say_what_they_are_about_and_no_secret(self):
        secrets = (CONTENTFUL_SECRET, *SECRETS.values(), "another-client-secret", "Spring launch")
        decided = []
        for function in FUNCTIONS:
            for line in self.lines(function):
                for secret in secrets:
                    self.assertNotIn(secret, line)
                if line.startswith("{"):
                    parsed = json.loads(line)
                    decided += [parsed] if parsed.get("message") == "decided" else []
        self.assertGreater(len(decided), 20)
        for line in decided:
            self.assertLessEqual({"run", "flow", "subject", "trace_id", "requestId", "records"}, line.keys())

    def test_metrics_are_of_the_stack_and_of_the_flow(self):
        found = set()
        for function in FUNCTIONS:
            for line in self.lines(function):
                if line.startswith("{") and (metrics := json.loads(line).get("_aws", {}).get("CloudWatchMetrics")):
                    for directive in metrics:
                        self.assertEqual(directive["Namespace"], "Meshline")
                        self.assertEqual(json.loads(line)["stack"], NAME)
                        found |= {(metric["Name"], tuple(d)) for d in directive["Dimensions"] for metric in directive["Metrics"]}
        of_flow = {"Triggers", "OutcomeLatencySeconds", "OutcomesMet", "OutcomesBreached", "ExceptionsOpened", "RemediationSeconds"}
        of_stack = {"SweepLagSeconds", "UnverifiedWebhooks"} | of_flow
        self.assertLessEqual({(name, ("stack", "flow")) for name in of_flow} | {(name, ("stack",)) for name in of_stack}, found)

    def test_one_trace_goes_from_the_record_to_the_log(self):
        (run,) = runs("publish-to-close")
        records = json.loads(sh(f"meshline audit show {run['run']} --json"))["items"]
        (trace,) = {record["trace"] for record in records}
        self.assertTrue(any(trace in line for line in self.lines("relay") + self.lines("route")))
