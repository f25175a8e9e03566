"""The one-time codes that open a feed connection."""

import secrets
from typing import Final

from shared.clock import Clock

LIFETIME_SECS: Final = 60.0
_MAX_CODES: Final = 1_024


class OneTimeCodes:
    """Codes handed out and not yet used; at most 1024, the oldest are dropped."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._expires_at: dict[str, float] = {}

    def issue(self) -> str:
        """A new code, good for one use within 60 s of wall time."""
        if len(self._expires_at) >= _MAX_CODES:
            del self._expires_at[next(iter(self._expires_at))]
        code = secrets.token_urlsafe(16)
        self._expires_at[code] = self._clock.monotonic() + LIFETIME_SECS
        return code

    def redeem(self, code: str) -> bool:
        """Use a code up; False if it is unknown, used or too old."""
        expires_at = self._expires_at.pop(code, None)
        return expires_at is not None and self._clock.monotonic() < expires_at
