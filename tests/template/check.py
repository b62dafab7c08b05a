"""Asks every rule of rules.py about the stack, and shows that each of them can object."""

import copy
import unittest

from rules import MAPPINGS, RULES
from stack import listed, of_type, template, translated

STACK = translated()


def objections(resources):
    return {f"{rule.__name__}: {objection}" for rule in RULES for objection in rule(resources)}


def new_objections(changed):
    return objections(changed) - objections(STACK)


def without(path):
    """The stack without what lies under this path of keys."""
    changed = copy.deepcopy(STACK)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return changed


# What a slip of the hand could take out: whole resources, and properties.
WHOLE = {"AWS::CloudWatch::Alarm", "AWS::Lambda::EventSourceMapping", "AWS::Lambda::Permission", "AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy"}
PARTS = {
    "AWS::ApiGatewayV2::Route": ["AuthorizationType"],
    "AWS::ApiGatewayV2::Stage": ["AccessLogSettings", "RouteSettings", "DefaultRouteSettings"],
    "AWS::CloudWatch::Alarm": ["TreatMissingData", "AlarmActions"],
    "AWS::DynamoDB::Table": ["BillingMode", "DeletionProtectionEnabled", "PointInTimeRecoverySpecification", "SSESpecification", "ResourcePolicy"],
    "AWS::Lambda::EventInvokeConfig": ["MaximumRetryAttempts"],
    "AWS::Lambda::Function": ["LoggingConfig", "TracingConfig"],
    "AWS::Lambda::Version": ["Description"],
    "AWS::Logs::LogGroup": ["RetentionInDays"],
    "AWS::S3::Bucket": ["PublicAccessBlockConfiguration", "BucketEncryption", "ObjectLockEnabled", "ObjectLockConfiguration", "VersioningConfiguration"],
    "AWS::SQS::Queue": ["RedrivePolicy", "SqsManagedSseEnabled"],
}


def removable():
    """Paths of all of that in the stack."""
    for name, resource in STACK.items():
        properties = resource.get("Properties", {})
        if resource["Type"] in WHOLE:
            yield (name,)
        yield from ((name, "Properties", key) for key in PARTS.get(resource["Type"], []) if key in properties)
        yield from ((name, key) for key in ("DeletionPolicy", "UpdateReplacePolicy")
                    if key in resource and resource["Type"] in ("AWS::DynamoDB::Table", "AWS::S3::Bucket"))
        if resource.get("Condition") == "HasConsole":
            yield (name,)
            yield name, "Condition"
    for name, mapping in MAPPINGS.items():
        yield from ((name, "Properties", key) for key in mapping[2])
    for name in of_type(STACK, "AWS::Events::Rule"):
        yield from ((name, "Properties", "Targets", 0, key) for key in ("DeadLetterConfig", "RetryPolicy"))
    for name, queue in of_type(STACK, "AWS::SQS::Queue").items():
        if "RedrivePolicy" not in queue:
            yield name, "Properties", "MessageRetentionPeriod"
    yield "AuditTable", "Properties", "StreamSpecification"
    yield "TicksQueue", "Properties", "VisibilityTimeout"
    yield "IngestSpillQueue", "Properties", "VisibilityTimeout"
    yield "HttpStage", "Properties", "RouteSettings", "POST /hooks/{source}"


def permissions():
    """Paths of every action, every resource and every condition of every policy in the stack."""
    for name, resource in STACK.items():
        properties = resource.get("Properties", {})
        documents = [("Policies", i, "PolicyDocument") for i in range(len(properties.get("Policies", [])))]
        documents += [(key,) for key in ("KeyPolicy", "PolicyDocument") if key in properties]
        documents += [("ResourcePolicy", "PolicyDocument")] if "ResourcePolicy" in properties else []
        for document in documents:
            policy = properties
            for key in document:
                policy = policy[key]
            for i, statement in enumerate(policy["Statement"]):
                path = (name, "Properties", *document, "Statement", i)
                yield path
                for key in ("Action", "Resource"):
                    if isinstance(statement[key], list) and len(statement[key]) > 1:
                        yield from (path + (key, j) for j in range(len(statement[key])))
                if "Condition" in statement:
                    yield path + ("Condition",)


