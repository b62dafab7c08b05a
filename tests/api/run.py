"""`make api-fuzz`: what infra/openapi.json says of the HTTP API, asked of a local stack.

One test for each operation: schemathesis makes requests, such as the document allows and such as it does not, and
compares each answer with it: no 5xx, a status, a content type and a body that it names. The same requests in every
run; MESHLINE_EXAMPLES=1000 makes so many for each operation, MESHLINE_SEED others."""

import os
import pathlib
import sys
import unittest

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from stack import TOKEN, Stack

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = int(os.environ.get("MESHLINE_EXAMPLES", "20"))
SEED = int(os.environ.get("MESHLINE_SEED", "1"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# Bodies as they should be, by the schema that the operation names. Of a command's, each command looks at its own fields.
BODIES = {
    "CommandFields": {"to": "person:ben", "reason": "x", "text": "x", "evidence": "https://example.com", "resolution": "x"},
    "Files": {
        "files": [
            {"name": path.name, "text": path.read_text()} for path in sorted((ROOT / "infra/examples").glob("*.yaml"))
        ]
    },
    "ReplayFields": {"source": "forms", "from": "2026-11-01", "to": "2026-12-01"},
    "": {"event": "form.submitted", "delivery": "again", "asset": "form:again", "title": "A form"},
}
# Nothing in the stack's past lets these be done: no source is probed, it is nobody's turn, no flow has an exception of
# its own or a check, and a run that has just begun is neither paused nor done.
NEVER_DONE = ["Probe", "AcceptTurn", "ResolveOfFlow", "PassCheck", "FailCheck", "Resume", "Close"]


def right(case, which, known):
    """Makes a request one that can be done, about one of the things that there are; the first of them at `which` 0."""
    of = case.operation.definition.raw
    for name in case.path_parameters or {}:
        case.path_parameters[name] = known[name][which % len(known[name])]
    names = [parameter["name"] for parameter in of["parameters"] if parameter["in"] == "query"]
    asked = {"sla", "flow", "day"} if "limit" not in names or "day" in names else set()
    case.query = {name: known[name][which % len(known[name])] for name in names if name in asked}
    case.headers.pop("Authorization", None)
    for content in of.get("requestBody", {}).get("content", {}).values():
        schema = content["schema"].get("$ref", "").rsplit("/", 1)[-1]
        case.body, case.media_type = BODIES[schema], "application/json"
        case.headers["Content-Type"] = "application/json"
        break


def fill(case, picks, known):
    """Puts what there is in the place of what was generated, where the picks say so: a request that is made of nothing
    else would hardly ever get past "there is no such run"."""
    for values in (case.path_parameters, case.query, case.body if isinstance(case.body, dict) else {}):
        for name in sorted(values or {}):
            pick, which = next(picks), next(picks)
            if pick < 7 and name in known:
                values[name] = known[name][which % len(known[name])]


class Api(unittest.TestCase):
    """Has a test for each operation of the document."""

    stack = None

    def fuzz(self, operation):
        known, answered = self.stack.known(), set()
        cases = [operation.as_strategy(GenerationMode.POSITIVE)]
        if operation.query or operation.body or operation.path_parameters:
            cases.append(operation.as_strategy(GenerationMode.NEGATIVE))
        picks = st.lists(st.integers(0, 9), min_size=60, max_size=60)

        @seed(SEED)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=st.one_of(cases), picks=picks)
        def conforms(case, picks):
            picks = iter(picks)
            if next(picks) < 4:
                right(case, max(0, next(picks) - 5), known)
            else:
                fill(case, picks, known)
            answer = case.call_and_validate(base_url=self.stack.url, checks=CHECKS, headers=TOKEN)
            answered.add(answer.status_code)

        conforms()
        if operation.definition.raw["operationId"] not in NEVER_DONE:
            self.assertTrue(answered & {200, 202}, f"nothing that was asked for was done: {answered}")


def add(operation):
    setattr(Api, f"test_{operation.method}_{operation.path}", lambda self: self.fuzz(operation))


def main():
    schema = schemathesis.openapi.from_path(ROOT / "infra/openapi.json")
    for operation in schema.get_all_operations():
        if not sys.argv[1:] or any(part in operation.ok().path for part in sys.argv[1:]):
            add(operation.ok())
    with Stack() as Api.stack:
        tests = unittest.defaultTestLoader.loadTestsFromTestCase(Api)
        passed = unittest.TextTestRunner(verbosity=2).run(tests).wasSuccessful()
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
