"""The announced stop of an HTTP server: clients and balancers leave before it closes its port."""

import asyncio

from shared.runtime.settings import RuntimeSettings


class Departure:
    """From the announcement on, each answer ends its connection (`Connection: close`).

    A client with a kept connection otherwise sends a request at the moment at which the server
    closes it, and gets a reset instead of an answer.
    """

    def __init__(self, grace_secs: float = 0.0) -> None:
        self._grace_secs = grace_secs
        self.is_announced = False

    async def announce(self) -> None:
        """Announce the stop, and wait for the grace period. A second call returns at once."""
        if self.is_announced:
            return
        self.is_announced = True
        await asyncio.sleep(self._grace_secs)


def departure_of(runtime: RuntimeSettings) -> Departure:
    """The departure of a process with these settings."""
    return Departure(grace_secs(runtime))


def grace_secs(runtime: RuntimeSettings) -> float:
    """The grace period; it leaves most of the deadline to the rest of the stop."""
    return min(runtime.shutdown_grace_secs, runtime.shutdown_deadline_secs / 4)
