"""The stream's AsyncAPI document is valid and complete."""

import json
import re

import pytest
from jsonschema import Draft7Validator

from docgen.asyncapi import BATCHES, REPLIES, REQUESTS
from embedded.daemons import ROOT
from services.gateway.fanout.channels import Channel
from services.gateway.fanout.interest import Outcome
from services.gateway.stream.protocol import CloseCode
from shared.errors import Code
from tests.support.asyncapi_validation import (
    META_SCHEMA,
    checked_message,
    checked_request,
    document,
)

PAGE = (ROOT / "docs" / "stream.md").read_text()


def test_the_document_is_valid_asyncapi_3() -> None:
    validator = Draft7Validator(json.loads(META_SCHEMA.read_text()))
    errors = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document())]
    assert errors == []


def test_every_schema_is_valid_and_every_reference_resolves() -> None:
    whole = document()
    for schema in whole["components"]["schemas"].values():
        Draft7Validator.check_schema(schema)
    for reference in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(whole)):
        node = whole
        for step in reference.split("/"):
            node = node[step]


def test_every_message_channel_outcome_error_code_and_close_code_is_in_it() -> None:
    components = document()["components"]
    assert len(components["messages"]) == len(REQUESTS) + len(REPLIES) + len(BATCHES)
    assert {channel.value for channel in Channel} <= components["messages"].keys()
    schemas = components["schemas"]
    assert set(schemas["Outcome"]["enum"]) == set(Outcome)
    assert set(schemas["Code"]["enum"]) == set(Code)
    codes = document()["channels"]["stream"]["x-close-codes"]
    assert {item["code"] for item in codes} == set(CloseCode)
    assert all(item["why"] for item in codes)


def test_every_example_matches_its_schema() -> None:
    for message in document()["components"]["messages"].values():
        for example in message.get("examples", []):
            payload = example["payload"]
            (checked_request if "op" in payload else checked_message)(payload)


def test_stream_md_names_every_message_channel_outcome_and_close_code() -> None:
    whole = document()
    rows = set(re.findall(r"^\| (\d{4}) \|", PAGE, re.MULTILINE))
    assert rows == {str(int(code)) for code in CloseCode}
    for name in (*Channel, *Outcome):
        assert re.search(rf"^\| `{name}` \|", PAGE, re.MULTILINE), name
    for name, message in whole["components"]["messages"].items():
        tag = "op" if message["payload"]["$ref"].rpartition("/")[2] in _requests() else "type"
        assert f'"{tag}":"{name}"' in PAGE or name in set(Channel), name


def _requests() -> set[str]:
    return {kind.__name__ for kind in REQUESTS}


@pytest.mark.parametrize(
    "name",
    ["Quote", "Depth", "Candle", "Bar", "UserEvent", "FeedStatus"],
    ids=["quote", "book", "candle", "bar", "order event", "status"],
)
def test_stream_md_names_every_field(name: str) -> None:
    for field in document()["components"]["schemas"][name]["properties"]:
        assert f"`{field}`" in PAGE, field
