"""Reads the figures of a replica set's members, each by a connection of its own."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri

from operations.deployments import DATABASE
from operations.server_metrics import metrics
from operations.server_metrics.figures import Figures
from shared.runtime.logs import get_logger

log = get_logger(__name__)

Document = dict[str, Any]

GAUGES: Final = (
    metrics.MONGODB_UP, metrics.MONGODB_MEMBERS, metrics.MONGODB_REPLICATION_LAG_SECONDS,
    metrics.MONGODB_OPLOG_WINDOW_SECONDS, metrics.MONGODB_CONNECTIONS,
    metrics.MONGODB_CONNECTIONS_LEFT, metrics.MONGODB_DISK_BYTES,
    metrics.MONGODB_DISK_FREE_BYTES,
)  # fmt: skip
# States that the metric always has, so that none of them is a 0 and not an absent series.
STATES: Final = ("primary", "secondary", "unreachable")
_TIMEOUT_MS: Final = 5_000
_DATA_STATES: Final = ("PRIMARY", "SECONDARY", "RECOVERING")


class MongoMembers:
    """The members that a connection URL names. Raises ConfigError or PyMongoError for a bad URL."""

    def __init__(self, url: str) -> None:
        parsed = parse_uri(url, warn=True)
        options = {name: value for name, value in parsed["options"].items() if name != "replicaSet"}
        self._clients: dict[str, AsyncMongoClient[Document]] = {
            f"{host}:{port}": AsyncMongoClient(
                host,
                port,
                username=parsed["username"],
                password=parsed["password"],
                directConnection=True,
                timeoutMS=_TIMEOUT_MS,
                serverSelectionTimeoutMS=_TIMEOUT_MS,
                maxPoolSize=2,
                **options,
            )
            for host, port in parsed["nodelist"]
        }

    async def read(self) -> Figures:
        """One round; a member that does not answer is down, and costs nothing of the others."""
        figures = Figures()
        views = await asyncio.gather(*(self._member(name, figures) for name in self._clients))
        _members([view for view in views if view], figures)
        return figures

    async def _member(self, name: str, figures: Figures) -> Sequence[Mapping[str, Any]]:
        client = self._clients[name]
        try:
            replicas = await client.admin.command("replSetGetStatus")
            status = await client.admin.command("serverStatus", oplog=1)
            disk = await client.get_database(DATABASE).command("dbStats")
        except PyMongoError as error:
            log.warning("MongoDB member does not answer", member=name, error=str(error)[:200])
            figures.set(metrics.MONGODB_UP, 0, name)
            return ()
        figures.set(metrics.MONGODB_UP, 1, name)
        connections = status["connections"]
        figures.set(metrics.MONGODB_CONNECTIONS, connections["current"], name)
        figures.set(metrics.MONGODB_CONNECTIONS_LEFT, connections["available"], name)
        if oplog := status.get("oplog"):
            window_secs = oplog["latestOptime"].time - oplog["earliestOptime"].time
            figures.set(metrics.MONGODB_OPLOG_WINDOW_SECONDS, window_secs, name)
        if disk["fsTotalSize"]:  # 0 while the database has no collection
            figures.set(metrics.MONGODB_DISK_BYTES, disk["fsTotalSize"], name)
            free_bytes = disk["fsTotalSize"] - disk["fsUsedSize"]
            figures.set(metrics.MONGODB_DISK_FREE_BYTES, free_bytes, name)
        members: Sequence[Mapping[str, Any]] = replicas["members"]
        return members

    async def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            await client.close()


def _members(views: Sequence[Sequence[Mapping[str, Any]]], figures: Figures) -> None:
    """States and lag as the primary sees them; without a primary, as any member does."""
    if not views:
        return
    view = next((one for one in views if _is_primary(one)), views[0])
    counts = dict.fromkeys(STATES, 0)
    for member in view:
        state = member["stateStr"].lower() if member["health"] else "unreachable"
        counts[state] = counts.get(state, 0) + 1
    for state, count in counts.items():
        figures.set(metrics.MONGODB_MEMBERS, count, state)
    times: dict[str, datetime] = {
        member["name"]: member["optimeDate"]
        for member in view
        if member["health"] and member["stateStr"] in _DATA_STATES
    }
    for name, time in times.items():
        lag_secs = (max(times.values()) - time).total_seconds()
        figures.set(metrics.MONGODB_REPLICATION_LAG_SECONDS, lag_secs, name)


def _is_primary(view: Sequence[Mapping[str, Any]]) -> bool:
    return any(member.get("self") and member["stateStr"] == "PRIMARY" for member in view)
