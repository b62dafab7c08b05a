"""`make cold-start`: what it costs to start each function, beside one that does nothing and was built with the same profile.

Each binary is started as Lambda starts it, against a runtime API of ours: from the start of the process to its first poll, and
to its first answer. The first event makes it read the configuration, from the DynamoDB of a local stack. No Firecracker, no
TLS, no network: what AWS adds is not in the figures."""

import http.server
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).parents[2]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
RUNS = 20
# Enough that what is allocated lazily is there.
WARM_EVENTS = 50


def request(method, path, **more):
    context = {"http": {"method": method, "path": path}, "requestId": "cold", "domainName": "api.example.com"}
    return {"version": "2.0", "rawPath": path, "rawQueryString": "", "headers": {}, "requestContext": context, **more}


EVENTS = {
    "echo": {},
    "ingest": request("POST", "/hooks/nobody", body="{}"),
    "route": {"Records": []},
    "sla-check": {"Records": []},
    "relay": {"Records": []},
    "ops-api": request("GET", "/v1/flows"),
    "report": request("GET", "/v1/nothing"),
}


class RuntimeApi(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        """A function that is killed while it polls is how each start ends."""


class Start:
    """One start of a binary: times in ms from the start of the process, memory in MiB."""

    def __init__(self, binary, event, endpoint):
        self.polls = self.answers = 0
        self.over = threading.Event()
        server = RuntimeApi(("127.0.0.1", 0), self._handler(json.dumps(event).encode()))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        env = {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}", "AWS_LAMBDA_FUNCTION_NAME": "f",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256", "AWS_LAMBDA_FUNCTION_VERSION": "1", "AWS_LAMBDA_LOG_GROUP_NAME": "g",
            "AWS_LAMBDA_LOG_STREAM_NAME": "s", "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test", "AWS_ENDPOINT_URL": endpoint, "MESHLINE_EVENTS_TABLE": "meshline-events",
            "MESHLINE_STATE_TABLE": "meshline-state", "MESHLINE_AUDIT_TABLE": "meshline-audit",
            "MESHLINE_PUBLIC_URL": "https://api.example.com",
            # Lambda's image has its certificates in one file; to read Debian's folder of them takes as long as all the rest.
            "SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt",
        }
        self.begin = time.perf_counter()
        process = subprocess.Popen([binary], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            if not self.over.wait(30):
                raise RuntimeError(f"{binary}: {self.polls} polls, {self.answers} answers in 30 s")
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
                start._answered(self.path)
                if "chunked" in self.headers.get("Transfer-Encoding", ""):
                    while size := int(self.rfile.readline(), 16):
                        self.rfile.read(size + 2)
                    self.rfile.readline()
                else:
                    self.rfile.read(int(self.headers["Content-Length"]))
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

    def _answered(self, path):
        if path.endswith("/error"):
            raise RuntimeError(f"the function failed: {path}")
        self.answers += 1
        if self.answers == 1:
            self.first_answer = (time.perf_counter() - self.begin) * 1000
        if self.answers == WARM_EVENTS:
            self.over.set()


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    up = subprocess.Popen([TARGET / "debug" / "meshline", "up", "--port", "0"], stdout=subprocess.PIPE, text=True)
    try:
        endpoint = next(found[1] for line in up.stdout if (found := re.search(r"DynamoDB\s.*?(http://\S+)", line, re.I)))
        print("| function | MB | to the first poll, ms: median (min–max) | × echo | to the first answer, ms | resident when warm, MiB |")
        print("|---|---|---|---|---|---|")
        echo = None
        for name, event in EVENTS.items():
            binary = TARGET / "lambda-bin" / name
            starts = [Start(binary, event, endpoint) for _ in range(runs)]
            polls = [start.first_poll for start in starts]
            median = statistics.median(polls)
            echo = echo or median
            answer = statistics.median(start.first_answer for start in starts)
            resident = statistics.median(start.resident for start in starts)
            size = binary.stat().st_size / 1e6
            print(f"| {name} | {size:.1f} | {median:.1f} ({min(polls):.1f}–{max(polls):.1f}) | {median / echo:.1f} | {answer:.1f} | {resident:.1f} |", flush=True)
        print(f"\n{runs} starts each; load average {os.getloadavg()[0]:.1f}")
    finally:
        up.terminate()
        up.wait()


if __name__ == "__main__":
    main()
