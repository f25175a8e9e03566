"""Fetches the keys of tokens; without keys the gateway is not ready."""

from typing import Final

from shared.runtime.backoff import Backoff
from shared.runtime.clock import Clock
from shared.runtime.health import Readiness
from shared.web.key_set import KeySet

DEPENDENCY: Final = "token_keys"
# Also the interval at which the clock is compared with that of auth.
_REFRESH_SECS: Final = 30.0
_BACKOFF_SECS: Final = 2.0
_BACKOFF_CAP_SECS: Final = 5.0


class KeyMonitor:
    """A component: a gateway that started without auth cannot verify any token, and says so.

    Keys stay valid while auth is away later.
    """

    def __init__(self, keys: KeySet, readiness: Readiness, clock: Clock) -> None:
        self._keys = keys
        self._readiness = readiness
        self._clock = clock
        self._backoff = Backoff(_BACKOFF_SECS, _BACKOFF_CAP_SECS)
        readiness.down(DEPENDENCY, "the keys of tokens have not been fetched yet")

    async def run(self) -> None:
        """Fetch the keys until cancelled: soon while there are none, then at an interval."""
        while True:
            await self._keys.refresh()
            if self._keys.is_empty:
                detail = f"auth has sent no keys, so no token can be verified: {self._keys.failure}"
                self._readiness.down(DEPENDENCY, detail)
            else:
                self._readiness.up(DEPENDENCY)
            if self._keys.failure or self._keys.is_empty:
                await self._clock.sleep(self._backoff.next_secs())
            else:
                self._backoff.reset()
                await self._clock.sleep(_REFRESH_SECS)
