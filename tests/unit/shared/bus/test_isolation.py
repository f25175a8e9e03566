"""A server through which JetStream does not answer is left, ever more rarely, on virtual time."""

import asyncio
import itertools
from dataclasses import dataclass, field
from math import inf
from typing import cast

import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import ClusterInfo, StreamConfig, StreamInfo, StreamState
from nats.js.errors import NotFoundError

from shared.bus.isolation import IsolationWatch
from tests.support.virtual_time import LoopClock, run_virtual

REQUEST_SECS = 3.0


@dataclass
class FakeServers:
    """A client, and JetStream as it is reached through the client's server."""

    silent: list[tuple[float, float]] = field(default_factory=list)
    is_connected: bool = True
    has_stream: bool = True
    without_leader_from: float = inf
    left_at: list[float] = field(default_factory=list)

    async def force_reconnect(self) -> None:
        self.left_at.append(asyncio.get_running_loop().time())

    async def stream_info(self, _: str) -> StreamInfo:
        now = asyncio.get_running_loop().time()
        if any(start <= now < end for start, end in self.silent):
            await asyncio.sleep(REQUEST_SECS)
            raise TimeoutError
        if not self.has_stream:
            raise NotFoundError
        cluster = ClusterInfo(leader=None if now >= self.without_leader_from else "nats-0")
        return StreamInfo(StreamConfig(), StreamState(0, 0, 0, 0, 0), cluster=cluster)


def left_at(servers: FakeServers, secs: float) -> list[float]:
    async def main() -> None:
        watch = IsolationWatch(
            cast("Client", servers), cast("JetStreamContext", servers), "TICKS", LoopClock()
        )
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(secs):
                await watch.run()

    run_virtual(main())
    return servers.left_at


def test_a_server_without_jetstream_is_left_after_three_questions() -> None:
    (at,) = left_at(FakeServers(silent=[(10, 30)]), 100)
    assert at - 10 <= 3 * (3.0 + REQUEST_SECS) + 3.0


def test_a_former_leader_of_the_stream_that_answers_and_names_no_leader_is_left() -> None:
    (at,) = left_at(FakeServers(without_leader_from=20), 40)
    assert at - 20 <= 4 * 3.0


def test_one_or_two_lost_answers_are_an_election_and_no_reason_to_leave() -> None:
    assert left_at(FakeServers(silent=[(10, 19), (40, 49)]), 100) == []


def test_while_jetstream_answers_nowhere_servers_are_changed_ever_more_rarely() -> None:
    times = left_at(FakeServers(silent=[(0, 10_000)]), 3_000)
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert pauses == sorted(pauses)
    assert pauses[0] == pytest.approx(6 * 6.0)
    assert pauses[-1] == pytest.approx(96 * 6.0)


def test_after_an_answer_the_next_silence_is_noticed_as_soon_as_the_first() -> None:
    times = left_at(FakeServers(silent=[(0, 100), (200, 230)]), 300)
    assert next(at for at in times if at > 200) - 200 <= 21.0


@pytest.mark.parametrize(("is_connected", "has_stream"), [(False, True), (True, False)])
def test_a_missing_connection_or_stream_is_no_reason_to_leave(
    is_connected: bool, has_stream: bool
) -> None:
    silent = [] if is_connected else [(0.0, 1_000.0)]
    servers = FakeServers(silent, is_connected=is_connected, has_stream=has_stream)
    assert left_at(servers, 200) == []