class Stack(unittest.TestCase):
    def test_every_rule_is_kept(self):
        for rule in RULES:
            with self.subTest(rule.__name__):
                self.assertEqual([], list(rule(STACK)))

    def test_parameters_have_defaults_and_say_what_they_are_for(self):
        parameters = template()["Parameters"]
        for name, parameter in parameters.items():
            with self.subTest(name):
                self.assertIn("Default", parameter)
                self.assertTrue(parameter.get("Description"))
        groups = template()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
        self.assertEqual(sorted(name for group in groups for name in group["Parameters"]), sorted(parameters))

    def test_the_http_functions_are_called_by_their_alias(self):
        uris = {str(i["IntegrationUri"]) for i in of_type(STACK, "AWS::ApiGatewayV2::Integration").values()}
        self.assertEqual(uris, {"{'Ref': 'IngestFunctionAliaslive'}", "{'Ref': 'OpsApiFunctionAliaslive'}",
                                "{'Fn::GetAtt': ['ReportFunction', 'Arn']}"})


class Canary(unittest.TestCase):
    def test_moves_each_http_function_while_its_alarm_is_quiet(self):
        resources = translated(CanaryDeployments="true")
        groups = of_type(resources, "AWS::CodeDeploy::DeploymentGroup")
        self.assertEqual(set(groups), {"IngestFunctionDeploymentGroup", "OpsApiFunctionDeploymentGroup"})
        for name, group in groups.items():
            function = name.removesuffix("DeploymentGroup")
            alarm = f"{function.removesuffix('Function')}CanaryAlarm"
            with self.subTest(name):
                self.assertEqual(group["AlarmConfiguration"], {"Enabled": True, "Alarms": [{"Name": {"Ref": alarm}}]})
                self.assertEqual(group["DeploymentConfigName"], {"Fn::Sub": ["CodeDeployDefault.Lambda${ConfigName}", {"ConfigName": "Canary10Percent5Minutes"}]})
                self.assertEqual(group["ServiceRoleArn"], {"Fn::GetAtt": ["CodeDeployRole", "Arn"]})
                self.assertIn("CodeDeployLambdaAliasUpdate", resources[f"{function}Aliaslive"]["UpdatePolicy"])
        self.assertEqual(set(), new_objections(resources))

    def test_can_be_switched_off(self):
        kinds = {r["Type"] for r in translated(CanaryDeployments="false").values()}
        self.assertEqual(set(), {kind for kind in kinds if kind.startswith("AWS::CodeDeploy")})


class Slips(unittest.TestCase):
    """A rule that cannot object is no rule."""

    def test_whatever_is_taken_out_is_missed(self):
        paths = list(removable())
        self.assertGreater(len(paths), 150)
        for path in paths:
            with self.subTest(path):
                self.assertTrue(new_objections(without(path)))

    def test_every_permission_taken_out_is_missed(self):
        paths = list(permissions())
        self.assertGreater(len(paths), 100)
        for path in paths:
            with self.subTest(path):
                self.assertTrue(new_objections(without(path)))

    def test_every_permission_put_in_is_noticed(self):
        for role in of_type(STACK, "AWS::IAM::Role"):
            changed = copy.deepcopy(STACK)
            statement = changed[role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0]
            statement["Action"] = [*listed(statement["Action"]), "kms:Decrypt"]
            with self.subTest(role):
                self.assertTrue(new_objections(changed))

    def test_what_nobody_may_have_is_refused_even_if_it_is_listed(self):
        audit, allowed = {"Fn::GetAtt": ["AuditTable", "Arn"]}, {"Effect": "Allow"}
        for rule, statement in {
            "records_stay: RouteRole may dynamodb:DeleteItem on the audit table": {"Action": "dynamodb:DeleteItem", "Resource": audit},
            "records_stay: RouteRole may put records outside a transaction": {"Action": "dynamodb:PutItem", "Resource": audit},
            "roles_are_narrow: RouteRole may s3:GetObject on everything": {"Action": "s3:GetObject", "Resource": "*"},
            "roles_are_narrow: RouteRole: dynamodb:* is not one action": {"Action": "dynamodb:*", "Resource": audit},
        }.items():
            changed = copy.deepcopy(STACK)
            changed["RouteRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].append(allowed | statement)
            with self.subTest(rule):
                self.assertIn(rule, new_objections(changed))

    def test_whatever_goes_from_the_dashboard_is_missed(self):
        for gone in ("IngestSpillDlq.QueueName", "ReportFunction", "AuditTable", "OutcomeLatencySeconds", "DueRuns"):
            changed = copy.deepcopy(STACK)
            body = changed["Dashboard/Dashboard"]["Properties"]["DashboardBody"]
            body["Fn::Sub"] = body["Fn::Sub"].replace(gone, "")
            with self.subTest(gone):
                self.assertIn(f"the_dashboard_shows_everything: {gone} is not on the dashboard", new_objections(changed))


if __name__ == "__main__":
    unittest.main()
