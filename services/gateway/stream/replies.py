"""The stream protocol: what clients are told."""

from typing import Final

import msgspec

from services.gateway.fanout.channels import Channel
from services.gateway.fanout.interest import Outcome
from shared.errors import Code, RequestError


class Reply(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type"):
    """Any message but a batch."""


class Authenticated(Reply, frozen=True, tag="authenticated"):
    """The token is good."""

    user_id: str
    expires_at: int
    """When the stream ends unless renewed, Unix seconds."""


class Expiring(Reply, frozen=True, tag="expiring"):
    """The stream ends soon, unless it is renewed with a newer token."""

    expires_at: int
    """Unix seconds."""


class Ack(Reply, frozen=True, tag="ack"):
    """The answer to subscribe and unsubscribe."""

    id: int
    """Of the request."""
    results: dict[str, Outcome]
    """By key, or by the channel's name where it has no keys."""


class Outcomes(Reply, frozen=True, tag="outcomes"):
    """Subscribed keys of which the outcome has changed since it was told."""

    channel: Channel
    results: dict[str, Outcome]
    """By key."""


class Gap(Reply, frozen=True, tag="gap"):
    """Messages of this channel may have been missed, and are not made up for here."""

    channel: Channel


class Pong(Reply, frozen=True, tag="pong"):
    """The answer to a ping."""

    id: int | None = None
    """Of the ping, if it had one."""


class Error(Reply, frozen=True, tag="error"):
    """What went wrong with a message, or, last of all, why the stream is closed."""

    code: Code
    """Does not change; docs/errors.md lists them."""
    detail: str
    """For people; may change."""
    field: str | None = None
    """Which field of the message is to blame."""
    id: int | None = None
    """Of the request, where it can be read."""


encode: Final = msgspec.json.Encoder().encode
"""An answer as JSON."""


def refusal(failure: RequestError, request_id: int | None = None) -> Error:
    """What went wrong with a message."""
    return Error(failure.code, failure.detail, failure.field, request_id)


def batch_head(channel: Channel) -> bytes:
    """How a batch of live messages begins, for `frames.batch_frame`.

    The messages in it are as they were encoded by who published them.
    """
    return f'{{"type":"{channel}","data":['.encode()


def snapshot_head(channel: Channel) -> bytes:
    """The same for the newest state of each instrument, of whatever age.

    What came before it is left out.
    """
    return f'{{"type":"{channel}","snapshot":true,"data":['.encode()
