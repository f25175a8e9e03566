import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from nats.errors import TimeoutError as NatsTimeoutError

from services.auth import metrics
from services.auth.revocation_publisher import RevocationPublisher
from shared.bus.connection import Bus
from shared.contracts.revocations import Revocation, SessionRevoked, decode
from shared.runtime.settings import NatsSettings
from shared.runtime.tasks import stop
from tests.support.waiting import eventually
from tests.unit.auth.fakes import FakeClock

RETENTION_SECS = 635.0
FIRST = SessionRevoked(session_id="s1", until=1_795_349_435)
SECOND = SessionRevoked(session_id="s2", until=1_795_349_435)


class MemoryRevocationLog:
    """A `RevocationLog` in two lists."""

    def __init__(self) -> None:
        self.waiting: list[Revocation] = []
        self.published: list[Revocation] = []

    async def unpublished(self) -> list[Revocation]:
        return list(self.waiting)

    async def effective(self, now: datetime) -> list[Revocation]:
        return [*self.published, *self.waiting]

    async def record_published(self, revocations: list[Revocation]) -> None:
        self.waiting = [waiting for waiting in self.waiting if waiting not in revocations]
        self.published += [new for new in revocations if new not in self.published]


class FakeBus:
    """A connection whose JetStream stores what is published, unless it fails."""

    def __init__(self) -> None:
        self.settings = NatsSettings()
        self.resync_required = asyncio.Event()
        self.js = self
        self.failures = 0
        self.received: list[Revocation] = []

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def stream_info(self, name: str) -> Any:
        return SimpleNamespace(config=SimpleNamespace(max_age=RETENTION_SECS))

    async def publish(self, subject: str, payload: bytes) -> None:
        if self.failures:
            self.failures -= 1
            raise NatsTimeoutError
        self.received.append(decode(subject, payload))

    async def has_received(self, *revocations: Revocation) -> None:
        async def look() -> bool:
            return self.received == list(revocations)

        await eventually(look, what=f"{revocations} are published")


@pytest.fixture
async def bus() -> FakeBus:
    return FakeBus()


@pytest.fixture
def log() -> MemoryRevocationLog:
    return MemoryRevocationLog()


@asynccontextmanager
async def running(
    bus: FakeBus, log: MemoryRevocationLog, clock: FakeClock
) -> AsyncIterator[RevocationPublisher]:
    @asynccontextmanager
    async def connect() -> AsyncIterator[Bus]:
        yield cast("Bus", bus)

    publisher = RevocationPublisher(connect, log, clock, retention_secs=RETENTION_SECS)
    task = asyncio.create_task(publisher.run())
    try:
        yield publisher
    finally:
        await stop([task])


def failure_count() -> float:
    [metric] = metrics.PUBLISH_FAILURES.collect()
    return metric.samples[0].value


async def test_the_effective_revocations_are_published_at_the_start(
    bus: FakeBus, log: MemoryRevocationLog, clock: FakeClock
) -> None:
    log.published, log.waiting = [FIRST], [SECOND]
    async with running(bus, log, clock):
        await bus.has_received(FIRST, SECOND)
    assert log.waiting == []


async def test_a_notified_publisher_publishes_new_revocations_once(
    bus: FakeBus, log: MemoryRevocationLog, clock: FakeClock
) -> None:
    log.waiting = [FIRST]
    async with running(bus, log, clock) as publisher:
        await bus.has_received(FIRST)
        log.waiting = [SECOND]
        publisher.notify()
        await bus.has_received(FIRST, SECOND)


async def test_revocations_of_another_process_are_published_without_a_notification(
    bus: FakeBus, log: MemoryRevocationLog, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.auth.revocation_publisher._POLL_SECS", 0.05)
    log.waiting = [FIRST]
    async with running(bus, log, clock):
        await bus.has_received(FIRST)
        log.waiting = [SECOND]
        await bus.has_received(FIRST, SECOND)


async def test_a_failed_publish_is_counted_and_repeated(
    bus: FakeBus, log: MemoryRevocationLog, clock: FakeClock
) -> None:
    before = failure_count()
    bus.failures = 2
    log.waiting = [FIRST]
    async with running(bus, log, clock):
        await bus.has_received(FIRST)
    assert failure_count() == before + 2
    assert log.waiting == []


async def test_all_effective_revocations_are_published_again_after_a_reconnect(
    bus: FakeBus, log: MemoryRevocationLog, clock: FakeClock
) -> None:
    log.waiting = [FIRST]
    async with running(bus, log, clock) as publisher:
        await bus.has_received(FIRST)
        bus.resync_required.set()
        publisher.notify()
        await bus.has_received(FIRST, FIRST)
    assert not bus.resync_required.is_set()
