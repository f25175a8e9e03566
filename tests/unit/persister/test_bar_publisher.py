"""Stored bars are published at least once, also after NATS or the database was away."""

from collections.abc import Sequence
from typing import cast

import msgspec
import pytest
from nats.errors import ConnectionClosedError, FlushTimeoutError
from pymongo.errors import AutoReconnect
from structlog.testing import capture_logs

from services.persister.bar_publisher import BarPublisher
from services.persister.stored_bars import StoredBars
from shared.bus.connection import Bus
from shared.contracts.messages import Bar, BarState
from shared.market.exchange_time import WINDOW_MS
from shared.runtime.settings import NatsSettings
from tests.support.builders import KEY, MONDAY_10_00

BARS = [
    Bar(
        key=KEY, start=MONDAY_10_00 + number * WINDOW_MS, open=1.0, high=2.0, low=0.5, close=1.5,
        ltq=None, ltt=None, volume=7, vtt=7, atp=None, oi=None, ticks=3, state=BarState.COMPLETE,
        silent_ms=0, epoch=1,
    )
    for number in range(3)
]  # fmt: skip


class FakeBus:
    """A bus and its client. While an error is set, a flush raises it."""

    def __init__(self) -> None:
        self.client = self
        self.settings = NatsSettings()
        self.messages: list[tuple[str, Bar]] = []
        self.is_connected = True
        self.error: Exception | None = None
        self.stats = {"reconnects": 0}
        self.reconnects_in_a_flush = 0

    async def publish(self, subject: str, data: bytes) -> None:
        self.messages.append((subject, msgspec.json.decode(data, type=Bar)))

    async def flush(self, timeout: int) -> None:  # noqa: ASYNC109  # the client's signature
        self.stats["reconnects"] += self.reconnects_in_a_flush
        if self.error is not None:
            raise self.error

    @property
    def bars(self) -> list[Bar]:
        return [bar for _, bar in self.messages]


class FakeNotes:
    """The notes of bars to publish, in their order. While an error is set, a call raises it."""

    def __init__(self, **notes: Sequence[Bar]) -> None:
        self.notes = dict(notes)
        self.error: Exception | None = None

    async def next(self) -> StoredBars | None:
        self._fail()
        for name, bars in self.notes.items():
            return StoredBars(bars, [name])
        return None

    async def remove(self, notes: Sequence[str]) -> None:
        self._fail()
        for name in notes:
            self.notes.pop(name, None)

    def _fail(self) -> None:
        if self.error is not None:
            raise self.error


class Harness:
    """A publisher between a fake bus and fake notes."""

    def __init__(self, **notes: Sequence[Bar]) -> None:
        self.bus = FakeBus()
        self.notes = FakeNotes(**notes)
        self.publisher = BarPublisher(cast("Bus", self.bus), self.notes)


STORED = StoredBars(BARS, ["now"])


async def test_each_bar_is_published_on_the_subject_of_its_instrument() -> None:
    harness = Harness(now=BARS)
    await harness.publisher.publish(STORED)
    assert harness.bus.messages == [("md.bar.5m.NSE_EQ.INE002A01018", bar) for bar in BARS]
    assert harness.notes.notes == {}


@pytest.mark.parametrize("error", [ConnectionClosedError(), FlushTimeoutError(), OSError("pipe")])
async def test_bars_that_nats_has_not_confirmed_are_published_again(error: Exception) -> None:
    harness = Harness(now=BARS)
    harness.bus.error = error
    with capture_logs() as logs:
        await harness.publisher.publish(STORED)
        await harness.publisher.catch_up()
    assert [(line["log_level"], line["event"]) for line in logs] == [
        ("warning", "bars not published, trying again")
    ]
    assert harness.notes.notes == {"now": BARS}
    harness.bus.error = None
    harness.bus.messages.clear()
    await harness.publisher.catch_up()
    assert harness.bus.bars == BARS
    assert harness.notes.notes == {}


async def test_bars_are_not_confirmed_by_another_connection() -> None:
    harness = Harness(now=BARS)
    harness.bus.reconnects_in_a_flush = 1
    await harness.publisher.publish(STORED)
    assert harness.notes.notes == {"now": BARS}


async def test_nothing_is_published_while_nats_is_away() -> None:
    harness = Harness(now=BARS)
    harness.bus.is_connected = False
    await harness.publisher.publish(STORED)
    assert harness.bus.messages == []
    assert harness.notes.notes == {"now": BARS}


async def test_a_term_begins_with_the_bars_that_the_last_leader_has_not_published() -> None:
    harness = Harness(first=BARS[:1], second=BARS[1:])
    harness.publisher.begin_term()
    await harness.publisher.catch_up()
    assert harness.bus.bars == BARS
    assert harness.notes.notes == {}
    harness.notes.error = AutoReconnect("not needed any more")
    await harness.publisher.catch_up()


async def test_a_note_that_cannot_be_removed_is_published_again() -> None:
    harness = Harness(now=BARS)
    harness.notes.error = AutoReconnect("no primary")
    await harness.publisher.publish(STORED)
    await harness.publisher.catch_up()
    harness.notes.error = None
    await harness.publisher.catch_up()
    assert harness.bus.bars == [*BARS, *BARS]
    assert harness.notes.notes == {}


async def test_a_window_of_any_size_is_published() -> None:
    many = [msgspec.structs.replace(BARS[0], ticks=number) for number in range(4_500)]
    harness = Harness()
    await harness.publisher.publish(StoredBars(many, []))
    assert harness.bus.bars == many
