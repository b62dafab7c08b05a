"""`make deployed`: template.yaml, deployed to an AWS on this machine by the README's own lines, and then used.

First the scenarios of tests/scenarios, all at once; then what operators do by hand (operations.py); then it is taken down."""

import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

import operations
from emulator import Emulator
from stack import ROOT, Stack

TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
# All scenarios wait for the same sweeps.
AT_ONCE = 64


def timed(what, do):
    begin = time.monotonic()
    result = do()
    print(f"== {what} took {time.monotonic() - begin:.0f} s", flush=True)
    return result


def scenarios(stack, folder):
    description = folder / "stack.json"
    stack.describe(description)
    # As the Makefile builds everything else, so that nothing is built twice.
    cargo = os.environ.get("CARGO_TEST", "cargo test --workspace").split()
    play = [*cargo, "--test", "scenarios", "--", f"--test-threads={AT_ONCE}", *sys.argv[1:]]
    return subprocess.run(play, cwd=ROOT, env=stack.env | {"MESHLINE_DEPLOYED": str(description)}).returncode == 0


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        with Emulator(folder) as emulator:
            tools = [str(TARGET / "debug"), str(pathlib.Path(sys.executable).parent), os.environ["PATH"]]
            stack = Stack(emulator, os.environ | emulator.env | {"PATH": os.pathsep.join(tools)})
            timed("the deployment", stack.deploy)
            stack.protect_trail()
            stack.hurry_ticks()
            stack.permit_mail()
            stack.hold_notices(True)
            passed = timed("playing the scenarios", lambda: scenarios(stack, folder))
            stack.hold_notices(False)
            operations.STACK = stack
            tests = unittest.defaultTestLoader.loadTestsFromModule(operations)
            operated = timed("operating it", lambda: unittest.TextTestRunner(verbosity=2).run(tests).wasSuccessful())
        if not (passed and operated):
            kept = TARGET / "emulator.log"
            kept.write_text(emulator.log.read_text())
            print(f"the emulator's log is {kept}")
        return 0 if passed and operated else 1


if __name__ == "__main__":
    sys.exit(main())
