"""A client leaves a nats-server that is cut off from the two others, whatever it led before."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from nats.errors import Error as NatsError

from shared.bus.connection import connect_bus
from shared.bus.resources import ensure_ticks_stream
from shared.runtime.health import Readiness
from shared.runtime.settings import NatsSettings
from tests.support.buses import STREAM_AGE_SECS, STREAM_BYTES
from tests.support.cluster.nats_cluster import NODES, NatsCluster, run_nats_cluster
from tests.support.cluster.nats_versions import configured, newest
from tests.support.servers import PASSWORD
from tests.support.services import running_components
from tests.support.waiting import eventually

pytestmark = pytest.mark.long


async def make_stream(nats: NatsCluster) -> None:
    settings = NatsSettings(url=nats.url, replicas=NODES)
    async with connect_bus(
        settings, user="ingest", password=PASSWORD, readiness=Readiness("test")
    ) as bus:

        async def is_made() -> bool:
            try:
                await ensure_ticks_stream(bus, max_age_secs=STREAM_AGE_SECS, max_bytes=STREAM_BYTES)
            except (NatsError, TimeoutError):
                return False
            return True

        await eventually(is_made, what="the cluster has made the stream")
    await nats.wait_current(("TICKS",))


@pytest.mark.parametrize("nats_server", [configured, newest])
@pytest.mark.parametrize("is_leader", [True, False])
async def test_a_client_of_a_server_that_is_cut_off_uses_another_one(
    nats_server: Callable[[], Path], is_leader: bool
) -> None:
    async with run_nats_cluster(nats_server()) as nats:
        await make_stream(nats)
        leader = await nats.leader("TICKS")
        cut_off = leader if is_leader else nats.others(leader)[0]
        others = nats.others(cut_off)
        urls = ",".join(node.url for node in (cut_off, *others))
        async with connect_bus(
            NatsSettings(url=urls), user="gateway", password=PASSWORD, readiness=Readiness("test")
        ) as bus:
            while bus.client.connected_url is None or bus.client.connected_url.port != cut_off.port:
                await bus.client.force_reconnect()
                await eventually(lambda: bus.client.is_connected, what="it is connected")
            async with running_components([bus]), nats.cut_off(cut_off):
                since = time.monotonic()

                def uses_another() -> bool:
                    url = bus.client.connected_url
                    return url is not None and url.port in {node.port for node in others}

                await eventually(uses_another, what="another server is used")
                print(f"left after {time.monotonic() - since:.1f} s", flush=True)
                await bus.js.stream_info("TICKS")
