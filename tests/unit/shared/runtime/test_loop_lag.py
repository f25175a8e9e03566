"""The delay of the event loop's timers is observed."""

import asyncio

from prometheus_client import REGISTRY

from shared.runtime.loop_lag import LoopLag
from shared.runtime.tasks import stop
from tests.support.virtual_time import on_virtual_time, stall

NAME = "tradedad_event_loop_lag_seconds"


def observed() -> int:
    return int(REGISTRY.get_sample_value(f"{NAME}_count") or 0)


def above(secs: str) -> int:
    """Delays of more than `secs`, a bound of the buckets."""
    return observed() - int(REGISTRY.get_sample_value(f"{NAME}_bucket", {"le": secs}) or 0)


@on_virtual_time
async def test_an_idle_loop_has_no_lag() -> None:
    before, late = observed(), above("0.001")
    running = asyncio.create_task(LoopLag().run())
    await asyncio.sleep(10.1)
    await stop([running])
    assert observed() - before == 40
    assert above("0.001") == late


@on_virtual_time
async def test_a_stopped_process_has_the_lag_of_its_stop() -> None:
    before = above("2.0")
    running = asyncio.create_task(LoopLag().run())
    await asyncio.sleep(0.1)
    await stall(3.0)
    await asyncio.sleep(0.3)
    await stop([running])
    assert above("2.0") == before + 1
