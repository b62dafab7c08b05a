"""What the deployed stack must keep. Each rule is given the resources of stack.py and yields what is wrong with them.

check.py asks every rule about the stack, and then about stacks with one thing taken out, where some rule must object.
"""

import json
import pathlib
import re

from stack import ROOT, by_default, defaults, listed, of_type, text

RUNBOOK = (ROOT / "docs/RUNBOOK.md").read_text()
PERMISSIONS = json.loads((pathlib.Path(__file__).parent / "permissions.json").read_text())
TWO_WEEKS = 14 * 24 * 3600

# A `*` in a role's resource needs a reason here. The API has open routes for these reasons, and no others.
WILDCARDS = {
    "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${SecretPrefix}*":
        "sources name their secrets at run time, and a secret's ARN ends in six random characters",
    "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/*":
        "an address is verified by itself or as part of its domain; a condition names the address",
    "${FailedBatchesBucket.Arn}/aws/lambda/*":
        "Lambda names the objects itself, and all of them under this prefix",
    "${CheckpointsBucket.Arn}/checkpoints/*":
        "one object a day",
    "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${AWS::StackName}-console-??????":
        "one secret, whose ARN ends in six random characters",
}
UNBOUND = {
    "xray:PutTraceSegments": "X-Ray has no resource to name",
    "xray:PutTelemetryRecords": "X-Ray has no resource to name",
    "cloudwatch:DescribeAlarms": "CodeDeploy asks for all alarms",
}
OPEN_ROUTES = {
    "POST /hooks/{source}": "the function verifies the sender's signature",
    "GET /hooks/{source}": "a probe of a sender is answered, nothing comes of it",
    "GET /healthz": "uptime monitors; tells the version only",
}
# A browser that opens a page sends nothing that an authorizer could look at: ops-api asks for a session, and signs people in.
CONSOLE_ROUTES = {
    "GET /", "GET /runs", "GET /runs/{run}", "POST /runs/{proxy+}", "GET /exceptions", "GET /flows", "GET /flows/{flow}",
    "POST /flows/{proxy+}", "GET /subjects/{proxy+}", "GET /reports", "GET /assets/{name}", "GET /sign-in", "GET /sign-in/callback",
    "POST /sign-out",
}
CHANGES_RECORDS = {f"dynamodb:{action}" for action in
                   ("UpdateItem", "DeleteItem", "BatchWriteItem", "PartiQLInsert", "PartiQLUpdate", "PartiQLDelete")}
IN_TRANSACTION = {"ForAnyValue:StringEquals": {"dynamodb:EnclosingOperation": ["TransactWriteItems"]}}

OF_A_QUEUE = {"BatchSize": 10, "FunctionResponseTypes": ["ReportBatchItemFailures"]}
OF_A_STREAM = {
    "StartingPosition": "TRIM_HORIZON", "BatchSize": 100, "FunctionResponseTypes": ["ReportBatchItemFailures"],
    "BisectBatchOnFunctionError": True, "MaximumRetryAttempts": 20, "MaximumRecordAgeInSeconds": 12 * 3600,
    "DestinationConfig": {"OnFailure": {"Destination": {"Fn::GetAtt": ["FailedBatchesBucket", "Arn"]}}},
    "MetricsConfig": {"Metrics": ["EventCount"]},
}
# From where to where, and how. The relay sees every change of a record: no filter.
MAPPINGS = {
    "IngestFunctionSpill": ("${IngestSpillQueue.Arn}", "IngestFunction", OF_A_QUEUE | {"ScalingConfig": {"MaximumConcurrency": 5}}),
    "SlaCheckFunctionTicks": ("${TicksQueue.Arn}", "SlaCheckFunction", OF_A_QUEUE | {"ScalingConfig": {"MaximumConcurrency": 10}}),
} | {f"NotifyFunction{name}": (f"${{{name}Queue.Arn}}", "NotifyFunction", OF_A_QUEUE | {"ScalingConfig": {"MaximumConcurrency": 5}})
     for name in ("Escalations", "Exceptions", "Requests")} | {
    "RouteFunctionEvents": ("${EventsTable.StreamArn}", "RouteFunction",
                            OF_A_STREAM | {"FilterCriteria": {"Filters": [{"Pattern": '{"eventName":["INSERT","MODIFY"]}'}]}}),
    "RelayFunctionRecords": ("${AuditTable.StreamArn}", "RelayFunction", OF_A_STREAM),
}


