"""The stream protocol: reads what clients send, writes what they are told."""

from enum import IntEnum, StrEnum
from typing import Final, Literal

import msgspec

from shared.errors import BadMessage, Code, InvalidField, RequestError


class CloseCode(IntEnum):
    """Every close code of the stream, and why."""

    RESTARTING = 1012
    """This gateway is going away; connect again, after a random pause."""
    BAD_MESSAGE = 4400
    """Too many malformed messages."""
    UNAUTHENTICATED = 4401
    """No valid token in time, or the token has expired."""
    TOO_SLOW = 4408
    """The client took nothing for too long."""


class Outcome(StrEnum):
    """What became of one key of a subscription."""

    LIVE = "live"
    """Its last quote is known and follows; later ones come as they happen."""
    PENDING = "pending"
    """Nothing is known of it yet; quotes will come should there be any."""
    REMOVED = "removed"
    """Unsubscribed."""
    UNKNOWN = "unknown"
    """No instrument key, or, in unsubscribe, not subscribed."""


class Authenticate(msgspec.Struct, tag="auth", tag_field="op", forbid_unknown_fields=True):
    token: str


class Subscribe(msgspec.Struct, tag="subscribe", tag_field="op", forbid_unknown_fields=True):
    id: int
    channel: Literal["quotes"]
    keys: list[str]


class Unsubscribe(msgspec.Struct, tag="unsubscribe", tag_field="op", forbid_unknown_fields=True):
    id: int
    channel: Literal["quotes"]
    keys: list[str]


class Ping(msgspec.Struct, tag="ping", tag_field="op", forbid_unknown_fields=True):
    id: int | None = None


ClientMessage = Authenticate | Subscribe | Unsubscribe | Ping

_decoder: Final[msgspec.json.Decoder[ClientMessage]] = msgspec.json.Decoder(ClientMessage)
_encode: Final = msgspec.json.encode

_QUOTES_HEAD: Final = b'{"type":"quotes","data":['
_QUOTES_TAIL: Final = b"]}"


def parse(data: str | bytes) -> ClientMessage:
    """Raises BadMessage if `data` is not JSON, InvalidField if it breaks a rule."""
    try:
        return _decoder.decode(data)
    except msgspec.ValidationError as error:
        rule, _, place = str(error).rpartition(" - at `$")
        field = place.removesuffix("`").removeprefix(".") or "message"
        raise InvalidField(rule or str(error), field=field if rule else "message") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadMessage("not valid JSON") from None


def authenticated(user_id: str, expires_at: int) -> bytes:
    """The answer to a good token; `expires_at` in Unix seconds."""
    return _encode({"type": "authenticated", "user_id": user_id, "expires_at": expires_at})


def ack(request_id: int, results: dict[str, Outcome]) -> bytes:
    """The answer to subscribe and unsubscribe, with the outcome of each key."""
    return _encode({"type": "ack", "id": request_id, "results": results})


def pong(request_id: int | None) -> bytes:
    """The answer to a ping."""
    return _encode({"type": "pong"} if request_id is None else {"type": "pong", "id": request_id})


def error(failure: RequestError, request_id: int | None = None) -> bytes:
    """What went wrong with a message."""
    body: dict[str, object] = {
        "type": "error",
        "code": failure.code.value,
        "detail": failure.detail,
    }
    if failure.field is not None:
        body["field"] = failure.field
    if request_id is not None:
        body["id"] = request_id
    return _encode(body)


def closing(code: Code, detail: str) -> bytes:
    """The last message before a close, for those who cannot see close codes."""
    return _encode({"type": "error", "code": code.value, "detail": detail})


def quotes(encoded: list[bytes]) -> bytes:
    """A batch of quotes, each as ingest encoded it."""
    return _QUOTES_HEAD + b",".join(encoded) + _QUOTES_TAIL
