"""How nats-server and mongod are started here, for the stack and for the tests."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

HOST: Final = "127.0.0.1"
REPLICA_SET: Final = "tradedad"
ROOT: Final = Path(__file__).resolve().parent.parent
NATS_CONFIG: Final = ROOT / "deploy" / "nats" / "nats-server.conf"
_NOT_YET_INITIALISED: Final = 94
_ALREADY_INITIALISED: Final = 23
_NOT_A_MEMBER: Final = 93


def nats_command(program: Path, *, port: int, monitor_port: int, folder: Path) -> list[str]:
    """nats-server with the configuration that production uses."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [str(program), "-c", str(NATS_CONFIG), "-a", HOST, "-p", str(port)]
    return [*command, "-m", str(monitor_port), "-js", "-sd", str(folder)]


def mongod_command(program: Path, *, port: int, folder: Path, log: Path | None = None) -> list[str]:
    """mongod as a replica set of one, so that transactions work; small, and quick to stop.

    It logs to `log`, or to its standard output.
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
    """The address of a mongod that `mongod_command` started."""
    return f"mongodb://{HOST}:{port}/?replicaSet={REPLICA_SET}"


def make_replica_set(
    port: int, *, timeout_secs: float = 30.0, check: Callable[[], None] = lambda: None
) -> None:
    """Turn a fresh mongod into a replica set of one; nothing to do if it is one already.

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
                    _move(client, port)
            except PyMongoError:
                pass  # not up yet; the deadline decides
            time.sleep(0.1)
    raise TimeoutError(f"mongod on port {port} accepts no writes after {timeout_secs} s")


def _initiate(client: "MongoClient[dict[str, object]]", port: int) -> None:
    members = [{"_id": 0, "host": f"{HOST}:{port}"}]
    try:
        client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members})
    except OperationFailure as error:
        if error.code != _ALREADY_INITIALISED:
            raise


def _move(client: "MongoClient[dict[str, object]]", port: int) -> None:
    """The data folder was made on another port: tell the replica set its new address."""
    config = client.get_database("local").get_collection("system.replset").find_one()
    if config is None:
        return
    config["members"] = [{"_id": 0, "host": f"{HOST}:{port}"}]
    client.admin.command("replSetReconfig", config, force=True)
