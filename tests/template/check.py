"""Rules the deployed stack must keep, checked on what SAM makes of template.yaml, so that what SAM adds is checked as well."""

import os
import pathlib
import re
import unittest

from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # the translator must know one; nothing here depends on which

TEMPLATE = pathlib.Path(__file__).parents[2] / "template.yaml"
FUNCTIONS = {"IngestFunction", "RouteFunction", "SlaCheckFunction", "RelayFunction", "OpsApiFunction"}
TWO_WEEKS = 14 * 24 * 3600

# A `*` in a role's resource needs a reason here. The API has open routes for these reasons, and no others.
WILDCARDS = {
    "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${SecretPrefix}*":
        "sources name their secrets at run time, and a secret's ARN ends in six random characters",
    "${FailedBatchesBucket.Arn}/aws/lambda/*":
        "Lambda names the objects itself, and all of them under this prefix",
}
OPEN_ROUTES = {
    "POST /hooks/{source}": "the function verifies the sender's signature",
    "GET /healthz": "uptime monitors; tells the version only",
}
CHANGES_RECORDS = {f"dynamodb:{action}" for action in
                   ("UpdateItem", "DeleteItem", "BatchWriteItem", "PartiQLInsert", "PartiQLUpdate", "PartiQLDelete")}
IN_TRANSACTION = {"ForAnyValue:StringEquals": {"dynamodb:EnclosingOperation": ["TransactWriteItems"]}}


class NoManagedPolicies:
    """Leaves the names of managed policies as they are: none may be used."""

    def load(self):
        return {}


def translated():
    template = yaml_parse(TEMPLATE.read_text())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/key"  # where `sam deploy` would have put it
    return transform(template, {}, NoManagedPolicies())["Resources"]


def text(value):
    """A name or ARN as one string: `${Queue.Arn}` for a GetAtt, `${Queue}` for a Ref, a Sub as it is written."""
    match value:
        case {"Ref": name}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"${{{name}.{attribute}}}"
        case {"Fn::Sub": str(template)}:
            return template
        case str():
            return value
    raise AssertionError(f"cannot read {value}")


def listed(value):
    return value if isinstance(value, list) else [value]


RESOURCES = translated()


def of_type(kind):
    return {name: r["Properties"] for name, r in RESOURCES.items() if r["Type"] == kind}


