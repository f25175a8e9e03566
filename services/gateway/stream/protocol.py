"""The JSON stream protocol, client to gateway: requests, their rules and close codes."""

from enum import IntEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from services.gateway.fanout.channels import KEYED, PACED, Channel
from shared.errors import BadMessage, InvalidField


class CloseCode(IntEnum):
    """Every close code that the gateway sends, with its reason."""

    TOO_LARGE = 1009
    """A message was longer than allowed."""
    RESTARTING = 1012
    """This gateway shuts down or cannot verify tokens; connect again after a random pause."""
    BAD_MESSAGE = 4400
    """Too many malformed messages."""
    UNAUTHENTICATED = 4401
    """No valid token in time, or the token has expired."""
    REVOKED = 4403
    """The session was ended: logged out, password changed, or the user disabled."""
    TOO_SLOW = 4408
    """The client read nothing for too long, or too many order events waited for it."""
    TOO_MANY = 4429
    """Too many messages of the client, or too many streams of its user."""


_Id = Annotated[int, Meta(ge=0, le=2**53 - 1)]
_Keys = Annotated[list[Annotated[str, Meta(min_length=1, max_length=128)]], Meta(max_length=5_000)]
_IntervalMs = Annotated[int, Meta(ge=100, le=60_000)]


class Authenticate(msgspec.Struct, tag="auth", tag_field="op", forbid_unknown_fields=True):
    """Presents an access token: as the first request, and again to renew the stream."""

    token: Annotated[str, Meta(max_length=8_192)]


class Subscribe(msgspec.Struct, tag="subscribe", tag_field="op", forbid_unknown_fields=True):
    """Subscribes to a channel, or to more instruments of it."""

    id: _Id
    channel: Channel
    keys: _Keys = []
    interval_ms: _IntervalMs | None = None
    """Send the newest message of each of these instruments once per interval, instead of every
    message. It holds until the key is subscribed to again or unsubscribed. Of several subscriptions
    that include an instrument, the shortest interval counts."""


class Unsubscribe(msgspec.Struct, tag="unsubscribe", tag_field="op", forbid_unknown_fields=True):
    """Ends subscriptions."""

    id: _Id
    channel: Channel
    keys: _Keys = []


class Ping(msgspec.Struct, tag="ping", tag_field="op", forbid_unknown_fields=True):
    """Requests a pong."""

    id: _Id | None = None


ClientMessage = Authenticate | Subscribe | Unsubscribe | Ping

_decoder: Final[msgspec.json.Decoder[ClientMessage]] = msgspec.json.Decoder(ClientMessage)


def parse(data: str | bytes) -> ClientMessage:
    """Raises BadMessage if `data` is not JSON, InvalidField if it breaks a rule."""
    try:
        message = _decoder.decode(data)
    except msgspec.ValidationError as error:
        rule, _, path = str(error).rpartition(" - at `$")
        field = path.removesuffix("`").removeprefix(".") or "message"
        raise InvalidField(rule or str(error), field=field if rule else "message") from None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise BadMessage("not valid JSON") from None
    if isinstance(message, Subscribe | Unsubscribe):
        _check_keys(message)
    if isinstance(message, Subscribe):
        _check_interval(message)
    return message


def _check_keys(message: Subscribe | Unsubscribe) -> None:
    if message.channel in KEYED and not message.keys:
        raise InvalidField(f"{message.channel} requires at least one key", field="keys")
    if message.channel not in KEYED and message.keys:
        raise InvalidField(f"{message.channel} has no keys", field="keys")


def _check_interval(message: Subscribe) -> None:
    if message.interval_ms is not None and message.channel not in PACED:
        rule = f"{message.channel} cannot be sent at an interval; quotes, depth and chain can"
        raise InvalidField(rule, field="interval_ms")


class _OnlyId(msgspec.Struct):
    """The `id` of a message whose other fields may break rules."""

    id: _Id | None = None


_decode_id: Final = msgspec.json.Decoder(_OnlyId).decode


def id_of(data: str | bytes) -> int | None:
    """The `id` of a refused message, for the reply; None if it has no valid one."""
    try:
        return _decode_id(data).id
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
