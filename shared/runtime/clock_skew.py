"""Measures how far this process's clock is from the clock of a peer."""

from typing import Final

from prometheus_client import Gauge

from shared.runtime.health import Readiness
from shared.runtime.logs import get_logger

log = get_logger(__name__)

CLOCK_SKEW: Final = Gauge(
    "tradedad_clock_skew_seconds",
    "How far the clock of this process is ahead of a peer's; negative if it is behind.",
    ["peer"],
)


def dependency_of(peer: str) -> str:
    """The name under which a clock that differs from the clock of `peer` is reported."""
    return f"clock_{peer}"


class ClockSkew:
    """The skew against one peer. Beyond `max_secs` it is logged, and the process is not ready.

    A process whose clock is wrong refuses valid tokens, issues tokens that others refuse, and
    writes wrong times. Without `readiness` a skew is logged only: for a peer whose wrong clock
    must not stop this process.
    """

    def __init__(self, peer: str, max_secs: float, readiness: Readiness | None = None) -> None:
        self._peer = peer
        self._max_secs = max_secs
        self._readiness = readiness
        self.fault: str | None = None
        """A sentence with the skew while it is beyond the bound, otherwise None."""

    def observe(self, ahead_secs: float, uncertainty_secs: float = 0.0) -> None:
        """Record a measurement: this clock is ahead by `ahead_secs` ± `uncertainty_secs`.

        A skew that the uncertainty explains is not beyond the bound.
        """
        CLOCK_SKEW.labels(self._peer).set(ahead_secs)
        was_good = self.fault is None
        if abs(ahead_secs) - uncertainty_secs <= self._max_secs:
            self.fault = None
            if self._readiness is not None:
                self._readiness.up(dependency_of(self._peer))
            elif not was_good:
                log.info("clocks agree again", peer=self._peer, ahead_secs=round(ahead_secs, 3))
            return
        direction = "ahead of" if ahead_secs > 0 else "behind"
        self.fault = (
            f"the clock of this host is {abs(ahead_secs):.1f} s {direction} the clock of "
            f"{self._peer}; at most {self._max_secs:g} s are allowed"
        )
        if self._readiness is not None:
            self._readiness.down(dependency_of(self._peer), self.fault)
        elif was_good:
            log.warning("clocks differ", peer=self._peer, reason=self.fault)
