"""The MongoDB connection, with majority writes that wait for the journal."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
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
from shared.runtime.settings import MongoSettings

log = get_logger(__name__)

DEPENDENCY: Final = "mongodb"
_PROBE_SECS: Final = 1.0
_PROBE_TIMEOUT_MS: Final = 1_000

_NAMESPACE_EXISTS: Final = 48

Document = dict[str, Any]


class _PrimaryWatch(TopologyListener):
    """Updates readiness when the primary is lost or found; a probe can miss a short outage."""

    def __init__(self, readiness: Readiness) -> None:
        self._readiness = readiness

    def opened(self, event: TopologyOpenedEvent) -> None:
        """No server has been checked yet."""

    def description_changed(self, event: TopologyDescriptionChangedEvent) -> None:
        if event.new_description.has_writable_server():
            self._readiness.up(DEPENDENCY)
        else:
            self._readiness.down(DEPENDENCY, "no primary")

    def closed(self, event: TopologyClosedEvent) -> None:
        """This process closes the client."""


class Mongo:
    """An open client and its database; as a component, it keeps readiness up to date."""

    def __init__(
        self, client: AsyncMongoClient[Document], database: str, readiness: Readiness
    ) -> None:
        self.client = client
        self.db: AsyncDatabase[Document] = client.get_database(
            database,
            write_concern=WriteConcern(w="majority", j=True),
            read_concern=ReadConcern("majority"),
        )
        self._readiness = readiness

    async def probe(self) -> bool:
        """Check for a writable primary and set readiness; returns whether there is one."""
        try:
            hello = await self.client.admin.command("hello")
            if not hello.get("isWritablePrimary"):
                self._readiness.down(DEPENDENCY, "no primary")
                return False
        except PyMongoError as error:
            self._readiness.down(DEPENDENCY, type(error).__name__)
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
    client = _make_client(settings, readiness)
    readiness.down(DEPENDENCY, "connecting")
    try:
        mongo = Mongo(client, settings.database, readiness)
        while not await mongo.probe():
            await asyncio.sleep(_PROBE_SECS)
        yield mongo
    finally:
        await client.close()


def _make_client(settings: MongoSettings, readiness: Readiness) -> AsyncMongoClient[Document]:
    try:
        return AsyncMongoClient(
            settings.url.get_secret_value(),
            event_listeners=[_PrimaryWatch(readiness)],
            timeoutMS=settings.timeout_ms,
            serverSelectionTimeoutMS=settings.timeout_ms,
            connectTimeoutMS=_PROBE_TIMEOUT_MS,
            heartbeatFrequencyMS=2_000,
            retryWrites=True,
            retryReads=True,
            tz_aware=True,
            appname=f"tradedad-{readiness.service}",
        )
    except (InvalidURI, ConfigurationError, InvalidName, ValueError) as error:
        # The error's text quotes parts of the URL, possibly the password.
        problem = f"TRADEDAD_MONGO_URL: not a valid MongoDB URL ({type(error).__name__})"
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
