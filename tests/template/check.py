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


def removable():
    """Paths of what a slip of the hand could take out."""
    for name, resource in STACK.items():
        properties = resource.get("Properties", {})
        at = (name, "Properties")
        match resource["Type"]:
            case "AWS::SQS::Queue":
                gives_up = "RedrivePolicy" in properties
                yield from (at + (key,) for key in ("SqsManagedSseEnabled", "RedrivePolicy" if gives_up else "MessageRetentionPeriod"))
            case "AWS::Events::Rule":
                yield from (at + ("Targets", 0, key) for key in ("DeadLetterConfig", "RetryPolicy"))
            case "AWS::Lambda::EventSourceMapping":
                yield (name,)
                yield from (at + (key,) for key in MAPPINGS[name][2])
            case "AWS::Lambda::EventInvokeConfig":
                yield at + ("MaximumRetryAttempts",)
            case "AWS::Lambda::Function":
                yield from (at + (key,) for key in ("LoggingConfig", "TracingConfig"))
            case "AWS::Lambda::Version":
                yield at + ("Description",)
            case "AWS::Logs::LogGroup":
                yield at + ("RetentionInDays",)
            case "AWS::DynamoDB::Table":
                yield from ((name, key) for key in ("DeletionPolicy", "UpdateReplacePolicy"))
                yield from (at + (key,) for key in ("BillingMode", "DeletionProtectionEnabled", "PointInTimeRecoverySpecification", "SSESpecification"))
            case "AWS::S3::Bucket":
                yield from (at + (key,) for key in ("PublicAccessBlockConfiguration", "BucketEncryption"))
            case "AWS::ApiGatewayV2::Route":
                yield at + ("AuthorizationType",)
            case "AWS::CloudWatch::Alarm":
                yield (name,)
                yield at + ("TreatMissingData",)
                if "AlarmActions" in properties:
                    yield at + ("AlarmActions",)
            case "AWS::S3::BucketPolicy" | "AWS::SQS::QueuePolicy" | "AWS::Lambda::Permission":
                yield (name,)
    yield "AuditTable", "Properties", "ResourcePolicy"
    yield "AuditTable", "Properties", "StreamSpecification"
    yield from (("CheckpointsBucket", "Properties", key) for key in ("ObjectLockEnabled", "ObjectLockConfiguration", "VersioningConfiguration"))
    yield "TicksQueue", "Properties", "VisibilityTimeout"
    yield "IngestSpillQueue", "Properties", "VisibilityTimeout"
    yield "HttpStage", "Properties", "AccessLogSettings"
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

    def test_nobody_can_be_allowed_to_change_a_record_even_if_it_is_listed(self):
        changed = copy.deepcopy(STACK)
        changed["RouteRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].append(
            {"Effect": "Allow", "Action": "dynamodb:DeleteItem", "Resource": {"Fn::GetAtt": ["AuditTable", "Arn"]}})
        self.assertIn("records_stay: RouteRole may dynamodb:DeleteItem on the audit table", new_objections(changed))


if __name__ == "__main__":
    unittest.main()
