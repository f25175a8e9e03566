"""The JSON stream protocol, gateway to client: replies and the heads of batches."""

from typing import Final

import msgspec

from services.gateway.fanout.channels import Channel
from services.gateway.fanout.interest import Outcome
from shared.errors import Code, RequestError


class Reply(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type"):
    """The base of every message that is not a batch."""


class Authenticated(Reply, frozen=True, tag="authenticated"):
    """The access token was accepted."""

    user_id: str
    expires_at: int
    """The time at which the stream ends unless the token is renewed, Unix seconds."""


class Expiring(Reply, frozen=True, tag="expiring"):
    """The access token expires soon. A newer token renews the stream."""

    expires_at: int
    """Unix seconds."""


class Ack(Reply, frozen=True, tag="ack"):
    """The answer to subscribe and unsubscribe."""

    id: int
    """The `id` of the request."""
    results: dict[str, Outcome]
    """The outcome of each key; of the channel's name on a channel without keys."""


class Outcomes(Reply, frozen=True, tag="outcomes"):
    """Subscribed keys whose outcome has changed since it was last reported."""

    channel: Channel
    results: dict[str, Outcome]
    """The new outcome of each key."""


class Gap(Reply, frozen=True, tag="gap"):
    """Messages of this channel may have been missed. The stream does not resend them."""

    channel: Channel


class Pong(Reply, frozen=True, tag="pong"):
    """The answer to a ping."""

    now: int
    """The gateway's clock when it answered, Unix milliseconds."""
    id: int | None = None
    """The `id` of the ping, if it had one."""


class Heartbeat(Reply, frozen=True, tag="heartbeat"):
    """The gateway is alive. It is sent at an interval, whether or not anything else is."""

    now: int
    """The gateway's clock, Unix milliseconds."""
    feed_is_current: bool
    """Whether the gateway has received the state of the feed within the last six seconds."""


class Error(Reply, frozen=True, tag="error"):
    """A request was refused; as the last message: the reason why the stream is closed."""

    code: Code
    """Stable; docs/errors.md lists all codes."""
    detail: str
    """An explanation for people; may change."""
    field: str | None = None
    """The field of the request that breaks a rule."""
    id: int | None = None
    """The `id` of the request, if it can be read."""


encode: Final = msgspec.json.Encoder().encode
"""A reply as JSON."""


def refusal(error: RequestError, request_id: int | None = None) -> Error:
    """The reply to a request that failed with `error`."""
    return Error(error.code, error.detail, error.field, request_id)


def batch_head(channel: Channel) -> bytes:
    """The JSON before the list of live messages, for `frames.batch_frame`."""
    return f'{{"type":"{channel}","data":['.encode()


def snapshot_head(channel: Channel) -> bytes:
    """The JSON before the list of last messages of a snapshot, for `frames.batch_frame`."""
    return f'{{"type":"{channel}","snapshot":true,"data":['.encode()