# Permissions

def statements(resources):
    """Every statement of every role, as (role, actions, resources, statement)."""
    policies = [(role, policy) for role, properties in of_type(resources, "AWS::IAM::Role").items() for policy in properties["Policies"]]
    policies += [(role["Ref"], policy) for policy in of_type(resources, "AWS::IAM::Policy").values() for role in policy["Roles"]]
    for role, policy in policies:
        for statement in policy["PolicyDocument"]["Statement"]:
            on = [text(r) for r in listed(statement["Resource"])]
            yield role, listed(statement["Action"]), on, statement


def granted(resources):
    """Who may do what: `{role: {resource: [action, …]}}`, and what keys, queues, buckets, tables and functions themselves
    say, as `{resource: {principal: [action, …]}}`. A condition follows its action, a denial is marked."""
    table = {}

    def add(to, whom, statement, qualify=""):
        condition = "".join(f" if {operator} {key}={','.join(map(text, listed(value)))}"
                            for operator, keys in statement.get("Condition", {}).items() for key, value in keys.items())
        denied = "" if statement["Effect"] == "Allow" else "never "
        for action in listed(statement["Action"]):
            table.setdefault(to, {}).setdefault(whom, []).append(f"{denied}{action}{qualify}{condition}")

    for role, _, on, statement in statements(resources):
        for resource in on:
            add(role, resource, statement)
    for name, resource in resources.items():
        properties = resource.get("Properties", {})
        documents = [properties.get("KeyPolicy"), properties.get("PolicyDocument"),
                     properties.get("ResourcePolicy", {}).get("PolicyDocument")]
        for statement in (s for document in documents if document for s in document["Statement"] if "Principal" in s):
            principal = statement["Principal"]
            whom = principal if isinstance(principal, str) else text(*principal.values())
            add(name, whom, statement, "".join(f" on {text(r)}" for r in listed(statement["Resource"]) if r != "*"))
        if resource["Type"] == "AWS::IAM::Role":
            for trust in properties["AssumeRolePolicyDocument"]["Statement"]:
                add(name, f"may be taken by {trust['Principal']['Service']}", trust)
        if resource["Type"] == "AWS::Lambda::Permission":
            called = {"Effect": "Allow", "Action": properties["Action"]}
            add(text(properties["FunctionName"]), f"{properties['Principal']} for {text(properties['SourceArn'])}", called)
    return {to: {whom: sorted(actions) for whom, actions in sorted(whoms.items())} for to, whoms in sorted(table.items())}


def permissions_are_the_listed_ones(resources):
    """tests/template/permissions.json has every single one. A change here is a change there, seen in review."""
    flat = [{(to, whom, action) for to, whoms in table.items() for whom, actions in whoms.items() for action in actions}
            for table in (granted(resources), PERMISSIONS)]
    for to, whom, action in sorted(flat[0] - flat[1]):
        yield f"{to} has gained, on or for {whom}: {action}. If that is meant, list it in permissions.json"
    for to, whom, action in sorted(flat[1] - flat[0]):
        yield f"{to} has lost, on or for {whom}: {action}. If that is meant, take it out of permissions.json"


def roles_are_narrow(resources):
    for name, role in of_type(resources, "AWS::IAM::Role").items():
        if "ManagedPolicyArns" in role:
            yield f"{name} has a managed policy, which others may widen"
    for role, actions, on, statement in statements(resources):
        if statement["Effect"] != "Allow":
            yield f"{role} denies, which the table of permissions does not weigh"
        for action in actions:
            if not re.fullmatch(r"[a-z0-9]+:[A-Za-z]+", action):
                yield f"{role}: {action} is not one action"
            if "*" in on and action not in UNBOUND:
                yield f"{role} may {action} on everything"
        for resource in on:
            if re.search(r"[*?]", resource) and resource != "*" and resource not in WILDCARDS:
                yield f"{role} has a star without a stated reason: {resource}"


