"""The drain at shutdown, on virtual time."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from services.gateway.settings import GatewaySettings
from services.gateway.stream.endpoint import StreamEndpoint
from services.gateway.stream.protocol import CloseCode
from services.gateway.stream.registry import StreamTermination
from shared.runtime.departure import Departure
from shared.runtime.health import Readiness
from tests.support.virtual_time import run_virtual


class FakeStream:
    """Records the time at which the drain ends it."""

    def __init__(self, ended_at: list[float]) -> None:
        self._ended_at = ended_at

    def end(self, termination: StreamTermination) -> None:
        assert termination.close_code == CloseCode.RESTARTING
        self._ended_at.append(asyncio.get_running_loop().time())


@pytest.mark.parametrize(
    ("streams", "spread_secs", "expected_secs"),
    [
        (90, 5.0, 0.45),  # 5 ms per stream
        (4_000, 5.0, 5.0),  # limited by the spread
        (4_000, 0.0, 0.0),
    ],
)
def test_the_streams_are_closed_one_after_another_within_the_spread(
    streams: int, spread_secs: float, expected_secs: float
) -> None:
    async def close_all() -> list[float]:
        ended_at: list[float] = []
        settings = GatewaySettings.model_validate(
            {"nats_password": "x", "shutdown_spread_secs": spread_secs}
        )
        context = SimpleNamespace(
            settings=settings, streams=[FakeStream(ended_at) for _ in range(streams)]
        )
        readiness = Readiness("gateway")
        departure = Departure()
        endpoint = StreamEndpoint(cast("Any", context), cast("Any", None), readiness, departure)
        await endpoint.drain()
        assert not readiness.is_ready()
        return ended_at

    ended_at = run_virtual(close_all())
    assert len(ended_at) == streams
    assert ended_at == sorted(ended_at)
    assert ended_at[-1] - ended_at[0] == pytest.approx(expected_secs, abs=0.02)


def test_no_stream_is_closed_before_the_grace_period_is_over() -> None:
    async def close_one() -> list[float]:
        ended_at: list[float] = []
        settings = GatewaySettings.model_validate({"nats_password": "x"})
        context = SimpleNamespace(settings=settings, streams=[FakeStream(ended_at)])
        readiness = Readiness("gateway")
        endpoint = StreamEndpoint(
            cast("Any", context), cast("Any", None), readiness, Departure(grace_secs=2.0)
        )
        draining = asyncio.create_task(endpoint.drain())
        await asyncio.sleep(1.9)
        assert not readiness.is_ready()
        assert ended_at == []
        await draining
        return ended_at

    assert run_virtual(close_one()) == [pytest.approx(2.0)]
