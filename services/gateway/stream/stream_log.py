"""The log of streams: opened, closed and refused, with address, user and cause."""

from shared.errors import RequestError
from shared.runtime.clock import Clock
from shared.runtime.limited_log import LimitedLog
from shared.runtime.logs import get_logger

log = get_logger(__name__)


class StreamLog:
    """Logs at info and at a bounded rate for each kind of event; contains no token."""

    def __init__(self, clock: Clock) -> None:
        self._opened = LimitedLog(log, clock)
        self._closed = LimitedLog(log, clock)
        self._refused = LimitedLog(log, clock)
        self._limited = LimitedLog(log, clock)

    def opened(self, address: str, user: str) -> None:
        """The token of a stream was accepted."""
        self._opened.info("stream opened", address=address, user=user)

    def closed(
        self, address: str, user: str | None, *, close_code: int | None, cause: str, secs: float
    ) -> None:
        """A stream has ended; `user` is None if no token was accepted."""
        self._closed.info(
            "stream closed",
            address=address,
            user=user,
            close_code=close_code,
            cause=cause,
            secs=round(secs, 1),
        )

    def refused(self, address: str, error: RequestError) -> None:
        """A handshake was refused."""
        self._refused.info(
            "stream refused", address=address, code=error.code.value, cause=error.detail
        )

    def limited(self, address: str, user: str | None, cause: str) -> None:
        """A message of a client exceeded a limit."""
        self._limited.info("rate limit hit", address=address, user=user, cause=cause)
