"""Calls of one Upstox account: with its token, and within limits on their rate."""

import math
from collections.abc import Sequence
from http import HTTPStatus

import aiohttp
from yarl import URL

from services.persister import metrics
from services.persister.candles.call_pacer import CallPacer
from shared.errors import Overloaded
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger
from shared.runtime.settings import UpstoxSettings
from shared.runtime.upstox_tokens import TokenPicker

log = get_logger(__name__)


class PacedCalls:
    """Each call waits for its turn at all `paces`, in their order.

    A call that would wait for longer than `max_wait_secs` is refused.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        settings: UpstoxSettings,
        tokens: TokenPicker,
        paces: Sequence[CallPacer],
        clock: Clock,
        *,
        max_wait_secs: float = math.inf,
    ) -> None:
        self._http = http
        self._settings = settings
        self._timeout = aiohttp.ClientTimeout(total=settings.timeout_secs)
        self._tokens = tokens
        self._paces = tuple(paces)
        self._clock = clock
        self._max_wait_secs = max_wait_secs

    def with_pace(
        self, paces: Sequence[CallPacer], *, max_wait_secs: float = math.inf
    ) -> "PacedCalls":
        """Calls of the same account that wait at other paces."""
        return PacedCalls(
            self._http,
            self._settings,
            self._tokens,
            paces,
            self._clock,
            max_wait_secs=max_wait_secs,
        )

    async def get(self, path: str) -> tuple[bytes, int]:
        """Body and status of the answer to a call with the current token, or the next one if
        Upstox refuses it (401). Without any token the call is made unauthenticated.

        The path is percent-encoded. Raises aiohttp.ClientError or TimeoutError if Upstox does not
        answer, and Overloaded if the call is refused.
        """
        while True:
            await self._wait_for_turn()
            token = await self._tokens.pick()
            body, status = await self._call(path, token)
            if token is None or status != HTTPStatus.UNAUTHORIZED:
                return body, status
            metrics.REPAIR_CALLS.labels("refused").inc()
            log.info("access token refused by Upstox", path=path)
            self._tokens.refuse(token)

    async def _wait_for_turn(self) -> None:
        now = self._clock.monotonic()
        if max(pace.delay_secs(now) for pace in self._paces) > self._max_wait_secs:
            raise Overloaded("the calls to Upstox are used up for now; try again later")
        for pace in self._paces:
            await self._clock.sleep(pace.reserve(self._clock.monotonic()))

    async def _call(self, path: str, token: str | None) -> tuple[bytes, int]:
        # The path is percent-encoded already; encoding it again would change the key.
        url = URL(self._settings.api_url + path, encoded=True)
        headers = {"Accept": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        async with self._http.get(url, headers=headers, timeout=self._timeout) as response:
            return await response.read(), response.status