def records_stay(resources):
    """Nobody changes or removes a record, and records are appended in transactions only."""
    for role, actions, on, statement in statements(resources):
        if not any("AuditTable" in r or r == "*" for r in on):
            continue
        for action in CHANGES_RECORDS & set(actions):
            yield f"{role} may {action} on the audit table"
        if "dynamodb:PutItem" in actions and statement.get("Condition") != IN_TRANSACTION:
            yield f"{role} may put records outside a transaction"
    policy = resources["AuditTable"]["Properties"].get("ResourcePolicy", {"PolicyDocument": {"Statement": []}})
    denied = [s for s in policy["PolicyDocument"]["Statement"] if (s["Effect"], s["Principal"]) == ("Deny", "*") and "Condition" not in s]
    # PartiQLInsert cannot replace an item and, like PutItem, is not needed by the deny to hold.
    if {a for s in denied for a in s["Action"]} != CHANGES_RECORDS - {"dynamodb:PartiQLInsert"}:
        yield "the audit table itself does not deny changes to everyone"
    if resources["AuditTable"]["Properties"].get("StreamSpecification") != {"StreamViewType": "NEW_AND_OLD_IMAGES"}:
        yield "the relay does not see what a changed record was"


def one_role_signs(resources):
    signing = [(name, text(*s["Principal"].values())) for name, key in of_type(resources, "AWS::KMS::Key").items()
               for s in key["KeyPolicy"]["Statement"] if {"kms:Sign", "kms:*"} & set(listed(s["Action"]))]
    if signing != [("CheckpointsKey", "${ReportRole.Arn}")]:
        yield f"signing is for the report's role alone, not {signing}"


# Queues and event sources

def dead_letter_queues(resources):
    """Each queue that others give up into, by name."""
    redrives = [q["RedrivePolicy"]["deadLetterTargetArn"] for q in of_type(resources, "AWS::SQS::Queue").values() if "RedrivePolicy" in q]
    targets = [t["DeadLetterConfig"]["Arn"] for r in of_type(resources, "AWS::Events::Rule").values()
               for t in r["Targets"] if "DeadLetterConfig" in t]
    return [text(arn).removeprefix("${").removesuffix(".Arn}") for arn in redrives], \
           [text(arn).removeprefix("${").removesuffix(".Arn}") for arn in targets]


def queues_give_up_into_their_own(resources):
    own, of_rules = dead_letter_queues(resources)
    if len(own + of_rules) != len(set(own + of_rules)):
        yield "two share a dead-letter queue"
    for name, queue in of_type(resources, "AWS::SQS::Queue").items():
        if not queue.get("SqsManagedSseEnabled"):
            yield f"{name} is not encrypted"
        if name in own + of_rules:
            if queue.get("MessageRetentionPeriod") != TWO_WEEKS:
                yield f"{name} does not keep dead letters for two weeks"
        elif queue.get("RedrivePolicy", {}).get("maxReceiveCount", 0) < 5:
            yield f"{name} has no dead-letter queue after five attempts or more"


def messages_stay_hidden_for_six_timeouts(resources):
    for name, (source, function, _) in MAPPINGS.items():
        queue = resources.get(source.removeprefix("${").removesuffix(".Arn}"), {})
        if queue.get("Type") == "AWS::SQS::Queue":
            if by_default(queue["Properties"].get("VisibilityTimeout", 30)) < 6 * resources[function]["Properties"]["Timeout"]:
                yield f"{name}: throttling alone would send good messages to the dead letters"


def event_sources_are_set_as_they_must_be(resources):
    mappings = of_type(resources, "AWS::Lambda::EventSourceMapping")
    if set(mappings) != set(MAPPINGS):
        yield f"event source mappings are {sorted(mappings)}"
        return
    for name, (source, function, settings) in MAPPINGS.items():
        actual = {key: value for key, value in mappings[name].items() if key not in ("EventSourceArn", "FunctionName", "Tags")}
        called = text(mappings[name].get("FunctionName"))
        if text(mappings[name].get("EventSourceArn")) != source or not called.startswith(f"${{{function}"):
            yield f"{name} does not lead from {source} to {function}"
        for key in sorted(set(actual) | set(settings)):
            if actual.get(key) != settings.get(key):
                yield f"{name}: {key} is {actual.get(key)}, not {settings.get(key)}"


