"""The stack in the emulator: deployed by the README's own lines, then given people, and ears on its queues and bus."""

import json
import pathlib
import re
import subprocess

import boto3

ROOT = pathlib.Path(__file__).parents[2]
NAME = "meshline"
FUNCTIONS = ("ingest", "route", "sla-check", "relay", "notify", "ops-api", "report")
# What `notify` reads; it is held back while the scenarios are played, so that they may take the messages out.
READ = ("escalations", "exceptions", "requests")
PEOPLE = ("ana", "ben", "cleo", "dev")
CONTENTFUL_SECRET = "0123456789abcdef" * 4
SECRETS = {"hubspot-current": "hubspot-client-secret", "forms-token": "forms-token"}
# What differs from a deployment to AWS, beside the endpoint: the emulator knows no CodeDeploy and speaks no TLS, and what is
# thrown away in minutes needs no protection.
PARAMETERS = {
    "CanaryDeployments": "false",
    "BucketsRequireTls": "false",
    "DeletionProtection": "false",
    "CheckpointsRetentionMode": "GOVERNANCE",
    "CheckpointsRetentionDays": "1",
    "MailFrom": "meshline@example.com",
    "ConsoleIssuer": "https://id.example.com",
    "ConsoleClientId": "console",
}


def shell_block(document, heading):
    """The first shell block under a heading of a Markdown file."""
    section = (ROOT / document).read_text().split(f"\n{heading}\n", 1)[1].split("\n## ", 1)[0]
    return re.search(r"```(?:sh|bash)\n(.*?)```", section, re.S)[1]


