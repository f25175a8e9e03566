"""A replica set of three mongods on loopback, whose primary can step down or die."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Final

from pymongo import MongoClient
from pymongo.errors import AutoReconnect, PyMongoError

from embedded import daemons
from embedded.ports import HOST, free_ports
from tests.support.patience import PATIENCE_MS, PATIENCE_SECS
from tests.support.processes import child_process
from tests.support.servers import Daemon, data_folder, mongod_program

MEMBERS: Final = 3
# As short as three processes on a busy machine allow: a member that misses heartbeats for this
# long starts an election.
_SETTINGS: Final = {"electionTimeoutMillis": 2_000, "heartbeatIntervalMillis": 300}
_STEP_DOWN_SECS: Final = 5
_PROBE_MS: Final = 1_000


class ReplicaSet:
    """All methods block."""

    def __init__(self, members: dict[int, Daemon]) -> None:
        self._members = members
        hosts = ",".join(f"{HOST}:{port}" for port in members)
        self.url = f"mongodb://{hosts}/?replicaSet={daemons.REPLICA_SET}"

    def initiate(self) -> None:
        """Make the set, and wait until it has a primary."""
        members = [{"_id": n, "host": f"{HOST}:{port}"} for n, port in enumerate(self._members)]
        config = {"_id": daemons.REPLICA_SET, "members": members, "settings": _SETTINGS}
        with self._client(next(iter(self._members)), timeout_ms=PATIENCE_MS) as client:
            client.admin.command("replSetInitiate", config)
        self.primary()

    def primary(self) -> int:
        """The port of the primary; waits until there is one."""
        deadline = time.monotonic() + PATIENCE_SECS
        while time.monotonic() < deadline:
            for port in self._members:
                if self._is_primary(port):
                    return port
            time.sleep(0.05)
        raise TimeoutError("the replica set has no primary")

    def member(self, *, is_primary: bool) -> Daemon:
        """The primary, or a secondary."""
        primary = self.primary()
        return next(
            server for port, server in self._members.items() if (port == primary) is is_primary
        )

    def wait_complete(self) -> None:
        """Wait until all members are primary or secondary."""
        deadline = time.monotonic() + PATIENCE_SECS
        while not all(map(self._is_data_bearing, self._members)):
            if time.monotonic() > deadline:
                raise TimeoutError("a member of the replica set has not caught up")
            time.sleep(0.1)

    def step_down(self) -> int:
        """Make the primary a secondary; the port of the next primary."""
        with self._client(self.primary(), timeout_ms=PATIENCE_MS) as client:
            with suppress(AutoReconnect):  # it closes its connections
                client.admin.command("replSetStepDown", _STEP_DOWN_SECS, force=True)
        return self.primary()

    def kill_primary(self) -> Daemon:
        """SIGKILL the primary, and wait for another; returns the killed one."""
        server = self._members[self.primary()]
        server.kill()
        self.primary()
        return server

    def _is_primary(self, port: int) -> bool:
        return bool(self._hello(port).get("isWritablePrimary"))

    def _is_data_bearing(self, port: int) -> bool:
        hello = self._hello(port)
        return bool(hello.get("isWritablePrimary") or hello.get("secondary"))

    def _hello(self, port: int) -> dict[str, Any]:
        try:
            with self._client(port, timeout_ms=_PROBE_MS) as client:
                return client.admin.command("hello")
        except PyMongoError:
            return {}

    def _client(self, port: int, *, timeout_ms: int) -> "MongoClient[dict[str, Any]]":
        return MongoClient(
            HOST, port, directConnection=True, serverSelectionTimeoutMS=timeout_ms,
            socketTimeoutMS=PATIENCE_MS,
        )  # fmt: skip


@contextmanager
def run_replica_set() -> Iterator[ReplicaSet]:
    """Three empty mongods with a primary among them."""
    program = mongod_program()
    members = {}
    with ExitStack() as stack:
        folder = stack.enter_context(data_folder("tradedad-mongos-"))
        for port in free_ports(MEMBERS):
            command = daemons.mongod_command(program, port=port, folder=folder / str(port))
            members[port] = Daemon(command, port, {})
            stack.enter_context(child_process(members[port]))
        replica_set = ReplicaSet(members)
        replica_set.initiate()
        yield replica_set
