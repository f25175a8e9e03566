"""One-time codes: OAuth authorization codes, and codes that open a WebSocket."""

import secrets
from typing import Final

from shared.runtime.clock import Clock

_MAX_CODES: Final = 1_024


class OneTimeCodes:
    """Issued and unused codes, each bound to a string; at most 1024, the oldest are dropped."""

    def __init__(self, clock: Clock, *, lifetime_secs: float, code_bytes: int) -> None:
        """A code is valid for `lifetime_secs` of wall time and has `code_bytes` random bytes."""
        self._clock = clock
        self._lifetime_secs = lifetime_secs
        self._code_bytes = code_bytes
        self._issued: dict[str, tuple[str, float]] = {}

    def issue(self, value: str) -> str:
        """A new code bound to `value`."""
        if len(self._issued) >= _MAX_CODES:
            del self._issued[next(iter(self._issued))]
        code = secrets.token_urlsafe(self._code_bytes)
        self._issued[code] = (value, self._clock.monotonic() + self._lifetime_secs)
        return code

    def redeem(self, code: str) -> str | None:
        """Invalidate a code and return its value; None if it is unknown, used or expired."""
        value, expires_at = self._issued.pop(code, (None, 0.0))
        return value if self._clock.monotonic() < expires_at else None
