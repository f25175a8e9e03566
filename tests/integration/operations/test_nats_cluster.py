"""Three servers with the configuration of Kubernetes form a cluster by TLS, and accept services."""

import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import StreamConfig
from nats.js.errors import Error as JetStreamError

from embedded import binaries
from embedded.daemons import NATS_CONFIG
from embedded.ports import HOST, free_ports
from operations.certificates import create_authority, create_server_certificate
from operations.secret_files import NATS_PASSWORDS
from shared.bus.failover import abort_lost_connections
from tests.support.patience import PATIENCE_SECS
from tests.support.processes import child_process
from tests.support.servers import PASSWORD, Daemon, data_folder
from tests.support.waiting import eventually

_NODES: Final = 3
_REQUEST_SECS: Final = 3.0
NOW = datetime.now(UTC)


@dataclass(frozen=True)
class Cluster:
    """Addresses of running servers, and the certificate of their authority."""

    urls: list[str]
    ca_file: Path

    async def connect(self, user: str) -> Client:
        """A client of one of the configured users; the caller closes it."""
        client = Client()
        abort_lost_connections(client)
        await client.connect(
            self.urls, user=user, password=PASSWORD, inbox_prefix=f"_INBOX.{user}",
            tls=ssl.create_default_context(cafile=self.ca_file),
            connect_timeout=round(PATIENCE_SECS),
        )  # fmt: skip
        return client


def configuration(folder: Path, ports: list[tuple[int, int, int]], node: int, tls: Path) -> Path:
    """The configuration of deploy/nats with this machine's ports and files in place of a pod's."""
    folder.mkdir()
    for name in ("nats-server.conf", "authorization.conf"):
        (folder / name).write_text((NATS_CONFIG.parent / name).read_text())
    text = (NATS_CONFIG.parent / "cluster.conf").read_text()
    client, route, monitor = ports[node]
    replacements = {
        "/run/tls": str(tls),
        "/tmp/nats.pid": str(folder / "pid"),
        "0.0.0.0:4222": f"{HOST}:{client}",
        "0.0.0.0:6222": f"{HOST}:{route}",
        "0.0.0.0:8222": f"{HOST}:{monitor}",
    } | {f"nats-{n}.nats:6222": f"localhost:{ports[n][1]}" for n in range(_NODES)}
    for old, new in replacements.items():
        assert old in text, old
        text = text.replace(old, new)
    path = folder / "cluster.conf"
    path.write_text(text)
    return path


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    program = binaries.nats_server(None, allow_apt=False)
    numbers = free_ports(3 * _NODES)
    ports = [(numbers[n], numbers[n + 1], numbers[n + 2]) for n in range(0, 3 * _NODES, 3)]
    with data_folder("tradedad-cluster-") as folder, ExitStack() as stack:
        authority = create_authority(NOW)
        pair = create_server_certificate(authority, ("nats", "localhost", HOST), NOW)
        tls = folder / "tls"
        tls.mkdir()
        for name, data in (("ca.crt", authority.certificate), ("tls.crt", pair.certificate),
                           ("tls.key", pair.key)):  # fmt: skip
            (tls / name).write_bytes(data)
        for node, (client, _, _) in enumerate(ports):
            path = configuration(folder / str(node), ports, node, tls)
            command = [str(program), "-c", str(path), "-js", "-sd", str(folder / f"js-{node}")]
            environment = dict.fromkeys(NATS_PASSWORDS, PASSWORD) | {"POD_NAME": f"nats-{node}"}
            stack.enter_context(child_process(Daemon(command, client, environment)))
        yield Cluster([f"tls://{HOST}:{client}" for client, _, _ in ports], tls / "ca.crt")


async def test_a_stream_has_three_replicas_and_a_service_its_permissions_only(
    cluster: Cluster,
) -> None:
    client = await cluster.connect("ingest")
    try:
        # A request is lost while the servers have no leader, and asked again.
        jetstream = client.jetstream(timeout=_REQUEST_SECS)
        stream = StreamConfig(name="TICKS", subjects=["md.quote.>"], num_replicas=_NODES)

        async def create() -> bool:
            try:
                await jetstream.add_stream(stream)
            except (JetStreamError, NatsError):
                return False
            return True

        await eventually(create, what="the cluster has made the stream")
        acknowledgement = await jetstream.publish("md.quote.NSE_EQ.X", b"{}")
        assert acknowledgement.seq == 1
        info = await jetstream.stream_info("TICKS")
        assert info.cluster is not None
        assert len(info.cluster.replicas or []) == _NODES - 1
        assert client.discovered_servers == []  # addresses of pods are not advertised
    finally:
        await client.close()
