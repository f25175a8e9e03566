"""Command lines of nats-server and mongod, for the stack and for tests."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from embedded.ports import HOST

REPLICA_SET: Final = "tradedad"
ROOT: Final = Path(__file__).resolve().parent.parent
NATS_CONFIG: Final = ROOT / "deploy" / "nats" / "nats-server.conf"
_NOT_YET_INITIALISED: Final = 94
_ALREADY_INITIALISED: Final = 23
_NOT_A_MEMBER: Final = 93


def nats_command(program: Path, *, port: int, monitor_port: int, folder: Path) -> list[str]:
    """Return the command of a nats-server with the production configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [str(program), "-c", str(NATS_CONFIG), "-a", HOST, "-p", str(port)]
    return [*command, "-m", str(monitor_port), "-js", "-sd", str(folder)]


def mongod_command(program: Path, *, port: int, folder: Path, log: Path | None = None) -> list[str]:
    """Return the command of a mongod with a small cache and a short shutdown.

    It is a replica set of one member, because transactions need a replica set. It logs to
    `log`, or to its standard output.
    """
    folder.mkdir(parents=True, exist_ok=True)
    logging = [] if log is None else ["--logpath", str(log), "--logappend"]
    return [
        str(program),
        "--bind_ip", HOST,
        "--port", str(port),
        "--dbpath", str(folder),
        "--replSet", REPLICA_SET,
        "--nounixsocket",
        "--quiet",
        "--wiredTigerCacheSizeGB", "0.25",
        "--oplogSize", "64",
        "--setParameter", "diagnosticDataCollectionEnabled=false",
        "--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100",
        *logging,
    ]  # fmt: skip


def mongo_url(port: int) -> str:
    """Return the connection string of a mongod that `mongod_command` started."""
    return f"mongodb://{HOST}:{port}/?replicaSet={REPLICA_SET}"


def make_replica_set(
    port: int, *, timeout_secs: float = 30.0, check: Callable[[], None] = lambda: None
) -> None:
    """Initiate the replica set of a new mongod, and wait until it accepts writes.

    `check` is called between attempts and may raise to end the wait. Raises TimeoutError
    if the server does not accept writes in time.
    """
    deadline = time.monotonic() + timeout_secs
    client: MongoClient[dict[str, object]] = MongoClient(
        HOST, port, directConnection=True, serverSelectionTimeoutMS=1_000, socketTimeoutMS=5_000
    )
    with client:
        while time.monotonic() < deadline:
            check()
            try:
                if client.admin.command("hello").get("isWritablePrimary"):
                    return
                client.admin.command("replSetGetStatus")
            except OperationFailure as error:
                if error.code == _NOT_YET_INITIALISED:
                    _initiate(client, port)
                elif error.code == _NOT_A_MEMBER:
                    _reconfigure(client, port)
            except PyMongoError:
                pass  # mongod is still starting
            time.sleep(0.1)
    raise TimeoutError(f"mongod on port {port} does not accept writes after {timeout_secs} s")


def _initiate(client: "MongoClient[dict[str, object]]", port: int) -> None:
    members = [{"_id": 0, "host": f"{HOST}:{port}"}]
    try:
        client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members})
    except OperationFailure as error:
        if error.code != _ALREADY_INITIALISED:
            raise


def _reconfigure(client: "MongoClient[dict[str, object]]", port: int) -> None:
    """Set the member's address: the data folder was created with another port."""
    config = client.get_database("local").get_collection("system.replset").find_one()
    if config is None:
        return
    config["members"] = [{"_id": 0, "host": f"{HOST}:{port}"}]
    client.admin.command("replSetReconfig", config, force=True)
