"""Watches the free space of the disk on which a server stores this service's data."""

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import Final

from prometheus_client import Gauge

from shared.runtime.disk_space import free_space
from shared.runtime.logs import get_logger
from shared.runtime.settings import RuntimeSettings

log = get_logger(__name__)

DISK_FREE: Final = Gauge(
    "tradedad_disk_free_bytes",
    "Free space of the disk that has the data of a store, if it is on this machine.",
    ["store"],
)
_EVERY_SECS: Final = 1.0
_RECOVERY_FACTOR: Final = 1.25
"""A state ends once the free space is this multiple of its threshold, so that it does not flap."""


class Space(StrEnum):
    """How much space is left."""

    ENOUGH = "enough"
    LOW = "low"
    CRITICAL = "critical"


_EVENTS: Final = {
    Space.ENOUGH: "disk has enough free space again",
    Space.LOW: "disk is almost full; free some space",
    Space.CRITICAL: "disk is full; free some space now",
}


class DiskWatch:
    """A component that measures free space once a second, and logs each change of its state.

    `folder` may not exist yet; then the disk of its nearest parent is measured.
    """

    def __init__(self, store: str, folder: Path, settings: RuntimeSettings) -> None:
        self.folder = folder
        self._store = store
        self._low_bytes = settings.disk_low_bytes
        self._critical_bytes = settings.disk_critical_bytes
        self.space = Space.ENOUGH
        self.free_bytes = 0
        self._is_known = True

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            await self.measure()
            await asyncio.sleep(_EVERY_SECS)

    async def measure(self) -> None:
        """Update the state, the metric and the log; an unreadable disk is logged once."""
        try:
            free_bytes = await asyncio.to_thread(free_space, self.folder)
        except OSError as error:
            self._note_unknown(error)
            return
        self._note_known()
        DISK_FREE.labels(self._store).set(free_bytes)
        self.free_bytes = free_bytes
        space = self._space(free_bytes)
        if space is self.space:
            return
        self.space = space
        write = log.info if space is Space.ENOUGH else log.warning
        if space is Space.CRITICAL:
            write = log.error
        write(
            _EVENTS[space], store=self._store, folder=str(self.folder), free_bytes=free_bytes,
            low_bytes=self._low_bytes, critical_bytes=self._critical_bytes,
        )  # fmt: skip

    def _note_unknown(self, error: OSError) -> None:
        """Report once that the free space cannot be measured. Storing goes on, or stays stopped."""
        if self._is_known:
            log.warning(
                "free space is unknown, a full disk would not be noticed",
                store=self._store, folder=str(self.folder), error=str(error),
            )  # fmt: skip
        self._is_known = False

    def _note_known(self) -> None:
        if not self._is_known:
            log.info("free space is known again", store=self._store, folder=str(self.folder))
        self._is_known = True

    def _space(self, free_bytes: int) -> Space:
        is_worse = self.space is Space.CRITICAL
        if free_bytes < self._critical_bytes * (_RECOVERY_FACTOR if is_worse else 1):
            return Space.CRITICAL
        is_worse = self.space is not Space.ENOUGH
        if free_bytes < self._low_bytes * (_RECOVERY_FACTOR if is_worse else 1):
            return Space.LOW
        return Space.ENOUGH
