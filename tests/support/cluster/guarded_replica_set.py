"""A replica set of three mongods with access control, made by the command of production."""

import json
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

from pymongo import MongoClient

from embedded import daemons
from embedded.ports import HOST, free_ports
from operations.deployments import DATABASE, MONGO_USERS, REPLICA_SET
from operations.mongo_setup import MongoSetup
from tests.support.patience import PATIENCE_MS, PATIENCE_SECS
from tests.support.processes import child_process
from tests.support.replica_set import MEMBERS, ReplicaSet
from tests.support.servers import PASSWORD, Daemon, data_folder, mongod_program

_ROLES: Final = daemons.ROOT / "deploy" / "mongo"
_SYSTEM_USER: Final = "__system"


class GuardedReplicaSet(ReplicaSet):
    """Each service has a user of its own, with production's roles."""

    def __init__(self, members: dict[int, Daemon], key: str) -> None:
        super().__init__(members)
        self._key = key
        hosts = ",".join(f"{HOST}:{port}" for port in members)
        self.url = (
            f"mongodb://{_SYSTEM_USER}:{key}@{hosts}/"
            f"?replicaSet={REPLICA_SET}&authSource=local&authMechanism=SCRAM-SHA-256"
        )

    def url_of(self, user: str) -> str:
        """The address for a service."""
        hosts = ",".join(f"{HOST}:{port}" for port in self._members)
        return (
            f"mongodb://{user}:{PASSWORD}@{hosts}/?replicaSet={REPLICA_SET}&authSource={DATABASE}"
        )

    def initiate(self) -> None:
        """Make the set and its users."""
        hosts = [f"{HOST}:{port}" for port in self._members]
        roles = [json.loads(path.read_text()) for path in sorted(_ROLES.glob("*-role.json"))]
        passwords = dict.fromkeys(MONGO_USERS, PASSWORD)
        MongoSetup(hosts, self._key, passwords, roles, {}).run(PATIENCE_SECS)

    def _client(self, port: int, *, timeout_ms: int) -> "MongoClient[dict[str, Any]]":
        return MongoClient(
            HOST, port, directConnection=True, serverSelectionTimeoutMS=timeout_ms,
            socketTimeoutMS=min(timeout_ms, PATIENCE_MS), username=_SYSTEM_USER,
            password=self._key, authSource="local", authMechanism="SCRAM-SHA-256",
        )  # fmt: skip


@contextmanager
def run_guarded_replica_set() -> Iterator[GuardedReplicaSet]:
    """Three mongods with a primary among them, and the users of all services."""
    program = mongod_program()
    members = {}
    with ExitStack() as stack:
        folder = stack.enter_context(data_folder("tradedad-mongos-"))
        key_file = folder / "key"
        key_file.write_text(secrets.token_hex(256))
        key_file.chmod(0o600)
        for port in free_ports(MEMBERS):
            command = daemons.mongod_command(program, port=port, folder=folder / str(port))
            members[port] = Daemon([*command, "--keyFile", str(key_file)], port, {})
            stack.enter_context(child_process(members[port]))
        replica_set = GuardedReplicaSet(members, key_file.read_text())
        replica_set.initiate()
        yield replica_set
