"""Clients are written to as often as it is work, and of all that waits nothing is left behind."""

import asyncio
import itertools
import time
from types import SimpleNamespace

import pytest

from services.gateway.flush import Flusher, turn_secs
from services.gateway.hub import Hub
from services.gateway.outbox import Outbox
from services.gateway.protocol import Channel
from shared.subjects import STATUS
from tests.support.virtual_time import run_virtual


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


def test_a_lone_message_leaves_soon_however_long_ago_the_one_before_came(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    work = itertools.count(step=0.000_5)  # each look at the clock finds so much done: 8 ms a turn
    clock = SimpleNamespace(perf_counter=lambda: next(work), time=time.time)
    monkeypatch.setattr("services.gateway.flush.time", clock)

    async def main() -> None:
        hub = Hub(max_age_secs=2)
        flusher = Flusher(hub, longest_ms=18, buffer_bytes=65_536, blocked_secs=15, max_age_secs=2)
        written: list[bytes] = []
        outbox = Outbox(write=written.append, unsent=lambda: 0)
        lane = outbox.lane(Channel.STATUS)
        flusher.add(lane, outbox)
        hub.subscribe_whole(lane, "user-1")
        for gap_ms in range(60):
            for message in (b"before", b"lone"):
                hub.put(Channel.STATUS, STATUS, message)
                flusher.mark()
                await asyncio.sleep(gap_ms / 1_000 if message == b"before" else 0.1)
            assert b"lone" in written[-1], f"{gap_ms} ms later"

    run_virtual(main())
