"""Maps WebSocket close codes and HTTP statuses of the handshake to errors. Pure."""

from enum import IntEnum
from typing import Final

from tradedad_client.errors import (
    ClientError,
    NotUnderstood,
    Refused,
    Revoked,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from tradedad_client.wire import ErrorMessage


class CloseCode(IntEnum):
    """Close codes of the stream that the client distinguishes."""

    TOO_LARGE = 1009
    RESTARTING = 1012
    BAD_MESSAGE = 4400
    UNAUTHENTICATED = 4401
    REVOKED = 4403
    TOO_SLOW = 4408
    TOO_MANY = 4429


_FINAL: Final[dict[int, type[Refused]]] = {
    CloseCode.TOO_LARGE: NotUnderstood,
    CloseCode.BAD_MESSAGE: NotUnderstood,
    CloseCode.UNAUTHENTICATED: Unauthenticated,
    CloseCode.REVOKED: Revoked,
    CloseCode.TOO_MANY: TooMany,
}
_ABNORMAL_CLOSURE: Final = 1006  # RFC 6455: no close frame was received

# A restarting gateway closes all its streams; their clients reconnect to the other gateways.
_RESTART_SPREAD_SECS: Final = 3.0


def error_for_close(close_code: int | None, last_error: ErrorMessage | None) -> ClientError:
    """Return the error for a close code: Refused if it is final, Unavailable if not.

    `last_error` is the last error message of the gateway. Unauthenticated is final only if the
    caller has no newer token.
    """
    kind = _FINAL.get(close_code or 0)
    if kind is not None:
        detail = f"the gateway closed the stream with code {close_code}"
        if last_error is None:
            return kind(detail)
        return kind(f"{detail}: {last_error.detail}", code=last_error.code, field=last_error.field)
    if close_code is None or close_code == _ABNORMAL_CLOSURE:
        return Unavailable("the connection to the gateway was lost")
    reason = f": {last_error.detail}" if last_error is not None else ""
    spread_secs = _RESTART_SPREAD_SECS if close_code == CloseCode.RESTARTING else 0.0
    detail = f"the gateway closed the stream with code {close_code}{reason}"
    return Unavailable(detail, spread_secs=spread_secs)


def error_for_handshake(status: int, retry_after_secs: float | None) -> ClientError:
    """Return the error for an HTTP status that answered the WebSocket handshake."""
    detail = f"the gateway answered the handshake with HTTP {status}"
    if status in (408, 425, 429) or status >= 500:
        return Unavailable(detail, retry_after_secs=retry_after_secs)
    return Refused(detail)
