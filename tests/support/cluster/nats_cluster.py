"""Three nats-servers on loopback with the configuration of deploy/nats, joined by routes that can
be cut."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
import psutil

from embedded.daemons import NATS_CONFIG
from embedded.ports import HOST, free_ports
from tests.support.patience import PATIENCE_SECS
from tests.support.processes import ChildProcess
from tests.support.servers import NatsServer, data_folder
from tests.support.tcp_proxy import CuttableProxy, cuttable_proxy
from tests.support.waiting import eventually

NODES: Final = 3
_COMMON: Final = ("nats-server.conf", "authorization.conf")
_PROBE: Final = aiohttp.ClientTimeout(total=1)


class NatsNode(NatsServer):
    """One server of the three."""

    def __init__(
        self, command: list[str], port: int, folder: Path, name: str, monitor_port: int
    ) -> None:
        super().__init__(command, port, folder)
        self.node = name
        """Its name in the cluster."""
        self.monitor_port = monitor_port


class NatsCluster:
    """Clients get the addresses of all servers, as in production."""

    def __init__(
        self, nodes: list[NatsNode], routes: dict[tuple[int, int], CuttableProxy],
        http: aiohttp.ClientSession,
    ) -> None:  # fmt: skip
        self.nodes = nodes
        self._routes = routes
        self._http = http

    @property
    def url(self) -> str:
        """The addresses of all servers, separated by commas."""
        return ",".join(node.url for node in self.nodes)

    async def leader(self, stream: str) -> NatsNode:
        """The server that leads a stream, once there is one."""

        async def find() -> list[NatsNode]:
            names = {report.get("leader") for report in await self._streams(stream)}
            return [node for node in self.nodes if node.node in names]

        return (await eventually(find, what=f"{stream} has a leader"))[0]

    async def other_leader(self, stream: str, former: NatsNode) -> None:
        """Wait until another server than `former` leads a stream."""

        async def has_other() -> bool:
            return (await self.leader(stream)) is not former

        await eventually(has_other, what=f"{stream} has another leader")

    async def wait_current(self, streams: tuple[str, ...]) -> None:
        """Wait until all replicas of these streams have caught up."""

        behind: dict[str, list[dict[str, Any]]] = {}

        async def are_current() -> bool:
            behind.clear()
            for stream in streams:
                reports = await self._streams(stream)
                if not any(_is_complete(report) for report in reports):
                    behind[stream] = reports
            return not behind

        try:
            await eventually(are_current, what="all replicas are current")
        except AssertionError as error:
            raise AssertionError(f"{error}; behind: {behind}") from None

    def node_of(self, process: ChildProcess) -> NatsNode:
        """The server to which a process is connected."""
        connections = psutil.Process(process.pid).net_connections("tcp")
        ports = {one.raddr.port for one in connections if one.status == psutil.CONN_ESTABLISHED}
        for node in self.nodes:
            if node.port in ports:
                return node
        raise AssertionError(f"{process.name} is connected to no server")

    def others(self, *nodes: NatsNode) -> list[NatsNode]:
        """The servers that are not among these."""
        return [node for node in self.nodes if node not in nodes]

    @asynccontextmanager
    async def cut_off(self, node: NatsNode) -> AsyncIterator[None]:
        """Let no byte pass between this server and the others; clients still reach all of them."""
        at = self.nodes.index(node)
        async with AsyncExitStack() as stack:
            for ends, proxy in self._routes.items():
                if at in ends:
                    await stack.enter_async_context(proxy.silent())
            yield

    async def _streams(self, stream: str) -> list[dict[str, Any]]:
        """What each running server says of a stream's group."""
        replies = await asyncio.gather(*map(self._jetstream, self.nodes))
        return [
            found.get("cluster", {})
            for reply in replies
            for account in reply.get("account_details", [])
            for found in account.get("stream_detail", [])
            if found["name"] == stream
        ]

    async def _jetstream(self, node: NatsNode) -> dict[str, Any]:
        url = f"http://{HOST}:{node.monitor_port}/jsz?accounts=true&streams=true"
        try:
            async with self._http.get(url, timeout=_PROBE) as response:
                reply: dict[str, Any] = await response.json()
        except (aiohttp.ClientError, TimeoutError):
            return {}
        return reply


def _is_complete(report: dict[str, Any]) -> bool:
    replicas = report.get("replicas", [])
    return (
        bool(report.get("leader"))
        and len(replicas) == NODES - 1
        and all(replica.get("current") and not replica.get("offline") for replica in replicas)
    )


@asynccontextmanager
async def run_nats_cluster(program: Path) -> AsyncIterator[NatsCluster]:
    """Three empty servers, each of which has found the two others."""
    clients, routes, monitors, unused = (free_ports(NODES) for _ in range(4))
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(data_folder("tradedad-nats-"))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        proxies = {
            (n, to): await stack.enter_async_context(cuttable_proxy(routes[to]))
            for n in range(NODES)
            for to in range(NODES)
            if n != to
        }
        nodes = []
        for n in range(NODES):
            targets = [proxies[n, to].address for to in range(NODES) if n != to]
            path = _configuration(folder / f"nats-{n}", routes[n], unused[n], targets)
            command = [
                str(program), "-c", str(path), "-a", HOST, "-p", str(clients[n]),
                "-m", str(monitors[n]), "-js", "-sd", str(folder / f"nats-{n}" / "data"),
            ]  # fmt: skip
            node = NatsNode(command, clients[n], folder / f"nats-{n}", f"nats-{n}", monitors[n])
            nodes.append(node)
            stack.push_async_callback(asyncio.to_thread, node.close)
        await asyncio.gather(*(asyncio.to_thread(node.start) for node in nodes))
        cluster = NatsCluster(nodes, proxies, http)
        await _wait_for_meta_leader(cluster)
        yield cluster


def _configuration(folder: Path, route_port: int, unused_port: int, targets: list[str]) -> Path:
    """The files of deploy/nats, and the cluster around them as in cluster.conf, without TLS.

    Servers tell each other their own addresses, which would lead around the proxies. So each
    tells one at which nothing listens.
    """
    folder.mkdir()
    for name in _COMMON:
        (folder / name).write_text((NATS_CONFIG.parent / name).read_text())
    routes = ", ".join(f'"nats-route://{target}"' for target in targets)
    path = folder / "cluster.conf"
    path.write_text(
        f'include "nats-server.conf"\n'
        f"server_name: {folder.name}\n"
        f'cluster {{ name: tradedad, listen: "{HOST}:{route_port}", no_advertise: true\n'
        f'advertise: "{HOST}:{unused_port}"\n'
        f"routes: [{routes}] }}\n"
    )
    return path


async def _wait_for_meta_leader(cluster: NatsCluster) -> None:
    async def is_ready() -> bool:
        replies = await asyncio.gather(*map(cluster._jetstream, cluster.nodes))
        groups = [reply.get("meta_cluster") or {} for reply in replies]
        return all(group.get("leader") and group.get("cluster_size") == NODES for group in groups)

    await eventually(is_ready, what="the servers have a leader", timeout_secs=PATIENCE_SECS)
