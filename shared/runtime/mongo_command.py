"""Connections to MongoDB for commands, which end with the cause where a service would wait."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Final

from pymongo import MongoClient
from pymongo.errors import (
    ConfigurationError,
    InvalidName,
    InvalidURI,
    OperationFailure,
    PyMongoError,
)
from pymongo.monitoring import CommandListener

from shared.errors import ConfigError, TradeDadError, Unavailable
from shared.runtime.health import Readiness
from shared.runtime.mongo import DEPENDENCY, Document, Mongo, connect_mongo
from shared.runtime.mongo_causes import URL_SETTING, failure_cause
from shared.runtime.settings import MongoSettings
from shared.runtime.tasks import stop

CONNECT_SECS: Final = 10.0
_APPLICATION: Final = "operations"
_SOCKET_MS: Final = 60_000


class DatabaseFailed(TradeDadError):
    """MongoDB did not do what a command needs; the message has the address or the setting."""


@asynccontextmanager
async def command_mongo(
    settings: MongoSettings, *, timeout_secs: float = CONNECT_SECS
) -> AsyncIterator[Mongo]:
    """Connect.

    Raises DatabaseFailed if there is no primary in time, and in place of PyMongoError and
    Unavailable from the block; and ConfigError.
    """
    readiness = Readiness(_APPLICATION)
    async with AsyncExitStack() as stack:
        connecting = asyncio.ensure_future(
            stack.enter_async_context(connect_mongo(settings, readiness))
        )
        try:
            await asyncio.wait({connecting}, timeout=timeout_secs)
            if not connecting.done():
                # Read before the client closes, which reports another cause.
                raise DatabaseFailed(_failed(readiness.missing[DEPENDENCY]))
        finally:
            # The driver may lose one cancellation.
            await stop([connecting])
        mongo = connecting.result()
        try:
            yield mongo
        except (PyMongoError, Unavailable) as error:
            await mongo.probe()
            cause = readiness.missing.get(DEPENDENCY, type(error).__name__)
            raise DatabaseFailed(_failed(cause)) from error


@contextmanager
def command_client(
    settings: MongoSettings, listeners: Sequence[CommandListener] = ()
) -> Iterator[MongoClient[Document]]:
    """Connect, without an event loop.

    Raises DatabaseFailed for every error of the driver in the block, and ConfigError.
    """
    try:
        client: MongoClient[Document] = MongoClient(
            settings.url.get_secret_value(),
            serverSelectionTimeoutMS=settings.timeout_ms,
            connectTimeoutMS=settings.timeout_ms,
            socketTimeoutMS=_SOCKET_MS,
            tz_aware=True,
            appname=f"tradedad-{_APPLICATION}",
            event_listeners=list(listeners),
        )
    except (InvalidURI, ConfigurationError, InvalidName, ValueError) as error:
        # The error's text quotes parts of the URL, possibly the password.
        problem = f"{URL_SETTING}: the MongoDB driver refuses its options ({type(error).__name__})"
        raise ConfigError([problem]) from None
    with client:
        try:
            yield client
        except PyMongoError as error:
            raise DatabaseFailed(_failed(_cause(error, client))) from error


def _cause(error: PyMongoError, client: MongoClient[Document]) -> str:
    cause = failure_cause(error, client.topology_description)
    if isinstance(error, OperationFailure) and error.details and cause == type(error).__name__:
        # Not the error's text: after a refused write it quotes the document.
        return f"{cause}: {error.details.get('codeName', error.code)} ({URL_SETTING})"
    return cause


def _failed(cause: str) -> str:
    return f"MongoDB: {cause}"
