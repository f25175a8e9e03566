"""Validates messages of the stream against its AsyncAPI document."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft7Validator

from docgen.reference import STREAM_ASYNCAPI

META_SCHEMA: Final = Path(__file__).parent / "asyncapi" / "3.0.0.json"


def document() -> dict[str, Any]:
    """The committed document."""
    read: dict[str, Any] = json.loads(STREAM_ASYNCAPI.read_text())
    return read


def checked_message(body: dict[str, Any]) -> dict[str, Any]:
    """A message of the gateway. Fails if its schema differs, or has no such field."""
    _check(body, body["type"])
    return body


def checked_request(body: dict[str, Any]) -> dict[str, Any]:
    """A request of a client. Fails if its schema differs, or has no such field."""
    _check(body, body["op"])
    return body


def _check(body: dict[str, Any], name: str) -> None:
    errors = [f"{error.json_path}: {error.message}" for error in _validator(name).iter_errors(body)]
    assert errors == [], (errors, body)


@cache
def _validator(name: str) -> Draft7Validator:
    components = document()["components"]
    for schema in components["schemas"].values():
        if "properties" in schema:
            schema["additionalProperties"] = False
    payload = components["messages"][name]["payload"]
    return Draft7Validator(payload | {"components": components})
