"""The MongoDB connection, with majority writes that wait for the journal."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from pymongo import AsyncMongoClient, IndexModel
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import (
    ConfigurationError,
    InvalidName,
    InvalidURI,
    OperationFailure,
    PyMongoError,
)
from pymongo.monitoring import (
    TopologyClosedEvent,
    TopologyDescriptionChangedEvent,
    TopologyListener,
    TopologyOpenedEvent,
)
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from shared.errors import ConfigError
from shared.runtime import pymongo_patches
from shared.runtime.health import Readiness
from shared.runtime.logs import get_logger
from shared.runtime.mongo_causes import (
    URL_SETTING,
    failure_cause,
    hello_cause,
    refusal,
    topology_cause,
)
from shared.runtime.mongo_metrics import CommandTimer
from shared.runtime.settings import MongoSettings

log = get_logger(__name__)

DEPENDENCY: Final = "mongodb"
_PROBE_SECS: Final = 1.0

_NAMESPACE_EXISTS: Final = 48
_LIST_COLLECTIONS: Final = {"listCollections": 1, "nameOnly": True, "authorizedCollections": True}

Document = dict[str, Any]


@dataclass
class _Refusal:
    """Why the server refuses this user, as the last probe found; None if it does not."""

    cause: str | None = None


class _PrimaryWatch(TopologyListener):
    """Updates readiness when the primary is lost or found; a probe can miss a short outage.

    A primary that refuses this user is found again and again, so a refusal is left to the probe.
    """

    def __init__(self, readiness: Readiness, refusal: _Refusal) -> None:
        self._readiness = readiness
        self._refusal = refusal

    def opened(self, event: TopologyOpenedEvent) -> None:
        """No server has been checked yet."""

    def description_changed(self, event: TopologyDescriptionChangedEvent) -> None:
        if self._refusal.cause is not None:
            return
        if event.new_description.has_writable_server():
            self._readiness.up(DEPENDENCY)
        else:
            self._readiness.down(DEPENDENCY, topology_cause(event.new_description))

    def closed(self, event: TopologyClosedEvent) -> None:
        """This process closes the client."""


class Mongo:
    """An open client and its database; as a component, it keeps readiness up to date."""

    def __init__(
        self,
        client: AsyncMongoClient[Document],
        database: str,
        readiness: Readiness,
        refused: _Refusal | None = None,
    ) -> None:
        self.client = client
        self.db: AsyncDatabase[Document] = client.get_database(
            database,
            write_concern=WriteConcern(w="majority", j=True),
            read_concern=ReadConcern("majority"),
        )
        self._readiness = readiness
        self._refusal = refused or _Refusal()
        self._is_authorised = False

    async def probe(self) -> bool:
        """Check for a writable primary and set readiness; returns whether there is one."""
        try:
            cause = hello_cause(await self.client.admin.command("hello"))
            self._refusal.cause = None
            if cause is None and not self._is_authorised:
                # Unlike `hello`, this needs a user if the server has access control.
                await self.db.command(_LIST_COLLECTIONS)
                self._is_authorised = True
        except PyMongoError as error:
            self._refusal.cause = refusal(error)
            cause = failure_cause(error, self.client.topology_description)
        if cause is not None:
            self._readiness.down(DEPENDENCY, cause)
            return False
        self._readiness.up(DEPENDENCY)
        return True

    async def run(self) -> None:
        """Probe once a second until cancelled."""
        while True:
            await asyncio.sleep(_PROBE_SECS)
            await self.probe()


@asynccontextmanager
async def connect_mongo(settings: MongoSettings, readiness: Readiness) -> AsyncIterator[Mongo]:
    """Connect; waits without limit until there is a primary."""
    pymongo_patches.apply()
    refused = _Refusal()
    client = _make_client(settings, readiness, refused)
    readiness.down(DEPENDENCY, "connecting")
    try:
        mongo = Mongo(client, settings.database, readiness, refused)
        while not await mongo.probe():
            await asyncio.sleep(_PROBE_SECS)
        yield mongo
    finally:
        await client.close()


def _make_client(
    settings: MongoSettings, readiness: Readiness, refused: _Refusal
) -> AsyncMongoClient[Document]:
    try:
        return AsyncMongoClient(
            settings.url.get_secret_value(),
            event_listeners=[_PrimaryWatch(readiness, refused), CommandTimer()],
            timeoutMS=settings.timeout_ms,
            serverSelectionTimeoutMS=settings.timeout_ms,
            connectTimeoutMS=settings.connect_timeout_ms,
            heartbeatFrequencyMS=2_000,
            retryWrites=True,
            retryReads=True,
            tz_aware=True,
            appname=f"tradedad-{readiness.service}",
        )
    except (InvalidURI, ConfigurationError, InvalidName, ValueError) as error:
        # The error's text quotes parts of the URL, possibly the password.
        problem = f"{URL_SETTING}: the MongoDB driver refuses its options ({type(error).__name__})"
        raise ConfigError([problem]) from None


async def ensure_collection(
    db: AsyncDatabase[Document],
    name: str,
    schema: dict[str, Any],
    indexes: Sequence[IndexModel],
    *,
    by_id: bool = False,
) -> None:
    """Create the collection `name`, or update its schema, and create its indexes.

    Repeating the call is safe. A new collection with `by_id` is clustered by `_id`: documents
    are stored in the order of their ids, not in the order of insertion. Raises PyMongoError.
    """
    validation: dict[str, Any] = {
        "validator": {"$jsonSchema": schema},
        "validationLevel": "strict",
        "validationAction": "error",
    }
    clustered: dict[str, Any] = {"clusteredIndex": {"key": {"_id": 1}, "unique": True}}
    try:
        await db.create_collection(
            name, check_exists=False, **validation, **(clustered if by_id else {})
        )
    except OperationFailure as error:
        if error.code != _NAMESPACE_EXISTS:
            raise
        await db.command("collMod", name, **validation)
    if indexes:
        await db[name].create_indexes(list(indexes))
