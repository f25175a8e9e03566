"""Requests over NATS, with deadlines and error codes. `responder.py` answers them.

A request is a msgspec struct as JSON. The header `Deadline-Ms` carries its deadline in epoch
milliseconds, by the clocks of the machines. A reply is another struct as JSON; an error reply
is marked by the header `Refused` and holds `{code, detail, field}`. With the header `Leaving` too, the
responder stops, has not begun the request, and another one takes its place. The headers
`traceparent` and `tracestate` carry the trace of the request (W3C Trace Context).
"""

from typing import Final, TypeVar

import msgspec
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError

from shared.bus.connection import Bus
from shared.bus.refused_publishes import report_refused
from shared.bus.request_spans import note_code, sending_span
from shared.contracts.strict_json import decode_json
from shared.errors import (
    Code,
    TimedOut,
    Unavailable,
    error_from_reply,
)
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger

log = get_logger(__name__)

DEADLINE_HEADER: Final = "Deadline-Ms"
ERROR_HEADER: Final = "Refused"
"""Marks an error reply; its value is the error's code."""
LEAVING_HEADER: Final = "Leaving"

_MOVED_SECS: Final = 0.1
"""Pause before a request is sent again that a leaving responder has refused."""

ReplyT = TypeVar("ReplyT", bound=msgspec.Struct)


class ErrorReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of an error reply; `field` names the field of the request at fault."""

    code: Code
    detail: str
    field: str | None = None
    members: dict[str, str] = {}


async def send_request(
    bus: Bus,
    clock: Clock,
    subject: str,
    request: msgspec.Struct,
    reply_type: type[ReplyT],
    *,
    timeout_secs: float,
) -> ReplyT:
    """Send `request` and return the decoded reply.

    Raises the RequestError of an error reply, TimedOut if no reply came within `timeout_secs`,
    and Unavailable if nobody is subscribed, NATS is away or the reply cannot be decoded.
    """
    data = await send_request_encoded(bus, clock, subject, request, timeout_secs=timeout_secs)
    try:
        return decode_json(data, reply_type)
    except msgspec.DecodeError as error:
        raise _undecodable(subject, error) from None


async def send_request_encoded(
    bus: Bus, clock: Clock, subject: str, request: msgspec.Struct, *, timeout_secs: float
) -> bytes:
    """Send `request` and return the reply's JSON, not decoded. Raises as `send_request`."""
    reply = await exchange(bus, clock, subject, request, timeout_secs=timeout_secs)
    return reply_body(subject, reply)


async def exchange(
    bus: Bus, clock: Clock, subject: str, request: msgspec.Struct, *, timeout_secs: float
) -> Msg:
    """Send `request` and return the message of the reply, which may be an error reply.

    A request that a leaving responder has refused is sent again, until `timeout_secs` have passed.

    Raises TimedOut or Unavailable as `send_request`: there was no reply, so a responder may have
    done what was requested.
    """
    with sending_span(subject) as span:
        deadline_ms = clock.now_ms() + int(timeout_secs * 1_000)
        headers = {DEADLINE_HEADER: str(deadline_ms), **span.context.headers()}
        reply = await _send_until_taken(bus, clock, subject, request, timeout_secs, headers)
        if reply.headers and ERROR_HEADER in reply.headers:
            note_code(span, reply.headers[ERROR_HEADER])
        return reply


async def _send_until_taken(
    bus: Bus,
    clock: Clock,
    subject: str,
    request: msgspec.Struct,
    timeout_secs: float,
    headers: dict[str, str],
) -> Msg:
    """Send again what a leaving responder has refused. Raises as `exchange`."""
    data = msgspec.json.encode(request)
    give_up_at = clock.monotonic() + timeout_secs
    left_secs = timeout_secs
    while True:
        if not bus.is_connected:  # the client would keep the request for ever
            raise Unavailable(f"{subject} cannot be asked: there is no connection to NATS")
        try:
            reply = await bus.client.request(subject, data, timeout=left_secs, headers=headers)
        except TimeoutError:
            log.debug("request timed out", subject=subject)
            raise TimedOut(f"{subject} did not reply within {timeout_secs:g} s") from None
        except NoRespondersError:
            log.debug("request without responder", subject=subject)
            raise Unavailable(f"{subject} does not reply at the moment") from None
        except (NatsError, OSError) as error:
            report_refused("request", error)
            log.debug("request failed", subject=subject, error=repr(error))
            raise Unavailable(f"{subject} does not reply at the moment") from None
        left_secs = give_up_at - clock.monotonic() - _MOVED_SECS
        if left_secs <= 0 or not (reply.headers and LEAVING_HEADER in reply.headers):
            return reply
        await clock.sleep(_MOVED_SECS)


def reply_body(subject: str, reply: Msg) -> bytes:
    """The JSON of a reply from `subject`. Raises the RequestError of an error reply."""
    if not (reply.headers and ERROR_HEADER in reply.headers):
        return reply.data
    try:
        error_reply = decode_json(reply.data, ErrorReply)
    except msgspec.DecodeError as error:
        raise _undecodable(subject, error) from None
    raise error_from_reply(
        error_reply.code, error_reply.detail, error_reply.field, error_reply.members
    )


def _undecodable(subject: str, error: msgspec.DecodeError) -> Unavailable:
    log.warning("reply cannot be decoded", subject=subject, error=str(error))
    return Unavailable(f"the reply of {subject} cannot be decoded")
