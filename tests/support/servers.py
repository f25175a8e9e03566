"""Real nats-server and mongod processes for tests, on free ports."""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from nats.aio.client import Client

from embedded import binaries, daemons
from embedded.ports import HOST, free_ports
from operations.secret_files import NATS_PASSWORDS
from shared.bus.failover import abort_lost_connections
from tests.support.patience import PATIENCE_SECS
from tests.support.processes import ChildProcess, child_process
from tests.support.waiting import wait_until

PASSWORD: Final = "test-password"
_MEMORY: Final = Path("/dev/shm")
_MEMORY_FREE_BYTES: Final = 4 << 30


class Daemon(ChildProcess):
    """A server that can be killed, paused and started again on the same port and data."""

    def __init__(self, command: list[str], port: int, environment: Mapping[str, str]) -> None:
        super().__init__(Path(command[0]).name, command, environment)
        self.port = port

    def start(self) -> None:
        """Start it, and wait until it accepts connections."""
        super().start()
        wait_until(self._accepts, what=f"{self.name} listens on port {self.port}")

    def _accepts(self) -> bool:
        assert self.is_running, f"{self.name} has ended: {self.log()}"
        try:
            socket.create_connection((HOST, self.port), timeout=PATIENCE_SECS).close()
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Kill it: its data goes with it."""
        self.kill()
        self._log.close()


class NatsServer(Daemon):
    """nats-server with the configuration that production uses."""

    def __init__(self, command: list[str], port: int, folder: Path) -> None:
        super().__init__(command, port, dict.fromkeys(NATS_PASSWORDS, PASSWORD))
        self.folder = folder
        """Where JetStream keeps its streams."""

    @property
    def url(self) -> str:
        """The address of clients."""
        return f"nats://{HOST}:{self.port}"

    async def connect(self, user: str) -> Client:
        """A client of one of the configured users; the caller closes it."""
        client = Client()
        abort_lost_connections(client)
        await client.connect(
            self.url, user=user, password=PASSWORD, inbox_prefix=f"_INBOX.{user}",
            connect_timeout=round(PATIENCE_SECS), max_reconnect_attempts=-1,
        )  # fmt: skip
        return client


class MongoServer(Daemon):
    """mongod as a replica set of one member."""

    @property
    def url(self) -> str:
        """The address of clients."""
        return daemons.mongo_url(self.port)

    def start(self) -> None:
        """Start it, and wait until it accepts writes."""
        super().start()
        daemons.make_replica_set(self.port, timeout_secs=PATIENCE_SECS)


@contextmanager
def data_folder(prefix: str) -> Iterator[Path]:
    """A folder for a server's data, deleted at the end: in memory where there is room.

    Nothing in it has to outlive a test run, and writes to memory never wait for a disk.
    """
    in_memory = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _MEMORY_FREE_BYTES
    folder = Path(tempfile.mkdtemp(dir=_MEMORY if in_memory else None, prefix=prefix))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def run_nats() -> Iterator[NatsServer]:
    """A nats-server with an empty JetStream."""
    program = binaries.nats_server(_configured("TRADEDAD_STACK_NATS_SERVER"), allow_apt=False)
    port, monitor_port = free_ports(2)
    with data_folder("tradedad-nats-") as folder:
        command = daemons.nats_command(program, port=port, monitor_port=monitor_port, folder=folder)
        server = NatsServer(command, port, folder)
        with child_process(server):
            yield server


@contextmanager
def run_mongo() -> Iterator[MongoServer]:
    """An empty mongod that accepts transactions."""
    (port,) = free_ports(1)
    with data_folder("tradedad-mongo-") as folder:
        command = daemons.mongod_command(mongod_program(), port=port, folder=folder)
        server = MongoServer(command, port, {})
        with child_process(server):
            yield server


def mongod_program() -> Path:
    """The mongod that the environment names, or the one of the Python environment."""
    return binaries.mongod(_configured("TRADEDAD_STACK_MONGOD"))


def _configured(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value) if value else None