class Stack:
    """A deployed stack; `env` is what its operators' shells have."""

    def __init__(self, emulator, env):
        self.emulator, self.env = emulator, env
        self.session = boto3.Session("test", "test", region_name=env["AWS_REGION"])

    def client(self, service):
        return self.session.client(service, endpoint_url=self.emulator.url)

    def shell(self, lines, **more):
        subprocess.run(["bash", "-euo", "pipefail", "-c", lines], cwd=ROOT, env=self.env | more, check=True)

    def deploy(self):
        """Runs the README's deploy lines. Only the one that asks for the API's address is answered from here."""
        before, address, after = re.split(r"(?m)^(export MESHLINE_URL=.*)$", shell_block("README.md", "## Deploy it"))
        assert address.startswith("export MESHLINE_URL=")
        parameters = " ".join(f"{name}={value}" for name, value in PARAMETERS.items())
        self.shell(before, PROFILE="dev", DEPLOY_FLAGS="--no-confirm-changeset", PARAMETERS=parameters)
        described = self.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"][0]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
        # The emulator's names for APIs end in `localhost`, which few machines resolve; its path form needs no name.
        api = re.match(r"https?://([^.]+)\.", self.outputs["ApiUrl"])[1]
        self.env |= {"MESHLINE_URL": f"{self.emulator.url}/_aws/execute-api/{api}/$default", "MESHLINE_REGION": self.env["AWS_REGION"]}
        for name, value in SECRETS.items():
            self.client("secretsmanager").create_secret(Name=f"meshline/{name}", SecretString=value)
        self.shell(after, CONTENTFUL_SIGNING_SECRET=CONTENTFUL_SECRET)

    def id(self, logical):
        """The name of a resource as it was made."""
        found = self.client("cloudformation").describe_stack_resource(StackName=NAME, LogicalResourceId=logical)
        return found["StackResourceDetail"]["PhysicalResourceId"]

    def logical(self, name, ending):
        """`sla-check`, `Function` → `SlaCheckFunction`."""
        return "".join(part.capitalize() for part in name.split("-")) + ending

    def people(self):
        """IAM users, by the person of the directory that they are; they may call the API and nothing else."""
        iam, keys = self.client("iam"), {}
        allowed = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}
        for person in PEOPLE:
            iam.create_user(UserName=person)
            policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
            iam.put_user_policy(UserName=person, PolicyName="api", PolicyDocument=policy)
            key = iam.create_access_key(UserName=person)["AccessKey"]
            keys[person] = {"id": key["AccessKeyId"], "secret": key["SecretAccessKey"]}
        return keys

    def tap_bus(self):
        """A queue that gets every event of the bus."""
        sqs, events = self.client("sqs"), self.client("events")
        url = sqs.create_queue(QueueName="bus-tap")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        allowed = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        bus = self.outputs["BusArn"].rsplit("/", 1)[1]
        events.put_rule(Name="tap", EventBusName=bus, EventPattern=json.dumps({"source": ["meshline"]}))
        events.put_targets(Rule="tap", EventBusName=bus, Targets=[{"Id": "tap", "Arn": arn}])
        return url

    def template(self):
        """The template as it was deployed, after SAM's transform."""
        body = self.client("cloudformation").get_template(StackName=NAME, TemplateStage="Processed")["TemplateBody"]
        return (json.loads(body) if isinstance(body, str) else body)["Resources"]

    def protect_trail(self):
        """The emulator's CloudFormation leaves out a table's own policy and a bucket's lock: both are put here, as the
        template says them."""
        policy = self.template()["AuditTable"]["Properties"]["ResourcePolicy"]["PolicyDocument"]
        dynamodb = self.client("dynamodb")
        arn = dynamodb.describe_table(TableName=self.outputs["AuditTableName"])["Table"]["TableArn"]
        dynamodb.put_resource_policy(ResourceArn=arn, Policy=json.dumps(policy))
        retention = {"Mode": PARAMETERS["CheckpointsRetentionMode"], "Days": int(PARAMETERS["CheckpointsRetentionDays"])}
        self.client("s3").put_object_lock_configuration(
            Bucket=self.outputs["CheckpointsBucketName"],
            ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": retention}})

    def hurry_ticks(self):
        """The emulator's clock cannot be moved: a tick that failed comes again in a second instead of minutes."""
        self.client("sqs").set_queue_attributes(QueueUrl=self.id("TicksQueue"), Attributes={"VisibilityTimeout": "1"})

    def permit_mail(self):
        """Verifies the sender. The emulator asks for permission on everything, and knows no condition on the sender."""
        self.client("ses").verify_email_identity(EmailAddress=PARAMETERS["MailFrom"])
        allowed = {"Effect": "Allow", "Action": "ses:SendEmail", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        self.client("iam").put_role_policy(RoleName=self.id("NotifyRole"), PolicyName="mail", PolicyDocument=policy)

    def hold_notices(self, held):
        """Stops what feeds `notify`, or lets it go."""
        functions = self.client("lambda")
        mappings = functions.list_event_source_mappings(FunctionName=self.id("NotifyFunction"))["EventSourceMappings"]
        assert len(mappings) == len(READ), mappings
        for mapping in mappings:
            functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=not held)

    def ask_provider(self, issuer, client_id):
        """Has people sign in with a provider on this machine. It speaks no TLS, which the template refuses: so it is named in
        a version of its own, which the alias is moved to."""
        functions, name = self.client("lambda"), self.id("OpsApiFunction")
        variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        variables |= {"MESHLINE_CONSOLE_ISSUER": issuer, "MESHLINE_CONSOLE_CLIENT_ID": client_id, "MESHLINE_ALLOW_PRIVATE": "true"}
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
        version = functions.publish_version(FunctionName=name)["Version"]
        functions.update_alias(FunctionName=name, Name="live", FunctionVersion=version)

    def describe(self, file):
        """Writes what the scenarios need to know (tests/src/scenario/deployed.rs)."""
        queues = {name: self.id(self.logical(name, "Queue")) for name in (*READ, "ticks", "ingest-spill")}
        queues |= {f"{name}-dlq": self.id(self.logical(name, "Dlq")) for name in ("ticks", "ingest-spill")}
        file.write_text(json.dumps({
            "api": self.env["MESHLINE_URL"],
            "public_url": self.outputs["ApiUrl"],
            "region": self.env["AWS_REGION"],
            "people": self.people(),
            "queues": queues | {"bus": self.tap_bus()},
            "emulator": self.emulator.process.pid,
            "functions": {name: self.id(self.logical(name, "Function")) for name in FUNCTIONS},
        }))
