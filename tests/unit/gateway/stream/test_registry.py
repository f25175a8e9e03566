"""The registry of open streams: its index, and the sweep of deadlines on virtual time."""

import asyncio
from collections.abc import Mapping

import pytest
from prometheus_client import REGISTRY

from services.gateway.fanout.interest import Outcome
from services.gateway.stream.registry import StreamRegistry, StreamTermination
from shared.runtime.tasks import stop
from shared.web.verifier import Principal
from tests.support.virtual_time import on_virtual_time

NEVER = float("inf")


class FakeStream:
    """Records the times at which the registry calls `on_deadline`."""

    def __init__(self, deadline: float = NEVER, next_deadline: float = NEVER) -> None:
        self.deadline = deadline
        self.heartbeat_at = NEVER
        self.beats_at: list[float] = []
        self.called_at: list[float] = []
        self._next_deadline = next_deadline

    def on_deadline(self, now: float) -> None:
        self.called_at.append(now)
        self.deadline = self._next_deadline

    def heartbeat(self, now: float) -> None:
        self.beats_at.append(now)
        self.heartbeat_at = now + 10.0

    def end(self, termination: StreamTermination) -> None:
        raise NotImplementedError

    def revoke(self, issued_before: int | None = None) -> None:
        raise NotImplementedError

    def report_outcomes(self, changed: Mapping[str, Outcome]) -> None:
        raise NotImplementedError

    def report_gap(self) -> None:
        raise NotImplementedError


class RemovingStream(FakeStream):
    """Leaves the registry at its deadline, as a stream does that ends."""

    def __init__(self, registry: StreamRegistry, deadline: float) -> None:
        super().__init__(deadline)
        self._registry = registry

    def on_deadline(self, now: float) -> None:
        super().on_deadline(now)
        self._registry.remove(self, None)


def principal(user_id: str, session_id: str) -> Principal:
    return Principal(
        user_id=user_id,
        session_id=session_id,
        token_id="token-1",
        roles=frozenset(),
        expires_at=2_000,
        issued_at=1_000,
    )


async def sweep(registry: StreamRegistry, secs: float) -> None:
    """Run the registry for `secs`."""
    task = asyncio.create_task(registry.run())
    await asyncio.sleep(secs)
    await stop([task])


def test_streams_are_indexed_by_user_and_by_session() -> None:
    registry = StreamRegistry()
    phone, laptop, other = FakeStream(), FakeStream(), FakeStream()
    for stream, owner in (
        (phone, principal("ann", "session-1")),
        (laptop, principal("ann", "session-2")),
        (other, principal("ben", "session-3")),
    ):
        registry.add(stream)
        registry.identify(stream, owner)
    assert set(registry.of_user("ann")) == {phone, laptop}
    assert registry.of_user("ben") == [other]
    assert registry.of_session("session-2") == [laptop]
    assert registry.of_user("session-1") == registry.of_session("ann") == []


def test_a_stream_without_a_token_is_counted_and_not_indexed() -> None:
    registry = StreamRegistry()
    stream = FakeStream()
    registry.add(stream)
    assert (len(registry), list(registry)) == (1, [stream])
    assert (registry._by_user, registry._by_session) == ({}, {})
    registry.remove(stream, None)
    assert (len(registry), list(registry)) == (0, [])


def test_a_removed_stream_leaves_the_index_and_the_others_stay() -> None:
    registry = StreamRegistry()
    owner = principal("ann", "session-1")
    first, second = FakeStream(), FakeStream()
    for stream in (first, second):
        registry.add(stream)
        registry.identify(stream, owner)
    registry.remove(first, owner)
    assert registry.of_user("ann") == registry.of_session("session-1") == [second]
    registry.remove(second, owner)
    assert (registry._by_user, registry._by_session) == ({}, {})


def test_a_lookup_of_an_unknown_owner_creates_no_entry() -> None:
    registry = StreamRegistry()
    assert registry.of_user("ann") == registry.of_session("session-1") == []
    assert (registry._by_user, registry._by_session) == ({}, {})


def test_a_stream_that_is_identified_twice_is_indexed_once() -> None:
    registry = StreamRegistry()
    stream, owner = FakeStream(), principal("ann", "session-1")
    registry.add(stream)
    registry.identify(stream, owner)
    registry.identify(stream, owner)
    assert registry.of_user("ann") == registry.of_session("session-1") == [stream]


def test_the_metric_counts_open_streams() -> None:
    registry = StreamRegistry()
    first, second = FakeStream(), FakeStream()
    registry.add(first)
    registry.add(second)
    assert REGISTRY.get_sample_value("tradedad_gateway_streams") == 2
    registry.remove(first, None)
    registry.remove(second, None)
    assert REGISTRY.get_sample_value("tradedad_gateway_streams") == 0


def test_streams_can_be_removed_during_iteration() -> None:
    registry = StreamRegistry()
    for _ in range(3):
        registry.add(FakeStream())
    for stream in registry:
        registry.remove(stream, None)
    assert len(registry) == 0


@on_virtual_time
async def test_a_stream_is_called_once_within_a_quarter_second_of_its_deadline() -> None:
    registry = StreamRegistry()
    streams = [FakeStream(deadline) for deadline in (0.0, 0.3, 1.0, 1.01)]
    for stream in streams:
        registry.add(stream)
    await sweep(registry, 5.0)
    called_at = [stream.called_at for stream in streams]
    assert called_at == [[pytest.approx(at)] for at in (0.25, 0.5, 1.0, 1.25)]


@on_virtual_time
async def test_a_stream_without_a_deadline_is_never_called() -> None:
    registry = StreamRegistry()
    stream = FakeStream()
    registry.add(stream)
    await sweep(registry, 60.0)
    assert stream.called_at == []


@on_virtual_time
async def test_a_stream_is_called_again_at_its_next_deadline() -> None:
    registry = StreamRegistry()
    stream = FakeStream(deadline=1.0, next_deadline=3.0)
    registry.add(stream)
    await sweep(registry, 3.1)
    assert stream.called_at == [pytest.approx(1.0), pytest.approx(3.0)]


@on_virtual_time
async def test_streams_may_leave_the_registry_at_their_deadline() -> None:
    registry = StreamRegistry()
    streams = [RemovingStream(registry, deadline=0.1) for _ in range(3)]
    for stream in streams:
        registry.add(stream)
    await sweep(registry, 1.0)
    assert [len(stream.called_at) for stream in streams] == [1, 1, 1]
    assert len(registry) == 0


@on_virtual_time
async def test_a_stream_beats_at_its_interval_and_only_once_it_has_a_time() -> None:
    registry = StreamRegistry()
    stream, without_token = FakeStream(), FakeStream()
    stream.heartbeat_at = 3.0
    registry.add(stream)
    registry.add(without_token)
    await sweep(registry, 25.0)
    assert stream.beats_at == [pytest.approx(at) for at in (3.0, 13.0, 23.0)]
    assert without_token.beats_at == []
