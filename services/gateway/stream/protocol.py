"""The stream protocol: its channels, outcomes and close codes, and what clients send."""

from enum import IntEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from services.gateway.fanout.channels import KEYED, PACED, Channel
from shared.errors import BadMessage, InvalidField


class CloseCode(IntEnum):
    """Every close code of the stream, and why."""

    TOO_LARGE = 1009
    """A message was longer than allowed."""
    RESTARTING = 1012
    """This gateway is going away; connect again, after a random pause."""
    BAD_MESSAGE = 4400
    """Too many malformed messages."""
    UNAUTHENTICATED = 4401
    """No valid token in time, or the token has expired."""
    REVOKED = 4403
    """The session was ended: logged out, password changed, or the user disabled."""
    TOO_SLOW = 4408
    """The client took nothing for too long, or too many order events wait for it."""
    TOO_MANY = 4429
    """Too many messages of the client, or too many streams of its user."""


_Id = Annotated[int, Meta(ge=0, le=2**53 - 1)]
_Keys = Annotated[list[Annotated[str, Meta(min_length=1, max_length=128)]], Meta(max_length=5_000)]
_IntervalMs = Annotated[int, Meta(ge=100, le=60_000)]


class Authenticate(msgspec.Struct, tag="auth", tag_field="op", forbid_unknown_fields=True):
    """Shows an access token: first of all, and again to stay longer."""

    token: Annotated[str, Meta(max_length=8_192)]


class Subscribe(msgspec.Struct, tag="subscribe", tag_field="op", forbid_unknown_fields=True):
    """Asks for a channel, or for more instruments of it."""

    id: _Id
    channel: Channel
    keys: _Keys = []
    interval_ms: _IntervalMs | None = None
    """Send the newest of each instrument this often, instead of everything at once."""


class Unsubscribe(msgspec.Struct, tag="unsubscribe", tag_field="op", forbid_unknown_fields=True):
    """Gives instruments back."""

    id: _Id
    channel: Channel
    keys: _Keys = []


class Ping(msgspec.Struct, tag="ping", tag_field="op", forbid_unknown_fields=True):
    """Asks for a sign of life."""

    id: _Id | None = None


ClientMessage = Authenticate | Subscribe | Unsubscribe | Ping

_decoder: Final[msgspec.json.Decoder[ClientMessage]] = msgspec.json.Decoder(ClientMessage)


def parse(data: str | bytes) -> ClientMessage:
    """Raises BadMessage if `data` is not JSON, InvalidField if it breaks a rule."""
    try:
        message = _decoder.decode(data)
    except msgspec.ValidationError as error:
        rule, _, place = str(error).rpartition(" - at `$")
        field = place.removesuffix("`").removeprefix(".") or "message"
        raise InvalidField(rule or str(error), field=field if rule else "message") from None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise BadMessage("not valid JSON") from None
    if isinstance(message, Subscribe | Unsubscribe):
        _check_keys(message)
    if isinstance(message, Subscribe):
        _check_pace(message)
    return message


def _check_keys(message: Subscribe | Unsubscribe) -> None:
    if message.channel in KEYED and not message.keys:
        raise InvalidField(f"{message.channel} is subscribed to by keys", field="keys")
    if message.channel not in KEYED and message.keys:
        raise InvalidField(f"{message.channel} has no keys", field="keys")


def _check_pace(message: Subscribe) -> None:
    if message.interval_ms is not None and message.channel not in PACED:
        rule = f"{message.channel} is not sent at intervals; quotes and depth can be"
        raise InvalidField(rule, field="interval_ms")


class _Numbered(msgspec.Struct):
    """Of a message that breaks a rule: its number, if it has a good one."""

    id: _Id | None = None


_read_numbered: Final = msgspec.json.Decoder(_Numbered).decode


def id_of(data: str | bytes) -> int | None:
    """The `id` of a message that was refused, for the answer."""
    try:
        return _read_numbered(data).id
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
