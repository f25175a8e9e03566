"""One-time codes: OAuth authorization codes, and codes that open a WebSocket."""

import secrets
from typing import Final, Generic, TypeVar

from shared.runtime.clock import Clock

_MAX_CODES: Final = 1_024
T = TypeVar("T")


class OneTimeCodes(Generic[T]):
    """Issued and unused codes, each bound to a value; at most 1024, the oldest are dropped."""

    def __init__(self, clock: Clock, *, lifetime_secs: float, code_bytes: int) -> None:
        """A code is valid for `lifetime_secs` of wall time and has `code_bytes` random bytes."""
        self._clock = clock
        self._lifetime_secs = lifetime_secs
        self._code_bytes = code_bytes
        self._issued: dict[str, tuple[T, float]] = {}

    def issue(self, value: T) -> str:
        """A new code bound to `value`."""
        if len(self._issued) >= _MAX_CODES:
            del self._issued[next(iter(self._issued))]
        code = secrets.token_urlsafe(self._code_bytes)
        self._issued[code] = (value, self._clock.monotonic() + self._lifetime_secs)
        return code

    def redeem(self, code: str) -> T | None:
        """Invalidate a code and return its value; None if it is unknown, used or expired."""
        issued = self._issued.pop(code, None)
        if issued is None or self._clock.monotonic() >= issued[1]:
            return None
        return issued[0]
