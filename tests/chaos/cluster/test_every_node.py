"""Each kind of node of a cluster dies, stops for half a minute, or is started again, under load.

Prints a row of figures for each fault; docs/reliability.md has them as a table.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.cluster.checks import check_everything
from tests.support.cluster.faults import Fault, measured, strike
from tests.support.cluster.load import load_on
from tests.support.cluster.nats_versions import configured, newest
from tests.support.cluster.stack import cluster_stack

pytestmark = pytest.mark.long
DOWN_SECS = 30.0
VERSIONS = pytest.mark.parametrize("nats_server", [configured, newest])
FAULTS = pytest.mark.parametrize("fault", list(Fault))


@VERSIONS
@FAULTS
async def test_any_nats_server_may_fail(nats_server: Callable[[], Path], fault: Fault) -> None:
    async with cluster_stack(nats_server()) as stack, load_on(stack) as load:
        leader = await stack.nats.leader("TICKS")
        await strike(stack, load, leader, fault, "NATS, leader of TICKS", down_secs=DOWN_SECS)
        leader = await stack.nats.leader("KV_leases")
        await strike(stack, load, leader, fault, "NATS, leader of the leases", down_secs=DOWN_SECS)
        node = stack.nats.node_of(stack.services["gateway-0"])
        await strike(stack, load, node, fault, "NATS, a gateway's", down_secs=DOWN_SECS)
        leaders = [await stack.nats.leader("TICKS"), await stack.nats.leader("KV_leases")]
        node = stack.nats.others(*leaders)[0]
        await strike(stack, load, node, fault, "NATS, no leader of these", down_secs=DOWN_SECS)
        await check_everything(stack, load)


@FAULTS
async def test_any_mongod_may_fail(fault: Fault) -> None:
    async with cluster_stack(configured()) as stack, load_on(stack) as load:
        node = stack.replica_set.member(is_primary=True)
        await strike(stack, load, node, fault, "MongoDB, the primary", down_secs=DOWN_SECS)
        node = stack.replica_set.member(is_primary=False)
        await strike(stack, load, node, fault, "MongoDB, a secondary", down_secs=DOWN_SECS)
        await check_everything(stack, load)


async def test_the_primary_may_step_down_again_and_again() -> None:
    async with cluster_stack(configured()) as stack, load_on(stack) as load:
        for _ in range(3):
            async with measured(stack, load, "MongoDB, step-down of the primary"):
                await asyncio.to_thread(stack.replica_set.step_down)
        await check_everything(stack, load)


@VERSIONS
async def test_a_nats_server_may_be_cut_off_from_the_two_others(
    nats_server: Callable[[], Path],
) -> None:
    async with cluster_stack(nats_server()) as stack, load_on(stack) as load:
        node = await stack.nats.leader("KV_leases")
        async with (
            measured(stack, load, "NATS, leader of the leases cut off"),
            stack.nats.cut_off(node),
        ):
            await asyncio.sleep(DOWN_SECS)
            await load.wait_all_since(time.monotonic(), "one server is cut off")
        await check_everything(stack, load)
