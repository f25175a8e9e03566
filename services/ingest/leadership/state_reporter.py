"""Reports the state of the subscribed instruments: open or closed, and the stale ones."""

from typing import Final

from services.ingest import metrics
from services.ingest.bus.status_publisher import StatusPublisher
from services.ingest.leadership.subscribed_market import SubscribedMarket
from services.ingest.normalise.normaliser import Normaliser
from shared.runtime.clock import Clock

_REPORT_SECS: Final = 0.5


class StateReporter:
    """Updates the published status of one connection at an interval."""

    def __init__(
        self,
        normaliser: Normaliser,
        market: SubscribedMarket,
        status: StatusPublisher,
        clock: Clock,
        *,
        stale_after_secs: float,
    ) -> None:
        self._normaliser = normaliser
        self._market = market
        self._status = status
        self._clock = clock
        self._stale_after_us = stale_after_secs * 1e6

    async def run(self) -> None:
        """Report until cancelled."""
        while True:
            await self._clock.sleep(_REPORT_SECS)
            self._report_state()
            self._report_stale_instruments()

    def _report_state(self) -> None:
        state = self._market.state()
        if state is not None and self._status.is_flowing:
            self._status.set(state)

    def _report_stale_instruments(self) -> None:
        now_us = self._clock.now_us()
        instruments = self._normaliser.instruments
        ages_us = sorted(
            (
                (now_us - instruments[key].quote.rt, key)
                for key in self._market.open_keys()
                if key in instruments
            ),
            reverse=True,
        )
        metrics.OLDEST_AGE.set(ages_us[0][0] / 1e6 if ages_us else 0.0)
        self._status.set_stale([key for age_us, key in ages_us if age_us > self._stale_after_us])
