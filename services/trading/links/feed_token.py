"""Answers ingest's requests for the access token of the feed's account."""

import asyncio
from typing import Final

import msgspec
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from pymongo.errors import PyMongoError

from services.trading.links.documents import FEED_ID, LINKS, link_from_document, token_place
from services.trading.links.seal_keys import SealKeys
from services.trading.links.sealing import SealBroken
from shared.bus.connection import Bus
from shared.bus.refused_publishes import report_refused
from shared.contracts.subjects import FEED_TOKEN
from shared.errors import ConfigError
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger
from shared.runtime.mongo import Mongo

log = get_logger(__name__)

_QUEUE_GROUP: Final = "trading-feed-token"
_MAX_WAITING: Final = 64


class FeedTokenReply(msgspec.Struct, frozen=True):
    """The token; empty if there is no valid one."""

    access_token: str

    def __repr__(self) -> str:
        return "FeedTokenReply()"


class FeedToken:
    """A component: each process of trading answers, whichever partitions it owns.

    The link is read at each request, so that a new login is used at once.
    """

    def __init__(self, bus: Bus, mongo: Mongo, keys: SealKeys, clock: Clock) -> None:
        self._bus = bus
        self._links = mongo.db.get_collection(LINKS)
        self._keys = keys
        self._clock = clock
        self._problem = ""
        self._requests: asyncio.Queue[Msg] = asyncio.Queue(_MAX_WAITING)

    async def run(self) -> None:
        """Answer until cancelled. The client restores the subscription after an outage."""
        subscription = await self._bus.client.subscribe(
            FEED_TOKEN, queue=_QUEUE_GROUP, cb=self._enqueue
        )
        try:
            while True:
                await self._answer(await self._requests.get())
        finally:
            try:
                await subscription.unsubscribe()
            except (NatsError, OSError) as error:
                log.debug("subscription left to end with the connection", error=repr(error))

    async def read(self) -> str:
        """The token; empty if none is valid. Raises PyMongoError, SealBroken or ConfigError."""
        document = await self._links.find_one({"_id": FEED_ID})
        link = None if document is None else link_from_document(document)
        if link is None or link.refused or link.expires_ms <= self._clock.now_ms():
            return ""
        return await self._keys.open(link.sealed_token, token_place(FEED_ID))

    async def _enqueue(self, message: Msg) -> None:
        if not self._requests.full():  # ingest asks again
            self._requests.put_nowait(message)

    async def _answer(self, message: Msg) -> None:
        token, problem = "", ""
        try:
            token = await self.read()
        except (PyMongoError, SealBroken, ConfigError) as error:
            problem = type(error).__name__
        if problem and problem != self._problem:  # ingest asks again and again
            log.warning("token of the feed cannot be read", error=problem)
        self._problem = problem
        if not message.reply or not self._bus.can_publish:
            return
        try:
            reply = msgspec.json.encode(FeedTokenReply(token))
            await self._bus.client.publish(message.reply, reply)
        except (NatsError, OSError) as error:
            report_refused("reply", error)
