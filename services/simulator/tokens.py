"""Access tokens: who bears one, of what kind, and until when."""

import secrets
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Final

from aiohttp import web

from services.simulator.envelope import INVALID_TOKEN, refuse
from services.simulator.exchange_clock import ExchangeClock
from shared.market.exchange_time import DAY_MS, IST_OFFSET_MS

_DIES_AT_MS: Final = (3 * 60 + 30) * 60_000  # 03:30 IST
_MOST_TOKENS: Final = 10_000
DEFAULT_USER: Final = "SIM001"


class Kind(StrEnum):
    """What a token may be used for."""

    FULL = "full"
    EXTENDED = "extended"
    """A year, and a part of the reading calls only."""
    ANALYTICS = "analytics"
    """A year, and reading only."""
    SANDBOX = "sandbox"
    """Thirty days, and the sandbox's order calls only."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token stands for."""

    user_id: str
    kind: Kind
    expires_ms: int
    """Exchange time (epoch ms); the token of the settings never expires by itself."""


def next_death_ms(now_ms: int) -> int:
    """The next 03:30 IST after `now_ms` (epoch ms), when ordinary tokens die."""
    since_midnight = (now_ms + IST_OFFSET_MS) % DAY_MS
    midnight = now_ms - since_midnight
    return midnight + _DIES_AT_MS + (DAY_MS if since_midnight >= _DIES_AT_MS else 0)


class Tokens:
    """Every token that is good at the moment, by its text."""

    def __init__(self, clock: ExchangeClock, configured: str) -> None:
        self._clock = clock
        self._configured = configured
        self._grants = {configured: Grant(DEFAULT_USER, Kind.FULL, 1 << 62)}

    def issue(self, user_id: str, kind: Kind, expires_ms: int) -> str:
        """A new token. The oldest goes when there are too many."""
        if len(self._grants) >= _MOST_TOKENS:
            del self._grants[next(text for text in self._grants if text != self._configured)]
        token = secrets.token_urlsafe(32)
        self._grants[token] = Grant(user_id, kind, expires_ms)
        return token

    def revoke(self, token: str) -> None:
        """The token is good no more."""
        self._grants.pop(token, None)

    def kill_all(self) -> None:
        """All tokens die now, as at 03:30 IST."""
        self._grants.clear()

    def revive(self, token: str) -> None:
        """`token` is good again, for the default user; for tests after `kill_all`."""
        self._grants[token] = Grant(DEFAULT_USER, Kind.FULL, 1 << 62)

    def find(self, token: str) -> Grant | None:
        """The grant of a token that is good now."""
        grant = self._grants.get(token)
        return grant if grant is not None and self._clock.now_ms() < grant.expires_ms else None

    def presented(self, request: web.Request) -> Grant | None:
        """Who sends this request, if it bears a good token."""
        return self.find(bearer_token(request))

    def bearer(self, request: web.Request) -> Grant:
        """Who sends this request. Raises Refusal (401 UDAPI100050) without a good token."""
        grant = self.presented(request)
        if grant is None:
            raise refuse(HTTPStatus.UNAUTHORIZED, INVALID_TOKEN, "Invalid token used to access API")
        return grant


def bearer_token(request: web.Request) -> str:
    """The token that a request presents, good or not; empty if it presents none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else ""
