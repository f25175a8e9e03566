"""Stores the candles of a page and the record that it was fetched, in one transaction.

A bar that is stored already is left as it is, whatever its state: it may be of the live feed.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol, TypeVar

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import ConnectionFailure, PyMongoError

from services.persister.candles.candle import UpstoxCandle
from services.persister.history.page_bars import daily_documents, five_minute_documents
from services.persister.history.page_store import PageStore, WantedPage
from services.persister.history.pages import PageKind
from services.persister.storage.bar_store import BARS
from services.persister.storage.daily_candles import DAILY, DailyCandles
from shared.market.exchange_time import midnight_ms
from shared.runtime.mongo import Document, Mongo

T = TypeVar("T")

_PASSING_LABELS: Final = (
    "TransientTransactionError", "UnknownTransactionCommitResult", "RetryableWriteError"
)  # fmt: skip


class LeaderTransactions(Protocol):
    """The transactions of the leading persister."""

    async def transact(self, epoch: int, write: Callable[[AsyncClientSession], Awaitable[T]]) -> T:
        """Call `write` in one. Raises StaleEpoch if another persister leads, or PyMongoError."""
        ...


class PageWriter:
    """Writes for the leader of an epoch."""

    def __init__(self, mongo: Mongo, leader: LeaderTransactions, pages: PageStore) -> None:
        self._collections = {
            PageKind.FIVE_MINUTES: mongo.db.get_collection(BARS),
            PageKind.DAY: mongo.db.get_collection(DAILY),
        }
        self._daily = DailyCandles(mongo)
        self._leader = leader
        self._pages = pages

    async def prepare(self) -> None:
        """Create the collections, or bring them up to date. Raises PyMongoError."""
        await self._pages.prepare()
        await self._daily.prepare()

    async def store(
        self, wanted: WantedPage, candles: Sequence[UpstoxCandle] | None, epoch: int
    ) -> int:
        """Store the candles of a page; None if Upstox does not know its key.

        Returns how many bars were new. Raises StaleEpoch or PyMongoError.
        """
        documents = _documents(wanted, candles or ())
        collection = self._collections[wanted.page.kind]

        async def write(session: AsyncClientSession) -> int:
            ids = [document["_id"] for document in documents]
            known = collection.find({"_id": {"$in": ids}}, {"_id": 1}, session=session)
            stored = {row["_id"] async for row in known}
            absent = [document for document in documents if document["_id"] not in stored]
            if absent:
                await collection.insert_many(absent, ordered=False, session=session)
            await self._pages.record(wanted, session, is_unknown=candles is None)
            return len(absent)

        return await self._leader.transact(epoch, write)


def is_passing(error: PyMongoError) -> bool:
    """Whether the same write may succeed later: the database was away, busy or slow."""
    return (
        isinstance(error, ConnectionFailure)
        or error.timeout
        or any(map(error.has_error_label, _PASSING_LABELS))
    )


def _documents(wanted: WantedPage, candles: Sequence[UpstoxCandle]) -> list[Document]:
    from_ms, until_ms = midnight_ms(wanted.first), midnight_ms(wanted.until)
    expected = [candle for candle in candles if from_ms <= candle.start_ms < until_ms]
    if wanted.page.kind is PageKind.DAY:
        return daily_documents(wanted.page.key, expected)
    return five_minute_documents(wanted.page.key, expected)
