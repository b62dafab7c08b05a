"""AWS on this machine: ministack, with IAM enforced, for as long as a `with` block lasts."""

import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

REGION = "us-east-1"
START_S = 30


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Emulator:
    """A running ministack. `env` is what AWS tools need to speak to it, as the account's root."""

    def __init__(self, folder: pathlib.Path):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "emulator.log"
        self.env = {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PAGER": "",
        }

    def __enter__(self):
        own = {
            # Roles, resource policies and the API's authorizers are enforced, so that a missing permission fails a scenario.
            "AUTH": "true",
            "GATEWAY_PORT": str(self.port),
            "BIND_HOST": "127.0.0.1",
            # A function holds one of them while it runs, and each of its calls needs another: with the usual 64, as many
            # functions that start at once wait for each other until their calls time out.
            "MINISTACK_WORKER_THREADS": "512",
            "PYTHONPATH": str(pathlib.Path(__file__).parent / "emulator"),
        }
        program = pathlib.Path(sys.executable).parent / "ministack"
        self.process = subprocess.Popen([program], env=os.environ | self.env | own, cwd=self.log.parent,
                                        stdout=self.log.open("w"), stderr=subprocess.STDOUT)
        give_up = time.monotonic() + START_S
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > give_up:
                raise RuntimeError(f"ministack did not start:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.1)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def _answers(self):
        try:
            return urllib.request.urlopen(f"{self.url}/_ministack/health", timeout=1).status == 200
        except (urllib.error.URLError, OSError):
            return False
