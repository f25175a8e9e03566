"""Encoding of requests and decoding of messages of the stream protocol. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from tradedad_client.errors import NotUnderstood
from tradedad_client.messages import Bar, Candle, Chain, Channel, Depth, FeedStatus, Quote

# Half of the gateway's default limit of 16 KiB, in case a gateway is configured with less.
_MAX_KEYS_BYTES: Final = 8_192
_MAX_KEYS: Final = 500


class _Message(msgspec.Struct, frozen=True, tag_field="type"):
    """Base class of the gateway's messages."""


class Authenticated(_Message, frozen=True, tag="authenticated"):
    """The token was accepted."""

    user_id: str
    expires_at: int


class Expiring(_Message, frozen=True, tag="expiring"):
    """The token expires soon."""

    expires_at: int


class Ack(_Message, frozen=True, tag="ack"):
    """The answer to a subscribe or unsubscribe request, with the outcome of each key."""

    id: int
    results: dict[str, str]


class Outcomes(_Message, frozen=True, tag="outcomes"):
    """Keys whose outcome has changed."""

    channel: Channel
    results: dict[str, str]


class GapNotice(_Message, frozen=True, tag="gap"):
    """Messages of a channel may have been lost."""

    channel: Channel


class Pong(_Message, frozen=True, tag="pong"):
    """The answer to a ping."""

    now: int
    """The gateway's clock when it answered, Unix milliseconds."""
    id: int | None = None


class HeartbeatMessage(_Message, frozen=True, tag="heartbeat"):
    """The gateway is alive; sent at an interval."""

    now: int
    feed_is_current: bool


class ErrorMessage(_Message, frozen=True, tag="error"):
    """A request was refused, or the stream is closed next."""

    code: str
    detail: str
    field: str | None = None
    id: int | None = None


class Quotes(_Message, frozen=True, tag="quotes"):
    """A batch of quotes, in order."""

    data: list[Quote]
    snapshot: bool = False


class Depths(_Message, frozen=True, tag="depth"):
    """A batch of order books."""

    data: list[Depth]
    snapshot: bool = False


class Chains(_Message, frozen=True, tag="chain"):
    """A batch of option chains."""

    data: list[Chain]
    snapshot: bool = False


class Candles(_Message, frozen=True, tag="candles"):
    """A batch of one-minute candles."""

    data: list[Candle]
    snapshot: bool = False


class Bars(_Message, frozen=True, tag="bars"):
    """A batch of five-minute bars."""

    data: list[Bar]
    snapshot: bool = False


class Orders(_Message, frozen=True, tag="orders"):
    """A batch of order events."""

    data: list[dict[str, Any]]


class Statuses(_Message, frozen=True, tag="status"):
    """A batch of feed states."""

    data: list[FeedStatus]
    snapshot: bool = False


Batch = Quotes | Depths | Chains | Candles | Bars | Orders | Statuses
Message = (
    Authenticated
    | Expiring
    | Ack
    | Outcomes
    | GapNotice
    | Pong
    | HeartbeatMessage
    | ErrorMessage
    | Batch
)


class _TypeOnly(msgspec.Struct):
    type: str


_decode: Final = msgspec.json.Decoder(Message).decode
_decode_type: Final = msgspec.json.Decoder(_TypeOnly).decode
_encode: Final = msgspec.json.encode
_KNOWN_TYPES: Final = frozenset(
    ("authenticated", "expiring", "ack", "outcomes", "gap", "pong", "heartbeat", "error", *Channel)
)


def decode(data: str | bytes) -> Message | None:
    """Decode a message; None if its type is not known to this version.

    Raises NotUnderstood if it is not valid.
    """
    try:
        message: Message = _decode(data)
    except msgspec.DecodeError as error:
        try:
            if _decode_type(data).type not in _KNOWN_TYPES:
                return None
        except msgspec.DecodeError:
            pass
        raise NotUnderstood(f"the gateway sent an invalid message: {error}") from None
    if isinstance(message, Quotes | Depths | Chains) and message.snapshot:
        for state in message.data:
            # Safe although the class is frozen: no other code has a reference yet.
            msgspec.structs.force_setattr(state, "snapshot", True)
    return message


def authenticate(token: str) -> bytes:
    """Encode an `auth` request."""
    return _encode({"op": "auth", "token": token})


def subscribe(
    request_id: int, channel: Channel, keys: Sequence[str], interval_ms: int | None
) -> bytes:
    """Encode a `subscribe` request."""
    request: dict[str, Any] = {"op": "subscribe", "id": request_id, "channel": channel}
    if keys:
        request["keys"] = keys
    if interval_ms is not None:
        request["interval_ms"] = interval_ms
    return _encode(request)


def unsubscribe(request_id: int, channel: Channel, keys: Sequence[str]) -> bytes:
    """Encode an `unsubscribe` request."""
    request: dict[str, Any] = {"op": "unsubscribe", "id": request_id, "channel": channel}
    if keys:
        request["keys"] = keys
    return _encode(request)


def split_keys(keys: Sequence[str]) -> Iterator[list[str]]:
    """Split keys into lists that each fit into one request; without keys, one empty list."""
    chunk: list[str] = []
    size = 0
    for key in keys:
        length = len(_encode(key)) + 1
        if chunk and (size + length > _MAX_KEYS_BYTES or len(chunk) >= _MAX_KEYS):
            yield chunk
            chunk, size = [], 0
        chunk.append(key)
        size += length
    yield chunk
