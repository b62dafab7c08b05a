"""`make cold-start`: what it costs to start each function, beside one that does nothing and was built with the same profile.

Each binary is started as Lambda starts it, against a runtime API of ours: from the start of the process to its first poll, and
to its first answer. The first event makes it read the configuration, from the DynamoDB of a local stack. No Firecracker, no
TLS, no network: what AWS adds is not in the figures.

`ingest` takes in a signed webhook of Contentful. So do the peers under tests/bench/peers, in Python with boto3 and in Node with the AWS
SDK v3; they have the secret at hand, and no configuration to read. Their MB are those of the SDK, unpacked."""

import hashlib
import hmac
import http.server
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).parents[3]
PEERS = ROOT / "tests" / "bench" / "peers"
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
RUNS = 20
# Enough that what is allocated lazily is there.
WARM_EVENTS = 50


# As the local stack has it.
CONTENTFUL_SECRET = "local-contentful-secret-local-contentful-secret-local-contentful"


def request(method, path, **more):
    context = {"http": {"method": method, "path": path}, "requestId": "cold", "domainName": "api.example.com",
               "authorizer": {"jwt": {"claims": {"sub": "ana"}, "scopes": []}}}
    return {"version": "2.0", "rawPath": path, "rawQueryString": "", "headers": {}, "requestContext": context, **more}