def schedules_have_somewhere_to_fail(resources):
    rules, retries = of_type(resources, "AWS::Events::Rule"), {"SlaCheckFunctionMinute": 0, "ReportFunctionDaily": 2}
    if set(rules) != set(retries):
        yield f"schedules are {sorted(rules)}"
        return
    for name, rule in rules.items():
        for target in rule["Targets"]:
            if "DeadLetterConfig" not in target:
                yield f"{name} loses what could not be started"
            if target.get("RetryPolicy", {}).get("MaximumRetryAttempts") != retries[name]:
                yield f"{name} is not tried again {retries[name]} times"
    configs = {text(c["FunctionName"]): c for c in of_type(resources, "AWS::Lambda::EventInvokeConfig").values()}
    for function, attempts in (("${SlaCheckFunction}", 0), ("${ReportFunction}", 2)):
        if configs.get(function, {}).get("MaximumRetryAttempts") != attempts:
            yield f"{function} is not tried again {attempts} times"
    if "OnFailure" not in configs.get("${ReportFunction}", {}).get("DestinationConfig", {}):
        yield "a checkpoint that failed for good is forgotten"


# Functions, tables, buckets, API

def functions_stand_alone(resources):
    functions = of_type(resources, "AWS::Lambda::Function")
    groups = of_type(resources, "AWS::Logs::LogGroup")
    for what, field in (("role", lambda f: f.get("Role")), ("log group", lambda f: f.get("LoggingConfig", {}).get("LogGroup"))):
        if len({str(field(f)) for f in functions.values()}) != len(functions) or None in map(field, functions.values()):
            yield f"two functions share a {what}, or one has none"
    for name, group in groups.items():
        if group.get("RetentionInDays") != {"Ref": "LogRetentionDays"}:
            yield f"{name} never forgets"
    for name, function in functions.items():
        if function.get("TracingConfig") != {"Mode": "Active"}:
            yield f"{name} is not traced"
        if function["Environment"]["Variables"].get("MESHLINE_STACK") != {"Ref": "AWS::StackName"}:
            yield f"{name} cannot say in its metrics which stack it is of"
        group = text(function.get("LoggingConfig", {}).get("LogGroup", "")).removesuffix("}")
        writes = [on for role, actions, on, _ in statements(resources)
                  if role == function["Role"]["Fn::GetAtt"][0] and any(a.startswith("logs:") for a in actions)]
        if writes != [[f"{group}.Arn}}"]]:
            yield f"{name} does not log into its own group, and nowhere else"


def settings_reach_the_alias(resources):
    """A version is made anew when its description changes; what is not named there stays as it was behind the alias."""
    for alias in of_type(resources, "AWS::Lambda::Alias").values():
        function = resources[alias["FunctionName"]["Ref"]]["Properties"]
        version = resources[alias["FunctionVersion"]["Fn::GetAtt"][0]]["Properties"]
        used = set(re.findall(r"'Ref': '(\w+)'", str(function["Environment"]))) & (set(defaults()) | {"Bus"})
        for name in used - set(re.findall(r"\$\{(\w+)\}", text(version.get("Description", "")))):
            yield f"a changed {name} does not reach {alias['FunctionName']['Ref']}"


def tables_outlive_mistakes(resources):
    tables = of_type(resources, "AWS::DynamoDB::Table")
    for name, table in tables.items():
        if {resources[name].get(p) for p in ("DeletionPolicy", "UpdateReplacePolicy")} != {"Retain"}:
            yield f"{name} goes with the stack"
        if table.get("DeletionProtectionEnabled") != {"Ref": "DeletionProtection"}:
            yield f"{name} can be deleted"
        if not table.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled"):
            yield f"{name} cannot be restored"
        if not table.get("SSESpecification", {}).get("SSEEnabled"):
            yield f"{name} is not encrypted"
        if table.get("BillingMode") != "PAY_PER_REQUEST":
            yield f"{name} has a ceiling"
    if {name for name, table in tables.items() if "TimeToLiveSpecification" in table} != {"EventsTable"}:
        yield "events expire, and nothing else does"


