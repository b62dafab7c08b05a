"""Python runs this at the emulator's start: what it does otherwise than AWS, set right."""

import socketserver

from ministack.core import iam_actions

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
