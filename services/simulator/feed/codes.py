"""The one-time codes that open a feed connection."""

import secrets
from typing import Final

from shared.runtime.clock import Clock

LIFETIME_SECS: Final = 60.0
_MAX_CODES: Final = 1_024


class OneTimeCodes:
    """Codes handed out and not yet used; at most 1024, the oldest are dropped."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._issued: dict[str, tuple[str, float]] = {}

    def issue(self, user_id: str) -> str:
        """A new code for this user, good for one use within 60 s of wall time."""
        if len(self._issued) >= _MAX_CODES:
            del self._issued[next(iter(self._issued))]
        code = secrets.token_urlsafe(16)
        self._issued[code] = (user_id, self._clock.monotonic() + LIFETIME_SECS)
        return code

    def redeem(self, code: str) -> str | None:
        """Use a code up: whose it is; None if it is unknown, used or too old."""
        user_id, expires_at = self._issued.pop(code, (None, 0.0))
        return user_id if self._clock.monotonic() < expires_at else None