def buckets_are_closed(resources):
    buckets = of_type(resources, "AWS::S3::Bucket")
    tls = {text(p["Bucket"]) for p in of_type(resources, "AWS::S3::BucketPolicy").values()
           for s in p["PolicyDocument"]["Statement"]
           if (s["Effect"], s["Action"], s.get("Condition")) == ("Deny", "s3:*", {"Bool": {"aws:SecureTransport": "false"}})}
    for name, bucket in buckets.items():
        if set(bucket.get("PublicAccessBlockConfiguration", {}).values()) != {True}:
            yield f"{name} can be made public"
        if "BucketEncryption" not in bucket:
            yield f"{name} does not say how it is encrypted"
        if f"${{{name}}}" not in tls:
            yield f"{name} is open to requests without TLS"
        if {resources[name].get(p) for p in ("DeletionPolicy", "UpdateReplacePolicy")} != {"RetainExceptOnCreate", "Retain"}:
            yield f"{name} goes with the stack"
    lock = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {
        "Mode": {"Ref": "CheckpointsRetentionMode"}, "Days": {"Ref": "CheckpointsRetentionDays"}}}}
    checkpoints = buckets["CheckpointsBucket"]
    if [checkpoints.get(p) for p in ("ObjectLockEnabled", "ObjectLockConfiguration", "VersioningConfiguration")] != [True, lock, {"Status": "Enabled"}]:
        yield "checkpoints can be changed or removed"
    if by_default({"Ref": "CheckpointsRetentionMode"}) != "COMPLIANCE":
        yield "checkpoints can be removed by those who may bypass"


def routes_ask_who_is_there(resources):
    routes = of_type(resources, "AWS::ApiGatewayV2::Route")
    for name, route in routes.items():
        of_console = name.startswith("Console") and route["RouteKey"] in CONSOLE_ROUTES
        wanted = "NONE" if route["RouteKey"] in OPEN_ROUTES or of_console else "AWS_IAM"
        if route.get("AuthorizationType") != wanted:
            yield f"{route['RouteKey']} has authorization {route.get('AuthorizationType')}"
    for missing in CONSOLE_ROUTES - {route["RouteKey"] for route in routes.values()}:
        yield f"the console's {missing} leads nowhere"
    (stage,) = of_type(resources, "AWS::ApiGatewayV2::Stage").values()
    if set(stage.get("RouteSettings", {})) != {"POST /hooks/{source}", "ANY /v1/{proxy+}"} or "DefaultRouteSettings" not in stage:
        yield "hooks and operators are not throttled apart"
    if "DestinationArn" not in stage.get("AccessLogSettings", {}):
        yield "requests are not logged"


def the_console_is_an_option(resources):
    for name, resource in resources.items():
        if name.startswith("Console") != (resource.get("Condition") == "HasConsole"):
            yield f"{name} is there without a console, or goes with it"


# Alarms and dashboard

def wanted_alarms(resources):
    """What must ring, as (namespace, metric, dimensions, threshold where two alarms differ in nothing else)."""
    own, of_rules = dead_letter_queues(resources)
    stack = ("stack", "${AWS::StackName}")
    for metric in ("SweepLagSeconds", "AuditTampered", "CheckpointsWritten", "UnverifiedWebhooks", "DeliveriesFailed"):
        yield "Meshline", metric, {stack}, None
    for name in of_type(resources, "AWS::SQS::Queue"):
        metric = "ApproximateNumberOfMessagesVisible" if name in own + of_rules else "ApproximateAgeOfOldestMessage"
        yield "AWS/SQS", metric, {("QueueName", f"${{{name}.QueueName}}")}, None
    for name in of_type(resources, "AWS::Lambda::Function"):
        for metric in ("Errors", "Throttles"):
            yield "AWS/Lambda", metric, {("FunctionName", f"${{{name}}}")}, None
    for name in ("IngestFunction", "OpsApiFunction"):  # what a canary deployment looks at
        version = text({"Fn::GetAtt": [resources[f"{name}Aliaslive"]["Properties"]["FunctionVersion"]["Fn::GetAtt"][0], "Version"]})
        yield "AWS/Lambda", "Errors", {("FunctionName", f"${{{name}}}"), ("Resource", f"${{{name}}}:live"), ("ExecutedVersion", version)}, None
    yield "AWS/Lambda", "Duration", {("FunctionName", "${IngestFunction}")}, None
    yield "AWS/Lambda", "ClaimedAccountConcurrency", set(), None
    for name, (source, function, _) in MAPPINGS.items():
        if "StreamArn" in source:
            for metric in ("OnFailureDestinationDeliveredEventCount", "DroppedEventCount"):
                yield "AWS/Lambda", metric, {("EventSourceMappingUUID", f"${{{name}}}")}, None
            for behind_ms in (5 * 60_000, 12 * 3_600_000):
                yield "AWS/Lambda", "IteratorAge", {("FunctionName", f"${{{function}}}")}, behind_ms
    yield "AWS/ApiGateway", "5xx", {("ApiId", "${HttpApi}")}, None
    for name in of_type(resources, "AWS::DynamoDB::Table"):
        for metric in ("ReadThrottleEvents", "WriteThrottleEvents"):
            yield "AWS/DynamoDB", metric, {("TableName", f"${{{name}}}")}, None
    yield "AWS/DynamoDB", "WriteThrottleEvents", {("TableName", "${StateTable}"), ("GlobalSecondaryIndexName", "due")}, None
    yield "AWS/DynamoDB", "TransactionConflict", {("TableName", "${StateTable}")}, None
    for table, operation in (("EventsTable", "PutItem"), ("StateTable", "TransactWriteItems"), ("StateTable", "Query")):
        yield "AWS/DynamoDB", "SystemErrors", {("TableName", f"${{{table}}}"), ("Operation", operation)}, None


