"""Access tokens: their user, kind and expiry."""

import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.simulator.access.user_id import DEFAULT_USER
from services.simulator.simulation.exchange_clock import ExchangeClock
from shared.market.exchange_time import DAY_MS, IST_OFFSET_MS

_EXPIRY_OF_DAY_MS: Final = (3 * 60 + 30) * 60_000  # 03:30 IST
_NEVER_MS: Final = 1 << 62
_MAX_TOKENS: Final = 10_000
YEAR_MS: Final = 365 * DAY_MS


class TokenKind(StrEnum):
    """Lifetime and scope of a token."""

    FULL = "full"
    """All requests, until the next 03:30 IST."""
    EXTENDED = "extended"
    """Some of the read requests, for a year."""
    ANALYTICS = "analytics"
    """All read requests, for a year."""
    SANDBOX = "sandbox"
    """The order requests of the sandbox, for 30 days."""


@dataclass(frozen=True, slots=True)
class Grant:
    """The rights that a token gives."""

    user_id: str
    kind: TokenKind
    expires_ms: int
    """Exchange time (epoch ms); the configured token never expires."""


def next_expiry_ms(now_ms: int) -> int:
    """The first 03:30 IST after `now_ms` (both epoch ms), when ordinary tokens expire."""
    since_midnight_ms = (now_ms + IST_OFFSET_MS) % DAY_MS
    midnight_ms = now_ms - since_midnight_ms
    is_past = since_midnight_ms >= _EXPIRY_OF_DAY_MS
    return midnight_ms + _EXPIRY_OF_DAY_MS + (DAY_MS if is_past else 0)


class TokenStore:
    """All issued tokens; at most 10 000, the oldest are dropped."""

    def __init__(self, clock: ExchangeClock, configured: str) -> None:
        """`configured` is the token of the settings, which is never dropped."""
        self._clock = clock
        self._configured = configured
        self._grants: dict[str, Grant] = {}
        self.restore_configured()

    def issue(self, user_id: str, kind: TokenKind, expires_ms: int) -> str:
        """A new token that is valid until `expires_ms` (exchange time, epoch ms)."""
        if len(self._grants) >= _MAX_TOKENS:
            del self._grants[next(token for token in self._grants if token != self._configured)]
        token = secrets.token_urlsafe(32)
        self._grants[token] = Grant(user_id, kind, expires_ms)
        return token

    def revoke(self, token: str) -> None:
        """Make the token invalid; an unknown token is ignored."""
        self._grants.pop(token, None)

    def revoke_all(self, user_id: str = "") -> None:
        """Make all tokens of a user invalid; without a user all, as Upstox does at 03:30 IST."""
        self._grants = {
            token: grant
            for token, grant in self._grants.items()
            if user_id not in ("", grant.user_id)
        }

    def restore_configured(self) -> None:
        """Make the configured token valid again, for the default user."""
        self._grants[self._configured] = Grant(DEFAULT_USER, TokenKind.FULL, _NEVER_MS)

    def find(self, token: str) -> Grant | None:
        """The grant of a valid token; None for any other."""
        grant = self._grants.get(token)
        return grant if grant is not None and self._clock.now_ms() < grant.expires_ms else None
