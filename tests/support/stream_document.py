"""Holds messages of the stream against its AsyncAPI document."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft7Validator

from docgen.reference import STREAM_ASYNCAPI

META_SCHEMA: Final = Path(__file__).parent / "asyncapi" / "3.0.0.json"


def document() -> dict[str, Any]:
    """The document as it is committed."""
    read: dict[str, Any] = json.loads(STREAM_ASYNCAPI.read_text())
    return read


def as_told(body: dict[str, Any]) -> dict[str, Any]:
    """What the gateway said, which is as the document says, and has no field beyond."""
    _check(body, body["type"])
    return body


def as_asked(body: dict[str, Any]) -> dict[str, Any]:
    """What a client says, which is as the document says."""
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
