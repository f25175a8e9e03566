"""The issuer's public keys, cached from its JWKS URL."""

import asyncio
from email.utils import parsedate_to_datetime
from typing import Final

import aiohttp
import jwt
from aiohttp import hdrs
from jwt import PyJWK, PyJWKSet
from prometheus_client import Counter, Gauge

from shared.errors import Unauthenticated, Unavailable
from shared.runtime.clock import Clock
from shared.runtime.clock_skew import ClockSkew
from shared.runtime.logs import get_logger

log = get_logger(__name__)

FETCH_FAILURES: Final = Counter(
    "tradedad_jwks_fetch_failures_total",
    "Failed fetches of the public keys of tokens; cached keys stay in use.",
)
FETCHED: Final = Gauge(
    "tradedad_jwks_fetched_timestamp_seconds",
    "Unix time of the last successful fetch of the public keys of tokens; 0 before the first.",
)
_FETCH_TIMEOUT_SECS: Final = 3.0
KEYS_MAX_AGE_SECS: Final = 300.0
"""The longest time that a verifier uses fetched keys while the issuer answers."""
# The shortest time between two fetches, however many unknown key ids are requested and whether or
# not the issuer answers.
_MIN_FETCH_INTERVAL_SECS: Final = 2.0
# The header Date has whole seconds, rounded down (RFC 9110, 6.6.1).
_DATE_RESOLUTION_SECS: Final = 1.0


class KeySet:
    """The issuer's public keys, cached from its JWKS URL.

    Keys older than `max_age_secs` are fetched again when they are used. While the issuer does
    not answer, the cached keys stay valid. Each answer also measures the `skew` between this
    clock and the issuer's.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        clock: Clock,
        *,
        max_age_secs: float = KEYS_MAX_AGE_SECS,
        skew: ClockSkew | None = None,
    ) -> None:
        self._max_age_secs = max_age_secs
        self._session = session
        self._url = url
        self._clock = clock
        self._skew = skew
        self._keys: dict[str, PyJWK] = {}
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._lock = asyncio.Lock()
        self.failure = "not fetched yet"
        """Why the last fetch failed; empty after a successful one."""

    @property
    def is_empty(self) -> bool:
        """Whether no token can be verified, because no key has been fetched."""
        return not self._keys

    async def find(self, kid: str) -> PyJWK:
        """The key with the id `kid`.

        Raises Unauthenticated if the issuer has no such key, and Unavailable if no key is
        cached and the issuer does not answer.
        """
        if kid not in self._keys or (self._must_fetch(kid) and not self._lock.locked()):
            async with self._lock:
                if self._must_fetch(kid):
                    await self._fetch()
        if not self._keys:
            raise Unavailable("no token can be verified: the auth service does not answer")
        try:
            return self._keys[kid]
        except KeyError:
            if self.failure:
                detail = "the key of the token cannot be fetched: the auth service does not answer"
                raise Unavailable(detail) from None
            raise Unauthenticated("the token is signed with an unknown key") from None

    async def refresh(self) -> None:
        """Fetch the keys, unless that was done within the last two seconds."""
        async with self._lock:
            if self._clock.monotonic() - self._tried_at > _MIN_FETCH_INTERVAL_SECS:
                await self._fetch()

    def _must_fetch(self, kid: str) -> bool:
        now = self._clock.monotonic()
        if now - self._tried_at <= _MIN_FETCH_INTERVAL_SECS:
            return False
        return kid not in self._keys or now - self._fetched_at > self._max_age_secs

    async def _fetch(self) -> None:
        asked_ms = self._clock.now_ms()
        try:
            async with asyncio.timeout(_FETCH_TIMEOUT_SECS):
                async with self._session.get(self._url) as response:
                    self._measure_skew(response.headers.get(hdrs.DATE), asked_ms)
                    response.raise_for_status()
                    body = await response.json()
                    keys = PyJWKSet.from_dict(body if isinstance(body, dict) else {}).keys
        except (aiohttp.ClientError, TimeoutError, jwt.PyJWKSetError, ValueError) as error:
            self.failure = f"{type(error).__name__} {error}".strip()
            FETCH_FAILURES.inc()
            log.warning("cannot fetch token keys", error=self.failure)
            return
        finally:
            self._tried_at = self._clock.monotonic()
        self.failure = ""
        FETCHED.set(self._clock.now_ms() / 1_000)
        self._keys = {key.key_id: key for key in keys if key.key_id}
        self._fetched_at = self._tried_at

    def _measure_skew(self, date: str | None, asked_ms: int) -> None:
        """Compare the header Date of an answer with this clock, in the middle of the request."""
        if self._skew is None or date is None:
            return
        try:
            theirs = parsedate_to_datetime(date).timestamp() + _DATE_RESOLUTION_SECS / 2
        except (ValueError, OverflowError):
            log.warning("the issuer sent no valid Date")
            return
        round_trip_secs = max(0.0, (self._clock.now_ms() - asked_ms) / 1_000)
        ours = asked_ms / 1_000 + round_trip_secs / 2
        self._skew.observe(ours - theirs, (_DATE_RESOLUTION_SECS + round_trip_secs) / 2)
