"""A local stack with a past: `meshline up --demo`, a few runs more, and a day that is over."""

import json
import os
import re
import signal
import subprocess
import urllib.parse
import urllib.request

# What the forms of the examples are believed by.
TOKEN = {"x-forms-token": "local-forms-token"}
MESHLINE = os.environ.get("MESHLINE", "target/debug/meshline")


class Stack:
    def __enter__(self):
        up = [MESHLINE, "up", "--port", "0", "--clock", "2026-11-23T09:00:00Z", "--clock-frozen", "--demo"]
        self.process = subprocess.Popen(up, stdout=subprocess.PIPE, text=True)
        self.url, self.forms = None, 0
        for line in self.process.stdout:
            found = re.match(r"meshline is up at (\S+)", line)
            self.url = found.group(1) if found else self.url
            if "the stack stays up" in line:
                self.call("POST", "/_local/clock", {"advance": "1d"})
                return self
        raise RuntimeError("`meshline up` ended before it was up")

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.process.stdout.close()
        self.process.wait(timeout=30)

    def call(self, method, path, body=None, headers=()):
        sent = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, sent, dict(headers), method=method)
        request.add_header("content-type", "application/json")
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def submit(self):
        """A form is filled in, which opens a run: its id."""
        self.forms += 1
        # Later than every other, so that it is the first of the list.
        self.call("POST", "/_local/clock", {"advance": "1s"})
        body = {"event": "form.submitted", "delivery": f"d{self.forms}", "asset": f"form:{self.forms}", "title": "A form"}
        self.call("POST", "/hooks/forms", body, TOKEN)
        self.call("POST", "/_local/settle", {})
        return self.call("GET", "/v1/runs?flow=lead-form&limit=1")["items"][0]["run"]

    def known(self):
        """What there is, by the names of parameters and fields."""
        fresh = self.submit()
        opened = self.call("POST", f"/v1/runs/{fresh}/exceptions", {"reason": "x"})["exceptions"]
        runs = self.call("GET", "/v1/runs?limit=200")["items"]
        late = next((run for run in runs if run["overdue"]), runs[-1])
        days = self.call("GET", "/v1/checkpoints")["items"]
        return {
            "run": [fresh, late["run"], *(run["run"] for run in runs if run["closed_at"])],
            "flow": ["lead-form", "blog-launch"],
            "outcome": ["answered", "crm-tag", "sales-deck"],
            "check": ["editorial", "attribution"],
            "exception": [exception["id"] for exception in opened],
            "source": ["forms", "contentful", "hubspot"],
            "subject": [late["subject"], "form:1"],
            "role": ["product-marketing", "revops"],
            "day": [day["day"] for day in days],
            "sla": ["2h", "16 business hours"],
            "to": ["2026-12-01", "2026-11-24T10:00:00Z"],
            "from": ["2026-11-01", "2026-11-23T10:00:00Z"],
            "owner": ["ana", "ben"],
            "status": ["active", "open"],
        }
