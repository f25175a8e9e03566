"""One node of a cluster dies, stops or is started again, and what its clients notice is measured."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum

from tests.support.cluster.load import Load
from tests.support.cluster.nats_cluster import NatsNode
from tests.support.cluster.stack import ClusterStack
from tests.support.processes import ChildProcess


class Fault(StrEnum):
    """What happens to a node."""

    KILL = "SIGKILL"
    STOP = "SIGSTOP"
    RESTART = "restart"


@dataclass(frozen=True)
class Outage:
    """What clients noticed of one fault: the longest time without, of all of them."""

    name: str
    quotes_secs: float
    paper_secs: float
    upstox_secs: float

    def row(self) -> str:
        """A row of a table."""
        figures = (self.quotes_secs, self.paper_secs, self.upstox_secs)
        return f"| {self.name} | " + " | ".join(f"{figure:.1f}" for figure in figures) + " |"


async def strike(
    stack: ClusterStack,
    load: Load,
    node: ChildProcess,
    fault: Fault,
    name: str,
    *,
    down_secs: float,
) -> Outage:
    """Break a node for so long, and until all clients are served without it; then mend it."""
    async with measured(stack, load, f"{fault.value} of {name}") as outages, broken(node, fault):
        await asyncio.sleep(down_secs)
        await load.wait_all_since(time.monotonic(), f"{fault.value} of {name}")
    return outages[0]


@asynccontextmanager
async def broken(node: ChildProcess, fault: Fault) -> AsyncIterator[None]:
    """A node that does not work until the end of the block."""
    if fault is Fault.KILL:
        await asyncio.to_thread(node.kill)
    elif fault is Fault.STOP:
        node.pause()
    elif isinstance(node, NatsNode):
        node.send_signal(signal.SIGUSR2)  # lame duck mode, as before a pod of Kubernetes ends
        await node.exited()
    else:
        await asyncio.to_thread(node.stop)
    try:
        yield
    finally:
        if fault is Fault.STOP:
            node.resume()
        else:
            await asyncio.to_thread(node.start)


@asynccontextmanager
async def measured(stack: ClusterStack, load: Load, name: str) -> AsyncIterator[list[Outage]]:
    """Yields a list that has the outage once the block has ended and everything is whole again."""
    outages: list[Outage] = []
    since = time.monotonic()
    yield outages
    await stack.wait_healthy()
    await load.wait_all_since(time.monotonic(), f"{name} is over")
    stack.assert_nothing_ended()
    outages.append(
        Outage(
            name,
            *(
                max(series.longest_gap_secs(since) for series in load.series
                    if series.name.startswith(kind))
                for kind in ("quotes", "orders paper", "orders upstox")
            ),
        )
    )  # fmt: skip
    print(outages[0].row(), flush=True)
