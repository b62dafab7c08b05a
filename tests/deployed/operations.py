"""What operators do by hand with a deployed stack: each command of the README and the runbook that names a table is run."""

import json
import subprocess
import unittest

STACK = None  # set by run.py


def sh(command, **more):
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", command], env=STACK.env | more, capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(f"{command}\n{done.stdout}\n{done.stderr}")
    return done.stdout


class CommandLine(unittest.TestCase):
    def test_the_tool_reads_a_deployed_stack_with_signed_requests(self):
        runs = json.loads(sh("meshline runs --all --json"))["items"]
        self.assertGreater(len(runs), 20)
        run = next(run["run"] for run in runs if run["flow"] == "publish-to-close")
        self.assertIn("valid", sh(f"meshline audit verify {run}"))
