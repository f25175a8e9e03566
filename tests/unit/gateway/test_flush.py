"""Clients are written to as often as it is work, and of all that waits nothing is left behind."""

import asyncio
import itertools
import time
from types import SimpleNamespace

import pytest

from services.gateway.answers import batch_head, snapshot_head
from services.gateway.flush import Flusher, turn_secs
from services.gateway.frames import batch_frame
from services.gateway.hub import Hub
from services.gateway.outbox import Outbox
from services.gateway.protocol import Channel
from shared.subjects import bar_subject
from tests.support.builders import KEY
from tests.support.virtual_time import run_virtual, stand_still


@pytest.mark.parametrize(
    ("work_secs", "expected"),
    [
        (0.0, 0.0),  # nobody: at once
        (0.001, 0.005),  # few: often, with as much rest as leaves time for all else
        (0.009, 0.018),  # many: within the latency goal
        (0.011, 0.018),
        (0.020, 0.030),  # too many for it: still with a rest
        (1.0, 1.5),
    ],
)
def test_a_turn_leaves_time_for_what_comes_meanwhile(work_secs: float, expected: float) -> None:
    assert turn_secs(work_secs, longest_secs=0.018) == pytest.approx(expected)


class Wheel:
    """A flusher with one client, of channel `bars`."""

    def __init__(self) -> None:
        self.hub = Hub(max_age_secs=2)
        self.flusher = Flusher(
            self.hub, longest_ms=18, buffer_bytes=65_536, blocked_secs=15, max_age_secs=2
        )
        self.written: list[bytes] = []
        self.outbox = Outbox(write=self.written.append, unsent=lambda: 0)
        lane = self.outbox.lane(Channel.BARS)
        self.flusher.add(lane, self.outbox)
        self.hub.subscribe(lane, KEY)

    def publish(self, message: bytes) -> None:
        self.hub.put(Channel.BARS, bar_subject(KEY), message)
        self.flusher.mark()


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at the clock finds half a millisecond of work done, so a turn takes 8 ms."""
    done = itertools.count(step=0.000_5)
    clock = SimpleNamespace(perf_counter=lambda: next(done), time=time.time)
    monkeypatch.setattr("services.gateway.flush.time", clock)


@pytest.mark.usefixtures("work")
def test_a_lone_message_leaves_soon_however_long_ago_the_one_before_came() -> None:
    async def main() -> None:
        wheel = Wheel()
        for gap_ms in range(60):
            wheel.publish(b"before")
            await asyncio.sleep(gap_ms / 1_000)
            wheel.publish(b"lone")
            await asyncio.sleep(0.1)
            assert b"lone" in wheel.written[-1], f"{gap_ms} ms later"

    run_virtual(main())


@pytest.mark.usefixtures("work")
def test_a_gateway_that_stood_still_sends_the_newest_state_soon_after() -> None:
    async def main() -> None:
        wheel = Wheel()
        await asyncio.sleep(0)
        wheel.publish(b"before")
        await asyncio.sleep(0.001)
        wheel.publish(b"waits")
        await stand_still(secs=5)
        await asyncio.sleep(0.1)
        assert wheel.written[-1] == batch_frame(snapshot_head(Channel.BARS), [b"waits"])
        wheel.publish(b"live")
        await asyncio.sleep(0.1)
        assert wheel.written[-1] == batch_frame(batch_head(Channel.BARS), [b"live"])

    run_virtual(main())
