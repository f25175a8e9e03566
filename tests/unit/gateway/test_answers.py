"""Clients are told things as the stream's document says."""

import json

from services.gateway import answers
from services.gateway.protocol import Channel, Outcome
from shared.errors import InvalidField


def test_batches_and_snapshots_are_told_apart() -> None:
    assert answers.batch_head(Channel.QUOTES) == b'{"type":"quotes","data":['
    assert answers.snapshot_head(Channel.BARS) == b'{"type":"bars","snapshot":true,"data":['


def test_an_ack_tells_the_outcome_of_each_key() -> None:
    assert json.loads(
        answers.encode(answers.Ack(3, {"NSE_EQ|A": Outcome.LIVE, "x": Outcome.UNKNOWN}))
    ) == {
        "type": "ack",
        "id": 3,
        "results": {"NSE_EQ|A": "live", "x": "unknown"},
    }


def test_an_error_tells_code_field_and_request() -> None:
    failure = InvalidField("too many", field="keys")
    assert json.loads(answers.encode(answers.refusal(failure, 4))) == {
        "type": "error",
        "code": "invalid_field",
        "detail": "too many",
        "field": "keys",
        "id": 4,
    }
