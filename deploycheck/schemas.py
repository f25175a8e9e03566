"""Validates objects with Kubernetes' JSON schemas, and compose files with that of their format."""

import json
from functools import cache
from importlib import resources
from typing import Any, Final

import kubernetes_validate
from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for

from deploycheck.documents import Document

# The oldest version with all that the manifests use (the action `sleep` before a stop), and a
# newer one.
KUBERNETES_VERSIONS: Final = ("1.30", "1.34")
_MAX_MESSAGE_CHARS: Final = 300


def kubernetes_problems(objects: list[Document], version: str) -> list[str]:
    """One line for each object that does not have the form of its kind; unknown fields count."""
    lines = []
    for item in objects:
        name = f"{item.get('kind')} {item.get('metadata', {}).get('name')}"
        try:
            kubernetes_validate.validate(item, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            path = ".".join(map(str, error.path))
            lines.append(f"{name}: {path}: {error.message[:_MAX_MESSAGE_CHARS]} ({version})")
        except kubernetes_validate.SchemaNotFoundError:
            lines.append(f"{name}: Kubernetes {version} has no kind {item.get('kind')}")
    return lines


def compose_problems(document: Any) -> list[str]:
    """One line for each part of a compose file that its specification does not allow."""
    return [
        f"{error.json_path}: {error.message[:_MAX_MESSAGE_CHARS]}"
        for error in _compose_validator().iter_errors(document)
    ]


@cache
def _compose_validator() -> Draft202012Validator:
    folder = resources.files("check_jsonschema") / "builtin_schemas" / "vendor"
    schema = json.loads((folder / "compose-spec.json").read_text())
    return validator_for(schema)(schema)  # type: ignore[no-any-return]
