"""Validates objects with Kubernetes' JSON schemas, and compose files with that of their format."""

import json
import re
from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from deploycheck.documents import Document

# The oldest version with all that the manifests use (the action `sleep` before a stop), and a
# newer one.
KUBERNETES_VERSIONS: Final = ("1.30", "1.34")
_DEFINITIONS: Final = "_definitions.json"
_MAX_MESSAGE_CHARS: Final = 300


def kubernetes_problems(objects: Iterable[Document], version: str) -> list[str]:
    """One line for each object that does not have the form of its kind; unknown fields count."""
    lines = []
    for item in objects:
        name = f"{item.get('kind')} {item.get('metadata', {}).get('name')}"
        try:
            validator = _kubernetes_validator(item["kind"], item["apiVersion"], version)
        except FileNotFoundError:
            lines.append(f"{name}: Kubernetes {version} has no {item['apiVersion']} {item['kind']}")
            continue
        error = best_match(validator.iter_errors(item))
        if error is not None:
            lines.append(f"{name}: {_text(error)} (Kubernetes {version})")
    return lines


def compose_problems(document: Any) -> list[str]:
    """One line for each part of a compose file that its specification does not allow."""
    return [_text(error) for error in _compose_validator().iter_errors(document)]


def _text(error: ValidationError) -> str:
    return f"{error.json_path}: {error.message[:_MAX_MESSAGE_CHARS]}"


@cache
def _kubernetes_validator(kind: str, api_version: str, version: str) -> Draft202012Validator:
    group = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api_version)
    schema = _kubernetes_schema(f"{kind.lower()}-{group}.json", version)
    return Draft202012Validator(schema, registry=_definitions(version))


@cache
def _definitions(version: str) -> Registry[Any]:
    contents = _kubernetes_schema(_DEFINITIONS, version)
    resource = Resource.from_contents(contents, default_specification=DRAFT202012)
    registry: Registry[Any] = Registry().with_resource(_DEFINITIONS, resource)
    # Otherwise each validation would crawl it again.
    return registry.crawl()


def _kubernetes_schema(name: str, version: str) -> Any:
    """Read a schema of the package kubernetes-validate. Raises FileNotFoundError."""
    schemas = resources.files("kubernetes_validate") / "kubernetes-json-schema"
    for folder in schemas.iterdir():
        if re.fullmatch(rf"v{re.escape(version)}\.\d+-local-strict", folder.name):
            return json.loads((folder / name).read_text())
    raise FileNotFoundError(version)


@cache
def _compose_validator() -> Draft202012Validator:
    folder = resources.files("check_jsonschema") / "builtin_schemas" / "vendor"
    schema = json.loads((folder / "compose-spec.json").read_text())
    return Draft202012Validator(schema)