def publish():
    """A publish of its own, signed as Contentful does."""
    entry = {"sys": {"type": "Entry", "id": f"cold-{time.time_ns()}", "contentType": {"sys": {"id": "blogPost"}}},
             "fields": {"title": {"en-US": "Spring launch"}, "campaign": {"en-US": "spring"}}}
    headers = {"x-contentful-timestamp": str(time.time_ns() // 1_000_000), "x-contentful-topic": "ContentManagement.Entry.publish"}
    headers["x-contentful-signed-headers"] = ",".join(sorted([*headers, "x-contentful-signed-headers"]))
    path, body = "/hooks/contentful", json.dumps(entry)
    listed = ";".join(f"{name}:{value}" for name, value in sorted(headers.items()))
    text = "\n".join(["POST", path, listed, body])
    signature = hmac.new(CONTENTFUL_SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()
    return request("POST", path, body=body, headers={**headers, "x-contentful-signature": signature})


EVENTS = {
    "echo": {},
    "ingest": publish,
    "route": {"Records": []},
    "sla-check": {"Records": []},
    "relay": {"Records": []},
    "ops-api": request("GET", "/v1/flows"),
    "report": request("GET", "/v1/nothing"),
}


# What is started in each one's folder, and what would have to be deployed beside it.
PEERS_COMMANDS = {
    "ingest in Python, boto3": ("python", [ROOT / ".venv-peers" / "bin" / "python", "loop.py"],
                                ROOT / ".venv-peers" / "lib"),
    "ingest in Node, AWS SDK v3": ("node", [shutil.which("node"), "loop.mjs"], PEERS / "node" / "node_modules"),
}


class RuntimeApi(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        """A function that is killed while it polls is how each start ends."""


class Start:
    """One start of a function: times in ms from the start of the process, memory in MiB."""

    def __init__(self, command, event, endpoints, cwd=ROOT):
        event = event() if callable(event) else event
        self.polls = self.answers = 0
        self.failure = None
        self.over = threading.Event()
        server = RuntimeApi(("127.0.0.1", 0), self._handler(json.dumps(event).encode()))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        env = {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}", "AWS_LAMBDA_FUNCTION_NAME": "f",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256", "AWS_LAMBDA_FUNCTION_VERSION": "1", "AWS_LAMBDA_LOG_GROUP_NAME": "g",
            "AWS_LAMBDA_LOG_STREAM_NAME": "s", "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test", "AWS_ENDPOINT_URL": endpoints["DynamoDB"],
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": endpoints["Secrets Manager"], "MESHLINE_SECRET_PREFIX": "meshline/",
            "CONTENTFUL_SECRET": CONTENTFUL_SECRET, "MESHLINE_EVENTS_TABLE": "meshline-events",
            "MESHLINE_STATE_TABLE": "meshline-state", "MESHLINE_AUDIT_TABLE": "meshline-audit",
            "MESHLINE_PUBLIC_URL": "https://api.example.com",
            # Lambda's image has its certificates in one file; to read Debian's folder of them takes as long as all the rest.
            "SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt",
        }
        self.begin = time.perf_counter()
        process = subprocess.Popen(command, cwd=cwd, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            if not self.over.wait(30):
                raise RuntimeError(f"{command}: {self.polls} polls, {self.answers} answers in 30 s")
            if self.failure:
                raise RuntimeError(f"{command} failed: {self.failure}")
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            self.resident = int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024
        finally:
            process.kill()
            process.wait()
            server.shutdown()
            server.server_close()

    def _handler(start, event):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = 65536

            def log_message(self, *_):
                pass

            def do_GET(self):
                start._polled()
                headers = {"Lambda-Runtime-Aws-Request-Id": str(start.polls), "Content-Length": str(len(event)),
                           "Lambda-Runtime-Deadline-Ms": str(int(time.time() * 1000) + 30_000),
                           "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:1:function:f"}
                self._answer(200, headers, event)

            def do_POST(self):
                at = time.perf_counter()
                answer = b""
                if "chunked" in self.headers.get("Transfer-Encoding", ""):
                    while size := int(self.rfile.readline(), 16):
                        answer += self.rfile.read(size + 2)[:-2]
                    self.rfile.readline()
                else:
                    answer = self.rfile.read(int(self.headers["Content-Length"]))
                start._answered(self.path, json.loads(answer), at)
                self._answer(202, {"Content-Length": "0"}, b"")

            def _answer(self, status, headers, body):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
                self.wfile.flush()

        return Handler

    def _polled(self):
        self.polls += 1
        if self.polls == 1:
            self.first_poll = (time.perf_counter() - self.begin) * 1000

    def _answered(self, path, answer, at):
        # `report` is asked for what is not there: all else needs a vault.
        if path.endswith("/error") or answer.get("statusCode", 200) not in (200, 202, 404):
            self.failure = f"{path}: {answer}"
            self.over.set()
            return
        self.answers += 1
        if self.answers == 1:
            self.first_answer = (at - self.begin) * 1000
        if self.answers == WARM_EVENTS:
            self.over.set()


class Report:
    """The table, row by row; the first row is what all others are compared with."""

    def __init__(self, runs):
        self.runs, self.echo = runs, None
        print("| function | MB | to the first poll, ms: median (min–max) | × echo | to the first answer, ms | resident when warm, MiB |")
        print("|---|---|---|---|---|---|")

    def row(self, name, size, start):
        starts = [start() for _ in range(self.runs)]
        polls = [start.first_poll for start in starts]
        median = statistics.median(polls)
        self.echo = self.echo or median
        answers = [start.first_answer for start in starts]
        answer = f"{statistics.median(answers):.1f} ({min(answers):.1f}–{max(answers):.1f})"
        resident = statistics.median(start.resident for start in starts)
        print(f"| {name} | {size / 1e6:.1f} | {median:.1f} ({min(polls):.1f}–{max(polls):.1f}) | {median / self.echo:.1f} | {answer} | {resident:.1f} |", flush=True)


def endpoints_of(up):
    """Where the local stack's services listen, as it greets."""
    found = {}
    for line in up.stdout:
        if service := re.search(r"(DynamoDB|Secrets Manager)\s.*?(http://\S+)", line):
            found[service[1]] = service[2]
        if len(found) == 2:
            return found
    raise RuntimeError("the local stack did not start")


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    up = subprocess.Popen([TARGET / "debug" / "meshline", "up", "--port", "0"], stdout=subprocess.PIPE, text=True)
    try:
        endpoints = endpoints_of(up)
        report = Report(runs)
        for name, event in EVENTS.items():
            binary = TARGET / "lambda-bin" / name
            report.row(name, binary.stat().st_size, lambda: Start([binary], event, endpoints))
        for name, (folder, command, packages) in PEERS_COMMANDS.items():
            size = sum(file.stat().st_size for file in packages.rglob("*") if file.is_file() and "pip" not in file.parts)
            report.row(name, size, lambda: Start(command, publish, endpoints, PEERS / folder))
        print(f"\n{runs} starts each; load average {os.getloadavg()[0]:.1f}")
    finally:
        up.terminate()
        up.wait()


if __name__ == "__main__":
    main()
