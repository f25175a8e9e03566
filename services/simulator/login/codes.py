"""The authorization codes between the dialog and the exchange for a token.

PURE: no sockets.
"""

import secrets
from typing import Final

from shared.runtime.clock import Clock

LIFETIME_SECS: Final = 600.0
_MAX_CODES: Final = 1_024


class AuthorizationCodes:
    """Codes handed out and not yet tried; at most 1024, the oldest are dropped."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._issued: dict[str, tuple[str, float]] = {}

    def issue(self, redirect_uri: str) -> str:
        """A new code for one exchange by way of `redirect_uri`, within 10 min of wall time."""
        if len(self._issued) >= _MAX_CODES:
            del self._issued[next(iter(self._issued))]
        code = secrets.token_urlsafe(6)
        self._issued[code] = (redirect_uri, self._clock.monotonic() + LIFETIME_SECS)
        return code

    def use_up(self, code: str) -> str | None:
        """The redirect address of a good code; None for any other. It is good no more."""
        redirect_uri, expires_at = self._issued.pop(code, (None, 0.0))
        return redirect_uri if self._clock.monotonic() < expires_at else None
