"""A replica set of three mongods on loopback, whose primary can be told to go."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from pymongo import MongoClient
from pymongo.errors import AutoReconnect, PyMongoError

from embedded import daemons
from embedded.ports import HOST, free_ports
from tests.support.servers import Server, memory_folder, mongod_program

_MEMBERS: Final = 3
# As quick as three processes on a busy machine can be trusted to be.
_SETTINGS: Final = {"electionTimeoutMillis": 2_000, "heartbeatIntervalMillis": 300}
_STEP_DOWN_SECS: Final = 5


class ReplicaSet:
    """All methods block."""

    def __init__(self, members: dict[int, Server]) -> None:
        self._members = members
        hosts = ",".join(f"{HOST}:{port}" for port in members)
        self.url = f"mongodb://{hosts}/?replicaSet={daemons.REPLICA_SET}"

    def initiate(self) -> None:
        """Make the set; returns when it has a primary."""
        members = [{"_id": n, "host": f"{HOST}:{port}"} for n, port in enumerate(self._members)]
        config = {"_id": daemons.REPLICA_SET, "members": members, "settings": _SETTINGS}
        with self._to(next(iter(self._members))) as client:
            client.admin.command("replSetInitiate", config)
        self.primary()

    def primary(self) -> int:
        """Port of the one that takes writes; waits until there is one."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            for port in self._members:
                if self._is_primary(port):
                    return port
            time.sleep(0.05)
        raise TimeoutError("no primary")

    def step_down(self) -> int:
        """The primary becomes a secondary, and another takes its place; the new one's port."""
        with self._to(self.primary()) as client:
            with suppress(AutoReconnect):  # it closes its connections
                client.admin.command("replSetStepDown", _STEP_DOWN_SECS, force=True)
        return self.primary()

    def kill_primary(self) -> Server:
        """SIGKILL; another takes its place. The one killed."""
        server = self._members[self.primary()]
        server.kill()
        self.primary()
        return server

    def _is_primary(self, port: int) -> bool:
        try:
            with self._to(port) as client:
                return bool(client.admin.command("hello").get("isWritablePrimary"))
        except PyMongoError:
            return False

    def _to(self, port: int) -> "MongoClient[dict[str, Any]]":
        return MongoClient(
            HOST, port, directConnection=True, serverSelectionTimeoutMS=1_000, socketTimeoutMS=5_000
        )


@contextmanager
def run_replica_set() -> Iterator[ReplicaSet]:
    """Three empty mongods with a primary among them."""
    program = mongod_program()
    folder = Path(tempfile.mkdtemp(dir=memory_folder(), prefix="tradedad-mongos-"))
    members = {}
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        for port in free_ports(_MEMBERS):
            command = daemons.mongod_command(program, port=port, folder=folder / str(port))
            members[port] = Server(command, port, {})
            stack.callback(members[port].close)
            members[port].start()
        made = ReplicaSet(members)
        made.initiate()
        yield made
