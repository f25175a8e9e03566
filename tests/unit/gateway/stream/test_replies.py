"""The encoding of replies and batches."""

import json

from services.gateway.fanout.channels import Channel
from services.gateway.fanout.interest import Outcome
from services.gateway.stream import replies
from services.gateway.stream.frames import batch_frame
from shared.errors import InvalidField


def test_a_batch_contains_each_quote_unchanged() -> None:
    encoded = [b'{"key":"a","ltp":1.10}', b'{"key":"b"}']
    body = b'"data":[{"key":"a","ltp":1.10},{"key":"b"}]}'
    live = b'{"type":"quotes",' + body
    frame = batch_frame(replies.batch_head(Channel.QUOTES), encoded)
    assert frame == b"\x81" + bytes([len(live)]) + live
    snapshot = b'{"type":"bars","snapshot":true,' + body
    assert batch_frame(replies.snapshot_head(Channel.BARS), encoded)[2:] == snapshot


def test_an_ack_contains_the_outcome_of_each_key() -> None:
    assert json.loads(
        replies.encode(replies.Ack(3, {"NSE_EQ|A": Outcome.LIVE, "x": Outcome.UNKNOWN}))
    ) == {
        "type": "ack",
        "id": 3,
        "results": {"NSE_EQ|A": "live", "x": "unknown"},
    }


def test_an_error_contains_the_code_the_field_and_the_request_id() -> None:
    error = InvalidField("too many", field="keys")
    assert json.loads(replies.encode(replies.refusal(error, 4))) == {
        "type": "error",
        "code": "invalid_field",
        "detail": "too many",
        "field": "keys",
        "id": 4,
    }
