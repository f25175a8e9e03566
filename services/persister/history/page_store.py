"""Records which pages of candles have been fetched, and which are wanted, in MongoDB.

The collection is the queue of the leader's fetches as well, so that a fetch that is interrupted
goes on under the next leader, and a page that was fetched is not fetched again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import Any, Final

from pymongo import ASCENDING, IndexModel, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from services.persister.history.pages import Page, PageKind
from shared.market.exchange_time import MINUTE_MS
from shared.runtime.clock import Clock
from shared.runtime.mongo import Document, Mongo, ensure_collection

PAGES: Final = "history_pages"
_UPSTOX: Final = "upstox"
"""Id of the document that exists while Upstox gives no candles."""
REFUSED_MS: Final = 60 * MINUTE_MS
"""Time for which requests do not ask again for a refused page. Such a refusal does not pass in
seconds, and each further attempt takes calls from other pages. Yet a page is not lost for a day.
"""
_STRING: Final = {"bsonType": "string"}
_INTEGER: Final = {"bsonType": ["int", "long"]}
_SCHEMA: Final[dict[str, Any]] = {
    "bsonType": "object",
    "additionalProperties": False,
    "required": ["_id"],
    "properties": {
        **dict.fromkeys(("_id", "kind", "key", "start", "until", "wanted_until", "error"), _STRING),
        "priority": _INTEGER,
        "asked_ms": _INTEGER,
        "refused_ms": _INTEGER,
        "unknown": {"bsonType": "bool"},
    },
}
WANTED: Final[Document] = {"wanted_until": {"$exists": True}}


class Priority(IntEnum):
    """Source of a demand for a page. A page with both sources has the lower number."""

    REQUEST = 0
    COMMAND = 1


@dataclass(frozen=True, slots=True)
class FetchedPage:
    """Record of a page."""

    until: date
    """Days from this one on are not fetched; `date.min` if none is."""
    is_unknown: bool
    """Whether Upstox did not know the key."""
    is_refused: bool = False
    """Whether requests do not ask for the page, because it was refused a short time ago."""


@dataclass(frozen=True, slots=True)
class WantedPage:
    """A fetch to do: the days `[first, until)` of a page."""

    page: Page
    first: date
    until: date
    is_refused: bool = False
    """As in `FetchedPage`."""


class PageStore:
    """Any process may read and want pages; only the leader records fetched ones.

    All methods raise pymongo.errors.PyMongoError while the database is unavailable.
    """

    def __init__(self, mongo: Mongo, clock: Clock) -> None:
        self._db = mongo.db
        self._pages = mongo.db.get_collection(PAGES)
        self._clock = clock

    async def prepare(self) -> None:
        """Create the collection, or bring it up to date."""
        order = IndexModel(
            [("priority", ASCENDING), ("asked_ms", ASCENDING)],
            partialFilterExpression=WANTED,
        )
        await ensure_collection(self._db, PAGES, _SCHEMA, [order])

    async def fetched(self, pages: Iterable[Page]) -> dict[Page, FetchedPage]:
        """The stored records of these pages; a page without a record is left out."""
        by_id = {page.page_id: page for page in pages}
        fields = {"until": 1, "unknown": 1, "refused_ms": 1}
        found = self._pages.find({"_id": {"$in": list(by_id)}}, fields)
        return {
            by_id[row["_id"]]: FetchedPage(
                _day(row.get("until")), row.get("unknown", False), self._is_refused(row)
            )
            async for row in found
        }

    async def want(self, wanted: Sequence[tuple[Page, date]], priority: Priority) -> None:
        """Ask the leader to fetch each page until the day that is given with it."""
        if wanted:
            now_ms = self._clock.now_ms()
            await self._pages.bulk_write(want_writes(wanted, priority, now_ms), ordered=False)

    async def wanted_count(self, priority: Priority, limit: int) -> int:
        """How many pages are wanted, counted to `limit`."""
        return await self._pages.count_documents({"priority": int(priority)} | WANTED, limit=limit)

    async def next_wanted(self, priority: Priority) -> WantedPage | None:
        """The page that has been wanted for the longest time; None if none is."""
        row = await self._pages.find_one(
            {"priority": int(priority)} | WANTED, sort=[("asked_ms", ASCENDING)]
        )
        if row is None:
            return None
        page = Page(PageKind(row["kind"]), row["key"], date.fromisoformat(row["start"]))
        first = max(page.start, page.kind.first_day, _day(row.get("until")))
        return WantedPage(page, first, _day(row["wanted_until"]), self._is_refused(row))

    async def record(
        self, wanted: WantedPage, session: AsyncClientSession, *, is_unknown: bool
    ) -> None:
        """Record in the transaction of `session` that a page was fetched."""
        until = wanted.until.isoformat()
        fetched: Document = {"until": until}
        if is_unknown:
            fetched["unknown"] = True
        page_id = wanted.page.page_id
        change = {"$set": fetched, "$unset": {"refused_ms": ""}}
        await self._pages.update_one({"_id": page_id}, change, session=session)
        # More days of the page may be wanted by now.
        done = {"_id": page_id, "wanted_until": {"$lte": until}}
        await self._pages.update_one(done, _DISMISSAL, session=session)

    async def dismiss(self, page: Page) -> None:
        """Want a page no longer."""
        await self._pages.update_one({"_id": page.page_id}, _DISMISSAL)

    async def refuse(self, page: Page) -> None:
        """Want a page no longer, and record that it was refused."""
        refused = {"$set": {"refused_ms": self._clock.now_ms()}}
        await self._pages.update_one({"_id": page.page_id}, refused | _DISMISSAL)

    async def postpone(self, page: Page) -> None:
        """Fetch a page after all others."""
        now_ms = self._clock.now_ms()
        await self._pages.update_one({"_id": page.page_id} | WANTED, {"$set": {"asked_ms": now_ms}})

    async def note_failure(self, error: str) -> None:
        """Record that Upstox gives no candles."""
        await self._pages.update_one({"_id": _UPSTOX}, {"$set": {"error": error}}, upsert=True)

    async def clear_failure(self) -> None:
        """Record that Upstox gives candles."""
        await self._pages.delete_one({"_id": _UPSTOX})

    async def is_failing(self) -> bool:
        """Whether Upstox gave no candles at the last call."""
        return await self._pages.find_one({"_id": _UPSTOX}, {"_id": 1}) is not None

    def _is_refused(self, row: Document) -> bool:
        """Whether a page was refused a short time ago. A time to come is of a wrong clock."""
        refused_ms = row.get("refused_ms")
        return refused_ms is not None and 0 <= self._clock.now_ms() - refused_ms < REFUSED_MS


_DISMISSAL: Final[Document] = {"$unset": {"wanted_until": "", "priority": "", "asked_ms": ""}}


def want_writes(
    wanted: Iterable[tuple[Page, date]], priority: Priority, now_ms: int
) -> list[UpdateOne]:
    """Writes that ask the leader for pages; repeated, they change nothing."""
    return [
        UpdateOne(
            {"_id": page.page_id},
            {
                "$setOnInsert": {
                    "kind": page.kind.value,
                    "key": page.key,
                    "start": str(page.start),
                },
                "$max": {"wanted_until": until.isoformat()},
                "$min": {"priority": int(priority), "asked_ms": now_ms},
            },
            upsert=True,
        )
        for page, until in wanted
    ]


def _day(text: str | None) -> date:
    return date.min if text is None else date.fromisoformat(text)
