"""The stack as it would be deployed: what SAM makes of template.yaml, with the nested templates taken in.

A nested resource is called `Alarms/Topic`, and the parameters of its template are replaced by what template.yaml passes.
"""

import functools
import logging
import os
import pathlib

from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # the translator must know one; nothing here depends on which

logging.getLogger("samtranslator").setLevel(logging.CRITICAL)  # it talks about its own metrics

ROOT = pathlib.Path(__file__).parents[2]
NESTED = "AWS::CloudFormation::Stack"


class NoManagedPolicies:
    """Leaves the names of managed policies as they are: none may be used."""

    def load(self):
        return {}


def template():
    return yaml_parse((ROOT / "template.yaml").read_text())


def translated(**parameters):
    """All resources by name, for these values of template.yaml's parameters."""
    source = template()
    for resource in source["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/key"  # where `sam deploy` would have put it
    resources = transform(source, parameters, NoManagedPolicies())["Resources"]
    for stack, resource in list(resources.items()):
        if resource["Type"] == NESTED:
            properties = resource["Properties"]
            inner = yaml_parse((ROOT / properties["TemplateURL"]).read_text())
            if set(inner["Parameters"]) != set(properties["Parameters"]):
                raise AssertionError(f"{stack}: parameters declared and passed differ")
            for name, nested in inner["Resources"].items():
                resources[f"{stack}/{name}"] = passed(nested, properties["Parameters"])
    return resources


def passed(value, parameters):
    """`value` with references to a nested template's parameters replaced by what was passed."""
    match value:
        case {"Ref": str(name)} if name in parameters:
            return parameters[name]
        case {"Fn::Sub": str(written)}:
            for name, given in parameters.items():
                written = written.replace(f"${{{name}}}", text(given))
            return {"Fn::Sub": written}
        case dict():
            return {key: passed(inner, parameters) for key, inner in value.items()}
        case list():
            return [passed(inner, parameters) for inner in value]
    return value


def text(value):
    """A name or ARN as one string: `${Queue.Arn}` for a GetAtt, `${Queue}` for a Ref, a Sub as it is written."""
    match value:
        case {"Ref": name}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"${{{name}.{attribute}}}"
        case {"Fn::Sub": str(written)}:
            return written
        case str() | int() | float():
            return str(value)
    raise AssertionError(f"cannot read {value}")


def listed(value):
    return value if isinstance(value, list) else [value]


def of_type(resources, kind):
    """Properties by name of all resources of this type."""
    return {name: r["Properties"] for name, r in resources.items() if r["Type"] == kind}


@functools.cache
def defaults():
    return {name: parameter["Default"] for name, parameter in template()["Parameters"].items()}


def by_default(value):
    """A parameter's default for a reference to it, and any other value as it is."""
    match value:
        case {"Ref": str(name)}:
            return defaults()[name]
    return value
