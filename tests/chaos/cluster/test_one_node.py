"""Any one node of three nats-servers or of three mongods dies or stops under load."""

import pytest

from tests.support.cluster.checks import check_everything
from tests.support.cluster.faults import Fault, strike
from tests.support.cluster.load import load_on
from tests.support.cluster.nats_versions import configured
from tests.support.cluster.stack import cluster_stack

pytestmark = [pytest.mark.seconds, pytest.mark.long]
_DOWN_SECS = 3.0


async def test_clients_are_served_and_no_bar_or_order_is_lost_or_doubled() -> None:
    async with cluster_stack(configured()) as stack, load_on(stack) as load:
        node = await stack.nats.leader("TICKS")
        await strike(stack, load, node, Fault.KILL, "NATS, leader of TICKS", down_secs=_DOWN_SECS)
        node = stack.nats.node_of(stack.services["gateway-0"])
        await strike(stack, load, node, Fault.STOP, "NATS, a gateway's", down_secs=_DOWN_SECS)
        primary = stack.replica_set.member(is_primary=True)
        await strike(stack, load, primary, Fault.KILL, "MongoDB primary", down_secs=_DOWN_SECS)
        primary = stack.replica_set.member(is_primary=True)
        await strike(stack, load, primary, Fault.STOP, "MongoDB primary", down_secs=_DOWN_SECS)
        await check_everything(stack, load)
