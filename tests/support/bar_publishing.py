"""What a persister publishes of its bars, compared with what it has stored."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from nats.aio.msg import Msg

from services.persister.storage.documents import bar_from_document, bar_id
from shared.contracts.messages import Bar
from shared.runtime.mongo import Mongo
from tests.support.buses import flushed
from tests.support.servers import NatsServer
from tests.support.waiting import eventually

Published = dict[str, list[Bar]]
"""By id of the bar, every version that was published, in order."""


@asynccontextmanager
async def published_bars(nats: NatsServer) -> AsyncIterator[Published]:
    """Collects the bars that are published from now on."""
    published: Published = {}

    async def collect(message: Msg) -> None:
        bar = msgspec.json.decode(message.data, type=Bar)
        published.setdefault(bar_id(bar.key, bar.start), []).append(bar)

    observer = await nats.connect("observer")
    await observer.subscribe("md.bar.5m.>", cb=collect)
    await flushed(observer)
    try:
        yield published
    finally:
        await observer.close()


async def check_all_published(mongo: Mongo, published: Published) -> None:
    """Each bar that is stored was published, and its last version is the stored one."""

    async def missing() -> list[str]:
        stored = await mongo.db["bars_5m"].find().to_list()
        return [
            bar["_id"]
            for bar in stored
            if published.get(bar["_id"], [None])[-1] != bar_from_document(bar)
        ]

    async def all_published() -> bool:
        return not await missing()

    await eventually(all_published, what="every stored bar is published")
