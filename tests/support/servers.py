"""Real nats-server and mongod processes for tests, on free ports."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from nats.aio.client import Client

from embedded import binaries, daemons
from embedded.ports import HOST, free_ports
from embedded.secrets import NATS_PASSWORDS

PASSWORD = "test-password"


def memory_folder() -> str | None:
    """A folder in memory, where there is one: these databases live for seconds."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


class Server:
    """A daemon that can be killed, frozen and started again on the same port and data."""

    def __init__(self, command: list[str], port: int, environment: dict[str, str]) -> None:
        self.port = port
        self._command = command
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._log = tempfile.TemporaryFile()  # noqa: SIM115

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, and wait until it accepts connections."""
        self._process = subprocess.Popen(
            self._command, env=self._environment, stdout=self._log, stderr=subprocess.STDOUT
        )
        _wait_for_port(self.port, self._process, self._log)

    def kill(self) -> None:
        """SIGKILL: it has no chance to tidy up."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """SIGSTOP: sockets stay open, nothing answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self.kill()
        self._log.close()


def _wait_for_port(port: int, process: "subprocess.Popen[bytes]", log: IO[bytes]) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if process.poll() is not None:
            log.seek(0)
            raise RuntimeError(log.read().decode())
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.01)
        else:
            return
    raise TimeoutError(f"nothing listens on port {port}")


class NatsServer(Server):
    """nats-server with the configuration that production uses."""

    @property
    def url(self) -> str:
        return f"nats://{HOST}:{self.port}"

    async def connect(self, user: str) -> Client:
        """A client of one of the configured users; the caller closes it."""
        client = Client()
        await client.connect(self.url, user=user, password=PASSWORD, inbox_prefix=f"_INBOX.{user}")
        return client


@contextmanager
def run_nats() -> Iterator[NatsServer]:
    """A nats-server with an empty JetStream."""
    program = binaries.nats_server(_configured("TRADEDAD_STACK_NATS_SERVER"), allow_apt=False)
    folder = Path(tempfile.mkdtemp(dir=memory_folder(), prefix="tradedad-nats-"))
    port, monitor_port = free_ports(2)
    command = daemons.nats_command(program, port=port, monitor_port=monitor_port, folder=folder)
    server = NatsServer(command, port, dict.fromkeys(NATS_PASSWORDS, PASSWORD))
    try:
        server.start()
        yield server
    finally:
        server.close()
        shutil.rmtree(folder, ignore_errors=True)


class MongoServer(Server):
    """mongod as a replica set of one."""

    @property
    def url(self) -> str:
        return daemons.mongo_url(self.port)

    def start(self) -> None:
        super().start()
        daemons.make_replica_set(self.port)


@contextmanager
def run_mongo() -> Iterator[MongoServer]:
    """An empty mongod that accepts transactions."""
    program = mongod_program()
    folder = Path(tempfile.mkdtemp(dir=memory_folder(), prefix="tradedad-mongo-"))
    (port,) = free_ports(1)
    server = MongoServer(daemons.mongod_command(program, port=port, folder=folder), port, {})
    try:
        server.start()
        yield server
    finally:
        server.close()
        shutil.rmtree(folder, ignore_errors=True)


def mongod_program() -> Path:
    """The mongod that this machine's environment names, or ours."""
    return binaries.mongod(_configured("TRADEDAD_STACK_MONGOD"))


def _configured(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value) if value else None
