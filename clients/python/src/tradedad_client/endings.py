"""Why a stream has ended, and whether another attempt makes sense. Pure."""

from enum import IntEnum

from tradedad_client.errors import (
    ClientError,
    NotUnderstood,
    Refused,
    Revoked,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from tradedad_client.wire import Problem


class CloseCode(IntEnum):
    """The close codes of the stream that mean something to a client."""

    TOO_LARGE = 1009
    RESTARTING = 1012
    BAD_MESSAGE = 4400
    UNAUTHENTICATED = 4401
    REVOKED = 4403
    TOO_SLOW = 4408
    TOO_MANY = 4429


_FINAL: dict[int, type[Refused]] = {
    CloseCode.TOO_LARGE: NotUnderstood,
    CloseCode.BAD_MESSAGE: NotUnderstood,
    CloseCode.UNAUTHENTICATED: Unauthenticated,
    CloseCode.REVOKED: Revoked,
    CloseCode.TOO_MANY: TooMany,
}

# All clients of a gateway that goes away come to the others.
_RESTART_SPREAD_SECS = 3.0


def ending(close_code: int | None, problem: Problem | None) -> ClientError:
    """What a close means: Refused if another attempt is in vain, Unavailable if it is not.

    `problem` is the last error that the gateway told. Of Unauthenticated the caller knows
    whether it has a newer token.
    """
    kind = _FINAL.get(close_code or 0)
    if kind is not None:
        detail = f"the gateway closed the stream with {close_code}"
        if problem is None:
            return kind(detail)
        return kind(f"{detail}: {problem.detail}", code=problem.code, field=problem.field)
    if close_code is None or close_code == 1006:
        return Unavailable("the connection broke")
    reason = f": {problem.detail}" if problem is not None else ""
    spread_secs = _RESTART_SPREAD_SECS if close_code == CloseCode.RESTARTING else 0.0
    detail = f"the gateway closed the stream with {close_code}{reason}"
    return Unavailable(detail, spread_secs=spread_secs)


def refused_handshake(status: int, retry_after_secs: float | None) -> ClientError:
    """What an HTTP answer means where a WebSocket was asked for."""
    detail = f"the gateway answered the handshake with HTTP {status}"
    if status in (408, 425, 429) or status >= 500:
        return Unavailable(detail, retry_after_secs=retry_after_secs)
    return Refused(detail)
