"""The stream protocol as a client sees it: requests to bytes, bytes to messages. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from tradedad_client.errors import NotUnderstood
from tradedad_client.messages import Bar, Channel, Depth, FeedStatus, Quote

# The gateway takes messages of 16 KiB; it may have been told to take less.
_MOST_BYTES: Final = 8_192
_MOST_KEYS: Final = 500


class _Message(msgspec.Struct, frozen=True, tag_field="type"):
    """The base of what a gateway sends."""


class Authenticated(_Message, frozen=True, tag="authenticated"):
    """The token was accepted."""

    user_id: str
    expires_at: int


class Expiring(_Message, frozen=True, tag="expiring"):
    """The token will soon have expired."""

    expires_at: int


class Ack(_Message, frozen=True, tag="ack"):
    """The answer to a request, with the outcome of each key."""

    id: int
    results: dict[str, str]


class Outcomes(_Message, frozen=True, tag="outcomes"):
    """Keys of which the outcome has changed."""

    channel: Channel
    results: dict[str, str]


class GapTold(_Message, frozen=True, tag="gap"):
    """Messages of a channel may be missing."""

    channel: Channel


class Pong(_Message, frozen=True, tag="pong"):
    """The answer to a ping."""

    id: int | None = None


class Problem(_Message, frozen=True, tag="error"):
    """Something was wrong with a request, or is the reason for the close that follows."""

    code: str
    detail: str
    field: str | None = None
    id: int | None = None


class Quotes(_Message, frozen=True, tag="quotes"):
    """Quotes, in their order."""

    data: list[Quote]
    snapshot: bool = False


class Depths(_Message, frozen=True, tag="depth"):
    """Order books."""

    data: list[Depth]
    snapshot: bool = False


class Bars(_Message, frozen=True, tag="bars"):
    """Five-minute bars."""

    data: list[Bar]
    snapshot: bool = False


class Orders(_Message, frozen=True, tag="orders"):
    """Events of orders."""

    data: list[dict[str, Any]]


class Statuses(_Message, frozen=True, tag="status"):
    """States of the feed."""

    data: list[FeedStatus]
    snapshot: bool = False


Batch = Quotes | Depths | Bars | Orders | Statuses
Message = Authenticated | Expiring | Ack | Outcomes | GapTold | Pong | Problem | Batch


class _Typed(msgspec.Struct):
    type: str


_decode: Final = msgspec.json.Decoder(Message).decode
_decode_type: Final = msgspec.json.Decoder(_Typed).decode
_encode: Final = msgspec.json.encode
_KNOWN: Final = frozenset(
    ("authenticated", "expiring", "ack", "outcomes", "gap", "pong", "error", *Channel)
)


def decode(data: str | bytes) -> Message | None:
    """A message; None if it is of a type that we do not know yet. Raises NotUnderstood."""
    try:
        message: Message = _decode(data)
    except msgspec.DecodeError as error:
        try:
            if _decode_type(data).type not in _KNOWN:
                return None
        except msgspec.DecodeError:
            pass
        raise NotUnderstood(f"the gateway sent what we cannot read: {error}") from None
    if isinstance(message, Quotes | Depths) and message.snapshot:
        for one in message.data:
            msgspec.structs.force_setattr(one, "snapshot", True)  # nobody has seen it yet
    return message


def authenticate(token: str) -> bytes:
    """Shows an access token."""
    return _encode({"op": "auth", "token": token})


def subscribe(number: int, channel: Channel, keys: Sequence[str], interval_ms: int | None) -> bytes:
    """Asks for more of a channel."""
    request: dict[str, Any] = {"op": "subscribe", "id": number, "channel": channel}
    if keys:
        request["keys"] = keys
    if interval_ms is not None:
        request["interval_ms"] = interval_ms
    return _encode(request)


def unsubscribe(number: int, channel: Channel, keys: Sequence[str]) -> bytes:
    """Gives some of it back."""
    request: dict[str, Any] = {"op": "unsubscribe", "id": number, "channel": channel}
    if keys:
        request["keys"] = keys
    return _encode(request)


def portions(keys: Sequence[str]) -> Iterator[list[str]]:
    """The keys in portions that each fit into one request; an empty one if there are none."""
    portion: list[str] = []
    size = 0
    for key in keys:
        length = len(_encode(key)) + 1
        if portion and (size + length > _MOST_BYTES or len(portion) >= _MOST_KEYS):
            yield portion
            portion, size = [], 0
        portion.append(key)
        size += length
    yield portion