def statements():
    """Every statement of every role, as (role, actions, resources, statement)."""
    for role, properties in of_type("AWS::IAM::Role").items():
        for policy in properties["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                resources = [text(r) for r in listed(statement["Resource"])]
                yield role, listed(statement["Action"]), resources, statement


def dead_letter_queues():
    """Each queue that others give up into, by logical id."""
    redrives = (q["RedrivePolicy"]["deadLetterTargetArn"] for q in of_type("AWS::SQS::Queue").values() if "RedrivePolicy" in q)
    targets = (t["DeadLetterConfig"]["Arn"] for r in of_type("AWS::Events::Rule").values() for t in r["Targets"])
    return {text(arn).removeprefix("${").removesuffix(".Arn}") for arn in [*redrives, *targets]}


def alarmed(metric, dimension, value):
    return any(a["MetricName"] == metric and {"Name": dimension, "Value": value} in a["Dimensions"]
               for a in of_type("AWS::CloudWatch::Alarm").values() if "Dimensions" in a)


class Queues(unittest.TestCase):
    def test_each_gives_up_into_a_queue_of_its_own_that_keeps_two_weeks(self):
        queues, dead = of_type("AWS::SQS::Queue"), dead_letter_queues()
        self.assertEqual(len(queues), 11)
        own = [text(q["RedrivePolicy"]["deadLetterTargetArn"]) for q in queues.values() if "RedrivePolicy" in q]
        self.assertEqual(len(own), len(set(own)))
        for name, queue in queues.items():
            with self.subTest(name):
                self.assertTrue(queue["SqsManagedSseEnabled"])
                if name in dead:
                    self.assertEqual(queue["MessageRetentionPeriod"], TWO_WEEKS)
                else:
                    self.assertGreaterEqual(queue["RedrivePolicy"]["maxReceiveCount"], 5)

    def test_each_has_its_alarm(self):
        dead = dead_letter_queues()
        for name in of_type("AWS::SQS::Queue"):
            metric = "ApproximateNumberOfMessagesVisible" if name in dead else "ApproximateAgeOfOldestMessage"
            with self.subTest(name):
                self.assertTrue(alarmed(metric, "QueueName", {"Fn::GetAtt": [name, "QueueName"]}))

    def test_a_message_stays_hidden_for_six_timeouts_of_its_function(self):
        for name, mapping in of_type("AWS::Lambda::EventSourceMapping").items():
            queue = RESOURCES[mapping["EventSourceArn"]["Fn::GetAtt"][0]]
            if queue["Type"] == "AWS::SQS::Queue":
                timeout = RESOURCES[mapping["FunctionName"]["Ref"]]["Properties"]["Timeout"]
                with self.subTest(name):
                    self.assertGreaterEqual(queue["Properties"]["VisibilityTimeout"], 6 * timeout)


class Functions(unittest.TestCase):
    def test_each_has_its_own_role_and_a_log_group_that_forgets(self):
        functions = of_type("AWS::Lambda::Function")
        self.assertEqual(set(functions), FUNCTIONS)
        for field in (lambda f: f["Role"], lambda f: f["LoggingConfig"]["LogGroup"]):
            self.assertEqual(len({str(field(f)) for f in functions.values()}), len(functions))
        for name, group in of_type("AWS::Logs::LogGroup").items():
            with self.subTest(name):
                self.assertEqual(group["RetentionInDays"], {"Ref": "LogRetentionDays"})

    def test_each_logs_into_its_own_group_only(self):
        for name, function in of_type("AWS::Lambda::Function").items():
            role, group = function["Role"]["Fn::GetAtt"][0], function["LoggingConfig"]["LogGroup"]["Ref"]
            granted = [resources for r, actions, resources, _ in statements()
                       if r == role and any(a.startswith("logs:") for a in actions)]
            with self.subTest(name):
                self.assertEqual(granted, [[f"${{{group}.Arn}}"]])

    def test_each_has_an_alarm_on_errors(self):
        for name in FUNCTIONS:
            with self.subTest(name):
                self.assertTrue(alarmed("Errors", "FunctionName", {"Ref": name}))

    def test_every_event_source_has_somewhere_to_put_what_fails(self):
        mappings, rules = of_type("AWS::Lambda::EventSourceMapping"), of_type("AWS::Events::Rule")
        self.assertEqual((len(mappings), len(rules)), (4, 1))
        for name, mapping in mappings.items():
            source = RESOURCES[mapping["EventSourceArn"]["Fn::GetAtt"][0]]
            with self.subTest(name):
                self.assertEqual(mapping["FunctionResponseTypes"], ["ReportBatchItemFailures"])
                if source["Type"] == "AWS::SQS::Queue":
                    self.assertIn("RedrivePolicy", source["Properties"])
                else:
                    self.assertIn("Destination", mapping["DestinationConfig"]["OnFailure"])
                    self.assertTrue(alarmed("OnFailureDestinationDeliveredEventCount", "EventSourceMappingUUID", {"Ref": name}))
                    self.assertTrue(alarmed("IteratorAge", "FunctionName", mapping["FunctionName"]))
        for name, rule in rules.items():
            for target in rule["Targets"]:
                with self.subTest(name):
                    self.assertIn("Arn", target["DeadLetterConfig"])


class Roles(unittest.TestCase):
    def test_no_managed_policy(self):
        for name, role in of_type("AWS::IAM::Role").items():
            with self.subTest(name):
                self.assertNotIn("ManagedPolicyArns", role)

    def test_actions_are_named_one_by_one(self):
        for role, actions, _, statement in statements():
            for action in actions:
                with self.subTest(role, action=action):
                    self.assertEqual(statement["Effect"], "Allow")
                    self.assertRegex(action, r"^[a-z0-9]+:[A-Za-z]+$")

    def test_resources_have_a_star_only_for_a_stated_reason(self):
        starred = {r for _, _, resources, _ in statements() for r in resources if "*" in r}
        self.assertEqual(starred, set(WILDCARDS))

    def test_nobody_may_change_or_remove_a_record(self):
        for role, actions, resources, _ in statements():
            if any(re.search(r"AuditTable|^\*$", r) for r in resources):
                with self.subTest(role):
                    self.assertEqual(CHANGES_RECORDS & set(actions), set())

    def test_records_are_appended_in_transactions_only(self):
        appending = [(role, actions, s.get("Condition")) for role, actions, resources, s in statements()
                     if "dynamodb:PutItem" in actions and any("AuditTable" in r for r in resources)]
        self.assertEqual({role for role, _, _ in appending}, {"RouteRole", "SlaCheckRole", "OpsApiRole"})
        for role, actions, condition in appending:
            with self.subTest(role):
                self.assertEqual((actions, condition), (["dynamodb:PutItem"], IN_TRANSACTION))


class Tables(unittest.TestCase):
    def test_each_outlives_mistakes(self):
        tables = of_type("AWS::DynamoDB::Table")
        self.assertEqual(set(tables), {"EventsTable", "StateTable", "AuditTable"})
        for name, table in tables.items():
            with self.subTest(name):
                self.assertEqual({RESOURCES[name][p] for p in ("DeletionPolicy", "UpdateReplacePolicy")}, {"Retain"})
                self.assertEqual(table["DeletionProtectionEnabled"], {"Ref": "DeletionProtection"})
                self.assertTrue(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"])
                self.assertTrue(table["SSESpecification"]["SSEEnabled"])
                self.assertEqual(table["BillingMode"], "PAY_PER_REQUEST")

    def test_only_events_expire(self):
        self.assertEqual({n for n, t in of_type("AWS::DynamoDB::Table").items() if "TimeToLiveSpecification" in t}, {"EventsTable"})

    def test_the_audit_table_itself_denies_changes_to_everyone(self):
        (deny,) = RESOURCES["AuditTable"]["Properties"]["ResourcePolicy"]["PolicyDocument"]["Statement"]
        self.assertEqual((deny["Effect"], deny["Principal"], "Condition" in deny), ("Deny", "*", False))
        # PartiQLInsert cannot replace an item and, like PutItem, is not needed by the deny to hold.
        self.assertEqual(set(deny["Action"]), CHANGES_RECORDS - {"dynamodb:PartiQLInsert"})

    def test_the_relay_sees_every_change_of_a_record(self):
        self.assertEqual(RESOURCES["AuditTable"]["Properties"]["StreamSpecification"], {"StreamViewType": "NEW_AND_OLD_IMAGES"})
        (mapping,) = [m for m in of_type("AWS::Lambda::EventSourceMapping").values()
                      if m["EventSourceArn"] == {"Fn::GetAtt": ["AuditTable", "StreamArn"]}]
        self.assertNotIn("FilterCriteria", mapping)


class Api(unittest.TestCase):
    def test_every_route_asks_for_iam_but_the_open_ones(self):
        routes = of_type("AWS::ApiGatewayV2::Route").values()
        self.assertEqual({r["RouteKey"] for r in routes if r["AuthorizationType"] == "NONE"}, set(OPEN_ROUTES))
        self.assertEqual({r["AuthorizationType"] for r in routes}, {"NONE", "AWS_IAM"})

    def test_hooks_and_operators_are_throttled_apart_and_logged(self):
        (stage,) = of_type("AWS::ApiGatewayV2::Stage").values()
        self.assertEqual(set(stage["RouteSettings"]), {"POST /hooks/{source}", "ANY /v1/{proxy+}"})
        self.assertIn("DestinationArn", stage["AccessLogSettings"])


class Alarms(unittest.TestCase):
    def test_a_silent_sweep_rings_and_every_alarm_reaches_the_topic(self):
        alarms = of_type("AWS::CloudWatch::Alarm")
        for name, alarm in alarms.items():
            with self.subTest(name):
                self.assertEqual(alarm["AlarmActions"], [{"Ref": "AlarmTopic"}])
                silent = "breaching" if name == "SweepLagAlarm" else "notBreaching"
                self.assertEqual(alarm["TreatMissingData"], silent)
        self.assertIn("AuditTampered", {a["MetricName"] for a in alarms.values()})


if __name__ == "__main__":
    unittest.main()
