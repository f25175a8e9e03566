"""Reports that the paper broker can use no entry of TICKS, or that no clock tick comes."""

from collections.abc import Callable
from typing import Final

from services.trading import metrics
from services.trading.paper.progress import ProgressMonitor
from services.trading.partition.ledger import Ledger
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_CHECK_SECS: Final = 1.0


class Stalls:
    """Watches the broker of a ledger for one term.

    While it is stalled or no clock tick comes, the feed counts as not live for new orders
    (`Ledger.is_feed_live`).
    `on_stalled` is called with the reason when a stall begins, and with an empty one when it ends.
    """

    def __init__(
        self,
        ledger: Ledger,
        partition: int,
        on_stalled: Callable[[str], None],
        *,
        silence_secs: float,
    ) -> None:
        self._ledger = ledger
        self._partition = partition
        self._on_stalled = on_stalled
        self._monitor = ProgressMonitor(ledger.broker.progress, silence_secs=silence_secs)
        self._gauge = metrics.STALLED.labels(str(partition))
        self._gauge.set(0)

    async def run(self, clock: Clock) -> None:
        """Check each second until cancelled: also while TICKS cannot be read."""
        try:
            while True:
                self.check(clock.monotonic())
                await clock.sleep(_CHECK_SECS)
        finally:
            self._gauge.set(0)  # another owner may be able to go on

    def check(self, now_secs: float) -> None:
        """Report what has changed. `now_secs`: monotonic."""
        reason, ledger = self._monitor.check(now_secs), self._ledger
        self._report_silence()
        if bool(reason) == ledger.is_stalled:
            return
        ledger.is_stalled = bool(reason)
        self._gauge.set(ledger.is_stalled)
        if reason:
            log.error(
                "no entry of the tick stream moves the paper market on; new orders are refused",
                partition=self._partition, reason=reason,
            )  # fmt: skip
        else:
            log.info("entries of the tick stream are used again", partition=self._partition)
        self._on_stalled(reason)

    def _report_silence(self) -> None:
        ledger, is_silent = self._ledger, self._monitor.is_silent
        if is_silent == ledger.is_silent:
            return
        ledger.is_silent = is_silent
        if is_silent:
            log.warning("no clock tick comes; new orders are refused", partition=self._partition)
        else:
            log.info("clock ticks come again", partition=self._partition)