def everything_that_must_ring_rings(resources):
    alarms = of_type(resources, "AWS::CloudWatch::Alarm")
    present = [(a["Namespace"], a["MetricName"], frozenset((d["Name"], text(d["Value"])) for d in a.get("Dimensions", [])),
                a["Threshold"] if a["MetricName"] == "IteratorAge" else None) for a in alarms.values()]
    wanted = {(namespace, metric, frozenset(dimensions), above) for namespace, metric, dimensions, above in wanted_alarms(resources)}
    for missing in sorted(map(str, wanted - set(present))):
        yield f"nothing rings on {missing}"
    for more in sorted(map(str, set(present) - wanted)):
        yield f"an alarm that no rule asks for: {more}"


def alarms_reach_somebody_who_knows_what_to_do(resources):
    rows = {name for row in RUNBOOK.splitlines() if row.startswith("| `") for name in re.findall(r"`(\w+Alarm)`", row.split("|")[1])}
    for path, alarm in of_type(resources, "AWS::CloudWatch::Alarm").items():
        name = path.removeprefix("Alarms/")
        if not alarm.get("AlarmDescription", "").endswith(f"docs/RUNBOOK.md, {name}") or name not in rows:
            yield f"{name} has no row in the runbook, or does not point to it"
        if alarm.get("AlarmActions") != (None if "Canary" in name else [{"Ref": "Topic"}]):
            yield f"{name} tells nobody"
        silent = "breaching" if name in ("SweepLagAlarm", "CheckpointAlarm") else "notBreaching"
        if alarm.get("TreatMissingData") != silent:
            yield f"{name}: silence is not {silent}"


def the_dashboard_shows_everything(resources):
    (dashboard,) = of_type(resources, "AWS::CloudWatch::Dashboard").values()
    body = dashboard["DashboardBody"]["Fn::Sub"]
    json.loads(body)
    names = [f"{name}.QueueName" for name in of_type(resources, "AWS::SQS::Queue")]
    names += [name for kind in ("AWS::Lambda::Function", "AWS::DynamoDB::Table", "AWS::ApiGatewayV2::Api") for name in of_type(resources, kind)]
    for missing in (name for name in names if f'"${{{name}}}"' not in body):
        yield f"{missing} is not on the dashboard"
    for metric in ("Triggers", "OutcomeLatencySeconds", "OutcomesMet", "OutcomesBreached", "ExceptionsOpened", "RemediationSeconds",
                   "AcknowledgeSeconds", "SweepLagSeconds", "DueRuns", "AuditTampered", "UnverifiedWebhooks", "DeliveriesFailed", "CheckpointsWritten"):
        if metric not in body:
            yield f"{metric} is not on the dashboard"


RULES = [
    permissions_are_the_listed_ones, roles_are_narrow, records_stay, one_role_signs,
    queues_give_up_into_their_own, messages_stay_hidden_for_six_timeouts, event_sources_are_set_as_they_must_be,
    schedules_have_somewhere_to_fail, functions_stand_alone, settings_reach_the_alias, tables_outlive_mistakes, buckets_are_closed,
    routes_ask_who_is_there, the_console_is_an_option, everything_that_must_ring_rings, alarms_reach_somebody_who_knows_what_to_do,
    the_dashboard_shows_everything,
]
