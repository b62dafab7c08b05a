"""Python runs this at the emulator's start: what it does otherwise than AWS, set right."""

import socketserver

from ministack.core import iam_actions, iam_evaluator
from ministack.services import dynamodb, lambda_svc

# Its runtime API for functions leaves Nagle's algorithm on: 40 ms a call.
socketserver.StreamRequestHandler.disable_nagle_algorithm = True

# IAM knows no actions of these names: a batch is allowed by the permission for a single message (SQS developer guide,
# "Amazon SQS API permissions").
SINGLE = {f"sqs:{action}Batch": f"sqs:{action}" for action in ("SendMessage", "DeleteMessage", "ChangeMessageVisibility")}
action_of = iam_actions.extract_iam_action


def extract_iam_action(*request, **more):
    action = action_of(*request, **more)
    return SINGLE.get(action, action)


iam_actions.extract_iam_action = extract_iam_action


# A table may have a policy of its own; the emulator keeps it and does not look at it.
def policy_of_table(arn):
    kept = dynamodb._resource_policies.get(arn)
    return kept and (kept["Policy"], arn.split(":")[4])


dynamodb.policy_of_table = policy_of_table
iam_evaluator._RESOURCE_POLICY_LOOKUPS["dynamodb"] = ("dynamodb", "policy_of_table")


# An HTTP API hands cookies over as a list of their own (API Gateway developer guide, "AWS Lambda proxy integrations for
# HTTP APIs", payload 2.0); the emulator leaves them in their header.
execute = lambda_svc._execute_function_with_config_scope


def execute_with_cookies(record, event, *rest, **more):
    if isinstance(event, dict) and event.get("version") == "2.0" and "cookie" in event.get("headers", {}):
        event["cookies"] = event["headers"].pop("cookie").split("; ")
    return execute(record, event, *rest, **more)


lambda_svc._execute_function_with_config_scope = execute_with_cookies
